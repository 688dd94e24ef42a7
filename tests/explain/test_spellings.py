"""Every method says of a network that is written by hand what it says of one of torch's modules."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.ops import FrozenBatchNorm2d

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, WholeInference

from ..networks.spellings import ACTIVATIONS, CHANNELS, NORMS, SLOPES, Affine
from .parts import assert_close, image

SIDE = 8
SCALE = torch.tensor([0.7, -1.3, -0.4, 1.1], dtype=torch.float64)
BIAS = torch.tensor([0.1, 0.4, -0.2, 0.05], dtype=torch.float64)


class Small(nn.Module):
    """Two convolutions, each with a norm and an activation; and what lies between."""

    def __init__(self, activation, norm=None, between=None, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.gate = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.norm = norm or nn.Identity()
        self.activation, self.between = activation, between or (lambda m, x: F.max_pool2d(x, 2))
        self.head = nn.Linear(CHANNELS, 3)
        self.head.weight.data.abs_()  # so that the class is excited
        self.double().eval()

    def forward(self, x):
        x = self.between(self, self.activation(self.norm(self.first(x))))
        return self.head(self.activation(self.norm(self.second(x))).mean((2, 3)))


def batch_norm(scale=SCALE, bias=BIAS):
    norm = nn.BatchNorm2d(CHANNELS, eps=0)
    norm.weight.data, norm.bias.data = scale.clone(), bias.clone()
    return norm


def everything(module):
    """Maps, activations and ranks of a network, by every method that asks what operations are."""
    net, x = xw.Network(module, size=(SIDE, SIDE)), image(SIDE, dtype=torch.float64)
    layers = ["first", "second"]
    results = {"logits": net(x[None])}
    for layer in layers:
        results[f"deconvnet of {layer}"] = xw.deconvolve(net, x, layer, range(CHANNELS))
    for stop_at in ("pixels", "first"):
        for contrastive in (False, True):
            relevance = xw.excitation_backprop(net, x, 1, stop_at, contrastive)
            results[f"excitation at {stop_at}, {contrastive}"] = torch.tensor(relevance.values)
            results[f"mass at {stop_at}, {contrastive}"] = torch.tensor(relevance.mass)
    for gradients in (False, True):
        watched = net.watched(x[None], layers, gradients=gradients)
        for layer in layers:
            results[f"{layer}, {gradients}"] = watched.activations[layer].detach()
    neurons = [(layer, channel) for layer in layers for channel in range(CHANNELS)]
    images = torch.stack([image(SIDE, seed=seed, dtype=torch.float64) for seed in range(3)])
    for top in xw.search_images(net, images, neurons, 2, cache=False, progress=False):
        results[f"search for {top.layer}, {top.channel}"] = torch.tensor(top.activations)
    ranking = xw.rank_neurons(net, x, "activation_sum", layers, samples=2)
    for metric in ("activation_sum", "weight_sum"):
        results[metric] = torch.tensor(ranking.by(metric).values)
    inference = IncrementalInference(WholeInference(net, x, 3))
    results["windows"] = inference.outputs(torch.tensor([[0, 0], [5, 3]]), torch.rand(
        2, 3, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    ))  # fmt: skip
    return results, inference.note


def assert_alike(found, expected):
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-9, err_msg=name)


@cache
def plainly(activation, norm):
    """Expected results, of a network of modules."""
    found, note = everything(Small(ACTIVATIONS[activation][0], batch_norm() if norm else None))
    for name, values in found.items():
        assert values.nan_to_num().any() or name.startswith(("mass", "excitation", "search"))
    assert found["mass at first, False"] > 0.3
    return found, note


@pytest.mark.parametrize(
    ("name", "spelling"),
    [(name, place) for name, spelled in ACTIVATIONS.items() for place in range(1, len(spelled))],
)
def test_an_activation_is_what_it_does(name, spelling):
    (found, note), (expected, plain_note) = (
        everything(Small(ACTIVATIONS[name][spelling])),
        plainly(name, norm=False),
    )
    assert_alike(found, expected)
    assert note == plain_note


@pytest.mark.parametrize("name", NORMS)
def test_an_affine_map_of_each_channel_is_a_batch_norm(name):
    found, note = everything(Small(F.relu, Affine(NORMS[name], SCALE, BIAS)))
    expected, plain_note = plainly("ReLU", norm=True)
    assert_alike(found, expected)
    assert note == plain_note


class Swish(nn.Module):
    """Swish with a slope that is learnt for each channel."""

    def __init__(self):
        super().__init__()
        self.slopes = nn.Parameter(SLOPES.clone())

    def forward(self, x):
        return x * torch.sigmoid(self.slopes * x)


def test_the_slope_of_a_swish_may_be_learnt_for_each_channel():
    module = Small(Swish())
    net, x = xw.Network(module, size=(SIDE, SIDE)), image(SIDE, dtype=torch.float64)
    first = module.activation(module.first(x[None]))
    maps = F.max_pool2d(first, 2, return_indices=True)
    second = module.activation(module.second(maps[0]))
    signal = torch.zeros_like(second)
    signal[0, 2] = second[0, 2]
    signal = F.conv_transpose2d(signal.relu(), module.second.weight, padding=1)
    signal = F.max_unpool2d(signal, maps[1], 2).relu()
    expected = F.conv_transpose2d(signal, module.first.weight, padding=1)[0].detach()
    assert_close(xw.deconvolve(net, x, "second", 2), expected, 1e-10)
    assert IncrementalInference(WholeInference(net, x, 3)).note == ""
    watched = net.watched(x[None], ["first"], gradients=False)
    torch.testing.assert_close(watched.activations["first"], first.detach())


BETWEEN = {
    "pool": lambda m, x: F.max_pool2d(x, 2),
    "residual": lambda m, x: x + m.norm(m.gate(x)),
    "squeeze and excitation": lambda m, x: x * m.gate(x.mean((2, 3), keepdim=True)).sigmoid(),
    "hard squeeze and excitation": lambda m, x: (
        x * (F.relu6(m.gate(x.mean((2, 3), keepdim=True)) + 3) / 6)
    ),
    "again": lambda m, x: m.activation(m.norm(m.second(x))),
    "beside": lambda m, x: m.gate(x) + m.second(F.max_pool2d(x, 3, 1, 1)),
    "in place": lambda m, x: m.activation(m.norm(m.gate(x))).add_(x),
}


@settings(max_examples=10, deadline=None)
@given(
    name=st.sampled_from(sorted(set(ACTIVATIONS) - {"Softplus"})),
    spelling=st.integers(0, 100),
    norm=st.sampled_from([None, *NORMS]),
    scale=st.lists(st.floats(0.2, 2), min_size=CHANNELS, max_size=CHANNELS),
    signs=st.lists(st.sampled_from([-1, 1]), min_size=CHANNELS, max_size=CHANNELS),
    between=st.sampled_from(sorted(BETWEEN)),
    seed=st.integers(0, 20),
)
def test_random_networks_are_what_they_do(name, spelling, norm, scale, signs, between, seed):
    plain, *spelled = ACTIVATIONS[name]
    scale = torch.tensor(scale, dtype=torch.float64) * torch.tensor(signs)
    norms = norm and (Affine(NORMS[norm], scale, BIAS), batch_norm(scale))
    ours, theirs = (
        Small(activation, norms and norms[place], BETWEEN[between], seed)
        for place, activation in enumerate((spelled[spelling % len(spelled)], plain))
    )
    assert_alike(everything(ours)[0], everything(theirs)[0])


# Frozen batch norms


def frozen(module):
    """A copy with torchvision's frozen batch norms, as the backbones of detectors have."""
    module = copy.deepcopy(module)
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                norm = FrozenBatchNorm2d(child.num_features).to(child.weight)
                for kind in ("weight", "bias", "running_mean", "running_var"):
                    getattr(norm, kind).copy_(getattr(child, kind).detach())
                setattr(part, name, norm)
    return module


