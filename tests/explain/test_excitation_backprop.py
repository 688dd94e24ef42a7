"""Excitation backprop against zennit, and against dense matrices composed by hand in float64."""

import copy
import csv
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd.functional import jacobian
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision import models
from torchvision.transforms import Normalize
from zennit.composites import ExcitationBackprop

import xwidgets as xw
from xwidgets.explain._excitation_backprop import RULES, _ratio, excitations

from .parts import (
    MEAN,
    REAL,
    STD,
    Concatenation,
    Maximum,
    Product,
    Sum,
    assert_close,
    conv,
    image,
    untouched,
)


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.Sigmoid()
        )

    def forward(self, x):
        return x * self.scale(x)


class Scale(nn.Module):
    """Channels times a constant of either sign."""

    def __init__(self, *factors):
        super().__init__()
        self.register_buffer("factors", torch.tensor(factors))

    def forward(self, x):
        return x * self.factors[:, None, None]


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Apply(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def randomize(module, seed=0, negative=0.5, shift=0.3):
    torch.manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.uniform_(part.bias, -0.2, 0.2)
        if isinstance(part, nn.BatchNorm2d) and part.track_running_stats:
            part.running_mean.uniform_(-shift, shift)
            part.running_var.uniform_(0.5, 1.5)
            sign = torch.where(torch.rand(part.num_features) < negative, -1.0, 1.0)
            part.weight.data = sign * torch.empty_like(sign).uniform_(0.5, 1.5)
            nn.init.uniform_(part.bias, -shift, shift)
    return module


def network(module, size, **options):
    return xw.Network(module, size=(size, size), name="small", **options)


def one_hot(count, index, dtype=torch.float32):
    return F.one_hot(torch.tensor([index]), count).to(dtype)


def arrays(net, x, target, layer="pixels", contrastive=False):
    """What arrives, per channel and before negative values are cut, from a class."""
    watched = net.watched(x[None], [] if layer == "pixels" else [layer], RULES)
    to = watched.pixels if layer == "pixels" else watched.activations[layer]
    seeds = one_hot(watched.logits.shape[1], target, watched.logits.dtype)[None]
    return excitations(watched.logits, seeds, to, [contrastive])[0]


# Dense matrices


def matrix(module, x):
    """Outputs by inputs: of a max pool the Jacobian at x, of an affine module column by column."""
    if isinstance(module, nn.Linear):
        return module.weight.detach()
    if "MaxPool" in type(module).__name__:
        return jacobian(module, x).reshape(-1, x.numel())
    units = torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape[1:])
    return (module(units) - module(torch.zeros_like(x))).flatten(1).T.detach()


def slow_share(weights, x, p):
    """p_in = x W+^T (p / (W+ x)); 0 / 0 is 0."""
    positive, excited = weights.clamp(min=0), x.flatten().clamp(min=0)
    total = positive @ excited
    ratio = torch.where(total > 0, p.flatten() / total, 0)
    return (excited * (positive.T @ ratio)).view_as(x)


def slow_excitation(module, x, p, negated=()):
    """What of p, a distribution over the module's outputs, is owed to its input x.

    Modules that are ``negated`` share out by -W.
    """
    match module:
        case nn.Sequential():
            inputs = [x]
            for part in module:
                inputs.append(part(inputs[-1]))
            parts = list(module)
            while parts:
                part, before = parts.pop(), inputs[len(parts)]
                if isinstance(part, nn.BatchNorm2d) and isinstance(parts[-1], nn.Conv2d):
                    folded = copy.deepcopy(parts[-1])
                    folded.weight.data *= part.weight.sign()[:, None, None, None]
                    sign = -1 if parts[-1] in negated else 1
                    parts.pop()
                    p = slow_share(sign * matrix(folded, inputs[len(parts)]), inputs[len(parts)], p)
                else:
                    p = slow_excitation(part, before, p, negated)
            return p
        case Concatenation():
            sizes = [branch(x).shape[1] for branch in module.branches]
            return sum(
                slow_excitation(branch, x, part, negated)
                for branch, part in zip(module.branches, p.split(sizes, 1), strict=True)
            )
        case Sum():
            terms, shares = [branch(x) for branch in module.branches], []
            while len(terms) > 1:  # a + b + c is (a + b) + c
                last, rest = terms.pop().clamp(min=0), sum(terms).clamp(min=0)
                shares.insert(0, torch.where(last > 0, p * last / (last + rest), 0))
                p = torch.where(rest > 0, p * rest / (last + rest), 0)
            return sum(
                slow_excitation(branch, x, share, negated)
                for branch, share in zip(module.branches, [p, *shares], strict=True)
            )
        case Gate():
            return p
        case Scale():
            return p * (module.factors[:, None, None] > 0)
        case nn.BatchNorm2d():
            return p * (module.weight[:, None, None] > 0)
        case nn.Flatten():
            return p.view_as(x)
        case nn.ReLU() | nn.SiLU() | nn.ReLU6() | nn.Dropout() | nn.Identity() | nn.Sigmoid():
            return p
        case nn.MaxPool2d() | nn.AdaptiveMaxPool2d() | nn.ZeroPad2d() | nn.PixelShuffle():
            return (matrix(module, x).T @ p.flatten()).view_as(x)
        case nn.Conv2d() | nn.ConvTranspose2d() | nn.Linear():
            return slow_share((-1 if module in negated else 1) * matrix(module, x), x, p)
        case nn.AvgPool2d() | nn.AdaptiveAvgPool2d() | nn.Upsample() | Mean():
            return slow_share(matrix(module, x), x, p)
    raise NotImplementedError(type(module))


def between(*parts, channels=4):
    """``parts`` between convolutions with rectifiers, on maps of 4 x 7 x 8."""
    return nn.Sequential(
        conv(3, 4, padding=1),
        nn.ReLU(),
        *parts,
        conv(channels, 6, 2),
        nn.ReLU(),
        Mean(),
        nn.Linear(6, 5),
    )


