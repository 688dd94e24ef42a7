"""Networks that make a batch of each picture, against the same that look at its parts in turn."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks import Subject

from .parts import image

SIDE = 12
SENTENCE = r"layer '.*' holds \d+ rows for (each picture|\d pictures), because the network makes a"


def flips(x):
    return [x, x.flip(3)]


def crops(x):
    return [
        x[:, :, top : top + 9, left : left + 9] for top, left in ((0, 0), (0, 3), (3, 0), (2, 1))
    ]


class Views(nn.Module):
    """Mean of the scores of several views of a picture, as one batch or one after another."""

    def __init__(self, views, join):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.head, self.last = nn.Linear(6, 5), nn.Linear(5, 3)
        for part in (self.head, self.last):
            part.weight.data.abs_()
            part.bias.data.abs_()
        self.pool = nn.MaxPool2d(2)
        self.views, self.join = views, join

    def body(self, x):
        x = self.pool(self.first(x).relu())
        return self.head(self.second(x).relu().mean((2, 3))).relu()

    def forward(self, x):
        return self.last(self.join(self, x))


def behind_each_other(m, x):
    """A batch of all first views, then all second ones."""
    views = m.views(x)
    scores = m.body(torch.cat(views))
    return sum(scores.chunk(len(views))) / len(views)


def beside_each_other(m, x):
    """A batch of all views of the first picture, then of the second."""
    views = torch.stack(m.views(x), 1)
    return m.body(views.flatten(0, 1)).view(len(x), -1, 5).mean(1)


def halves(m, x):
    views = m.views(x)
    scores = m.body(torch.cat(views))
    first, second = scores[: len(x)], scores[len(x) :]
    return (first + second) / 2


def in_turn(m, x):
    scores = [m.body(view) for view in m.views(x)]
    return sum(scores) / len(scores)


CASES = {
    "flips": (flips, behind_each_other),
    "flips, halves": (flips, halves),
    "crops": (crops, beside_each_other),
    "crops behind each other": (crops, behind_each_other),
}


@pytest.fixture(params=CASES)
def nets(request):
    """The network with a batch of its own, and the one without."""
    views, join = CASES[request.param]
    modules = Views(views, join), Views(views, in_turn)
    return [xw.Network(module.double().eval(), size=(SIDE, SIDE)) for module in modules]


@pytest.fixture
def x():
    return image(SIDE, dtype=torch.float64)


METHODS = [
    xw.Saliency(reduce="signed"),
    xw.ExcitationBackprop("pixels", contrastive=False),
    xw.ExcitationBackprop("pixels", contrastive=True),
    xw.Occlusion(window=3, measure="difference"),
    xw.PredictionDifference(window=3, samples=3, stride=3),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_scores_are_explained_as_those_of_the_network_without_a_batch(nets, x, method):
    for net in nets:
        net.examples = lambda: torch.stack([image(SIDE, seed=seed) for seed in range(40)])
    found, expected = (method.run(net, x, 1) for net in nets)
    if method.name == "excitation backprop":
        assert found.mass == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5, atol=1e-6)
    assert np.abs(found.values).max() > 0


def test_windows_are_those_of_plain_forwards(nets, x):
    corners = torch.tensor([[0, 0], [4, 7], [9, 2]])
    contents = torch.rand(3, 3, 3, 3, generator=torch.Generator().manual_seed(2)).double()
    expected = []
    for (row, column), content in zip(corners.tolist(), contents, strict=True):
        replaced = x.clone()
        replaced[:, row : row + 3, column : column + 3] = content
        expected.append(nets[1](replaced[None]))
    inference = IncrementalInference(WholeInference(nets[0], x, 3))
    assert "is run whole for every window" in inference.note
    torch.testing.assert_close(inference.outputs(corners, contents), torch.cat(expected))


def test_deconvnet_of_a_class_is_that_of_the_network_without_a_batch(nets, x):
    found, expected = (xw.Deconvnet().run(net, x, 1).values for net in nets)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert found.any()


REFUSED = {
    "search": lambda net, x: xw.search_images(
        net, torch.stack([x] * 3), [(1, 0)], cache=False, progress=False
    ),
    "ranking": lambda net, x: xw.rank_neurons(net, x),
    "a layer's ranking": lambda net, x: xw.rank_neurons(net, x, layers="second"),
    "deconvnet": lambda net, x: xw.deconvolve(net, x, "second", 1),
    "patches": lambda net, x: xw.neuron_patches(net, x, [("second", 1)]),
    "excitation": lambda net, x: xw.excitation_backprop(net, x, 1, "second"),
    "excitation of a channel": lambda net, x: xw.ExcitationBackprop("pixels").run(
        net, x, xw.Channel("second", 1)
    ),
    "a channel": lambda net, x: xw.Occlusion(window=3).run(net, x, xw.Channel("first", 1)),
    "the most active channel": lambda net, x: xw.saliency(net, x, xw.Channel("first")),
    "a unit": lambda net, x: xw.Occlusion(window=3).run(net, x, xw.Unit("first", 1, 2, 3)),
    "units": lambda net, x: xw.unit_relevance(
        net, x, "second", 0, torch.stack([x, x.flip(2)]), samples=2
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_hold_several_rows_for_a_picture_are_refused_in_a_sentence(nets, x, name):
    with pytest.raises(ValueError, match=SENTENCE) as caught:
        REFUSED[name](nets[0], x)
    assert "\n" not in str(caught.value)


def test_layers_behind_the_batch_are_read(nets, x):
    found, expected = (
        xw.excitation_backprop(net, x, 1, source="last", contrastive=False, stop_at="pixels")
        for net in nets
    )
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5, atol=1e-9)


def test_layers_tell_how_many_rows_they_hold(nets):
    rows = {layer.name: layer.rows for layer in nets[0].layers}
    assert rows["first"] == rows["head"] == rows["pool"] > 1 == rows["last"]
    assert {layer.rows for layer in nets[1].layers} == {1}


def test_only_layers_with_one_row_a_picture_are_offered(nets, x):
    for net, offered in zip(nets, ([], ["first", "second", "pool"]), strict=True):
        subject = Subject(net, x)
        [stop_at] = [
            control
            for control in xw.ExcitationBackprop().controls(subject)
            if control.name == "stop_at"
        ]
        assert set(offered) <= set(stop_at.choices)
        assert not {"first", "pool"} & set(stop_at.choices) - set(offered)


def test_excitation_stops_by_default_where_each_row_is_a_picture():
    class Large(Views):
        def forward(self, x):
            return super().forward(F.interpolate(x, scale_factor=4.0))

    for join, expected in ((behind_each_other, "pixels"), (in_turn, "pool")):
        net = xw.Network(Large(flips, join).eval(), size=(SIDE, SIDE))
        relevance = xw.excitation_backprop(net, image(SIDE), 1, contrastive=False)
        assert relevance.parameters["stop_at"] == expected
