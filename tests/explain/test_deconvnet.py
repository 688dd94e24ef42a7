"""Deconvnet against Captum, and against dense matrices that are composed by hand in float64."""

import copy
import csv

import numpy as np
import pytest
import torch
from captum.attr import NeuronDeconvolution
from torch import nn
from torch.autograd.functional import jacobian
from torch.nn import functional as F
from torchvision import models

import xwidgets as xw
from xwidgets.explain import deconvnet

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


class Normalize(nn.Module):
    def forward(self, x):
        return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels):
        super().__init__()
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, 2, 1),
            nn.ReLU(),
            nn.Conv2d(2, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.scale(x)


def randomize(module, seed=0):
    torch.manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            nn.init.uniform_(part.bias, -0.2, 0.2) if part.bias is not None else None
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.3, 0.3)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, -1.5, 1.5)
            nn.init.uniform_(part.bias, -0.3, 0.3)
    return module


def network(module, size, **options):
    options.setdefault("normalize", (MEAN, STD))
    return xw.Network(module, size=(size, size), name="small", **options)


def seeded(activations, start):
    """The start of the signal: the map, or its maximum alone, and 0 elsewhere."""
    if start == "map":
        return activations
    seed = torch.zeros_like(activations).flatten()
    seed[activations.argmax()] = activations.max()
    return seed.view_as(activations)


# Captum


def captums(module, layer, x, channel, start):
    module = nn.Sequential(Normalize(), copy.deepcopy(module)).eval()
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False

    def activation_times_itself(output):
        return (output[:, channel] * seeded(output[0, channel].detach(), start)).sum((1, 2))

    neuron = NeuronDeconvolution(module, module[1].get_submodule(layer))
    return neuron.attribute(x[None], activation_times_itself)[0].detach()


def liveliest(net, x, layer, count):
    activations = net.watched(x[None], [layer]).activations[layer][0]
    return activations.amax((1, 2)).topk(count).indices.tolist()


@pytest.fixture(scope="module")
def torchvision_module():
    """In float64, where no rounding decides a max pool, and without the large linear layers."""
    made = {}

    def get(name):
        if name not in made:
            with torch.device("meta"):
                module = models.get_model(name, weights=None)
                module.classifier = nn.Flatten()
            made[name] = randomize(module.double().to_empty(device="cpu"))
        return made[name]

    return get


@pytest.mark.filterwarnings("ignore:Setting backward hooks", "ignore:Input Tensor 0 did not")
@pytest.mark.parametrize(
    ("name", "size", "layer", "rectified"),
    [
        ("alexnet", 64, "features.0", "features.1"),
        ("alexnet", 64, "features.5", "features.5"),
        ("alexnet", 64, "features.8", "features.9"),
        ("alexnet", 64, "features.12", "features.12"),
        ("vgg11", 32, "features.2", "features.2"),
        ("vgg11", 32, "features.13", "features.14"),
        ("vgg11", 32, "features.18", "features.19"),
        ("vgg16", 32, "features.10", "features.11"),
        ("vgg16", 32, "features.28", "features.29"),
    ],
)
def test_chains_of_rectifier_modules_agree_with_captum(
    torchvision_module, name, size, layer, rectified
):
    module, x = torchvision_module(name), image(size, size + 5, dtype=torch.float64)
    net = network(module, size)
    for channel in liveliest(net, x, layer, 2):
        for start in ("map", "maximum"):
            ours = xw.deconvolve(net, x, layer, channel, start)
            assert_close(ours, captums(module, rectified, x, channel, start), 1e-9)


@pytest.mark.filterwarnings("ignore:Setting backward hooks", "ignore:Input Tensor 0 did not")
@pytest.mark.parametrize(
    ("layer", "rectified"),
    [
        ("features.0", "features.1"),
        ("features.5", "features.5"),
        ("features.9.squeeze", "features.9.squeeze_activation"),
        ("features.12", "features.12"),
    ],
)
def test_squeezenet_on_a_photograph_agrees_with_captum(monkeypatch, layer, rectified):
    if not (REAL / "torch").is_dir() or not (REAL / "imagenet").is_dir():
        pytest.skip("needs torch/ (weights) and imagenet/ (photographs) in $XWIDGETS_REAL")
    monkeypatch.setenv("TORCH_HOME", str(REAL / "torch"))
    with open(REAL / "imagenet" / "labels.csv", newline="") as file:
        first = next(csv.DictReader(file))["file"]
    pretrained = xw.network("squeezenet1_1")
    x = pretrained.prepare(REAL / "imagenet" / first)[:, 40:168, 40:168].double()
    module = pretrained.module.double()
    net = network(module, 224)
    for channel in liveliest(net, x, layer, 1):
        for start in ("map", "maximum"):
            ours = xw.deconvolve(net, x, layer, channel, start)
            assert_close(ours, captums(module, rectified, x, channel, start), 1e-9)