BODIES = {
    "convolutions": between(conv(4, 6), nn.ReLU(), conv(6, 4), nn.ReLU()),
    "strided": between(conv(4, 4, stride=2, padding=(1, 0)), nn.ReLU()),
    "grouped and dilated": between(conv(4, 6, groups=2, dilation=2), nn.ReLU(), channels=6),
    "transposed": between(
        conv(4, 4, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2),
        nn.ReLU(),
        channels=6,
    ),
    "without biases": between(conv(4, 4, bias=False), nn.ReLU()),
    "linear layers": nn.Sequential(
        nn.Flatten(),
        nn.Linear(168, 30),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(30, 20, bias=False),
        nn.ReLU(),
        nn.Linear(20, 5),
    ),
    "many rows": nn.Sequential(
        nn.Flatten(),
        nn.Linear(168, 6500),
        nn.ReLU(),
        nn.Linear(6500, 200),
        nn.ReLU(),
        nn.Linear(200, 5),
    ),
    "max pool": between(nn.MaxPool2d(2)),
    "overlapping max pool": between(nn.MaxPool2d(3, 2, ceil_mode=True)),
    "padded and dilated max pool": between(nn.MaxPool2d(3, 1, padding=1, dilation=2)),
    "adaptive max pool": between(nn.AdaptiveMaxPool2d((3, 5))),
    "average pool": between(nn.AvgPool2d(3, 2, padding=1)),
    "average pool of signed values": between(conv(4, 4), nn.AvgPool2d(2)),
    "adaptive average pool": between(nn.AdaptiveAvgPool2d((3, 5))),
    "enlarged": between(nn.Upsample(scale_factor=1.5, mode="bilinear")),
    "moved": between(nn.ZeroPad2d(1), nn.PixelShuffle(2), channels=1),
    "batch norm": between(conv(4, 4), nn.BatchNorm2d(4), nn.ReLU()),
    "batch norm before the convolution": between(nn.BatchNorm2d(4), nn.ReLU(), conv(4, 4)),
    "residual": between(
        Sum(nn.Sequential(conv(4, 4, padding=1), nn.BatchNorm2d(4)), nn.Identity()), nn.ReLU()
    ),
    "three branches": between(
        Sum(
            nn.Sequential(conv(4, 4, padding=1), nn.ReLU(), conv(4, 4, 1)),
            nn.Sequential(conv(4, 4, 1), nn.BatchNorm2d(4)),
            nn.Identity(),
        ),
        nn.ReLU(),
    ),
    "concatenation": between(
        Concatenation(
            nn.Sequential(conv(4, 2, 1), nn.ReLU()),
            nn.Sequential(conv(4, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.MaxPool2d(3, 1, padding=1), conv(4, 2, 1), nn.ReLU()),
        ),
        channels=7,
    ),
    "gate": between(Gate(4), conv(4, 4, 1), nn.ReLU()),
    "scale": between(Scale(2.0, -1.0, 0.5, 1.0)),
    "smooth": between(conv(4, 4), nn.SiLU(), conv(4, 4, 2), nn.ReLU6()),
    "signed": between(conv(4, 4), conv(4, 4, 2)),
}


def most_excited(body, x):
    """The class that the layer before speaks for the most, biases aside."""
    return int((body[:-1](x[None]).clamp(min=0) @ body[-1].weight.clamp(min=0).T).argmax())


@pytest.mark.parametrize("name", BODIES)
def test_every_operation_agrees_with_its_dense_matrix(name):
    body = randomize(copy.deepcopy(BODIES[name])).double().eval()
    x = image(7, 8, dtype=torch.float64)
    target = most_excited(body, x)
    expected = slow_excitation(body, x[None], one_hot(5, target, x.dtype))
    assert_close(arrays(network(body, 8), x, target), expected, 1e-10)


@pytest.mark.parametrize("name", BODIES)
def test_the_contrastive_form_is_the_difference_of_both_signs_of_the_first_weights(name):
    body = randomize(copy.deepcopy(BODIES[name])).double().eval()
    x = image(7, 8, dtype=torch.float64)
    features, weights = body[:-1](x[None]).clamp(min=0), body[-1].weight
    both = torch.stack([features @ (sign * weights).clamp(min=0).T for sign in (1, -1)])
    target = int(both.amin(0).argmax())  # a class that some speak for and some against
    seed = one_hot(5, target, x.dtype)
    for_, against = (slow_excitation(body, x[None], seed, no) for no in ((), (body[-1],)))
    ours = arrays(network(body, 8), x, target, contrastive=True)
    assert_close(ours, for_ - against, 1e-10)
    assert against.sum() > 0.1


def first_weights():
    """Networks that end without a linear layer, and the first weights from their end."""
    stem = [conv(3, 4), nn.ReLU()]
    one, other = conv(4, 5, 1), conv(4, 5, padding=1)
    yield "both terms of a sum", nn.Sequential(*stem, Sum(one, other), Mean()), (one, other)

    one, other = conv(4, 2, 1), conv(4, 3, padding=1)
    inner = nn.Sequential(conv(4, 4, 1), nn.ReLU(), other, nn.ReLU())
    parallel = Concatenation(nn.Sequential(one, nn.ReLU()), inner)
    yield "inception", nn.Sequential(*stem, parallel, nn.MaxPool2d(2), Mean()), (one, other)

    one = conv(4, 5, 2)
    norm = nn.BatchNorm2d(5)
    yield "folded batch norm", nn.Sequential(*stem, one, norm, nn.ReLU(), Mean()), (one,)

    one = conv(4, 5)
    yield "gated", nn.Sequential(*stem, one, nn.ReLU(), Gate(5), nn.AvgPool2d(2), Mean()), (one,)


@pytest.mark.parametrize(
    ("body", "first"), [pytest.param(body, first, id=name) for name, body, first in first_weights()]
)
def test_the_first_weights_may_be_several_in_parallel(body, first):
    randomize(body).double().eval()
    x = image(7, 8, dtype=torch.float64)
    watched = network(body, 8).watched(x[None], [], RULES)
    seed = watched.logits.detach().clamp(min=0)  # a mixture, so that every branch has a share
    seed = seed / seed.sum()
    ours = excitations(watched.logits, seed[None], watched.pixels, [True])[0]
    for_, against = (slow_excitation(body, x[None], seed, no) for no in ((), first))
    assert_close(ours, for_ - against, 1e-10)


def test_what_passes_the_first_weights_by_is_not_contrasted_further_on():
    lower, upper = conv(3, 4, padding=1), conv(4, 4, padding=1)
    body = randomize(nn.Sequential(lower, nn.ReLU(), Sum(upper, nn.Identity()), nn.ReLU(), Mean()))
    body.double()
    x = image(7, 8, dtype=torch.float64)
    logits = body(x[None]).detach()
    target = int(logits.argmax())
    hidden = F.relu(lower(x[None])).detach()
    seed = slow_share(matrix(Mean(), body[:4](x[None])), body[:4](x[None]), one_hot(4, target))
    terms = [upper(hidden).clamp(min=0), hidden]
    through, past = (torch.where(seed > 0, seed * term / sum(terms), 0) for term in terms)
    weights, below = matrix(upper, hidden), matrix(lower, x[None])
    through = slow_share(weights, hidden, through) - slow_share(-weights, hidden, through)
    expected = slow_share(below, x[None], through + past).detach()
    assert_close(arrays(network(body, 8), x, target, contrastive=True), expected, 1e-10)


@pytest.mark.parametrize("contrastive", [False, True])
@pytest.mark.parametrize("stop", [0, 1, 2, 3, 4, 5])
def test_stops_at_any_layer(stop, contrastive):
    body = randomize(between(nn.MaxPool2d(2), conv(4, 4), nn.ReLU())).double().eval()
    x, seed = image(12, dtype=torch.float64), one_hot(5, 2, torch.float64)
    rectified = stop + (stop in (0, 3))  # behind the rectifier that follows a convolution
    reached = body[: rectified + 1](x[None]).detach()
    above = nn.Sequential(*list(body)[rectified + 1 :])
    expected = slow_excitation(above, reached, seed)
    if contrastive:
        expected = expected - slow_excitation(above, reached, seed, (body[-1],))
    ours = arrays(network(body, 12), x, 2, str(stop), contrastive)
    assert_close(ours, expected, 1e-10)
    relevance = xw.excitation_backprop(network(body, 12), x, 2, str(stop), contrastive)
    assert relevance.mass == pytest.approx(float(expected.detach().sum()), abs=1e-9)
    assert relevance.parameters["stop_at"] == str(stop)


class Normalized(nn.Module):
    """A function of the pixels, value by value, before a network."""

    def __init__(self, function, body):
        super().__init__()
        self.function, self.body = function, body

    def forward(self, x):
        return self.body(self.function(x))


def per_channel(values, x):
    return x.new_tensor(values)[:, None, None]


def frozen_batch_norm(x):
    scale = per_channel(STD, x).rsqrt()
    return x * scale + (-per_channel(MEAN, x) * scale)


def in_place(x):
    x = x.clone()
    x -= per_channel(MEAN, x)
    return x.div_(per_channel(STD, x))


def caffe(x):
    return (255 * x)[:, [2, 1, 0]] - per_channel((100, 120, 130), x)


def channel_by_channel(x):
    colors = [(part - m) / s for part, m, s in zip(x.unbind(1), MEAN, STD, strict=True)]
    return torch.stack(colors, 1)


def batch_norm(x, signs=(1, -1, 1)):
    mean, variance, signs = (x.new_tensor(values) for values in (MEAN, STD, signs))
    return F.batch_norm(x, mean, variance, signs, signs)


NORMALIZATIONS = {
    "frozen batch norm": frozen_batch_norm,
    "in place": in_place,
    "scaled and swapped": caffe,
    "channel by channel": channel_by_channel,
    "batch norm": lambda x: batch_norm(x, (1, 0.5, 2)),
    "batch norm with a negative scale": batch_norm,
    "negative": lambda x: 1 - x,
    "framed in grey": lambda x: F.pad(x[..., 1:, 1:] - 0.5, (1, 0, 1, 0), value=0.2),
    "torchvision": Normalize(MEAN, STD),
}


def slow_excitation_of_pixels(function, body, x, seed):
    """First layer by first layer: its weights by all pixels are those by what a pixel changes."""
    inputs = function(x[None])
    first = matrix(body[0], inputs)
    of_pixels = jacobian(lambda pixels: function(pixels[None]), x).reshape(-1, x.numel())
    p = slow_excitation(body[1:], body[0](inputs), seed)
    return slow_share(first @ of_pixels, x[None], p)


@pytest.mark.parametrize("first", ["convolution", "convolution and batch norm", "linear layer"])
@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_normalised_pixels_count_by_their_distance_from_black(name, first):
    if first == "linear layer":
        body = nn.Sequential(nn.Linear(168, 30), nn.ReLU(), nn.Linear(30, 5))
        function = nn.Sequential(Apply(NORMALIZATIONS[name]), nn.Flatten())
    else:
        body, function = between(), NORMALIZATIONS[name]
    body = randomize(body).double()
    x = image(7, 8, dtype=torch.float64)
    target = most_excited(body, function(x[None])[0])
    expected = slow_excitation_of_pixels(function, body, x, one_hot(5, target, x.dtype))
    if first == "convolution and batch norm":
        norm = nn.BatchNorm2d(4).double().eval()
        signs = torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=x.dtype)
        norm.weight.data.copy_(signs)
        body.insert(1, norm)
        body[0].weight.data *= signs[:, None, None, None]
        body[0].bias.data *= signs
        norm.running_var.fill_(1 - norm.eps)
    ours = arrays(network(Normalized(function, body), 8), x, target)
    assert_close(ours, expected, 1e-10)
    assert float(ours.sum()) == pytest.approx(1, abs=1e-6)


