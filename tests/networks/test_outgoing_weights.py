"""Who reads a channel: weights sliced by hand, gradients, and sets of channels kept by hooks."""

import math

import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn import functional as F
from torchvision import models

import xwidgets as xw
from xwidgets import Network
from xwidgets.networks.outgoing_weights import outgoing_weights

from . import forwards
from .architectures import Join, plans, settled
from .forwards import FORWARDS

SIDE = 8


class Parts(nn.Module):
    """A network whose forward pass is a function of its parts and the pixels."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 6, 3, padding=1)
        self.pair = nn.Conv2d(8, 4, 3, padding=1)
        self.narrow = nn.Conv2d(2, 5, 3, padding=1)
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.depthwise = nn.Conv2d(4, 8, 3, padding=1, groups=4)
        self.strided = nn.Conv2d(4, 3, (3, 2), stride=2, dilation=2, padding=3)
        self.up = nn.ConvTranspose2d(4, 5, 3, padding=1)
        self.up_grouped = nn.ConvTranspose2d(4, 6, 3, padding=1, groups=2)
        self.squeeze, self.excite = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.norm, self.relu, self.pool = nn.BatchNorm2d(4), nn.ReLU(True), nn.MaxPool2d(2)
        self.line, self.flat = nn.Linear(4, 3), nn.Linear(4 * SIDE**2, 3)
        self.pooled, self.padded = nn.Linear(4 * SIDE**2 // 4, 3), nn.Linear(4 * (SIDE + 2) ** 2, 3)
        self.along = nn.Conv1d(4, 2, 3)
        self.register_buffer("order", torch.tensor([2, 0, 3, 1]))
        self.whole = forward
        settled(self)

    def forward(self, x):
        y = self.whole(self, x)
        return y.flatten(1)[:, :2]


def network(forward, dtype=torch.float64):
    return Network(Parts(forward).to(dtype), size=(SIDE, SIDE), name="parts")


def reading(net, name="a"):
    [weights] = outgoing_weights(net, [net.layer(name)])
    return weights


def moments(parts):
    """Number, sum and sum of squares of some weights for each channel, given as lists."""
    flat = [torch.cat([part.detach().double().flatten() for part in one]) for one in parts]
    return [
        torch.tensor([float(function(one)) for one in flat], dtype=torch.float64)
        for function in (torch.Tensor.numel, torch.sum, lambda one: one.square().sum())
    ]


def assert_read(net, parts, name="a"):
    for found, wanted in zip(reading(net, name), moments(parts), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def columns(*modules):
    """For each of four channels, the weights of convolutions or linear layers that read them."""
    return lambda m: [[getattr(m, name).weight[:, c] for name in modules] for c in range(4)]


def blocks(name, places):
    return lambda m: [[getattr(m, name).weight[:, c * places : (c + 1) * places]] for c in range(4)]


def shuffled(y):
    return y.view(len(y), 2, 2, *y.shape[2:]).transpose(1, 2).reshape(y.shape)


def into(reader):
    """A forward pass: what ``reader`` makes of the layer's maps behind their rectifier."""
    return lambda m, x: reader(m, m.a(x).relu())


def mean(y):
    return y.mean((2, 3))


