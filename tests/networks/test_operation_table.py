"""One row is all that an operation needs to be known everywhere."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks.operation_table import ROWS, Facts, Row, row_of
from xwidgets.networks.operations import Operation
from xwidgets.networks.outgoing_weights import outgoing_weights

SIDE = 24


@torch.library.custom_op("xwidgets_tests::own_mish", mutates_args=())
def own_mish(x: torch.Tensor) -> torch.Tensor:
    return x * F.softplus(x).tanh()


@own_mish.register_fake
def _(x):
    return torch.empty_like(x)


own_mish.register_autograd(
    lambda ctx, gradient: gradient * torch.func.vjp(F.mish, *ctx.saved_tensors)[1](gradient)[0],
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)

ACTIVATIONS = {"own_mish": own_mish, "hardshrink": F.hardshrink}
"""Activations without a row, of torch and of a user."""


class Small(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3)
        self.score = nn.Linear(5, 3)
        self.activation = activation

    def forward(self, x):
        x = F.max_pool2d(self.activation(self.first(x)), 2)
        return self.score(self.activation(self.second(x)).mean((2, 3)))


@pytest.fixture(params=ACTIVATIONS)
def unknown(request):
    """The name of an activation, and a network with it."""
    torch.manual_seed(0)
    module = Small(ACTIVATIONS[request.param]).double()
    for parameter in module.parameters():
        parameter.data *= 3
    module.second.bias.data += 1  # so that all channels are active somewhere
    return request.param, xw.Network(module, size=(SIDE, SIDE), name="small")


@pytest.fixture
def net(unknown, monkeypatch):
    """The network, when its activation has a row."""
    name, net = unknown
    monkeypatch.setitem(ROWS, name, Row((name,), Facts("rectifier", "value")))
    return net


@pytest.fixture
def image():
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).double()


def forward(net, image):
    """The values on the way: what each part of the network makes of the one before."""
    module, values = net.module, [image[None]]
    with torch.no_grad():
        values.append(module.activation(module.first(values[-1])))
        values.append(F.max_pool2d(values[-1], 2, return_indices=True))
        values.append(module.activation(module.second(values[-1][0])))
    return values


def unpooled(signal, switches):
    return F.max_unpool2d(signal, switches, 2, output_size=(SIDE, SIDE))


def ratio(p, total):
    return torch.where(total > 0, p / total, 0)


def test_without_a_row_it_is_unknown(unknown, image):
    name, net = unknown
    inference = IncrementalInference(WholeInference(net, image, 3))
    assert repr(name) in inference.note
    for method in (xw.ExcitationBackprop(contrastive=False), xw.Deconvnet()):
        with pytest.raises(ValueError, match=f"{name}|no rectifier"):
            method.run(net, image, 1)


def test_windows_are_computed_on_differences(net, image):
    inference = IncrementalInference(WholeInference(net, image, 3))
    assert inference.note == ""
    corners = torch.tensor([[0, 0], [7, 11], [SIDE - 3, SIDE - 3], [0, 13]])
    contents = torch.rand(4, 3, 3, 3, generator=torch.Generator().manual_seed(2)).double()
    expected = []
    for (y, x), content in zip(corners.tolist(), contents, strict=True):
        replaced = image.clone()
        replaced[:, y : y + 3, x : x + 3] = content
        expected.append(net.logits(replaced[None]))
    whole = torch.cat(expected)
    assert (whole - net.logits(image[None])).abs().max() > 1e-4
    torch.testing.assert_close(inference.outputs(corners, contents), whole, rtol=0, atol=1e-12)


def test_excitation_passes_it(net, image):
    module, (_, _, (pooled, switches), maps) = net.module, forward(net, image)
    weight = module.score.weight.detach()[1].relu()
    means = maps.mean((2, 3))[0].relu()
    p = means * weight / (means @ weight)
    p = maps.relu() * ratio(p[:, None, None], maps.relu().sum((2, 3), keepdim=True))
    kernels, x = module.second.weight.detach().relu(), pooled.relu()
    p = x * F.conv_transpose2d(ratio(p, F.conv2d(x, kernels)), kernels)
    expected = unpooled(p, switches).sum(1)[0]
    relevance = xw.excitation_backprop(net, image, 1, layer="first", contrastive=False)
    torch.testing.assert_close(
        torch.as_tensor(relevance.values).double(), expected, rtol=1e-5, atol=1e-8
    )
    assert 0.5 < relevance.mass == pytest.approx(float(expected.sum()))


def test_a_deconvnet_rectifies_at_it(net, image):
    module, (_, _, (_, switches), maps) = net.module, forward(net, image)
    seed = torch.zeros_like(maps)
    seed[:, 2] = maps[:, 2]
    signal = F.conv_transpose2d(seed.relu(), module.second.weight.detach())
    signal = unpooled(signal, switches).relu()
    expected = F.conv_transpose2d(signal, module.first.weight.detach(), padding=1)[0]
    assert expected.any()
    torch.testing.assert_close(xw.deconvolve(net, image, "second", 2), expected)


def test_layers_are_read_behind_it(net, image):
    _, first, _, second = forward(net, image)
    watched = net.watched(image[None], ["first", "second"])
    torch.testing.assert_close(watched.activations["first"], first)
    torch.testing.assert_close(watched.activations["second"], second)


def test_weights_are_found_behind_it(net):
    [weights] = outgoing_weights(net, [net.layer("first")])
    torch.testing.assert_close(
        weights.total, net.module.second.weight.detach().sum((0, 2, 3)), check_dtype=False
    )


def test_no_spelling_has_two_rows():
    spellings = [name for row in {id(row): row for row in ROWS.values()}.values()
                 for name in row.names]  # fmt: skip
    assert len(spellings) == len(set(spellings)) == len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_every_spelling_is_one_of_torchs(name):
    homes = (torch, torch.Tensor, type(torch.Tensor.data), F, torch.ops.aten)
    assert any(hasattr(home, spelling) for home in homes for spelling in (name, f"{name}_"))


OPTIONS = {
    "prelu": {"weight": torch.tensor([0.3])}, "softmax": {"dim": -1}, "hardtanh": {"min_val": 0.0},
    "clamp": {"min": 0}, "clamp_min": {"min": 0}, "threshold": {"threshold": 0, "value": 0},
}  # fmt: skip


def called(name, x):
    """A rectifier or gate on x."""
    function = getattr(F, name, None) or getattr(torch, name)
    return Operation(function, (x,), OPTIONS.get(name, {}))


def activates(name):
    options = OPTIONS.get(name, {})
    return ROWS[name].facts_given(options.get).kind in ("rectifier", "gate")


GATED = [name for name, row in ROWS.items() if name == row.names[0] and activates(name)]


@pytest.mark.parametrize("name", GATED)
def test_facts_of_activations_are_what_they_do(name):
    assert len(GATED) > 15
    x = torch.linspace(-8, 8, 161)
    facts, y = called(name, x).facts, called(name, x)()
    moved = x.clone()
    moved[100] += 0.25
    others = torch.arange(161) != 100
    pointwise = torch.equal(called(name, moved)()[others], y[others])
    assert pointwise == (facts.reads == "value")
    assert torch.equal(y, x.clamp(min=0)) == facts.plain
    below = y[x < 0].double()
    curved = below.diff().diff().abs().max() > 1e-3 * below.abs().max()
    assert (not curved and bool(below.any())) == facts.leaky
    assert facts.keeps_place


def test_what_has_no_row_is_unknown():
    assert row_of(torch.erfinv) == Row(("erfinv",), Facts("unknown"))