# The same network, written otherwise


class Plain(nn.Module):
    """VGG and SqueezeNet at once: every rectifier a module of its own, nothing in place."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 6, 3, padding=1)
        self.two = nn.Conv2d(6, 8, 3, padding=1)
        self.squeeze = nn.Conv2d(8, 4, 1)
        self.narrow = nn.Conv2d(4, 5, 1)
        self.wide = nn.Conv2d(4, 5, 3, padding=1)
        self.last = nn.Conv2d(10, 7, 3)
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(6))
        self.pools = nn.ModuleList([nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2)])
        self.relu, self.pool = nn.ReLU(inplace=True), self.pools[1]

    def forward(self, x):
        first, second, third, fourth, fifth, sixth = self.relus
        x = self.pools[0](second(self.two(first(self.one(x)))))
        x = third(self.squeeze(x))
        x = torch.cat([fourth(self.narrow(x)), fifth(self.wide(x))], 1)
        return sixth(self.last(self.pools[1](x))).mean((2, 3))


class Functional(Plain):
    def forward(self, x):
        x = torch.relu(self.two(F.relu(self.one(x))))
        x = F.relu(self.squeeze(F.max_pool2d(x, 3, stride=2, ceil_mode=True)))
        x = torch.cat([self.narrow(x).clamp(min=0), self.wide(x).relu()], 1)
        return F.threshold(self.last(F.max_pool2d(x, 2)), 0, 0).mean((2, 3))


class InPlace(Plain):
    def forward(self, x):
        x = F.relu(self.one(x), inplace=True)
        x = self.two(x)
        x.relu_()
        x = self.squeeze(torch.max_pool2d(x, 3, 2, ceil_mode=True))
        torch.relu_(x)
        x = torch.cat([self.narrow(x), self.wide(x)], 1).clamp_(0)
        x = self.last(F.max_pool2d(x, kernel_size=2))
        F.threshold_(x, 0, 0)
        return x.mean((2, 3))


class Reused(Plain):
    def forward(self, x):
        x = self.relu(self.two(self.relu(self.one(x))))
        x = self.relu(self.squeeze(self.pools[0](x)))
        x = torch.cat((self.relu(self.narrow(x)), self.relu(self.wide(x))), dim=1)
        x = self.relu(self.last(self.pool(x)))
        return F.adaptive_avg_pool2d(x, 1).flatten(1)


class Stacked(Plain):
    def forward(self, x):
        x = F.hardtanh(self.two(F.leaky_relu(self.one(x), 0.0)), 0.0, float("inf"))
        x = F.max_pool2d(x, 3, 2, 0, 1, True)
        x = torch.clamp_min(self.squeeze(x), 0)
        x = torch.hstack([F.conv2d(x, self.narrow.weight, self.narrow.bias), self.wide(x)])
        x = F.max_pool2d_with_indices(nn.functional.relu_(x), 2)[0]
        return self.last(x).clamp(min=0.0, max=None).mean(dim=[-1, -2])


@pytest.mark.parametrize("rewritten", [Functional, InPlace, Reused, Stacked])
@pytest.mark.parametrize("layer", ["two", "squeeze", "last"])
def test_functional_in_place_and_reused_rectifiers_count_to_the_bit(rewritten, layer):
    plain, other = randomize(Plain()), rewritten()
    other.load_state_dict(plain.state_dict())
    x, channels = image(17, 16), [0, 1, 2, 3]
    expected = xw.deconvolve(network(plain, 16), x, layer, channels)
    assert expected.abs().max() > 0.01
    assert torch.equal(xw.deconvolve(network(other, 16), x, layer, channels), expected)


@pytest.mark.parametrize(
    ("name", "size", "layer"), [("googlenet", 64, "inception4a"), ("inception_v3", 80, "Mixed_5d")]
)
def test_networks_with_functional_rectifiers_do_not_get_the_gradient(name, size, layer):
    options = {"num_classes": 10, "aux_logits": False, "init_weights": False}
    module = randomize(models.get_model(name, weights=None, **options)).eval()
    x = image(size)
    net = network(module, size)
    channels = liveliest(net, x, layer, 2)
    ours = xw.deconvolve(net, x, layer, channels)

    kept = []
    handle = module.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    pixels = x.clone().requires_grad_()
    module(Normalize()(pixels)[None])
    handle.remove()
    for mine, channel in zip(ours, channels, strict=True):
        values = kept[0][0, channel]
        (gradient,) = torch.autograd.grad((values**2).sum() / 2, pixels, retain_graph=True)
        alike = F.cosine_similarity(mine.flatten(), gradient.flatten(), dim=0)
        assert mine.isfinite().all()
        assert mine.abs().max() > 1e-6
        assert alike < 0.5


# Dense matrices


def matrix(module, x):
    """Outputs by inputs: of a max pool the Jacobian at x, of an affine module column by column."""
    if "MaxPool" in type(module).__name__:
        return jacobian(module, x).reshape(-1, x.numel())
    units = torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape[1:])
    return (module(units) - module(torch.zeros_like(x))).flatten(1).T.detach()


def slow_deconvnet(module, x, signals):
    """What comes down to x, the module's input, by dense matrices; of signals ``(M, ...)``."""
    match module:
        case nn.Sequential():
            inputs = [x]
            for part in module:
                inputs.append(part(inputs[-1]))
            for part, before in reversed(list(zip(module, inputs, strict=False))):
                signals = slow_deconvnet(part, before, signals)
            return signals
        case Concatenation():
            sizes = [branch(x).shape[1] for branch in module.branches]
            return sum(
                slow_deconvnet(branch, x, part)
                for branch, part in zip(module.branches, signals.split(sizes, 1), strict=True)
            )
        case Sum():
            return sum(slow_deconvnet(branch, x, signals) for branch in module.branches)
        case Gate():
            return signals * module.scale(x)
        case nn.LeakyReLU():
            return torch.where(signals > 0, signals, signals * module.negative_slope)
        case nn.RReLU():
            return torch.where(signals > 0, signals, signals * (module.lower + module.upper) / 2)
        case nn.PReLU():
            return torch.where(signals > 0, signals, signals * module.weight[:, None, None])
        case nn.ReLU() | nn.ReLU6() | nn.SiLU() | nn.GELU() | nn.ELU() | nn.Hardswish():
            return torch.where(signals > 0, signals, 0)
        case _:
            return (signals.flatten(1) @ matrix(module, x)).view(-1, *x.shape[1:])