CASES = {
    "chain": (into(lambda m, y: m.b(y)), columns("b")),
    "norm, rectifier in place and pool": (
        lambda m, x: m.b(m.pool(m.relu(m.norm(m.a(x))))), columns("b"),
    ),
    "functions": (
        lambda m, x: F.conv2d(F.max_pool2d(F.relu6(m.a(x), True), 2), weight=m.b.weight),
        columns("b"),
    ),
    "strides and dilation": (into(lambda m, y: m.strided(y)), columns("strided")),
    "dropout": (into(lambda m, y: m.b(F.dropout(y, training=m.training))), columns("b")),
    "upsampled": (into(lambda m, y: m.b(F.interpolate(y, scale_factor=2))), columns("b")),
    "padded": (into(lambda m, y: m.b(F.pad(y, (1, 0, 2, 1), "reflect"))), columns("b")),
    "groups": (
        into(lambda m, y: m.grouped(y)),
        lambda m: [[m.grouped.weight[c // 2 * 3 : c // 2 * 3 + 3, c % 2]] for c in range(4)],
    ),
    "depthwise": (
        into(lambda m, y: m.depthwise(y)),
        lambda m: [[m.depthwise.weight[2 * c : 2 * c + 2]] for c in range(4)],
    ),
    "transposed": (into(lambda m, y: m.up(y)), lambda m: [[m.up.weight[c]] for c in range(4)]),
    "transposed groups": (
        into(lambda m, y: m.up_grouped(y)), lambda m: [[m.up_grouped.weight[c]] for c in range(4)],
    ),
    "flattened": (into(lambda m, y: m.flat(y.flatten(1))), blocks("flat", SIDE**2)),
    "flattened with channels last": (
        into(lambda m, y: m.flat(y.permute(0, 2, 3, 1).flatten(1))),
        lambda m: [[m.flat.weight[:, c::4]] for c in range(4)],
    ),
    "pooled and reshaped": (
        into(lambda m, y: m.pooled(F.avg_pool2d(y, 2).reshape(len(y), -1))),
        blocks("pooled", SIDE**2 // 4),
    ),
    "padded and flattened": (
        into(lambda m, y: m.padded(F.pad(y, (1, 1, 1, 1)).flatten(1))),
        lambda m: [
            [m.padded.weight.view(3, 4, SIDE + 2, SIDE + 2)[:, c, 1:-1, 1:-1]] for c in range(4)
        ],
    ),
    "linear on channels last": (
        into(lambda m, y: m.line(y.permute(0, 2, 3, 1))), columns("line"),
    ),
    "one dimension": (into(lambda m, y: m.along(y.flatten(2))), columns("along")),
    "mean": (into(lambda m, y: m.line(mean(y))), columns("line")),
    "mean that keeps": (
        into(lambda m, y: m.line(y.mean(dim=(2, 3), keepdim=True).flatten(1))), columns("line"),
    ),
    "mean of what is flattened": (into(lambda m, y: m.line(y.flatten(2).mean(2))), columns("line")),
    "largest": (into(lambda m, y: m.line(y.amax((-2, -1)))), columns("line")),
    "largest of what is flattened": (
        into(lambda m, y: m.line(y.flatten(2).max(2)[0])), columns("line"),
    ),
    "adaptive mean": (
        into(lambda m, y: m.line(F.adaptive_avg_pool2d(y, 1).flatten(1))), columns("line"),
    ),
    "adaptive maximum": (
        into(lambda m, y: m.pooled(F.adaptive_max_pool2d(y, SIDE // 2).flatten(1))),
        blocks("pooled", SIDE**2 // 4),
    ),
    "mean over channels": (
        into(lambda m, y: m.b(y) + m.b(y.mean(1, keepdim=True).expand(y.shape))), columns("b"),
    ),
    "concatenated": (
        into(lambda m, y: m.pair(torch.cat([m.b(y), y], 1))),
        lambda m: [[m.b.weight[:, c], m.pair.weight[:, 4 + c]] for c in range(4)],
    ),
    "concatenated with itself": (
        into(lambda m, y: m.pair(torch.cat((y, y), 1))),
        lambda m: [[m.pair.weight[:, c], m.pair.weight[:, 4 + c]] for c in range(4)],
    ),
    "shuffled": (
        into(lambda m, y: m.b(shuffled(y))),
        lambda m: [[m.b.weight[:, c]] for c in (0, 2, 1, 3)],
    ),
    "shuffled by torch": (
        into(lambda m, y: m.b(F.channel_shuffle(y, 2))),
        lambda m: [[m.b.weight[:, c]] for c in (0, 2, 1, 3)],
    ),
    "flipped": (
        into(lambda m, y: m.b(y.flip(1))), lambda m: [[m.b.weight[:, 3 - c]] for c in range(4)],
    ),
    "listed": (
        into(lambda m, y: m.b(y[:, [2, 0, 3, 1]])),
        lambda m: [[m.b.weight[:, c]] for c in (1, 3, 0, 2)],
    ),
    "chunked": (
        into(lambda m, y: m.narrow(y.chunk(2, 1)[1])),
        lambda m: [*[[torch.zeros(0)]] * 2, *[[m.narrow.weight[:, c]] for c in (0, 1)]],
    ),
    "split and put together": (
        into(lambda m, y: m.b(torch.cat([m.narrow(y[:, :2])[:, :2], y[:, 2:]], 1))),
        lambda m: [[m.narrow.weight[:, c] if c < 2 else m.b.weight[:, c]] for c in range(4)],
    ),
    "residual": (into(lambda m, y: m.c(m.b(y) + y)), columns("b", "c")),
    "residual in place": (into(lambda m, y: m.c(m.b(y).add_(y).relu_())), columns("b", "c")),
    "residual of three": (into(lambda m, y: m.c(sum([y, m.b(y), y * 2]))), columns("b", "c")),
    "difference": (into(lambda m, y: m.c(1 - y)), columns("c")),
    "sum with itself": (into(lambda m, y: m.b(y + y)), columns("b")),
    "read twice by the same": (into(lambda m, y: m.b(y) + m.b(y * 2)), columns("b", "b")),
    "squeezed and excited": (
        into(lambda m, y: m.b(y * m.excite(
            m.squeeze(y.mean((2, 3), keepdim=True)).relu()).sigmoid())),
        columns("squeeze", "b"),
    ),
    "gated by itself": (into(lambda m, y: m.b(y * y.sigmoid())), columns("b")),
    "matrix product": (
        into(lambda m, y: mean(y) @ torch.eye(4, 2, dtype=y.dtype)),
        lambda m: list(torch.eye(4, 2)[:, None]),
    ),
    "read by nobody": (into(lambda m, y: y), lambda m: [[torch.zeros(0)]] * 4),
    "normalized over all channels": (
        into(lambda m, y: m.b(F.layer_norm(y, y.shape[1:]))), columns("b"),
    ),
    "written into": (
        into(lambda m, y: (y.__setitem__((slice(None), 0), 0), m.b(y))[1]),
        lambda m: [[torch.zeros(0)]] * 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_weights_that_read_each_channel_are_those_sliced_by_hand(name):
    forward, parts = CASES[name]
    net = network(forward)
    assert_read(net, parts(net.module))


LESS_USUAL = {
    "viewed": (into(lambda m, y: m.flat(y.view(len(y), -1))), blocks("flat", SIDE**2)),
    "viewed behind a pool": (
        into(lambda m, y: m.pooled(m.pool(y).view(len(y), -1))), blocks("pooled", SIDE**2 // 4),
    ),
    "indexed by a tensor": (
        into(lambda m, y: m.b(y[:, m.order])), lambda m: [[m.b.weight[:, c]] for c in (1, 3, 0, 2)],
    ),
    "selected": (
        into(lambda m, y: m.b(y.index_select(1, m.order))),
        lambda m: [[m.b.weight[:, c]] for c in (1, 3, 0, 2)],
    ),
    "copied into zeros": (into(lambda m, y: m.b(torch.zeros_like(y).copy_(y))), columns("b")),
    "one-dimensional mean": (
        into(lambda m, y: m.line(F.adaptive_avg_pool1d(y.flatten(2), 1).flatten(1))),
        columns("line"),
    ),
    "one-dimensional maximum": (
        into(lambda m, y: m.along(F.max_pool1d(y.flatten(2), 2))), columns("along"),
    ),
    "filled": (into(lambda m, y: m.b(y + y.clone().fill_(2))), columns("b")),
    "padded with ones": (
        into(lambda m, y: m.padded(F.pad(y, (1, 1, 1, 1), value=1.0).flatten(1))),
        CASES["padded and flattened"][1],
    ),
    "padded with nines": (into(lambda m, y: m.b(F.pad(y, (1, 1, 1, 1), value=9.0))), columns("b")),
    "mean that keeps, by position": (
        into(lambda m, y: m.line(y.mean((2, 3), True).flatten(1))), columns("line"),
    ),
    "mean of means": (into(lambda m, y: m.line(y.mean(-1).mean(-1))), columns("line")),
    "mean of rows, then columns": (into(lambda m, y: m.line(y.mean(3).mean(2))), columns("line")),
    "divided": (into(lambda m, y: m.b(y / 2)), columns("b")),
    "divided in place": (into(lambda m, y: m.b(y.div_(2))), columns("b")),
    "hard swish by hand": (into(lambda m, y: m.b(y * F.relu6(y + 3) / 6)), columns("b")),
    "product with transposed weights": (
        into(lambda m, y: mean(y) @ m.line.weight.T), columns("line"),
    ),
    "addmm": (
        into(lambda m, y: torch.addmm(m.line.bias, mean(y), m.line.weight.t())), columns("line"),
    ),
    "attention": (
        into(lambda m, y: m.b((y.flatten(2) @ (y.flatten(2).mT @ y.flatten(2)).softmax(-1))
                              .reshape(y.shape) + y)),
        columns("b"),
    ),
    "a half of a sum": (
        into(lambda m, y: m.c(y + torch.cat([y[:, :2], m.narrow(y[:, 2:])[:, :2]], 1))),
        lambda m: [[m.c.weight[:, c], *([m.narrow.weight[:, c - 2]] if c > 1 else [])]
                   for c in range(4)],
    ),
    "a sum with its shuffle": (
        into(lambda m, y: m.b(y + shuffled(y))),
        lambda m: [[m.b.weight[:, [0]]], [m.b.weight[:, [1, 2]]], [m.b.weight[:, [1, 2]]],
                   [m.b.weight[:, [3]]]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LESS_USUAL)
def test_the_weights_of_less_usual_forward_passes_are_those_sliced_by_hand(name):
    forward, parts = LESS_USUAL[name]
    net = network(forward)
    assert_read(net, parts(net.module))


@pytest.mark.parametrize("forward", FORWARDS[1:], ids=lambda forward: forward.__name__)
def test_no_forward_pass_is_too_odd_to_be_looked_at(forward):
    net = forwards.network(forward)
    for weights in outgoing_weights(net, [one for one in net.layers if len(one.shape) == 3]):
        assert torch.isfinite(torch.stack(weights)).all()


# Gradients

GRADIENTS = [
    "chain", "groups", "depthwise", "transposed", "transposed groups", "flattened",
    "flattened with channels last", "padded and flattened", "linear on channels last",
    "one dimension", "concatenated", "concatenated with itself", "shuffled", "flipped", "listed",
    "chunked", "split and put together", "residual",
]  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_sum_of_the_weights_is_the_gradient_of_what_the_next_layers_put_out(name):
    """Where values only move between the layer and its readers, at a place inside the map."""
    net = network(CASES[name][0])
    module, total, seen = net.module, [], []
    net.module.a.bias.data += 100  # all places are active

    def read(part, inputs, output):
        if part is module.a:
            seen.append(output.detach().requires_grad_())
            return seen[0]
        total.append(output.sum())
        return output.detach()

    weighted = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    for part in module.modules():
        if isinstance(part, weighted):
            part.register_forward_hook(read)
    with torch.enable_grad():
        module(torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64))
        (gradient,) = torch.autograd.grad(sum(total), seen[0])
    # a linear layer has weights of its own for each place, others the same for all
    own = "flattened" in name
    found = gradient[0].sum((1, 2)) if own else gradient[0, :, 4, 4]
    torch.testing.assert_close(reading(net).total, found, rtol=1e-9, atol=1e-9)
    assert found.any()


@pytest.mark.parametrize("name", ["strides and dilation", "groups", "pooled and reshaped"])
def test_weights_that_are_ones_are_counted(name):
    net = network(CASES[name][0])
    for parameter in net.module.parameters():
        nn.init.constant_(parameter, 2)
    weights = reading(net)
    assert weights.number.all()
    torch.testing.assert_close(weights.total, 2 * weights.number)
    torch.testing.assert_close(weights.squares, 4 * weights.number)


# Several layers


def test_each_layer_has_its_own_readers():
    net = network(lambda m, x: m.line(mean(m.b(m.a(x).relu()).relu() + m.a(x))))
    m = net.module
    layers = [net.layer("b"), net.layer("a")]
    for weights, parts in zip(
        outgoing_weights(net, layers),
        ([[m.line.weight[:, c]] for c in range(4)], [[m.b.weight[:, c]] for c in range(4)]),
        strict=True,
    ):
        for found, wanted in zip(weights, moments(parts), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_of_a_layer_that_is_used_again_the_first_use_is_followed():
    net = network(lambda m, x: m.c(m.b(m.b(m.a(x)).relu()).relu()))
    assert_read(net, columns("b")(net.module), "b")  # by itself, and not by c
    assert_read(net, columns("b")(net.module), "a")


def test_a_block_and_its_last_layer_are_read_by_the_same():
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    module = nn.Sequential(block, nn.Conv2d(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = Network(module, size=(SIDE, SIDE))
    parts = [[module[1].weight[:, c]] for c in range(4)]
    every = outgoing_weights(net, [net.layer(name) for name in ("0", "0.0", "0.1", "0.2")])
    for weights in every:
        torch.testing.assert_close(weights.total, moments(parts)[1], rtol=1e-6, atol=1e-6)
        assert weights.number.tolist() == [2] * 4


def test_a_block_with_branches_is_read_behind_them():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.one(x) + self.two(x)

    module = nn.Sequential(Block(), nn.ReLU(), nn.Conv2d(4, 2, 1), nn.Flatten())
    net = Network(module, size=(2, 2))
    wanted = module[2].weight.detach().double().sum((0, 2, 3))
    for weights in outgoing_weights(net, [net.layer(name) for name in ("0", "0.one", "0.two")]):
        torch.testing.assert_close(weights.total, wanted)


def test_weights_of_layers_that_are_not_asked_for_do_not_matter():
    net = network(CASES["residual"][0])
    alone = reading(net, "b")
    _, among = outgoing_weights(net, [net.layer("a"), net.layer("b")])
    for one, other in zip(alone, among, strict=True):
        assert torch.equal(one, other)


def test_what_nobody_reads_says_nothing_and_ranks_last():
    net = network(CASES["chunked"][0])
    ranking = xw.rank_neurons(net, torch.rand(3, SIDE, SIDE), "weight_variance", "a", 2)
    assert [math.isnan(value) for value in ranking.values] == [True, True, False, False]
    assert sorted(channel for _, channel in ranking[:2]) == [2, 3]
    assert [channel for _, channel in ranking[2:]] == [0, 1]


# Real and random networks


@pytest.mark.parametrize(
    ("name", "readers"),
    [
        ("resnet18", {
            "conv1": ["layer1.0.conv1", "layer1.1.conv1", "layer2.0.conv1",
                      "layer2.0.downsample.0"],
            "layer1.0.conv1": ["layer1.0.conv2"],
            "layer1.1.conv2": ["layer2.0.conv1", "layer2.0.downsample.0"],
            "layer2.0.downsample.0": ["layer2.1.conv1", "layer3.0.conv1",
                                      "layer3.0.downsample.0"],
            "layer4.1.conv2": ["fc"],
        }),
        ("squeezenet1_1", {"features.3.squeeze": ["features.3.expand1x1", "features.3.expand3x3"],
                           "features.12.squeeze": ["features.12.expand1x1",
                                                   "features.12.expand3x3"]}),
        ("efficientnet_b0", {
            "features.1.0.block.0.0": ["features.1.0.block.1.fc1", "features.1.0.block.2.0"],
            "features.8.0": ["classifier.1"],
        }),
    ],
)  # fmt: skip
def test_known_networks_are_read_by_whom_everybody_knows(name, readers):
    module = models.get_model(name, weights=None).eval()
    net = Network(module, size=(64, 64))
    found = outgoing_weights(net, [net.layer(layer) for layer in readers])
    for weights, names in zip(found, readers.values(), strict=True):
        columns = [module.get_submodule(one).weight.detach().double() for one in names]
        total = sum(one.flatten(2).sum((0, 2)) if one.ndim > 2 else one.sum(0) for one in columns)
        torch.testing.assert_close(weights.total, total, rtol=1e-6, atol=1e-6)
        count = sum(one[:, 0].numel() for one in columns)
        assert set(weights.number.tolist()) == {count}


@settings(max_examples=12, deadline=None)
@given(plans())
def test_random_networks_are_read_by_whom_sets_of_channels_say(plan):
    net = plan.plain()
    layers = [one for one in net.layers if one.convolution]
    wanted = read_by_sets(net, [one.name for one in layers], plan.image())
    for spelling in (net, plan.spelled()):
        found = outgoing_weights(spelling, [spelling.layer(one.name) for one in layers])
        for layer, weights in zip(layers, found, strict=True):
            for mine, theirs in zip(weights, moments(wanted[layer.name]), strict=True):
                torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def read_by_sets(net, names, x):
    """By layer, for each channel the weights that read it; kept by hooks, in sets of channels."""
    found = {name: [[torch.zeros(0)] for _ in range(net.layer(name).shape[0])] for name in names}
    modules = {}
    sets, alive = {}, []  # by the identity of a tensor, a set for each of its channels

    def note(part, inputs, output):
        alive.append((inputs, output))
        before = sets.get(id(inputs[0]), [set()] * inputs[0].shape[1])
        if isinstance(part, nn.Conv2d | nn.Linear):
            for channel, sources in enumerate(before):
                for name, number in sources:
                    found[name][number].append(part.weight[:, channel])
            name = modules.pop(part, None)
            after = [{(name, c)} if name else set() for c in range(output.shape[1])]
        elif isinstance(part, Join):
            left, right = (sets[id(branch)] for branch in joined.pop())
            stacked = len(left) + len(right) == output.shape[1]
            after = left + right if stacked else [a | b for a, b in zip(left, right, strict=True)]
        elif isinstance(part, nn.Sequential):
            return
        else:
            after = before
        sets[id(output)] = after

    joined = []

    def remember(part):
        join = part.join

        def joining(left, right):
            joined.append((left, right))
            return join(left, right)

        part.join = joining

    with net.evaluating() as module:
        modules |= {module.get_submodule(name): name for name in names}
        for part in module.modules():
            part.register_forward_hook(note)
            if isinstance(part, Join):
                remember(part)
        net.logits(x[None])
    return found


def test_the_network_is_left_as_it_was():
    net = network(CASES["residual in place"][0])
    net.module.train()
    values = {name: value.clone() for name, value in net.module.state_dict().items()}
    reading(net)
    assert net.module.training
    assert not any(part._forward_hooks for part in net.module.modules())
    assert all(torch.equal(value, values[name]) for name, value in net.module.state_dict().items())
    assert all(value.grad is None for value in net.module.parameters())
