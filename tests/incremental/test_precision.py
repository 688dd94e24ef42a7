"""Differences that are multiplied in bfloat16: near enough, checked, and given up where not."""

from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, WholeInference, precision

from .replaced import plain, windows, wrapped

SMALL = patch("xwidgets.incremental.precision.fast_type", lambda device: torch.bfloat16)
"""A device that is faster in bfloat16."""


@pytest.mark.parametrize("name", ["birds", "street"])
def test_effects_in_bfloat16_are_near_the_exact_ones(name):
    net = xw.network(name)
    image = (xw.scenes.bird if name == "birds" else xw.scenes.street)(seed=3).image
    inference = IncrementalInference(WholeInference(net, image, 10), "bfloat16")
    assert inference.compute_dtype == torch.bfloat16
    assert not inference.note
    assert 0.5 < inference.share < 0.6
    corners, contents = windows(image, 10, count=20)
    base = net.logits(image[None])
    ours = inference.outputs(corners, contents) - base
    effects = plain(net, image, corners, contents) - base
    error, size = (ours - effects).abs().amax(1), effects.abs().amax(1)
    assert (error <= 0.05 * size + 0.002 * size.max()).all()
    assert (error.square().mean() / effects.square().mean()).sqrt() < 0.02
    assert error.max() > 1e-5 * effects.abs().max()  # or else nothing was rounded


@pytest.mark.parametrize("asked", ["float32", "auto"])
def test_networks_of_another_type_keep_it(asked):
    net = wrapped(nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Flatten(), nn.Linear(900, 2)), 32, 32)
    whole = WholeInference(net, torch.rand(3, 32, 32, dtype=torch.float64), 3)
    with SMALL:
        inference = IncrementalInference(whole, asked)
    assert inference.compute_dtype == torch.float64
    assert not inference.note
    assert IncrementalInference(whole, "bfloat16").compute_dtype == torch.bfloat16


def test_the_stopwatch_is_asked_by_auto_alone():
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    whole = WholeInference(net, image, 10)
    with SMALL:
        types = [IncrementalInference(whole, one).compute_dtype for one in ("float32", "auto")]
    assert types == [torch.float32, torch.bfloat16]
    stopped = AssertionError("the stopwatch runs")
    with patch("xwidgets.incremental.precision._seconds", side_effect=stopped):
        precision.fast_type.cache_clear()
        for run in (xw.prediction_difference, xw.occlusion):
            assert run(net, image, window=16, stride=16).compute_dtype == "float32"
        assert xw.unit_relevance(net, image, "classifier.1", samples=1).compute_dtype == "float32"


class Cancelling(nn.Module):
    """Two large products that nearly are each other's opposite: eight bits do not hold that."""

    def __init__(self):
        super().__init__()
        self.both = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.mixed = nn.Conv2d(4, 2, 1, bias=False)
        with torch.no_grad():
            self.both.weight[2:] = self.both.weight[:2]
            self.mixed.weight.zero_()
            for channel in range(2):
                self.mixed.weight[channel, channel] = 1.001
                self.mixed.weight[channel, channel + 2] = -1

    def both_and_mixed(self):
        return self.both, self.mixed

    def forward(self, x):
        return self.mixed(self.both(x)).mean((2, 3))