def per_channel(slopes):
    module = nn.PReLU(len(slopes))
    module.weight.data = torch.tensor(slopes)
    return module


def between(*parts, channels=4):
    """``parts`` between convolutions with rectifiers, on maps of 4 x 7 x 8."""
    return nn.Sequential(
        conv(3, 4, padding=1), nn.ReLU(), *parts, conv(channels, 5, 2), nn.ReLU(), conv(5, 4, 1)
    )


BODIES = {
    "convolutions": between(conv(4, 6), nn.ReLU(), conv(6, 4), nn.ReLU()),
    "strided": between(conv(4, 4, stride=2, padding=(1, 0)), nn.ReLU()),
    "grouped and dilated": between(conv(4, 4, groups=2, dilation=2, padding=2), nn.ReLU()),
    "reflecting": between(conv(4, 4, padding=1, padding_mode="reflect"), nn.ReLU()),
    "transposed": between(
        conv(4, 4, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2),
        nn.ReLU(),
        channels=6,
    ),
    "max pool": between(nn.MaxPool2d(2)),
    "overlapping max pool": between(nn.MaxPool2d(3, 2)),
    "max pool with a last part": between(nn.MaxPool2d(3, 2, ceil_mode=True)),
    "padded max pool": between(nn.MaxPool2d(3, 1, padding=1)),
    "dilated max pool": between(nn.MaxPool2d(3, 1, dilation=2)),
    "adaptive max pool": between(nn.AdaptiveMaxPool2d((3, 5))),
    "average pool": between(nn.AvgPool2d(3, 2, padding=1)),
    "average pool that leaves out the padding": between(
        nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)
    ),
    "adaptive average pool": between(nn.AdaptiveAvgPool2d((3, 5))),
    "enlarged": between(nn.Upsample(scale_factor=1.5, mode="bilinear")),
    "batch norm": between(conv(4, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4)),
    "residual": between(
        Sum(nn.Sequential(conv(4, 4, padding=1), nn.BatchNorm2d(4)), nn.Identity()), nn.ReLU()
    ),
    "projected residual": between(
        Sum(
            nn.Sequential(conv(4, 4, stride=2, padding=1), nn.ReLU(), conv(4, 4, 1)),
            conv(4, 4, 1, stride=2),
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
    "leaky": between(conv(4, 4), nn.LeakyReLU(0.3)),
    "random leaky": between(conv(4, 4), nn.RReLU(0.1, 0.5)),
    "parametric": between(conv(4, 4), per_channel([0.1, 0.5, 0.0, 0.9])),
    "capped": between(conv(4, 4), nn.ReLU6()),
    "smooth": between(conv(4, 4), nn.SiLU(), conv(4, 4, 2), nn.GELU()),
    "exponential": between(conv(4, 4), nn.ELU(), conv(4, 4, 2), nn.Hardswish()),
    "ends smooth": nn.Sequential(*between(), nn.SiLU()),
    "ends leaky": nn.Sequential(*between(), nn.LeakyReLU(0.3)),
}


@pytest.mark.parametrize("name", BODIES)
def test_every_operation_agrees_with_its_transposed_matrix(name):
    body = randomize(copy.deepcopy(BODIES[name])).double().eval()
    net = network(nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 8)
    x = image(7, 8, dtype=torch.float64)
    normalized = Normalize()(x)[None]
    activations = body(normalized)[0].detach()
    for start in ("map", "maximum"):
        ours = xw.deconvolve(net, x, "0", [0, 1, 2, 3], start)
        signals = torch.zeros(4, *activations.shape, dtype=torch.float64)
        for channel in range(4):
            signals[channel, channel] = seeded(activations[channel], start)
        expected = slow_deconvnet(body, normalized, signals)
        assert_close(ours, expected / x.new_tensor(STD)[:, None, None], 1e-10)


def test_overlapping_pools_add_up_what_comes_back():
    first, second = conv(1, 1, 1, bias=False), conv(1, 1, 1, bias=False)
    first.weight.data.fill_(1)
    second.weight.data.fill_(1)
    net = xw.Network(
        nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(3, 2), second, nn.Flatten()), size=(3, 5)
    )
    x = torch.zeros(1, 3, 5)
    x[0, 1, 2] = 0.5  # the maximum of both windows
    expected = torch.zeros(1, 3, 5)
    expected[0, 1, 2] = 1.0
    assert torch.equal(xw.deconvolve(net, x, "3", 0), expected)