def test_the_networks_own_normalisation_belongs_to_the_first_weights():
    body = randomize(between()).double()
    x = 0.4 * image(7, 8, dtype=torch.float64)
    mean, std = (per_channel(part, x) for part in (MEAN, STD))

    def normalize(pixels):
        return (pixels - mean) / std

    net, inside = (
        network(body, 8, normalize=(MEAN, STD)), network(Normalized(normalize, body), 8)
    )  # fmt: skip
    target = most_excited(body, normalize(x))
    ours = arrays(net, x, target)
    expected = slow_excitation_of_pixels(normalize, body, x, one_hot(5, target, x.dtype))
    assert_close(ours, expected, 1e-10)
    assert float(ours.sum()) == pytest.approx(1, abs=1e-9)
    assert (x < mean).all()
    assert torch.equal(net(x[None]), body(normalize(x[None])))
    for contrastive in (False, True):
        theirs = arrays(inside, x, target, contrastive=contrastive)
        assert_close(arrays(net, x, target, contrastive=contrastive), theirs, 1e-12)


def test_pixels_may_be_averaged_before_or_behind_their_normalisation():
    body = randomize(between()).double()
    x = 0.4 * image(14, 16, dtype=torch.float64)

    def normalize(pixels):
        return (pixels - per_channel(MEAN, x)) / per_channel(STD, x)

    target = most_excited(body, F.avg_pool2d(normalize(x), 2))
    before, behind = (
        arrays(network(Normalized(nn.Sequential(*parts), body), 14), x, target)
        for parts in permutations((nn.AvgPool2d(2), Apply(normalize)))
    )
    assert_close(before, behind, 1e-12)
    assert float(before.sum()) == pytest.approx(1, abs=1e-9)


def test_stops_at_the_normalised_pixels_by_their_distance_from_black():
    body = randomize(between()).double()
    net = network(Normalized(Apply(batch_norm), body), 8)
    x = image(7, 8, seed=2, dtype=torch.float64)
    target = most_excited(body, batch_norm(x[None])[0])
    for contrastive in (False, True):
        at_pixels = arrays(net, x, target, "pixels", contrastive)
        assert_close(arrays(net, x, target, "function", contrastive), at_pixels, 1e-12)


@pytest.mark.parametrize(
    "contrastive", [[False] * 5, [True] * 5, [False, True, True, False, True]], ids=str
)
def test_several_seeds_are_shared_out_together(contrastive):
    body = randomize(between(conv(4, 4), nn.BatchNorm2d(4), nn.ReLU())).double()
    x = image(7, 8, dtype=torch.float64)
    watched = network(body, 8).watched(x[None], ["0"], RULES)
    seeds = torch.eye(5, dtype=x.dtype)[:, None]
    together = excitations(watched.logits, seeds, watched.activations["0"], contrastive)
    assert together.shape == (5, 1, 4, 7, 8)
    for target, (ours, contrasted) in enumerate(zip(together, contrastive, strict=True)):
        assert_close(ours, arrays(network(body, 8), x, target, "0", contrasted), 1e-12)


