"""Removing hidden units against the network's own tail, unit by unit, in float64."""

import re
import tracemalloc
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn

from xwidgets import Network, UnitRelevance, unit_relevance
from xwidgets.explain._unit_relevance import _turns
from xwidgets.incremental import UnitInference
from xwidgets.incremental.linear import Convolution, FullyConnected
from xwidgets.incremental.pointwise import Rectifier
from xwidgets.incremental.whole_units import WholeUnitInference

from .squeezed import squeezed_errors

SIZE = (7, 8)


class Branched(nn.Module):
    """Its middle layer is added to, and laid beside, what does not depend on it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(8, 5, 3, stride=2)
        self.hidden = nn.Linear(5, 6)
        self.linear = nn.Linear(6, 3)
        self.double()

    def start(self, x):
        return torch.relu(self.first(x))

    def behind_middle(self, h, z):
        both = torch.cat([h, torch.relu(h + z)], 1)
        return torch.relu(self.hidden(torch.relu(self.last(both)).mean((2, 3))))

    def score(self, v):
        return self.linear(v)

    def forward(self, x):
        h = self.start(x)
        return self.score(self.behind_middle(h, torch.relu_(self.middle(h))))


def image(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, *SIZE, generator=generator, dtype=torch.float64)


IMAGES = torch.stack([image(seed) for seed in range(1, 4)])


def network(kind=Branched):
    return Network(kind(), size=SIZE, name=kind.__name__.lower(), training_size=50)


def tails(module, x):
    """For each layer, its values for an image, and what follows from other values."""
    h = module.start(x[None])
    z = module.middle(h).relu()
    v = module.behind_middle(h, z)
    return {
        "first": (
            h, lambda other: module.score(module.behind_middle(other, module.middle(other).relu()))
        ),
        "middle": (z, lambda other: module.score(module.behind_middle(h, other))),
        "hidden": (v, module.score),
    }  # fmt: skip


@cache
def by_hand(layer, read, evidence, kind=Branched):
    """Values and standard errors of all units, each in all of IMAGES."""
    module = kind()
    with torch.no_grad():
        base, tail = tails(module, image())[layer]
        others = [tails(module, one)[layer][0].flatten() for one in IMAGES]
        whole = evidence(read(tail(base)))
        relevance, spread = [], []
        for unit in range(base.numel()):
            values = []
            for other in others:
                changed = base.clone().flatten()
                changed[unit] = other[unit]
                values.append(read(tail(changed.view_as(base))))
            relevance.append(whole - evidence(np.mean(values)))
            spread.append(np.std(values, ddof=1) / np.sqrt(len(values)))
    shape = base.shape[1:]
    return np.reshape(relevance, shape), np.reshape(spread, shape)


def honest(spread):
    """Standard errors whose doubles are intervals, from plain ones of means over all IMAGES."""
    count = len(IMAGES)
    return squeezed_errors(count * np.asarray(spread) ** 2, np.full(spread.shape, count - 1), count)


def second_logit(logits):
    return logits[0, 1].item()


def as_it_is(value):
    return value


def evidence(p):
    corrected = (p * 50 + 1) / 53
    return np.log2(corrected / (1 - corrected))


@pytest.mark.parametrize("memory", [0, 1e9])
@pytest.mark.parametrize("layer", ["first", "middle", "hidden"])
def test_a_units_relevance_is_what_the_score_loses_without_it(layer, memory):
    options = {"images": IMAGES, "samples": len(IMAGES), "memory": memory}
    result = unit_relevance(network(), image(), layer, 1, measure="difference", **options)
    expected, spread = by_hand(layer, second_logit, as_it_is)
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(result.standard_error, honest(spread), rtol=1e-3, atol=1e-9)
    assert (result.layer, result.unit, result.completed) == (layer, "logits", 1)
    assert result.note == ""

    bits = unit_relevance(network(), image(), layer, 2, **options)
    expected, _ = by_hand(layer, lambda logits: logits.softmax(1)[0, 2].item(), evidence)
    np.testing.assert_allclose(bits.values, expected, rtol=1e-5, atol=1e-9)
    assert bits.unit == "bits"


class Branching(Branched):
    def forward(self, x):
        return super().forward(x) if x.mean() > -100 else x.flatten(1)[:, :3]


@pytest.mark.parametrize("kind", [Branched, Branching])
def test_a_deeper_layer_can_hold_the_node(kind):
    result = unit_relevance(network(kind), image(), "middle", (2, 1, 0), IMAGES, 3, layer="last")
    assert (result.note != "") == (kind is Branching)
    module = network().module
    with torch.no_grad():
        h = module.start(image()[None])
        z = module.middle(h).relu()

        def node(other):
            both = torch.cat([h, torch.relu(h + other)], 1)
            return module.last(both).relu()[0, 2, 1, 0].item()

        expected = np.zeros(z.shape[1:])
        for place in np.ndindex(expected.shape):
            values = []
            for one in IMAGES:
                changed = z.clone()
                changed[0, *place] = module.middle(module.start(one[None])).relu()[0, *place]
                values.append(node(changed))
            expected[place] = node(z) - np.mean(values)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-9)
    assert (expected[:, :, 4:] == 0).all()  # which the unit does not see
    assert (result.values[:, :, 4:] == 0).all()
    assert result.label == "last, channel 2, row 1, column 0"


@pytest.mark.parametrize("rule", [Rectifier, Convolution, FullyConnected])
def test_a_wrong_rule_is_found_out_before_it_is_used(rule):
    """Each rule in turn forgets half of what it should hand on."""
    right = rule.__call__
    with patch.object(rule, "__call__", lambda *args: right(*args) * 0.5):
        result = unit_relevance(network(), image(), "first", 1, IMAGES, 3, measure="difference")
    assert result.note == (
        "branched is run whole for every unit: differences do not agree with a plain run"
    )
    expected, _ = by_hand("first", second_logit, as_it_is)
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-9)


# Whole forwards


def factor(v):
    """Of the scores: -3 on the side of a branch on which the unchanged image does not lie."""
    return -3 if v[:, :4].mean().item() > 0.1558 else 1


class Choosing(Branched):
    """It looks at values, image by image."""

    def score(self, v):
        return torch.cat([self.linear(one) * factor(one) for one in v.split(1)])


class Mixing(Branched):
    """It looks at the values of all images together."""

    def score(self, v):
        return self.linear(v) * factor(v)


class Frozen(Branched):
    """The part with the layers hides from gradients."""

    def start(self, x):
        with torch.no_grad():
            return super().start(x)

    def behind_middle(self, h, z):
        with torch.no_grad():
            return super().behind_middle(h, z)


class Bypassed(nn.Module):
    """Its layer hands on what it is given, which goes around it too, or is written over."""

    def __init__(self, layer, written):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.layer, self.last = nn.Conv2d(3, 4, 3), layer, nn.Conv2d(4, 3, 1)
        self.written = written

    def forward(self, x):
        around = torch.relu(self.first(x))
        through = self.layer(around)
        if self.written:
            through += 1
        return (self.last(through).relu() + around[:, :3]).mean((2, 3))


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("layer", [nn.Identity(), nn.Dropout(), nn.ReLU(inplace=True)], ids=repr)
def test_units_of_a_layer_that_hands_on_what_it_is_given_are_its_own(layer, written):
    net = Network(Bypassed(layer, written).double(), size=SIZE, name="small")
    inference = UnitInference(net, image(), "layer", net.classify)
    whole = WholeUnitInference(net, image(), "layer", net.classify, inference.budget)
    units, changes = torch.arange(12), torch.linspace(-1, 1, 12, dtype=torch.float64)
    torch.testing.assert_close(
        inference.outputs(units, changes), whole.outputs(units, changes), rtol=0, atol=1e-12
    )
    assert inference.note == ""


def test_a_layer_of_many_units_is_not_listed_batch_by_batch():
    tracemalloc.start()
    try:
        units, sample = next(_turns(200_000, batch=1, samples=1, seed=0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(units), sample) == (1, 0)
    assert peak < 1e6


@pytest.mark.parametrize(
    ("layer", "memory"), [("first", None), ("middle", None), ("middle", 0), ("hidden", None)]
)
@pytest.mark.parametrize("kind", [Choosing, Mixing, Frozen])
def test_networks_that_cannot_be_recorded_are_run_whole(kind, layer, memory):
    result = unit_relevance(
        network(kind), image(), layer, 1, IMAGES, 3, measure="difference", memory=memory
    )
    expected, spread = by_hand(layer, second_logit, as_it_is, kind)
    straight, _ = by_hand(layer, second_logit, as_it_is)
    branched = np.abs(expected - straight) > 1e-3
    assert branched.any() == (kind is not Frozen)
    assert not branched.all()
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(result.standard_error, honest(spread), rtol=1e-3, atol=1e-9)
    reason = "not seen" if kind is Frozen else "looks at values"
    assert re.match(f"{kind.__name__.lower()} is run whole for every unit: .*{reason}", result.note)


def test_units_go_whole_in_batches_where_images_do_not_depend_on_each_other():
    def sizes(kind, memory):
        net, seen = network(kind), []
        inference = UnitInference(net, image(), "middle", net.classify, memory)
        net.module.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
        values = inference.outputs(torch.arange(20), torch.linspace(-1, 1, 20).double())
        assert len(values) == 20
        return seen

    need = 2 * 4 * 4 * 7 * 8 * 8 / 0.85  # the largest layer's values, room to work, and gaps
    assert sizes(Choosing, 6 * need) == [6, 6, 6, 2]
    assert sizes(Choosing, 0) == sizes(Mixing, 6 * need) == [1] * 20


def test_an_error_on_the_way_leaves_the_module_as_it_came():
    class Failing(Choosing):
        def score(self, v):
            if factor(v) != 1:
                raise KeyError("the other side")
            return super().score(v)

    net = network(Failing)
    before = [set(vars(part)) for part in net.module.modules()]
    with pytest.raises(KeyError, match="the other side"):
        unit_relevance(net, image(), "middle", 0, IMAGES, 3)
    assert [set(vars(part)) for part in net.module.modules()] == before
    assert all(part.training and not part._forward_hooks for part in net.module.modules())
    assert all(value.requires_grad and value.grad is None for value in net.module.parameters())


def test_of_channels_without_a_known_unit_nothing_is_told():
    with patch("xwidgets.explain.method.time.monotonic", iter(range(100)).__next__):
        result = unit_relevance(network(), image(), "middle", 0, IMAGES, 3, memory=0, seconds=1)
    frame = result.frame()
    known = np.isfinite(result.values).any((1, 2))
    assert known.sum() == 1
    assert frame["known"].sum() == pytest.approx(1 / result.values[0].size)
    assert frame["value"].notna().tolist() == frame["rank"].notna().tolist() == known.tolist()


def test_a_large_network_goes_a_unit_at_a_time_unless_told_otherwise():
    with patch("xwidgets.incremental.budget._PROCESSOR", 10):
        one = unit_relevance(network(), image(), "hidden", 0, IMAGES, 2)
    np.testing.assert_allclose(
        one.values, unit_relevance(network(), image(), "hidden", 0, IMAGES, 2).values, atol=1e-9
    )


def test_units_are_ranked_by_channel():
    result = unit_relevance(network(), image(), "middle", 0, IMAGES, 3)
    frame = result.frame()
    sums = result.values.sum((1, 2))
    np.testing.assert_allclose(frame["value"], sums, rtol=1e-5)
    assert frame.sort_values("rank")["channel"].tolist() == np.argsort(-sums).tolist()
    assert (frame["known"] == 1).all()


def test_the_seed_decides_and_the_explained_image_is_not_drawn_from():
    def values(seed, images=IMAGES):
        return unit_relevance(network(), image(), "hidden", 0, images, 2, seed).values

    assert np.array_equal(values(1), values(1))
    assert any(not np.array_equal(values(1), values(seed)) for seed in (2, 3, 4))
    np.testing.assert_array_equal(values(0, torch.stack([image(), *IMAGES])), values(0))


def test_when_time_is_up_the_rest_is_not_known():
    with patch("xwidgets.explain.method.time.monotonic", iter(range(100)).__next__):
        result = unit_relevance(
            network(), image(), "middle", 0, IMAGES, 3, memory=0, seconds=5
        )  # fmt: skip
    assert isinstance(result, UnitRelevance)
    assert np.isfinite(result.values).sum() == 5
    assert np.isnan(result.standard_error).all()
    assert result.completed == pytest.approx(5 / (3 * 4 * 7 * 8))


def test_the_network_stays_as_it_was():
    net = network()
    unit_relevance(net, image(), "middle", 0, IMAGES, 1)
    assert net.module.training
    assert not net.module.middle._forward_hooks
    assert all(value.requires_grad and value.grad is None for value in net.module.parameters())


class Odd(Branched):
    """Layers of which no unit can be removed."""

    def __init__(self):
        super().__init__()
        self.rows, self.planes, self.dark = nn.Flatten(2), nn.Conv2d(1, 2, 1), nn.Identity()
        self.double()

    def start(self, x):
        h = super().start(x)
        h = h + self.rows(h).sum() + self.planes(h.reshape(-1, 1, *SIZE)).sum()
        return h if x.any() else self.dark(h)


def odd(layer):
    return network(Odd), image(), layer, 0, IMAGES


def compiled():
    net = network()
    net.module.hidden = torch.jit.script(net.module.hidden)
    return net, image(), "middle", 0, IMAGES


BAD = {
    "layer": (lambda: (network(), image(), "medium"), "unknown layer 'medium'"),
    "samples": (lambda: (network(), image(), "middle", 0, IMAGES, 0), "samples is 0"),
    "seed": (lambda: (network(), image(), "middle", 0, IMAGES, 1, -1), "seed is -1"),
    "large seed": (lambda: (network(), image(), "middle", 0, IMAGES, 1, 2**63), "from 0 to 2"),
    "little memory": (
        lambda: (network(), image(), "middle", 0, IMAGES, 1, 0, "evidence", 9, 10),
        "memory is 10 bytes, but one image of this size in .* takes 8,433 bytes, .* 31_624 bytes",
    ),
    "no-images": (lambda: (network(), image(), "middle"), "give images="),
    "only-itself": (
        lambda: (network(), image(), "middle", 0, image()[None]), "no image other than"
    ),
    "other-size": (
        lambda: (network(), image(), "middle", 0, torch.rand(2, 3, 4, 4)), "same shape"
    ),
    "class": (lambda: (network(), image(), "middle", 3, IMAGES), "classes 0 to 2"),
    "measure": (
        lambda: (network(), image(), "middle", 0, IMAGES, 1, 0, "bits"),
        'but must be "evidence" or "difference"',
    ),
    "memory": (
        lambda: (network(), image(), "middle", 0, IMAGES, 1, 0, "evidence", 9, -1), "memory is -1"
    ),
    "seconds": (
        lambda: (network(), image(), "middle", 0, IMAGES, 1, 0, "evidence", 9, 0, None, 0),
        "seconds is 0",
    ),
    "node-before-layer": (
        lambda: (network(), image(), "hidden", 0, IMAGES, 1, 0, "evidence", 9, 0, "first"),
        "cannot be run from 'hidden' on: what is explained does not depend on that layer",
    ),
    "node-before-layer, whole": (
        lambda: (
            network(Choosing), image(), "hidden", 0, IMAGES, 1, 0, "evidence", 9, 0, "first"
        ),
        "from 'hidden' on: what is explained does not depend on that layer; choose a layer before",
    ),
    "little memory, whole": (
        lambda: (network(Choosing), image(), "middle", 0, IMAGES, 1, 0, "evidence", 9, 10),
        r"one image of this size in choosing takes 8,433 bytes, .* or 0 for one unit at a time",
    ),
    "no-channels": (lambda: odd("rows"), r"puts out \(4, 56\) and has no channels"),
    "several-rows": (lambda: odd("planes"), "holds 4 rows for each picture, because the"),
    "unused": (lambda: odd("dark"), "odd does not use its layer 'dark' for this image"),
    "compiled": (compiled, "is compiled and hides its operations"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_in_one_sentence(name):
    arguments, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        unit_relevance(*arguments())
    assert "\n" not in str(caught.value)