def test_rectifies_the_signal_and_not_the_gradient_by_the_activations():
    one, two = conv(1, 2, 1, bias=False), conv(2, 1, 1)
    one.weight.data = torch.tensor([[1.0], [-1.0]]).view(2, 1, 1, 1)
    two.weight.data = torch.tensor([[-2.0, 3.0]]).view(1, 2, 1, 1)
    two.bias.data = torch.tensor([4.0])
    net = xw.Network(nn.Sequential(one, nn.ReLU(), two, nn.ReLU(), nn.Flatten()), size=(1, 1))
    # activations 0.5 and 0, then 4 - 2 * 0.5 = 3; the signals -6 and 9, of which 9 stays
    assert xw.deconvolve(net, torch.full((1, 1, 1), 0.5), "2", 0).item() == -9


# Channels, starts and normalisation


def small(last=24):
    module = nn.Sequential(
        conv(3, 6), nn.ReLU(), nn.MaxPool2d(2), conv(6, last), nn.ReLU(), nn.Flatten()
    )
    randomize(module)[3].bias.data.fill_(2)
    return module


def test_several_channels_come_in_the_order_asked_for():
    net, x = network(small(), 12), image(12)
    channels = [23, 5, *range(20), 5]
    together = xw.deconvolve(net, x, "3", channels)
    assert together.shape == (23, 3, 12, 12)
    for channel, ours in zip(channels, together, strict=True):
        alone = xw.deconvolve(net, x, "3", channel)
        assert alone.shape == (3, 12, 12)
        torch.testing.assert_close(ours, alone, rtol=1e-6, atol=1e-6 * float(together.abs().max()))
    assert torch.unique(together[[0, *range(2, 22)]], dim=0).shape[0] == 20 + 1