def test_a_total_that_is_hardly_above_zero_excites_nothing():
    total = torch.tensor([-1.0, 0.0, 1e-30, 2.0])
    assert _ratio(torch.ones(4), total).tolist() == [0, 0, 0, 0.5]


def test_a_pass_that_was_contrastive_is_plain_again():
    body = randomize(between(conv(4, 4), nn.ReLU())).double()
    watched = network(body, 8).watched(image(7, 8, dtype=torch.float64)[None], ["0"], RULES)
    seed, to = torch.eye(5, dtype=torch.float64)[:1, None], watched.activations["0"]
    before, contrast, after = (
        excitations(watched.logits, seed, to, [contrastive]) for contrastive in (False, True, False)
    )
    assert torch.equal(before, after)
    assert not torch.equal(before, contrast)


def test_networks_may_be_functional_and_write_in_place():
    body = randomize(
        between(
            Sum(conv(4, 4, padding=1), nn.Identity()), nn.ReLU(), conv(4, 4), nn.BatchNorm2d(4),
            nn.ReLU(),
        )
    ).double().eval()  # fmt: skip

    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body

        def forward(self, x):
            x = F.relu(body[0](x), inplace=True)
            y = body[2].branches[0](x)
            y += x
            x = body[5](body[4](y.relu_()))
            x.clamp_(min=0)
            x = torch.relu(body[7](x)).mean(dim=[-1, -2])
            return x @ body[10].weight.T + body[10].bias

    x = image(7, 8, dtype=torch.float64)
    for contrastive in (False, True):
        expected = arrays(network(body, 8), x, 3, contrastive=contrastive)
        assert_close(arrays(network(InPlace(), 8), x, 3, contrastive=contrastive), expected, 1e-12)


class Context(nn.Module):
    def __init__(self, in_place):
        super().__init__()
        self.in_place = in_place

    def forward(self, x):
        context = x.mean((2, 3), keepdim=True)
        if not self.in_place:
            return x + context
        x += context
        return x


def test_an_average_may_be_written_over_its_own_input():
    body, x = randomize(between(Context(False), conv(4, 4), nn.ReLU())).double(), image(7, 8)
    expected = arrays(network(body, 8), x.double(), 2)
    body[2].in_place = True
    assert_close(arrays(network(body, 8), x.double(), 2), expected, 1e-12)


# zennit


def zennits(module, x, target):
    module, x = copy.deepcopy(module).eval(), x[None].clone().requires_grad_()
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    with ExcitationBackprop(stabilizer=1e-30, zero_params=["bias"]).context(module) as modified:
        output = modified(x)
        (arrived,) = torch.autograd.grad(output, x, one_hot(output.shape[1], target, x.dtype))
    return arrived


