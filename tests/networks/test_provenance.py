"""What tensors are made of, and what operations are by that, in both modes of a trace."""

import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import xwidgets as xw
from xwidgets.networks.forward_trace import ForwardTrace
from xwidgets.networks.provenance import _PLACES, provenance, tried_out

from .spellings import ACTIVATIONS, NORMS

SCALE = torch.tensor([0.7, -1.3, -0.4, 1.1])[:, None, None]


class Parts(nn.Module):
    """A network whose forward pass is given as a function of its parts and the pixels."""

    def __init__(self, maps):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head, self.maps = nn.Linear(4, 2), maps

    def forward(self, x):
        return self.head(self.maps(self, x).mean((2, 3)))


def network(maps):
    return xw.Network(Parts(maps), size=(8, 8))


def image(count=1):
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def kinds(maps):
    """Kinds of the operations of a pass that have a rule, but for the linear ones."""
    seen = []

    def rule(operation):
        seen.append(operation.kind)
        return operation()

    rules = dict.fromkeys(("rectifier", "normalization", "mul", "sum", "gate", "unknown"), rule)
    module = Parts(maps)
    with ForwardTrace(module, rules=rules):
        maps(module, image().requires_grad_().clone())
    return seen


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        (lambda m, x: m.first(x) * SCALE, ["normalization"]),
        (lambda m, x: m.first(x) * 2, ["mul"]),
        (lambda m, x: m.first(x) + 1, ["sum"]),
        (lambda m, x: m.first(x) * torch.rand(4, 8, 8), ["mul"]),
        (lambda m, x: m.first(x) + torch.rand(1, 4, 8, 8), ["sum"]),
        (lambda m, x: m.first(x) * torch.rand(8), ["mul"]),
        (lambda m, x: m.first(x) * torch.full((4, 8, 8), 2.0), ["normalization"]),
        (lambda m, x: m.first(x) + m.second(m.first(x)), ["sum"]),
        (lambda m, x: m.first(x) * m.first(x), ["mul"]),
        (lambda m, x: m.first(x) * m.first(x).sigmoid(), ["gate", "mul"]),
        (lambda m, x: F.softmax(m.first(x), 1) * m.first(x), ["gate", "mul"]),
        (lambda m, x: 1 / m.first(x), ["unknown"]),
        (lambda m, x: SCALE / m.first(x), ["unknown"]),
    ],
)
def test_kinds_of_products_and_sums(maps, expected):
    assert kinds(maps) == expected


def test_a_gate_that_was_made_before_its_tensor_was_written_over_is_that_of_another():
    def maps(m, x):
        y = m.first(x)
        gate = y.sigmoid()
        y[:, :2] -= 1
        return y * gate

    def view(m, x):
        y = m.first(x)
        gate = y.sigmoid()
        y.view(-1)[:9].zero_()
        return y * gate

    assert "rectifier" not in kinds(maps)
    assert "rectifier" not in kinds(view)


@pytest.mark.parametrize("gradients", [False, True])
def test_what_looks_like_another_tensor_does_not_depend_on_it(gradients):
    found = []

    def maps(m, x):
        y = m.first(x)
        found.extend(
            provenance(one) is not None
            for one in (
                y, y.detach(), y > 0, y.mean(), torch.zeros_like(y), y.new_ones(3), m.first.weight,
                torch.zeros(4, 8, 8).copy_(y[0]), torch.arange(4.0).type_as(y),
            )
        )  # fmt: skip
        return y

    network(maps).watched(image(), gradients=gradients)
    assert found == [True, True, True, True, False, False, False, True, False]


def test_nothing_is_kept_of_what_a_pass_has_left_behind():
    gone = []

    def maps(m, x):
        y = m.first(x)
        left = weakref.ref(y)
        y = y * torch.sigmoid(y) * SCALE
        y = m.second(y)
        y = torch.where(y > 0, y, 0)
        y = m.second(y)
        gone.append(left() is None)
        return y

    net = network(maps)
    net.watched(image(), gradients=False)
    with net.evaluating():
        net.logits(image())
    assert gone == [True, True]


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_layers_are_read_behind_an_activation_in_every_spelling(name, inplace):
    module, *spelled = ACTIVATIONS[name]
    x = image(2)
    expected = network(lambda m, x: m.second(module(m.first(x)))).watched(x, ["first"])
    for spelling in spelled:

        def maps(m, x, spelling=spelling):
            y = m.first(x)
            y = spelling(y.clone() if inplace else y)
            return m.second(y)

        for gradients in (False, True):
            watched = network(maps).watched(x, ["first"], gradients=gradients)
            torch.testing.assert_close(
                watched.activations["first"].detach(), expected.activations["first"].detach()
            )


