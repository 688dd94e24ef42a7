"""Occlusion against Captum, and against a plain loop over windows in float64."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import xwidgets as xw
from xwidgets.explain.removal.windows import WindowGrid

from .parts import MEAN, STD

MEASURES = ("difference", "drop", "probability")
COLOUR = (0.1, 0.5, 0.9)


class Unrounded(xw.Occlusion):
    """The map as it is computed, before it becomes a result in float32."""

    def relevance(self, subject, target, values, **facts):
        return values


class Small(nn.Module):
    """Two convolutions and a pool in float64, far from linear, for images of any size."""

    def __init__(self, channels=3, classes=4, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(channels, 5, 3, padding=1)
        self.second = nn.Conv2d(5, 6, 3, stride=2, padding=1)
        self.linear = nn.Linear(6 * 4, classes)
        self.double()
        self.linear.weight.data *= 8

    def hidden(self, pixels, layer):
        """Activations of one image in [0, 1]."""
        x = (pixels - column(MEAN)[: len(pixels)]) / column(STD)[: len(pixels)]
        with torch.no_grad():
            first = self.first(x[None]).relu()
            return first[0] if layer == "first" else self.second(first).relu()[0]

    def forward(self, x):
        maps = self.second(self.first(x).relu()).relu()
        return self.linear(nn.functional.adaptive_avg_pool2d(maps, 2).flatten(1))


def column(values):
    return torch.tensor(values, dtype=torch.float64)[:, None, None]


def network(size=(8, 10), channels=3, **options):
    module = Small(channels, **options)
    normalize = (MEAN[:channels], STD[:channels])
    return xw.Network(module, normalize=normalize, size=size, name="small")


def image(size=(8, 10), channels=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, *size, generator=generator, dtype=torch.float64)


# Captum


def forwards(net, measure):
    """The score of a measure as a function of pixels, as Captum takes one."""
    if measure == "difference":
        return net.logits
    return lambda pixels: net.probabilities(net.logits(pixels))


def captums(net, x, target, window, stride, value, measure):
    """Captum's map. What is left of the probability is what it was, less what is lost.

    At the very end Captum rounds to single precision, which it is kept from.
    """
    channels = len(x)
    baseline = torch.as_tensor(value, dtype=x.dtype).expand(channels)[None, :, None, None]
    height, width = window
    scored = forwards(net, measure)
    with patch.object(torch.Tensor, "float", torch.Tensor.double):
        lost = Occlusion(scored).attribute(
            x[None],
            sliding_window_shapes=(channels, height, width),
            strides=(channels, stride, stride),
            baselines=baseline,
            target=target,
            perturbations_per_eval=16,
        )[0, 0]
    return scored(x[None])[0, target] - lost if measure == "probability" else lost


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("value", [0.3, COLOUR], ids=["grey", "coloured"])
@pytest.mark.parametrize(
    ("window", "stride"),
    [(1, 1), (3, 1), ((2, 5), 1), ((5, 2), 1), (8, 1), (2, 2), (4, 2), ((2, 4), 2), ((8, 4), 3)],
    ids=str,
)
def test_the_map_is_that_of_captums_occlusion(window, stride, value, measure):
    net, x = network(), image()
    sides = window if isinstance(window, tuple) else (window, window)
    expected = captums(net, x, 2, sides, stride, value, measure)
    ours = Unrounded(window, stride, value, measure).run(net, x, 2)
    assert ours.dtype == torch.float64
    assert expected.abs().max() > 1e-3
    assert (ours - expected).abs().max() < 1e-10


@pytest.mark.parametrize("seed", range(4))
def test_other_networks_agree_with_captum_too(seed):
    net, x = network(size=(9, 12), seed=seed + 10), image((9, 12), seed=seed)
    expected = captums(net, x, seed, (3, 4), 2, COLOUR, "difference")
    ours = Unrounded((3, 4), 2, COLOUR).run(net, x, seed)
    assert expected.abs().max() > 1e-3
    assert (ours - expected).abs().max() < 1e-10


@pytest.mark.parametrize("precision", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("window", "stride"), [(16, 8), ((16, 24), 8)], ids=str)
def test_an_embedded_network_agrees_with_captum(window, stride, measure, precision):
    net, x = xw.network("birds"), xw.scenes.bird(seed=3).image
    net.module.to(precision)
    sides = window if isinstance(window, tuple) else (window, window)
    target = net.top(x, 1)[0][0]
    expected = captums(net, x.to(precision), target, sides, stride, COLOUR, measure).double()
    ours = Unrounded(window, stride, COLOUR, measure).run(net, x, target)
    spread = float(expected.max() - expected.min())
    assert spread > 1e-3
    tolerance = 1e-10 if precision == torch.float64 else 1e-4 * spread
    assert (ours - expected).abs().max() < tolerance


# A plain loop


def places(length, side, stride):
    """Where windows begin along an axis: a stride apart, the last at the border."""
    found, place = [], 0
    while place + side < length:
        found.append(place)
        place += stride
    return [*found, length - side]


def looped(score, x, window, stride, value, left=False, known=None):
    """The mean over the windows that cover a pixel of what each takes away, or of what is left."""
    (_, height, width), (h, w) = x.shape, window
    total, count = torch.zeros(2, height, width, dtype=torch.float64)
    for top in places(height, h, stride):
        for start in places(width, w, stride):
            if known is not None and (top, start) not in known:
                continue
            here = np.s_[top : top + h, start : start + w]
            occluded = x.clone()
            for channel, plane in enumerate(occluded):
                plane[here] = value[channel] if isinstance(value, tuple) else value
            rest = score(occluded)
            total[here] += rest if left else score(x) - rest
            count[here] += 1
    return total / count


def scores(module, target, measure):
    """Of one image in [0, 1], without any part of the package."""

    def score(pixels):
        x = (pixels - column(MEAN)[: len(pixels)]) / column(STD)[: len(pixels)]
        with torch.no_grad():
            logits = module(x[None])[0]
        if measure == "difference":
            return float(logits[target])
        if len(logits) == 1:
            return float(1 / (1 + (-logits[0]).exp()))
        powers = (logits - logits.max()).exp()
        return float(powers[target] / powers.sum())

    return score


@st.composite
def questions(draw):
    """Size of the image, window, stride."""
    height, width = draw(st.integers(3, 11)), draw(st.integers(3, 11))
    window = draw(st.integers(1, height)), draw(st.integers(1, width))
    return (height, width), window, draw(st.integers(1, min(window)))


@settings(max_examples=60, deadline=None)
@given(
    questions(),
    st.sampled_from(MEASURES),
    st.sampled_from([0, 0.0, 1, 0.25, COLOUR]),
    st.sampled_from([0, 5e4, None, 1e9]),
    st.sampled_from([1, 4]),
)
def test_the_map_is_the_mean_over_the_windows_in_a_plain_loop(
    question, measure, value, memory, classes
):
    size, window, stride = question
    net, x, target = network(size, classes=classes), image(size), classes - 1
    score = scores(net.module, target, measure)
    expected = looped(score, x, window, stride, value, measure == "probability")
    ours = Unrounded(window, stride, value, measure, memory).run(net, x, target)
    assert (ours - expected).abs().max() < 1e-10 * max(1, expected.abs().max())


@pytest.mark.parametrize("measure", MEASURES)
def test_a_last_window_that_is_shifted_to_the_border_counts_as_any_other(measure):
    size, window, stride = (8, 11), (4, 5), 3  # rows at 0, 3 and 4; columns at 0, 3 and 6
    net, x = network(size), image(size)
    assert (places(8, 4, 3), places(11, 5, 3)) == ([0, 3, 4], [0, 3, 6])
    score = scores(net.module, 0, measure)
    expected = looped(score, x, window, stride, 0.5, measure == "probability")
    result = xw.occlusion(net, x, 0, window, stride, measure=measure)
    np.testing.assert_allclose(result.values, expected.numpy(), rtol=1e-6, atol=1e-7)


def test_one_side_and_a_square_of_it_are_the_same():
    net, x = network(), image()
    square = xw.occlusion(net, x, 1, window=(3, 3), stride=2)
    np.testing.assert_array_equal(xw.occlusion(net, x, 1, 3, 2).values, square.values)
    two, three = np.int64(2), np.int64(3)
    np.testing.assert_array_equal(xw.occlusion(net, x, 1, three, two).values, square.values)
    as_tuple = xw.occlusion(net, x, 1, (three, three), two)
    assert as_tuple.parameters == square.parameters


def test_a_rectangle_is_height_and_width():
    net, x = network(), image()
    lying = xw.occlusion(net, x, 1, window=(2, 6)).values
    module = Turned(net.module)
    turned = xw.Network(module, normalize=(MEAN, STD), size=(10, 8), name="turned")
    standing = xw.occlusion(turned, x.transpose(1, 2), 1, window=(6, 2)).values
    np.testing.assert_allclose(standing.T, lying, rtol=1e-5, atol=1e-7)


class Turned(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.transpose(2, 3).contiguous())


def test_a_rectangle_as_large_as_the_image_gives_one_value():
    net, x = network(), image()
    grey = torch.full_like(x, 0.5)
    lost = float(net.logits(x[None])[0, 3] - net.logits(grey[None])[0, 3])
    values = xw.occlusion(net, x, 3, window=(8, 10)).values
    np.testing.assert_allclose(values, lost, rtol=1e-6)


# Parts of a layer

NODES = {
    "channel": (xw.Channel("first", 2), "first", lambda maps: maps[2].mean()),
    "channel behind a stride": (xw.Channel("second", 5), "second", lambda maps: maps[5].mean()),
    "unit": (xw.Unit("first", 1, 0, 9), "first", lambda maps: maps[1, 0, 9]),
    "unit behind a stride": (xw.Unit(2, 4, 3, 1), "second", lambda maps: maps[4, 3, 1]),
}


@pytest.mark.parametrize("memory", [0, None])
@pytest.mark.parametrize("name", NODES)
def test_of_a_part_of_a_layer_the_loss_of_activation_is_mapped(name, memory):
    target, layer, read = NODES[name]
    net, x = network(), image()

    def score(pixels):
        return float(read(net.module.hidden(pixels, layer)))

    expected = looped(score, x, (3, 4), 2, COLOUR)
    assert expected.abs().max() > 1e-3
    ours = Unrounded((3, 4), 2, COLOUR, memory=memory).run(net, x, target)
    assert (ours - expected).abs().max() < 1e-10


@pytest.mark.parametrize("measure", MEASURES)
def test_the_measure_is_of_classes_and_changes_nothing_for_a_part_of_a_layer(measure):
    net, x = network(), image()
    result = xw.occlusion(net, x, xw.Channel("first", 2), 3, 2, COLOUR, measure)
    plain = xw.occlusion(net, x, xw.Channel("first", 2), 3, 2, COLOUR)
    np.testing.assert_array_equal(result.values, plain.values)
    assert result.values.min() < 0
    assert (result.unit, result.signed) == ("activation", True)


# Steps


@pytest.mark.parametrize("measure", MEASURES)
def test_steps_know_what_was_covered_and_end_as_the_run(measure):
    net, x, window, stride = network(), image(), (3, 4), 2
    grid = WindowGrid(8, 10, window, stride)
    order = torch.cat([windows for _, windows in grid.sweeps(1, 0)])
    corners = [tuple(corner) for corner in grid.corners[order].tolist()]
    steps = list(
        xw.occlusion_steps(net, x, 1, window, stride, value=COLOUR, measure=measure, memory=0)
    )
    assert len(steps) == len(corners) == 4 * 4
    score = scores(net.module, 1, measure)
    for count, step in enumerate(steps, 1):
        known = set(corners[:count])
        expected = looped(score, x, window, stride, COLOUR, measure == "probability", known)
        np.testing.assert_allclose(step.values, expected.numpy(), rtol=1e-5, atol=1e-7)
        assert step.completed == pytest.approx(count / len(corners))
        assert step.standard_error is None
    assert np.isnan(steps[0].values).sum() == 8 * 10 - 3 * 4
    assert np.isfinite(steps[-1].values).all()
    whole = xw.occlusion(net, x, 1, window, stride, COLOUR, measure, memory=0)
    np.testing.assert_array_equal(steps[-1].values, whole.values)
    assert steps[-1].completed == whole.completed == 1


def test_batches_do_not_matter():
    net, x = network(), image()
    maps = [Unrounded((2, 3), memory=memory).run(net, x, 0) for memory in (0, 4e4, 1e9)]
    for other in maps[1:]:
        assert (other - maps[0]).abs().max() < 1e-10


def test_several_targets_at_once_are_those_of_each():
    net, x = network(), image()
    for measure in MEASURES:
        method = xw.Occlusion((3, 4), 2, measure=measure)
        for target, one in zip([3, 0], method.run_each(net, x, [3, 0]), strict=True):
            alone = method.run(net, x, target)
            assert (one.title, one.target) == (alone.title, alone.target)
            np.testing.assert_allclose(one.values, alone.values, rtol=1e-6)


# The result


@pytest.mark.parametrize(
    ("measure", "unit", "signed"),
    [("difference", "logits", True), ("drop", "probability", True),
     ("probability", "probability", False)],
)  # fmt: skip
def test_a_measure_has_a_unit_and_may_have_no_sign(measure, unit, signed):
    method = xw.Occlusion(measure=measure)
    assert (method.unit, method.signed) == (unit, signed)
    result = xw.occlusion(network(), image(), 1, (2, 3), measure=measure)
    assert (result.unit, result.signed) == (unit, signed)
    assert signed == bool(result.values.min() < 0)


def test_the_result_says_how_it_was_made(tmp_path):
    result = xw.occlusion(network(), image()[None], 1, (2, 3), 2, COLOUR, "drop", memory=0)
    assert result.values.dtype == np.float32
    assert result.image.shape == (8, 10, 3)
    assert (result.method, result.network_name, result.label) == ("occlusion", "small", "class 1")
    assert result.parameters == {
        "window": [2, 3], "stride": 2, "value": [0.1, 0.5, 0.9], "measure": "drop",
        "compute_dtype": "float32",
    }  # fmt: skip
    result.save(tmp_path / "result.npz")
    assert xw.Relevance.load(tmp_path / "result.npz").parameters == result.parameters


def test_without_a_target_the_top_class_is_explained():
    net, x = network(), image()
    best = int(net(x[None]).argmax())
    result = xw.occlusion(net, x, window=3)
    assert result.target == best
    np.testing.assert_array_equal(result.values, xw.occlusion(net, x, best, 3).values)


# A study


def test_a_study_of_rectangles_asks_anew():
    net, x = network(), image()
    with xw.Study(net, x, 1, xw.Occlusion(window=(3, 4), stride=2)) as study:
        assert study.window is None
        np.testing.assert_array_equal(
            study.wait().values, xw.occlusion(net, x, 1, (3, 4), 2).values
        )
        study.move(window=(2, 6))
        np.testing.assert_array_equal(
            study.wait().values, xw.occlusion(net, x, 1, (2, 6), 2).values
        )
        study.move(window=5)
        assert study.window == 5
        study.image = image((6, 7), seed=4)
        assert study.wait().values.shape == (6, 7)
        study.move(window=(2, 6))
        study.image = image((4, 5), seed=4)
        assert study.method.window == (2, 5)
        assert study.wait().values.shape == (4, 5)


def test_numbers_of_numpy_are_numbers_of_a_method():
    net, x = network(), image()
    method = xw.Occlusion(np.int64(3), np.int32(2), (np.float64(0.5),), "drop", np.float32(0))
    plain = xw.Occlusion(3, 2, (0.5,), "drop")
    assert (method, hash(method)) == (plain, hash(plain))
    assert {type(part) for part in (method.window, method.stride)} == {int}
    assert {type(part) for part in (*method.value, method.memory)} == {float}
    with xw.Study(net, x, 1, method) as study:
        assert study.window == 3
        control = xw.ParameterControl("window", study)
        assert (control.value, type(control.value)) == (3, int)
        with pytest.raises(ValueError, match="window 9"):
            study.move(window=np.int64(9))


# What cannot be

NAN = float("nan")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 9}, "window 9 is larger than the image of 8 x 10 pixels; use a window of at "
         "most 8"),
        ({"window": np.int64(9)}, "window 9 is larger than the image of 8 x 10 pixels; use a "
         "window of at most 8"),
        ({"window": (9, 2)}, "window (9, 2) is larger than the image of 8 x 10 pixels; use a "
         "window of at most (8, 10)"),
        ({"window": (2, 11)}, "window (2, 11) is larger than the image"),
        ({"window": (1, 2, 3)}, "window is (1, 2, 3), but must be a side or (height, width)"),
        ({"window": (4,)}, "window is (4,), but must be a side or (height, width)"),
        ({"window": ()}, "window is (), but must be a side or (height, width)"),
        ({"window": 0}, "window is 0, but must be a whole number of at least 1"),
        ({"window": -2}, "window is -2, but must be a whole number of at least 1"),
        ({"window": (0, 4)}, "window is 0, but must be a whole number of at least 1"),
        ({"window": 3.0}, "window is 3.0, but must be a whole number of at least 1"),
        ({"window": (3, 2.5)}, "window is 2.5, but must be a whole number of at least 1"),
        ({"window": NAN}, "window is nan, but must be a whole number"),
        ({"window": "8"}, "window is '8', but must be a whole number"),
        ({"window": None}, "window is None, but must be a whole number"),
        ({"window": 4, "stride": 5}, "stride 5 is larger than window 4 and would leave pixels "
         "unseen; use a stride of at most 4"),
        ({"window": (6, 2), "stride": 3}, "stride 3 is larger than window (6, 2) and would leave "
         "pixels unseen; use a stride of at most 2"),
        ({"stride": 0}, "stride is 0, but must be a whole number of at least 1"),
        ({"stride": 1.0}, "stride is 1.0, but must be a whole number of at least 1"),
        ({"stride": NAN}, "stride is nan, but must be a whole number"),
        ({"value": 1.1}, "value is 1.1, but must be a number from 0 to 1"),
        ({"value": -0.1}, "value is -0.1, but must be a number from 0 to 1"),
        ({"value": NAN}, "value is nan, but must be a number from 0 to 1"),
        ({"value": (0.5, NAN, 0.5)}, "but must be a number from 0 to 1, or one for each"),
        ({"value": (0.5, 0.5, 2)}, "but must be a number from 0 to 1, or one for each"),
        ({"value": (0.5, 0.5)}, "a constant of 2 numbers does not fit an image of 3 channels"),
        ({"value": ()}, "a constant of 0 numbers does not fit an image of 3 channels"),
        ({"value": "grey"}, "value is 'grey', but must be a number from 0 to 1"),
        ({"value": None}, "value is None, but must be a number from 0 to 1"),
        ({"measure": "evidence"}, "measure is 'evidence', but must be \"difference\", \"drop\" or "
         '"probability"'),
        ({"measure": None}, "measure is None, but must be"),
        ({"memory": -1}, "memory is -1, but must be a number of bytes, at least 0"),
        ({"memory": NAN}, "memory is nan, but must be a number"),
        ({"target": 4}, "class 4 does not exist: small has classes 0 to 3"),
        ({"target": xw.Channel("first", 5)}, "channel 5 does not exist: layer 'first' has channels "
         "0 to 4"),
        ({"target": xw.Unit("first", 0, 8, 0)}, "row 8 does not exist: layer 'first' has rows 0 "
         "to 7"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_sentence(options, words):
    net, x = network(), image()
    options = {"window": 3} | options
    for refused in (xw.occlusion, xw.occlusion_steps):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  # the words are compared below
            refused(net, x, **options)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_image_that_is_none_is_refused():
    with pytest.raises(ValueError, match="pixels must be finite"):
        xw.occlusion(network(), torch.full((3, 8, 10), NAN), 0, 3)
    with pytest.raises(ValueError, match="have 1 channels where the network takes 3"):
        xw.occlusion(network(), image(channels=1), 0, 3)


def test_a_network_that_returns_nan_is_told():
    net = network()
    net.module.linear.bias.data[1] = NAN
    with pytest.raises(ValueError, match="returned NaN or infinite scores"):
        xw.occlusion(net, image(), 0, 3)


def test_the_image_and_the_network_stay_as_they_were():
    net, x = network(), image()
    net.module.train()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    copy = x.clone()
    xw.occlusion(net, x, 0, (2, 3))
    assert torch.equal(x, copy)
    assert all(part.training for part in net.module.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