@pytest.mark.parametrize("start", ["map", "maximum"])
@pytest.mark.parametrize(
    "rectifier", [nn.ReLU(), nn.LeakyReLU(), nn.PReLU(), nn.RReLU(), nn.Softplus(), nn.ReLU6()]
)
def test_several_channels_can_go_through_any_rectifier(rectifier, start):
    module = small(4)
    module[1] = rectifier
    net, x = network(module, 12), image(12)
    one, other = liveliest(net, x, "3", 2)
    together = xw.deconvolve(net, x, "3", [one, other], start)
    assert_close(together[0], xw.deconvolve(net, x, "3", one, start), 1e-6)
    assert_close(together[1], xw.deconvolve(net, x, "3", other, start), 1e-6)


def test_a_layer_may_be_given_by_the_number_of_its_convolution():
    net, x = network(small(), 12), image(12)
    by_name = xw.deconvolve(net, x, "3", 7)
    assert by_name.abs().max() > 0
    assert torch.equal(xw.deconvolve(net, x, 2, 7), by_name)
    assert torch.equal(xw.deconvolve(net, x[None], "4", 7), by_name)
    assert not torch.equal(xw.deconvolve(net, x, 1, 5), by_name)


def test_a_unit_of_a_linear_layer_is_a_neuron_too():
    module = randomize(nn.Sequential(*small(4), nn.Linear(36, 5), nn.ReLU())).double()
    net, x = network(module, 12), image(12, dtype=torch.float64)
    normalized = Normalize()(x)[None]
    activations = module.eval()(normalized).detach()
    unit = int(activations.argmax())
    signal = torch.zeros_like(activations)
    signal[0, unit] = activations[0, unit]
    expected = slow_deconvnet(module, normalized, signal)[0] / x.new_tensor(STD)[:, None, None]
    for start in ("map", "maximum"):
        assert_close(xw.deconvolve(net, x, "6", unit, start), expected, 1e-10)


def test_a_dead_neuron_gives_nothing():
    module = small()
    module[3].bias.data[4] = -1000
    both = xw.deconvolve(network(module, 12), image(12), "3", [4, 6])
    assert both[0].abs().max() == 0
    assert both[1].abs().max() > 0
    assert xw.deconvolve(network(module, 12), image(12), "3", 4, "maximum").abs().max() == 0


def test_the_maximum_starts_from_one_place_also_where_several_are_equal():
    net, x = network(small(), 12), torch.full((3, 12, 12), 0.3)
    alive = int(net.watched(x[None], ["3"]).activations["3"][0].amax((1, 2)).argmax())
    pixels = xw.deconvolve(net, x, "3", alive, "maximum").abs().sum(0)
    top, left = (int(axis.min()) for axis in pixels.nonzero(as_tuple=True))
    bottom, right = (int(axis.max()) + 1 for axis in pixels.nonzero(as_tuple=True))
    assert 0 < bottom - top <= 8  # the receptive field of 3 behind 2 behind 3
    assert 0 < right - left <= 8
    assert xw.deconvolve(net, x, "3", alive, "map").abs().sum(0).count_nonzero() > 64


def test_nothing_rectifies_behind_the_last_filter():
    pixels = xw.deconvolve(network(small(), 12), image(12), "3", 7)
    assert pixels.min() < -0.01
    assert pixels.max() > 0.01


def test_twice_the_activation_gives_twice_the_reconstruction():
    module, x = small(), image(12)
    before = xw.deconvolve(network(module, 12), x, "3", [1, 7])
    module[3].weight.data *= 2
    module[3].bias.data *= 2
    assert_close(xw.deconvolve(network(module, 12), x, "3", [1, 7]), before * 4, 1e-6)


def test_the_normalisation_is_a_part_of_the_network():
    module, x = small(), image(12)
    inside = xw.deconvolve(network(module, 12), x, "3", [1, 7])
    as_a_layer = network(nn.Sequential(Normalize(), *module), 12, normalize=None)
    assert_close(xw.deconvolve(as_a_layer, x, "4", [1, 7]), inside, 1e-6)


def test_the_image_does_not_keep_its_values_or_a_gradient():
    x = image(12).requires_grad_()
    pixels = xw.deconvolve(network(small(), 12), x, "3", 7)
    assert not pixels.requires_grad
    assert x.grad is None
    assert torch.equal(x.detach(), image(12))