class Means(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def test_where_bfloat16_does_not_hold_the_type_is_larger_and_the_note_says_so():
    torch.manual_seed(0)
    net, image = xw.Network(Cancelling().eval(), size=(32, 32)), torch.rand(3, 32, 32)
    inference = IncrementalInference(WholeInference(net, image, 4), "bfloat16")
    assert inference.compute_dtype == torch.float32
    assert inference.note == (
        "differences are multiplied in float32, as bfloat16 is not exact enough here"
    )
    corners, contents = windows(image, 4)
    ours, expected = inference.outputs(corners, contents), plain(net, image, corners, contents)
    effect = (expected - net.logits(image[None])).abs().amax(1)
    assert ((ours - expected).abs().amax(1) <= 1e-3 * effect + 1e-7).all()


def test_whole_forwards_are_never_rounded():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv2d(3, 2, 3)

        def forward(self, x):
            y = self.convolution(x).mean((2, 3))
            return y if y.sum() > 0 else 2 * y

    net, image = xw.Network(Branching().eval(), size=(16, 16)), torch.rand(3, 16, 16)
    inference = IncrementalInference(WholeInference(net, image, 4), "bfloat16")
    assert inference.compute_dtype == torch.float32
    assert "run whole" in inference.note
    assert inference.share == 1
    assert "bfloat16" not in inference.note


def test_a_map_says_in_which_type_it_was_computed():
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    options = {"samples": 1, "stride": 5, "measure": "difference"}
    exact = xw.prediction_difference(net, image, **options)
    first, *_, rounded = xw.explain.prediction_difference_steps(
        net, image, **options, compute_dtype="bfloat16"
    )
    assert exact.compute_dtype == first.compute_dtype == "float32"
    assert rounded.compute_dtype == "bfloat16"
    assert not rounded.note
    assert [one.parameters["compute_dtype"] for one in (exact, rounded)] == ["float32", "bfloat16"]
    error = abs(rounded.values - exact.values)
    assert 0 < error.max() < 0.02 * abs(exact.values).max()
    same = xw.prediction_difference_each(net, image, [None], **options, compute_dtype="bfloat16")
    np.testing.assert_array_equal(same[0].values, rounded.values)


def test_occlusion_and_units_are_multiplied_in_the_asked_type_too(tmp_path):
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    for run in (
        partial(xw.occlusion, net, image, window=8, stride=4),
        partial(xw.unit_relevance, net, image, "features.28", samples=1),
    ):
        exact, rounded = run(), run(compute_dtype="bfloat16")
        assert (exact.compute_dtype, rounded.compute_dtype) == ("float32", "bfloat16")
        error = abs(rounded.values - exact.values)
        assert 0 < error.max() < 0.05 * abs(exact.values).max()
        rounded.save(tmp_path / "result.npz")
        again = type(rounded).load(tmp_path / "result.npz")
        assert again.compute_dtype == again.parameters["compute_dtype"] == "bfloat16"


def test_units_say_where_bfloat16_does_not_hold():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), *Cancelling().both_and_mixed(), Means())
    net, image = xw.Network(module.eval(), size=(8, 8)), torch.rand(3, 8, 8)
    result = xw.unit_relevance(
        net, image, "0", images=torch.rand(4, 3, 8, 8), samples=1, compute_dtype="bfloat16"
    )
    assert result.compute_dtype == "float32"
    assert "as bfloat16 is not exact enough here" in result.note


@pytest.mark.parametrize("function", [xw.prediction_difference, xw.occlusion, xw.unit_relevance])
def test_an_unknown_type_is_refused(function):
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    layer = ["classifier.1"] if function is xw.unit_relevance else []
    match = 'compute_dtype is \'float16\', but must be "float32", "bfloat16" or "auto"'
    with pytest.raises(ValueError, match=match):
        function(net, image, *layer, compute_dtype="float16")


@pytest.mark.parametrize(
    ("single", "small", "expected"),
    [(1.0, 0.5, torch.bfloat16), (1.0, 0.9, torch.float32), (1.0, 3.0, torch.float32)],
)
def test_the_smaller_type_is_taken_where_it_is_clearly_faster(single, small, expected):
    seconds = {torch.float32: single, torch.bfloat16: small}
    with patch.object(precision, "_seconds", lambda device, dtype: seconds[dtype]):
        assert precision.fast_type.__wrapped__(torch.device("cpu")) == expected


def test_a_measurement_takes_both_types_and_a_moment():
    for dtype in (torch.float32, torch.bfloat16):
        assert 0 < precision._seconds(torch.device("cpu"), dtype) < 5