def test_frozen_scales_of_both_signs_lose_nothing():
    convolution, norm = nn.Conv2d(3, 2, 1, bias=False), nn.BatchNorm2d(2, eps=0)
    convolution.weight.data = torch.tensor([[1.0, 1, 1], [-1, -1, -1]])[:, :, None, None]
    norm.weight.data = torch.tensor([1.0, -1.0])
    plain = nn.Sequential(
        convolution, norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(2, 2, bias=False),
    )  # fmt: skip
    plain[-1].weight.data = torch.tensor([[1.0, 1.0], [1.0, 2.0]])
    for module in (plain, frozen(plain)):
        relevance = xw.excitation_backprop(
            xw.Network(module, size=(6, 6)), image(6), 1, "pixels", contrastive=False
        )
        assert relevance.mass == pytest.approx(1, abs=1e-6)


def test_a_resnet_with_frozen_norms_is_the_one_with_plain_norms():
    torch.manual_seed(0)
    plain = models.resnet18(weights=None, num_classes=6)
    for part in plain.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.3, 0.3)
            part.running_var.uniform_(0.5, 1.5)
            sign = torch.where(torch.rand(part.num_features) < 0.4, -1.0, 1.0)
            part.weight.data = sign * torch.empty_like(sign).uniform_(0.5, 1.5)
            part.bias.data.uniform_(-0.3, 0.3)
    plain = plain.double().eval()
    x = image(48, dtype=torch.float64)
    nets = [xw.Network(module, size=(48, 48)) for module in (plain, frozen(plain))]
    for stop_at, contrastive in (("pixels", False), ("maxpool", True)):
        one, other = (xw.excitation_backprop(net, x, 2, stop_at, contrastive) for net in nets)
        assert other.mass == pytest.approx(0 if contrastive else 1, abs=1e-9)
        torch.testing.assert_close(
            torch.tensor(other.values), torch.tensor(one.values), rtol=1e-6, atol=1e-12
        )
    convolutions = [layer.name for layer in nets[0].layers if layer.convolution]
    one, other = (net.watched(x[None], convolutions, gradients=False).activations for net in nets)
    for name in convolutions:
        torch.testing.assert_close(other[name], one[name])
        assert (other[name] >= 0).all() or not name.endswith("conv1")
    one, other = (xw.deconvolve(net, x, "layer2.0.conv1", [0, 5]) for net in nets)
    assert_close(other, one, 1e-9)
    boxes = [
        [patch.box for patch in xw.neuron_patches(net, x, [("layer1.0.conv1", 3)])] for net in nets
    ]
    assert boxes[0] == boxes[1]