# What cannot be


def test_the_module_stays_as_it_was():
    module = randomize(nn.Sequential(conv(3, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()))
    module[0].requires_grad_(False)
    module[1].eval()
    assert module.training
    with untouched(module):
        xw.deconvolve(network(module, 8), image(8), "0", [0, 1])


@pytest.mark.parametrize("layer", ["0", "1"])
def test_without_a_rectifier_on_the_way_it_would_be_the_gradient(layer):
    module = randomize(nn.Sequential(conv(3, 4), nn.MaxPool2d(2), conv(4, 4, 2), nn.Flatten()))
    with untouched(module), pytest.raises(ValueError, match="there is no rectifier between"):
        xw.deconvolve(network(module, 8), image(8), layer, 0)


def test_a_rectifier_behind_the_neuron_is_not_on_the_way():
    module = randomize(nn.Sequential(conv(3, 4), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()))
    with pytest.raises(ValueError, match="there is no rectifier between"):
        xw.deconvolve(network(module, 8), image(8), "1", 0)


@pytest.mark.parametrize("channel", [24, -1, [0, 24], [3, -1], 2.0, [1.5], "2", None])
def test_refuses_channels_that_do_not_exist(channel):
    module = small()
    with untouched(module), pytest.raises(ValueError, match="layer '3' has channels 0 to 23"):
        xw.deconvolve(network(module, 12), image(12), "3", channel)


def test_refuses_layers_that_do_not_exist_and_names_the_nearest():
    module = nn.Sequential()
    module.add_module("features", small())
    with untouched(module):
        net = network(module, 12)
        with pytest.raises(ValueError, match=r"unknown layer 'featuers\.3'.*'features\.3'"):
            xw.deconvolve(net, image(12), "featuers.3", 0)
        with pytest.raises(ValueError, match="there is no convolution 3"):
            xw.deconvolve(net, image(12), 3, 0)


def test_refuses_starts_that_do_not_exist():
    with pytest.raises(ValueError, match="start"):
        xw.deconvolve(network(small(), 12), image(12), "3", 0, "maxmum")


def test_refuses_no_channel():
    with pytest.raises(ValueError, match="channel"):
        xw.deconvolve(network(small(), 12), image(12), "3", [])


@pytest.mark.parametrize(
    "compile_", [torch.jit.script, lambda part: torch.jit.trace(part, image(12)[None])]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_refuses_compiled_modules_which_hide_their_rectifiers(compile_):
    hidden = compile_(nn.Sequential(conv(3, 6), nn.ReLU()))
    module = nn.Sequential(hidden, conv(6, 4), nn.ReLU(), nn.Flatten())
    with untouched(module), pytest.raises(ValueError, match="is compiled and hides its operations"):
        xw.deconvolve(network(module, 12), image(12), "1", 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [0, 3])
def test_refuses_activations_that_are_not_finite(at, value):
    module = small()
    module[at].bias.data[1] = value
    with untouched(module), pytest.raises(ValueError, match="not all finite"):
        xw.deconvolve(network(module, 12), image(12), "3", 1)


class Attention(nn.Module):
    def forward(self, x):
        return x.flatten(2).softmax(2) @ x.flatten(2).transpose(1, 2)


@pytest.mark.parametrize(
    ("part", "operation"),
    [
        (nn.Softmax(1), "softmax"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.Tanh(), "tanh"),
        (nn.Sequential(conv(6, 6, 1), nn.Hardtanh(), conv(6, 6, 1)), "hardtanh"),
        (nn.LayerNorm(12), "layer_norm"),
        (nn.GroupNorm(2, 6), "group_norm"),
        (nn.InstanceNorm2d(6), "instance_norm"),
        (nn.BatchNorm2d(6, track_running_stats=False), "batch_norm"),
        (nn.Softshrink(), "softshrink"),
        (Maximum(), "maximum"),
        (Product(), "mul"),
        (Attention(), "matmul"),
    ],
)
def test_refuses_operations_that_it_is_not_defined_for(part, operation):
    module = nn.Sequential(conv(3, 6, padding=1), nn.ReLU(), part, nn.ReLU(), nn.Flatten())
    with (
        untouched(module),
        pytest.raises(ValueError, match=f"a deconvnet is not defined through '{operation}'"),
    ):
        xw.deconvolve(network(module, 12), image(12), "3", 0)


def test_what_lies_beside_or_behind_the_way_need_not_be_defined():
    module = nn.Sequential(*small()[:5], Gate(24), nn.Softmax(1), nn.Flatten())
    gated = nn.Sequential(conv(3, 6), nn.ReLU(), Gate(6), conv(6, 4), nn.ReLU(), nn.Flatten())
    assert xw.deconvolve(network(module, 12), image(12), "3", 7).abs().max() > 0
    assert xw.deconvolve(network(randomize(gated), 12), image(12), "3", 0).isfinite().all()


def test_works_again_after_a_refusal():
    net, x = network(small(), 12), image(12)
    before = xw.deconvolve(net, x, "3", 7)
    with pytest.raises(ValueError, match="channel"):
        xw.deconvolve(net, x, "3", 99)
    assert torch.equal(xw.deconvolve(net, x, "3", 7), before)


RECTIFIED = [
    F.relu,
    lambda h: h.clamp(min=0),
    lambda h: F.threshold(h, 0, 0),
    lambda h: h * (h > 0),
    lambda h: torch.max(h, other=torch.zeros(())),
    lambda h: torch.where(h > 0, h, 0),
    lambda h: h.masked_fill(h < 0, 0),
]
SMOOTH = [F.silu, lambda h: h * torch.sigmoid(h), lambda h: torch.sigmoid(h) * h]
DISGUISED = [
    lambda h: h * (h > 1),
    lambda h: torch.max(h, other=torch.full((), -1.0)),
    lambda h: torch.where(h > 0, h, -h),
    lambda h: h.masked_fill(h.roll(1, 3) < 0, 0),
    lambda h: h * h.tanh(),
    lambda h: h * torch.sigmoid(-h),
    lambda h: h * torch.sigmoid(h * torch.tensor([1.0, 2.0, -1.0, 3.0])[:, None, None]),
    lambda h: h / (1 + h.abs()),
]


class Between(nn.Module):
    """Two convolutions, and what is given between and behind them."""

    def __init__(self, activation):
        super().__init__()
        torch.manual_seed(4)
        self.lower, self.upper = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.activation = activation

    def forward(self, x):
        return self.upper(self.activation(self.lower(x))).relu().mean((2, 3))


def through(activation):
    return xw.deconvolve(network(Between(activation), 8), image(8), "upper", 1)


@pytest.mark.parametrize("spellings", [RECTIFIED, SMOOTH], ids=["rectified", "smooth"])
def test_an_activation_is_the_same_however_it_is_written(spellings):
    expected = through(spellings[0])
    assert expected.any()
    for spelling in spellings[1:]:
        torch.testing.assert_close(through(spelling), expected)


@pytest.mark.parametrize("disguised", DISGUISED)
def test_a_rectifier_that_cannot_be_told_is_refused_and_never_taken_as_linear(disguised):
    with pytest.raises(ValueError, match="a deconvnet is not defined through"):
        through(disguised)


def test_channels_may_come_as_an_array_or_a_tensor():
    net = network(Between(F.relu), 8)
    expected = xw.deconvolve(net, image(8), "upper", [3, 1])
    for channels in (np.array([3, 1]), torch.tensor([3, 1])):
        assert torch.equal(xw.deconvolve(net, image(8), "upper", channels), expected)
    one = xw.deconvolve(net, image(8), "upper", torch.tensor(3))
    torch.testing.assert_close(one, expected[0])


def test_no_layer_has_no_name():
    with pytest.raises(ValueError, match="layer is None, but must be the name of a layer"):
        xw.deconvolve(network(Between(F.relu), 8), image(8), None, 0)


@pytest.mark.parametrize(("side", "counts"), [(32, [6, 1]), (1024, [2, 2, 2, 1])])
def test_fewer_signals_go_back_at_once_on_large_maps(monkeypatch, side, counts):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    )
    net = xw.Network(module, size=(32, 32))
    image = torch.rand(3, side, side)
    alone = [xw.deconvolve(net, image, 1, channel) for channel in range(7)]
    sent, go_back = [], deconvnet.go_back

    def noted(start, seeds, to):
        sent.append(len(seeds))
        return go_back(start, seeds, to)

    monkeypatch.setattr(deconvnet, "go_back", noted)
    together = xw.deconvolve(net, image, 1, range(7))
    assert sent == counts
    torch.testing.assert_close(together, torch.stack(alone))