def test_an_intervention_comes_behind_all_that_an_activation_is_written_as():
    from xwidgets.networks.intervention import Intervention

    for name, (plain, *spelled) in ACTIVATIONS.items():
        for spelling in (plain, *spelled):
            module = Parts(lambda m, x, spelling=spelling: m.second(spelling(m.first(x)))).eval()
            x, change = image(2), torch.rand(2, 4, 8, 8)
            with torch.no_grad():
                with Intervention(module, "first") as first:
                    module(x)
                with Intervention(module, "first", change, first.stages):
                    changed = module(x)
                expected = module.head(module.second(plain(module.first(x)) + change).mean((2, 3)))
            torch.testing.assert_close(changed, expected, msg=name)


def test_units_behind_an_activation_run_on_differences():
    def maps(m, x):
        y = m.first(x)
        return m.second(y * torch.tanh(F.softplus(y))) * SCALE

    plain = network(lambda m, x: m.second(F.mish(m.first(x))) * SCALE)
    found, expected = (
        xw.unit_relevance(net, image()[0], "first", 0, image(4), samples=2)
        for net in (network(maps), plain)
    )
    assert found.note == expected.note == ""
    torch.testing.assert_close(
        torch.tensor(found.values), torch.tensor(expected.values), rtol=1e-3, atol=1e-6
    )


# What functions are


@pytest.mark.parametrize(
    ("function", "kind", "plain", "leaky"),
    [
        (lambda x: 3 * x - 2, "normalization", False, False),
        (lambda x: x * 0 + 4, "normalization", False, False),
        (F.relu, "rectifier", True, False),
        (F.relu6, "rectifier", False, False),
        (F.leaky_relu, "rectifier", False, True),
        (F.silu, "rectifier", False, False),
        (F.gelu, "rectifier", False, False),
        (F.mish, "rectifier", False, False),
        (F.elu, "rectifier", False, False),
        (F.hardswish, "rectifier", False, False),
        (F.softplus, "rectifier", False, False),
        (lambda x: 5 * F.relu(x), "rectifier", False, False),
        (torch.abs, None, False, False),
        (torch.tanh, None, False, False),
        (torch.sigmoid, None, False, False),
        (F.hardtanh, None, False, False),
        (F.hardsigmoid, None, False, False),
        (torch.square, None, False, False),
        (torch.sin, None, False, False),
        (torch.exp, None, False, False),
        (lambda x: F.relu(x) ** 0.5, None, False, False),
        (lambda x: F.relu(x) ** 2, None, False, False),
        (lambda x: F.relu(x - 0.5), None, False, False),
        (lambda x: x.clamp(min=-1), None, False, False),
        (lambda x: F.threshold(x, 1, 0), None, False, False),
        (lambda x: x * (x > -1), None, False, False),
        (lambda x: -F.relu(x), None, False, False),
        (lambda x: F.relu(-x), None, False, False),
        (F.softshrink, None, False, False),
        (F.softsign, None, False, False),
        (torch.log, None, False, False),
    ],
)
def test_functions_are_told_by_their_values(function, kind, plain, leaky):
    tried = tried_out(function(_PLACES)[:, None].repeat(1, 3))
    assert (tried and tried.facts.kind) == kind
    if tried:
        assert (tried.facts.plain, tried.facts.leaky) == (plain, leaky)


def test_channels_of_different_kinds_are_not_told():
    one, other, third = F.relu(_PLACES), F.leaky_relu(_PLACES), 2 * _PLACES
    assert tried_out(torch.stack([one, 2 * one], 1)).gain.tolist() == [1, 2]
    for pair in ((one, other), (one, third), (one, -one)):
        assert tried_out(torch.stack(pair, 1)) is None


@pytest.mark.parametrize("name", NORMS)
def test_scales_of_affine_maps_are_known(name):
    scales = []

    def rule(operation):
        scales.append(operation.scale.float())
        return operation()

    bias = torch.tensor([0.1, 0.4, -0.2, 0.05])[:, None, None]
    net = network(lambda m, x: NORMS[name](m.first(x), SCALE, bias))
    net.watched(image(), rules={"normalization": rule})
    total = torch.ones(4)
    for scale in scales[1:] if name == "a residual of itself" else scales:
        total = total * scale
    torch.testing.assert_close(total.abs(), SCALE[:, 0, 0].abs())


def test_a_trace_knows_the_image_by_what_comes_into_the_module():
    module = Parts(lambda m, x: m.first(x) * SCALE)
    with torch.no_grad(), ForwardTrace(module, ["first"]) as trace:
        module(image())
    with torch.no_grad():
        torch.testing.assert_close(trace.activations["first"], module.first(image()) * SCALE)