def vgg():
    return nn.Sequential(
        conv(3, 8, padding=1), nn.ReLU(inplace=True), conv(8, 8, padding=1), nn.ReLU(inplace=True),
        nn.MaxPool2d(2), conv(8, 12, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(108, 20), nn.ReLU(inplace=True),
        nn.Dropout(), nn.Linear(20, 7),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_chains_agree_with_zennit(seed):
    module, x = randomize(vgg(), seed).double(), image(20, 24, seed, torch.float64)
    for target in range(3):
        theirs = zennits(module, x, target)
        assert_close(arrays(network(module, 20), x, target), theirs, 1e-5)
        opposed = copy.deepcopy(module)
        opposed[-1].weight.data *= -1
        ours = arrays(network(module, 20), x, target, contrastive=True)
        assert_close(ours, theirs - zennits(opposed, x, target), 1e-5)


def test_squeezenet_agrees_with_zennit():
    module = randomize(models.get_model("squeezenet1_1", weights=None, num_classes=7)).double()
    x = image(64, dtype=torch.float64)
    target = int(module.eval()(x[None]).argmax())
    assert_close(arrays(network(module, 64), x, target), zennits(module, x, target), 1e-5)


# Mass


def torchvision_module(name, classes=10, **options):
    """With random weights; the large linear layers are built at the size that is needed."""
    if name in ("googlenet", "inception_v3"):
        options |= {"aux_logits": False, "init_weights": False}
    with torch.device("meta"):
        module = models.get_model(name, weights=None, num_classes=classes, **options)
        if name.startswith(("vgg", "alexnet")):
            inputs = 512 * 49 if name.startswith("vgg") else 256 * 36
            module.classifier = nn.Sequential(
                nn.Linear(inputs, 60), nn.ReLU(True), nn.Dropout(), nn.Linear(60, classes)
            )
    # without shifts in DenseNet, whose average pools then let no negative value leak
    shift = 0 if name.startswith("densenet") else 0.3
    return randomize(module.to_empty(device="cpu"), negative=0, shift=shift)


@pytest.mark.parametrize(
    ("name", "size", "middle"),
    [
        ("alexnet", 64, "features.5"),
        ("vgg11", 32, "features.5"),
        ("vgg11_bn", 32, "features.7"),
        ("resnet18", 48, "maxpool"),
        ("densenet121", 48, "features.pool0"),
        ("googlenet", 48, "maxpool2"),
        ("inception_v3", 80, "maxpool2"),
        ("squeezenet1_1", 64, "features.5"),
    ],
)
def test_all_of_the_mass_arrives(name, size, middle):
    net, x = network(torchvision_module(name), size), image(size)
    watched = net.watched(x[None], [middle], RULES)
    ends = watched.pixels, watched.activations[middle]
    seeds = one_hot(10, int(watched.logits.argmax()))[None]
    plain = [excitations(watched.logits, seeds, end, [False]) for end in ends]
    contrastive = [excitations(watched.logits, seeds, end, [True]) for end in ends]
    for arrived, contrast in zip(plain, contrastive, strict=True):
        assert arrived.min() >= 0
        assert float(arrived.sum()) == pytest.approx(1, abs=1e-4)
        assert float(contrast.sum()) == pytest.approx(0, abs=1e-4)
        assert not torch.equal(contrast, arrived)


@pytest.fixture
def real(monkeypatch):
    if not (REAL / "torch").is_dir() or not (REAL / "imagenet").is_dir():
        pytest.skip("needs torch/ (weights) and imagenet/ (photographs) in $XWIDGETS_REAL")
    monkeypatch.setenv("TORCH_HOME", str(REAL / "torch"))
    return REAL / "imagenet"


def unopposed(net, x):
    """The share that sets out from places where nothing speaks against the class."""
    watched = net.watched(x[None], ["features.12", "classifier.1"])
    target = int(watched.logits.argmax())
    scores = watched.activations["classifier.1"][0, target].detach()
    negative = net.module.classifier[1].weight[target].clamp(max=0)
    against = (watched.activations["features.12"][0] * negative).sum(0)
    return float(scores[against == 0].sum() / scores.sum())


def test_all_of_the_mass_of_photographs_arrives(real):
    net = xw.network("squeezenet1_1")
    with open(real / "labels.csv", newline="") as file:
        files = [row["file"] for row in csv.DictReader(file)][:240:60]
    for x in (net.prepare(real / file) for file in files):
        plain = xw.excitation_backprop(net, x, contrastive=False)
        assert plain.mass == pytest.approx(1, abs=1e-4)
        assert plain.values.sum() == pytest.approx(1, abs=1e-4)
        contrastive = xw.excitation_backprop(net, x, contrastive=True)
        assert contrastive.mass == pytest.approx(unopposed(net, x), abs=1e-4)
        assert contrastive.plain_mass == plain.mass
        assert 0.01 < contrastive.values.sum() < 1
        assert contrastive.parameters["stop_at"] == "features.8"
        assert contrastive.label == net.top(x, 1)[0][1]


def test_mass_leaks_through_negative_activations():
    body = nn.Sequential(conv(1, 1, 1), nn.AvgPool2d(1, 2), conv(1, 1, 1), nn.Flatten())
    for part, weight, bias in ((body[0], 1.0, -0.5), (body[2], 1.0, 1.0)):
        part.weight.data.fill_(weight)
        part.bias.data.fill_(bias)
    head = nn.Linear(2, 1, bias=False)
    head.weight.data.fill_(1)
    net = xw.Network(nn.Sequential(body, head), size=(1, 3))
    x = torch.tensor([[[0.9, 0.9, 0.1]]])  # behind the first convolution 0.4, 0.4 and -0.4
    relevance = xw.excitation_backprop(net, x, 0, "pixels", contrastive=False)
    # the last layer divides 1 between 0.4 + 1 and -0.4 + 1; nothing excites the second of them
    np.testing.assert_allclose(relevance.values, [[0.7, 0, 0]], atol=1e-6)
    assert relevance.mass == pytest.approx(0.7, abs=1e-6)
    assert "mass 0.700" in relevance.title


def test_negative_scales_are_those_of_the_folded_network():
    module = randomize(models.get_model("resnet18", weights=None, num_classes=6), negative=0.3)
    module.double()
    folded = copy.deepcopy(module).eval()
    for part in folded.modules():
        for number in ("1", "2"):
            if hasattr(part, "conv" + number):
                pair = getattr(part, "conv" + number), getattr(part, "bn" + number)
                setattr(part, "conv" + number, fuse_conv_bn_eval(*pair))
                setattr(part, "bn" + number, nn.Identity())
        if getattr(part, "downsample", None) is not None:
            part.downsample = nn.Sequential(fuse_conv_bn_eval(*part.downsample))
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    x = image(48, dtype=torch.float64)
    net, other = network(module, 48), network(folded, 48)
    torch.testing.assert_close(net(x[None]), other(x[None]))
    for contrastive in (False, True):
        ours = arrays(net, x, 2, "maxpool", contrastive)
        assert_close(ours, arrays(other, x, 2, "maxpool", contrastive), 1e-5)
    assert float(arrays(net, x, 2).sum()) == pytest.approx(1, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_networks_lose_nothing_and_do_not_know_the_scale_of_a_layer(data):
    draw, parts, channels = data.draw, [], 3
    for _ in range(draw(st.integers(1, 3))):
        channels, before = draw(st.integers(2, 6)), channels
        parts += [conv(before, channels, draw(st.sampled_from([1, 2, 3])), padding=1), nn.ReLU()]
        side = min(nn.Sequential(*parts)(torch.zeros(1, 3, 8, 9)).shape[2:])
        pools = [[nn.MaxPool2d(2)], [nn.MaxPool2d(3, 2, ceil_mode=True)], [nn.AvgPool2d(2)]]
        parts += draw(
            st.sampled_from(
                [
                    [],
                    *(pools if side > 1 else []),
                    [nn.AdaptiveAvgPool2d((3, 2))],
                    [Sum(conv(channels, channels, 1), nn.Identity()), nn.ReLU()],
                    [Concatenation(conv(channels, channels, 1), nn.Identity()), nn.ReLU(),
                     conv(2 * channels, channels, 1), nn.ReLU()],
                ]
            )
        )  # fmt: skip
    body = nn.Sequential(*copy.deepcopy(parts), Mean(), nn.Linear(channels, 3))
    randomize(body, draw(st.integers(0, 10**6))).double()
    for part in body.modules():
        if isinstance(part, nn.Conv2d):
            part.bias.data = -part.bias.data.abs()  # what is active, the input excites
    x = image(8, 9, draw(st.integers(0, 10**6)), torch.float64)
    assume(bool((body[:-1](x[None]).flatten() * body[-1].weight[0]).max() > 1e-6))

    arrived = arrays(network(body, 8), x, 0)
    assert arrived.min() >= 0
    assert float(arrived.sum()) == pytest.approx(1, abs=1e-9)
    contrast = arrays(network(body, 8), x, 0, contrastive=True)
    against = arrived - contrast
    assert against.min() >= -1e-12

    weighted = [part for part in body if isinstance(part, nn.Conv2d | nn.Linear)]
    lower, upper = draw(st.sampled_from(list(pairwise(weighted))))
    between_them = list(body)[list(body).index(lower) + 1 : list(body).index(upper)]
    lower.weight.data *= 3
    lower.bias.data *= 3
    for part in nn.ModuleList(between_them).modules():
        if isinstance(part, nn.Conv2d):
            part.bias.data *= 3
    upper.weight.data /= 3
    assert_close(arrays(network(body, 8), x, 0), arrived, 1e-9)
    assert (arrays(network(body, 8), x, 0, contrastive=True) - contrast).abs().max() < 1e-9


# From other units than the classes


@pytest.mark.parametrize("contrastive", [False, True])
def test_from_a_hidden_unit(contrastive):
    body = randomize(vgg()).double().eval()
    x = image(12, dtype=torch.float64)
    unit = int(body[:12](x[None]).argmax())
    seed = one_hot(20, unit, x.dtype)
    expected = slow_excitation(body[5:11], body[:5](x[None]).detach(), seed)
    if contrastive:
        against = slow_excitation(body[5:11], body[:5](x[None]).detach(), seed, (body[10],))
        expected = expected - against
    relevance = xw.excitation_backprop(network(body, 12), x, unit, "4", contrastive, source="10")
    assert relevance.mass == pytest.approx(float(expected.detach().sum()), abs=1e-9)
    assert relevance.parameters["layer"] == "10"
    assert relevance.target == unit
    assert_matches(relevance, expected)


@pytest.mark.parametrize("contrastive", [False, True])
def test_from_a_channel_of_a_map_in_proportion_to_its_activations(contrastive):
    body = randomize(vgg()).double().eval()
    x = image(12, dtype=torch.float64)
    maps = body[:7](x[None]).detach()
    channel = int(maps.sum((0, 2, 3)).argmax())
    seed = torch.zeros_like(maps)
    seed[0, channel] = maps[0, channel] / maps[0, channel].sum()
    expected = slow_excitation(body[:6], x[None], seed)
    if contrastive:
        expected = expected - slow_excitation(body[:6], x[None], seed, (body[5],))
    for source in ("5", 3):
        relevance = xw.excitation_backprop(
            network(body, 12), x, channel, "pixels", contrastive, source=source
        )
        assert_matches(relevance, expected)


def encoder(inputs):
    module = nn.Sequential(
        nn.Linear(inputs, 12), nn.ReLU(), nn.Dropout(0.9), nn.Linear(12, 4), nn.ReLU()
    )
    return randomize(module, 5).double()


@pytest.mark.parametrize("contrastive", [False, True])
@pytest.mark.parametrize(("source", "depth"), [("10", 12), (None, 14)])
def test_from_the_callers_own_top_layers(source, depth, contrastive):
    body = randomize(vgg()).double().eval()
    x = image(12, dtype=torch.float64)
    top = encoder(20 if source else 7)
    top[2].train()
    top[0].eval()
    whole = nn.Sequential(*list(body)[5:depth], *list(copy.deepcopy(top).eval()))
    reached = body[:5](x[None]).detach()
    unit = int(whole(reached).argmax())
    expected = slow_excitation(whole, reached, one_hot(4, unit, x.dtype))
    if contrastive:
        expected = expected - slow_excitation(
            whole, reached, one_hot(4, unit, x.dtype), (whole[-2],)
        )
    with untouched(top), untouched(body):
        relevance = xw.excitation_backprop(
            network(body, 12), x, unit, "4", contrastive, source=source, top=top
        )
    assert_matches(relevance, expected)
    assert "top layers" in relevance.label


def test_top_layers_may_take_maps():
    body = randomize(vgg()).double().eval()
    x = image(12, dtype=torch.float64)
    whole = arrays(network(body, 12), x, 3, "4", contrastive=True)
    halves = xw.excitation_backprop(network(body, 12), x, 3, "4", True, source="7", top=body[8:])
    assert_matches(halves, whole)


def assert_matches(relevance, arrived):
    """Values are the sum over channels, at the size of the picture, cut where contrastive."""
    summed = arrived.detach().sum(1)
    if relevance.parameters["contrastive"]:
        summed = summed.clamp(min=0)
    size = relevance.values.shape
    expected = F.interpolate(summed[None], size, mode="bilinear")[0, 0]
    expected = expected * summed.sum() / expected.sum()
    assert_close(torch.from_numpy(relevance.values).double(), expected, 1e-6)


# The result


def test_the_result_tells_and_keeps_its_mass(tmp_path):
    net, x = network(randomize(vgg()), 20, classes=list("abcdefg")), image(20, 23)
    relevance = xw.excitation_backprop(net, x, "c", "pixels", contrastive=False)
    assert relevance.values.shape == (20, 23)
    assert relevance.values.dtype == np.float32
    assert relevance.title == (
        "excitation backprop for 'c' (small), in share of the excitation, mass 1.00"
    )
    relevance.save(tmp_path / "result.npz")
    loaded = xw.Relevance.load(tmp_path / "result.npz")
    assert loaded.mass == relevance.mass == pytest.approx(1, abs=1e-5)
    assert loaded.title == relevance.title
    assert loaded.parameters == relevance.parameters
    np.testing.assert_array_equal(loaded.values, relevance.values)
    contrastive = xw.excitation_backprop(net, x, 2, "pixels", True)
    assert contrastive.title.startswith("contrastive excitation backprop for 'c'")
    assert contrastive.values.min() >= 0


@pytest.mark.parametrize("layer", ["pixels", "0", "4", "7", "8"])
def test_the_values_sum_to_the_mass_at_the_size_of_the_picture(layer):
    net, x = network(randomize(vgg()), 20), image(21, 30)
    relevance = xw.excitation_backprop(net, x, None, layer, contrastive=False)
    assert relevance.values.shape == (21, 30)
    assert relevance.values.sum() == pytest.approx(relevance.mass, abs=1e-4)
    assert relevance.mass == pytest.approx(1, abs=1e-4)
    assert relevance.target == int(net(x[None]).argmax())


@pytest.mark.parametrize(
    ("name", "layer", "contrastive"),
    [
        ("alexnet", "features.5", False),
        ("googlenet", "maxpool3", True),
        ("squeezenet1_1", "features.8", False),
        pytest.param("vgg16", "features.23", False, marks=pytest.mark.long),
    ],
)
def test_stops_by_default_at_the_deepest_pooled_layer_with_maps_of_12_pixels(
    name, layer, contrastive
):
    net = network(torchvision_module(name), 224)
    relevance = xw.excitation_backprop(net, image(224))
    assert relevance.parameters == {
        "stop_at": layer, "contrastive": contrastive, "layer": None, "top": None,
    }  # fmt: skip


def test_stops_by_default_at_the_pixels_where_no_map_is_large_enough():
    relevance = xw.excitation_backprop(network(randomize(vgg()), 20), image(20))
    assert relevance.parameters["stop_at"] == "pixels"


# The default of the contrast


def pooled_scores(*above):
    """Scores of classes at each place, and what pools them."""
    return nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 5, 1), *above)


def under(*head, channels=8):
    return nn.Sequential(conv(3, channels), nn.ReLU(), *head)


ONCE = {
    "flatten, linear": under(nn.Flatten(), nn.Linear(8 * 36, 5)),
    "pool, linear": under(Mean(), nn.Linear(8, 5)),
    "convolution of all places": under(conv(8, 5, 6), nn.Flatten()),
    "pool, 1 x 1 convolution": under(nn.AdaptiveAvgPool2d(1), conv(8, 5, 1), nn.Flatten()),
    "matrix product": under(Mean(), Apply(lambda x: x @ torch.linspace(-1, 1, 40).view(8, 5))),
    "transposed convolution": under(
        nn.AdaptiveAvgPool2d(1), nn.ConvTranspose2d(8, 5, 1), nn.Flatten()
    ),
}
SEVERAL = {
    "linear layers": under(nn.Flatten(), nn.Linear(8 * 36, 9), nn.ReLU(), nn.Linear(9, 5)),
    "pool, linear layers": under(Mean(), nn.Linear(8, 9), nn.ReLU(), nn.Linear(9, 5)),
}
AT_EVERY_PLACE = {
    "1 x 1 convolution, pool": pooled_scores(Mean()),
    "1 x 1 convolution, rectifier, pool": pooled_scores(nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                                                        nn.Flatten()),
    "convolution, batch norm, pool": pooled_scores(nn.BatchNorm2d(5), Mean()),
    "3 x 3 convolution, pool": under(conv(8, 5), Mean()),
    "convolution, maximum": pooled_scores(nn.AdaptiveMaxPool2d(1), nn.Flatten()),
    "transposed convolution, pool": under(nn.ConvTranspose2d(8, 5, 2), Mean()),
    "linear layer of each place, mean": under(
        Apply(lambda x: x.flatten(2).transpose(1, 2)), nn.Linear(8, 5), Apply(lambda x: x.mean(1))
    ),
    "one of two branches": under(
        Sum(nn.Sequential(conv(8, 5, 1), Mean()), nn.Sequential(Mean(), nn.Linear(8, 5)))
    ),
}  # fmt: skip


def assert_same_map(one, other):
    np.testing.assert_array_equal(one.values, other.values)
    assert (one.method, one.parameters, one.mass, one.plain_mass) == (
        other.method, other.parameters, other.mass, other.plain_mass
    )  # fmt: skip


@pytest.mark.parametrize("name", [*ONCE, *SEVERAL, *AT_EVERY_PLACE])
def test_by_default_there_is_contrast_where_one_linear_layer_follows_the_maps(name):
    net, x = network(randomize((ONCE | SEVERAL | AT_EVERY_PLACE)[name], 1), 8), image(8)
    default = xw.excitation_backprop(net, x, None, "0")
    on, off = (xw.excitation_backprop(net, x, None, "0", asked) for asked in (True, False))
    assert on.parameters["contrastive"] is True
    assert off.parameters["contrastive"] is False
    assert on.method == "contrastive excitation backprop"
    assert off.method == "excitation backprop"
    if name in ONCE:
        assert_same_map(default, on)
        assert default.note.startswith("With contrast, as the first weights on the way are applied")
        assert on.note.startswith("With contrast, as asked for. ")
    else:
        assert_same_map(default, off)
        why = "further linear layers" if name in SEVERAL else "the first weights on the way are"
        assert default.note.startswith(f"Without contrast, as {why}")
        assert on.note.startswith(f"With contrast, as asked for, though {why}")
        assert ("cancels" in on.note) == (name in AT_EVERY_PLACE)
    assert off.note.startswith("Without contrast, as asked for. ")


def test_contrast_cancels_at_each_place_below_pooled_scores():
    net, x = network(randomize(pooled_scores(Mean()), 1), 8), image(8)
    target = int(net(x[None]).argmax())
    plain, contrast = (arrays(net, x, target, "0", contrastive) for contrastive in (False, True))
    assert contrast.abs().sum() > 0.1
    assert contrast.sum(1).abs().max() < 1e-6 < plain.sum(1).max()


def test_a_channel_is_explained_without_contrast_and_a_unit_at_one_place_with_it():
    net, x = network(randomize(vgg()), 20), image(20)
    channel = int(net.watched(x[None], ["5"]).activations["5"].sum((0, 2, 3)).argmax())
    relevance = xw.excitation_backprop(net, x, xw.Channel("5", channel), "2")
    assert not relevance.parameters["contrastive"]
    assert "every place" in relevance.note
    maps = net.watched(x[None], ["5"]).activations["5"][0, channel]
    row, column = divmod(int(maps.argmax()), maps.shape[1])
    relevance = xw.excitation_backprop(net, x, xw.Unit("5", channel, row, column), "2")
    assert relevance.parameters["contrastive"]
    assert "applied once" in relevance.note


def test_without_weights_there_is_no_contrast_by_default():
    module = randomize(vgg())
    module[2].bias.data.fill_(1)
    relevance = xw.excitation_backprop(network(module, 20), image(20), 0, "2", source="4")
    assert not relevance.parameters["contrastive"]
    assert relevance.note.startswith("Without contrast, as there are no weights on the way. ")


# The mass that is told


@pytest.mark.parametrize("contrastive", [None, True, False])
def test_the_plain_mass_is_told_with_and_without_contrast(contrastive, tmp_path):
    body = randomize(between(conv(4, 4), conv(4, 4, 2)), 3).double()  # signed in between
    x = image(7, 8, dtype=torch.float64)
    net, target = network(body, 8), most_excited(body, x)
    expected = float(arrays(net, x, target).sum())
    assert 0.02 < expected < 0.98
    relevance = xw.excitation_backprop(net, x, target, "pixels", contrastive)
    assert relevance.plain_mass == pytest.approx(expected, abs=1e-12)
    told = f"{100 * expected:.1f} % of the plain excitation arrived; the rest was lost at negative "
    assert told in relevance.note
    arrived = arrays(net, x, target, contrastive=contrastive is not False).sum()
    assert relevance.mass == pytest.approx(float(arrived), abs=1e-12)
    assert ("without contrast" in relevance.title) == (contrastive is not False)
    relevance.save(tmp_path / "result.npz")
    loaded = xw.Relevance.load(tmp_path / "result.npz")
    assert (loaded.plain_mass, loaded.note) == (relevance.plain_mass, relevance.note)
    assert xw.RelevanceOverlay(relevance).frames[0]["remark"] == relevance.note


def test_a_contrast_of_mass_zero_is_told_from_a_leak():
    net, x = network(randomize(vgg()), 20), image(20)
    relevance = xw.excitation_backprop(net, x, 2, "pixels", True)
    assert relevance.mass == pytest.approx(0, abs=1e-5)
    assert relevance.plain_mass == pytest.approx(1, abs=1e-5)
    assert relevance.note.endswith("100 % of the plain excitation arrived.")
    assert relevance.title.endswith("mass 0 (without contrast 1.00)")


# What cannot be


def refused(match, module, *args, **options):
    with untouched(module), pytest.raises(ValueError, match=match):
        xw.excitation_backprop(network(module, 20), image(20), *args, **options)


def test_the_module_stays_as_it_was():
    module = randomize(vgg())
    module[0].requires_grad_(False)
    module[12].eval()
    x = image(20).requires_grad_()
    with untouched(module):
        xw.excitation_backprop(network(module, 20), x, 1)
    assert x.grad is None
    assert torch.equal(x.detach(), image(20))


@pytest.mark.parametrize("target", [7, -1, 2.5])
def test_refuses_classes_that_do_not_exist(target):
    refused("classes 0 to 6", vgg(), target)


def test_refuses_class_names_that_do_not_exist():
    net = network(vgg(), 20, classes=["wren", "robin", "jay", "crow", "tit", "owl", "gull"])
    with pytest.raises(ValueError, match=r"unknown class 'wern'.*'wren'"):
        xw.excitation_backprop(net, image(20), "wern")


@pytest.mark.parametrize("target", [None, 20, -1, "wren", 1.5])
def test_refuses_units_that_do_not_exist(target):
    refused("layer '10' has units 0 to 19", vgg(), target, source="10")
    refused("layers has units 0 to 19", vgg(), target, source="8", top=nn.Sequential(*vgg()[9:11]))


def test_refuses_layers_that_do_not_exist():
    module = nn.Sequential()
    module.add_module("features", vgg())
    refused(r"unknown layer 'featuers\.3'.*'features\.3'", module, 1, "featuers.3")
    refused(r"unknown layer 'featuers\.3'.*'features\.3'", module, 1, source="featuers.3")
    refused("there is no convolution 4", module, 1, 4)


def test_refuses_channels_that_are_silent():
    module = vgg()
    module[5].bias.data[3] = -1000
    refused("unit 3 of layer '5' is silent", module, 3, "pixels", source="5")


@pytest.mark.parametrize("contrastive", [True, False])
def test_refuses_layers_that_do_not_lead_to_the_unit(contrastive):
    module = randomize(vgg())
    module[2].bias.data.fill_(1)
    refused("does not lead to", module, 0, "5", contrastive, source="2")


def test_refuses_layers_without_maps():
    refused("is no map", randomize(vgg()), 0, "10")


def test_refuses_ways_without_weights_for_the_contrastive_form():
    module = randomize(vgg())
    module[2].bias.data.fill_(1)
    refused("there are no weights between", module, 0, "2", True, source="4")
    plain = xw.excitation_backprop(
        network(module, 20), image(20), 0, "2", contrastive=False, source="4"
    )
    assert plain.mass == pytest.approx(1, abs=1e-5)


class Difference(nn.Module):
    def forward(self, x):
        return x - x.flip(1)


class Attention(nn.Module):
    def forward(self, x):
        return x @ x.transpose(2, 3)


def defined_behind(part):
    layers = conv(3, 4, 1), nn.ReLU(), part, nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
    module = nn.Sequential(*layers)
    module(image(8)[None])
    return randomize(module)


@pytest.mark.parametrize(
    ("part", "operation"),
    [
        (nn.LayerNorm(8), "layer_norm"),
        (nn.GroupNorm(2, 4), "group_norm"),
        (nn.BatchNorm2d(4, track_running_stats=False), "batch_norm"),
        (nn.Sequential(conv(4, 4, 1), nn.Hardtanh(), conv(4, 4, 1)), "hardtanh"),
        (Maximum(), "maximum"),
        (Product(), "mul"),
        (Difference(), "sub"),
        (Attention(), "matmul"),
    ],
)
def test_refuses_operations_that_it_is_not_defined_for(part, operation):
    module, x = defined_behind(part), image(8)
    match = f"excitation backprop is not defined through '{operation}'"
    with untouched(module), pytest.raises(ValueError, match=match):
        xw.excitation_backprop(network(module, 8), x, 1, "pixels")
    above = xw.excitation_backprop(network(module, 8), x, 1, "3", contrastive=False)
    assert above.mass > 0.5


def test_stops_right_behind_an_operation_that_it_is_not_defined_for():
    net, x = network(defined_behind(nn.GroupNorm(2, 4)), 8), image(8)
    assert xw.excitation_backprop(net, x, 1, "2", contrastive=False).mass > 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_refuses_activations_that_are_not_finite(value):
    module = randomize(vgg())
    module[10].bias.data[1] = value
    refused("not all finite", module, 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_refuses_top_layers_that_are_not_finite(value):
    top = nn.Linear(20, 4)
    top.bias.data[0] = value
    with untouched(top):
        refused("finite", randomize(vgg()), 0, source="10", top=top)


@pytest.mark.parametrize("top", [nn.Flatten(0), nn.LSTM(20, 4)])
def test_refuses_top_layers_that_return_no_units(top):
    refused("top", randomize(vgg()), 0, source="10", top=top)


def test_refuses_top_layers_that_do_not_fit_and_leaves_them_as_they_were():
    top = nn.Sequential(nn.Dropout(), nn.Linear(19, 4))
    with untouched(top), pytest.raises((ValueError, RuntimeError)):
        xw.excitation_backprop(network(randomize(vgg()), 20), image(20), 0, source="10", top=top)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_refuses_compiled_modules():
    hidden = torch.jit.trace(vgg()[2:5].eval(), torch.rand(1, 8, 20, 20))
    module = nn.Sequential(*vgg()[:2], hidden, *vgg()[5:])
    refused("is compiled and hides its operations", module, 0)


def test_works_again_after_a_refusal_and_after_the_contrastive_form():
    net, x = network(randomize(vgg()), 20), image(20)
    before = xw.excitation_backprop(net, x, 1, "4", False).values
    with pytest.raises(ValueError, match="classes 0 to 6"):
        xw.excitation_backprop(net, x, 99)
    xw.excitation_backprop(net, x, 1, "4", True)
    np.testing.assert_array_equal(xw.excitation_backprop(net, x, 1, "4", False).values, before)


class Squeezed(nn.Module):
    """A squeeze-and-excitation block as it is usually written."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.maps, self.gate = nn.Conv2d(3, 4, 3), nn.Linear(4, 4)

    def forward(self, x):
        h = self.maps(x).relu()
        scale = torch.sigmoid(self.gate(h.mean((2, 3)))).view(-1, 4, 1, 1)
        return (h * scale.expand_as(h)).mean((2, 3))


def test_a_gate_that_was_reshaped_is_a_gate():
    relevance = xw.excitation_backprop(network(Squeezed(), 8), image(8), None, "pixels", False)
    assert relevance.mass == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "mass"),
    [
        (lambda x: torch.add(torch.ones(()), x, alpha=-1), 0),
        (lambda x: torch.sub(torch.ones(()), x), 0),
        (lambda x: torch.sub(torch.ones(()), x, alpha=-1), 1),
        (lambda x: torch.rsub(x, 1, alpha=-1), 1),
        (lambda x: 1 - x, 0),
        (lambda x: 1 + x, 1),
        (lambda x: x - 0.1, 1),
    ],
)
def test_what_a_term_counts_negatively_is_not_excited(body, mass):
    class Shifted(nn.Module):
        def forward(self, x):
            return body(x).mean((2, 3))

    found = xw.excitation_backprop(network(Shifted(), 8), image(8), 0, "pixels", False)
    assert found.mass == pytest.approx(mass, abs=1e-5)


def test_a_convolution_that_was_written_over_does_not_take_the_sign_of_a_batch_norm():
    class Written(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(1)
            self.maps, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
            nn.init.constant_(self.norm.weight, -1)
            nn.init.constant_(self.norm.bias, 9)

        def forward(self, x):
            h = self.maps(x)
            h[:, :2] = 0
            return self.norm(h).relu().mean((2, 3))

    found = xw.excitation_backprop(network(Written().eval(), 8), image(8), 3, "pixels", False)
    assert found.mass == 0


def test_keeping_a_block_changes_nothing_on_the_way():
    torch.manual_seed(2)
    body = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
        nn.Linear(144, 2),
    )  # fmt: skip
    nn.init.uniform_(body[1].weight, -1, 1)
    net = network(body, 8)
    masses = []
    for layers in ([], ["0"], ["0.0"], ["1"]):
        watched = net.watched(image(8)[None], layers, RULES)
        seed = one_hot(2, 1).to(watched.logits)
        masses.append(float(excitations(watched.logits, seed[None], watched.pixels, [False]).sum()))
    assert masses == pytest.approx([masses[0]] * 4)
    assert masses[0] == pytest.approx(1, abs=1e-5)


def test_small_activations_of_half_precision_are_not_lost():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 2, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten())  # fmt: skip
    with torch.no_grad():
        body[0].weight.copy_(body[0].weight.abs() * 0.002)
    found = xw.excitation_backprop(network(body.half(), 8), image(8), 0, "pixels", False)
    assert found.mass == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("top", "match"),
    [(lambda units: units, "top is a function"), (nn.Linear(3, 2), "cannot take features")],
)
def test_top_layers_that_cannot_be_are_refused(top, match):
    refused(match, vgg(), 0, source="10", top=top)