# Siblings


class Scaled(nn.Module):
    """A convolution behind which layers have scales of their own."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(3)
        self.convolution, self.transposed = (
            nn.Conv2d(3, 4, 3),
            nn.ConvTranspose2d(4, 4, 3, groups=2),
        )
        self.scale = nn.Parameter(SCALE.clone().float())
        self.head = nn.Linear(4, 3)
        self.head.weight.data.abs_()
        self.maps = forward

    def forward(self, x):
        return self.head(self.maps(self, x).relu().mean((2, 3)))


def with_signs(weight, axis, scale=SCALE):
    shape = [1] * weight.ndim
    shape[axis] = -1
    return weight * scale.sign().to(weight).view(shape)


@pytest.mark.parametrize(
    ("forward", "folded"),
    [
        (
            lambda m, x: m.convolution(x) * m.scale[:, None, None],
            lambda m, x: F.conv2d(
                x, with_signs(m.convolution.weight, 0), with_signs(m.convolution.bias, 0)
            ) * m.scale.abs()[:, None, None],
        ),
        (
            lambda m, x: m.transposed(m.convolution(x).relu()) * m.scale[:, None, None],
            lambda m, x: F.conv_transpose2d(
                m.convolution(x).relu(),
                torch.cat([
                    with_signs(m.transposed.weight[:2], 1, SCALE[:2]),
                    with_signs(m.transposed.weight[2:], 1, SCALE[2:]),
                ]),
                with_signs(m.transposed.bias, 0), groups=2,
            ) * m.scale.abs()[:, None, None],
        ),
        (lambda m, x: m.convolution(x) * -2, lambda m, x: F.conv2d(
            x, -2 * m.convolution.weight, -2 * m.convolution.bias
        )),
        (lambda m, x: -m.convolution(x), lambda m, x: F.conv2d(
            x, -m.convolution.weight, -m.convolution.bias
        )),
        (
            lambda m, x: (m.convolution(x).permute(0, 2, 3, 1) @ torch.eye(4) * m.scale).permute(
                0, 3, 1, 2
            ),
            lambda m, x: (
                m.convolution(x).permute(0, 2, 3, 1) @ torch.diag(m.scale.sign()) * m.scale.abs()
            ).permute(0, 3, 1, 2),
        ),
    ],
    ids=["layer scale", "transposed convolution", "a number", "negative", "channels last"],
)  # fmt: skip
def test_the_sign_of_a_scale_moves_into_the_weights_before_it(forward, folded):
    maps = []
    for spelled in (forward, folded):
        net = xw.Network(Scaled(spelled).eval(), size=(8, 8))
        relevance = xw.excitation_backprop(net, image(8), 1, "pixels", contrastive=False)
        assert relevance.mass > 0.01
        maps.append(torch.tensor(relevance.values))
    torch.testing.assert_close(*maps)


@pytest.mark.parametrize(
    "activation",
    [
        lambda x: x * torch.tanh(x),
        lambda x: x * torch.sigmoid(-x),
        lambda x: x * torch.sigmoid(x * SCALE[:, None, None].to(x)),
        lambda x: x * (x > 1),
        lambda x: torch.where(x > 0, x, -x),
        lambda x: x * x,
        lambda x: x / (1 + x.abs()),
        lambda x: F.group_norm(x, 2) * SCALE[:, None, None].to(x),
    ],
)
def test_what_is_neither_is_refused(activation):
    net = xw.Network(Small(activation).float(), size=(SIDE, SIDE))
    for method in (xw.ExcitationBackprop("pixels", contrastive=False), xw.Deconvnet()):
        with pytest.raises(ValueError, match=r"not defined through|no rectifier"):
            method.run(net, image(SIDE), 1)


def test_standardised_weights_with_gains_are_weights():
    class Standardised(nn.Module):
        def __init__(self, folded):
            super().__init__()
            torch.manual_seed(3)
            self.convolution, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
            self.gain, self.folded = nn.Parameter(SCALE.clone().float()), folded

        def forward(self, x):
            weight = self.convolution.weight.flatten(1)
            deviation = weight.std(1, keepdim=True)
            weight = (weight - weight.mean(1, keepdim=True)) / deviation * self.gain[:, None]
            weight = weight.view_as(self.convolution.weight)
            if self.folded:
                weight = weight.detach()
            maps = F.conv2d(x, weight, self.convolution.bias)
            return self.head((F.silu(maps) * 1.79).mean((2, 3)))

    one, other = (
        xw.excitation_backprop(xw.Network(Standardised(folded), size=(8, 8)), image(8), 1, "pixels")
        for folded in (False, True)
    )
    assert (one.values == other.values).all()


def test_a_gate_by_a_norm_of_the_maps_passes_what_its_own_gate_lets_through():
    class EvoNorm(nn.Module):
        def forward(self, x):
            spread = x.var((1, 2, 3), keepdim=True).add(1e-5).sqrt()
            return x * torch.sigmoid(SLOPES.to(x) * x) / spread * SLOPES.to(x) + 0.1

    net = xw.Network(Small(EvoNorm()).float(), size=(SIDE, SIDE))
    projection = xw.deconvolve(net, image(SIDE), "second", 1)
    assert projection.any()
    x = image(SIDE)[None]
    module = net.module
    first = module.first(x)
    spread = first.var((1, 2, 3), keepdim=True).add(1e-5).sqrt()
    maps = module.activation(first)
    _, switches = F.max_pool2d(maps, 2, return_indices=True)
    second = net.watched(x, ["second"]).activations["second"].detach()
    signal = torch.zeros_like(second)
    signal[0, 1] = second[0, 1]
    signal = F.conv_transpose2d(signal.relu(), module.second.weight, padding=1)
    signal = (F.max_unpool2d(signal, switches, 2) * SLOPES / spread).relu()
    expected = F.conv_transpose2d(signal, module.first.weight, padding=1)[0].detach()
    assert_close(projection, expected, 1e-5)
