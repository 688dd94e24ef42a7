"""What is explained: scores against plain activations, and what three methods make of a target."""

import copy

import numpy as np
import pytest
import torch
from captum.attr import Deconvolution
from torch import nn

import xwidgets as xw
from xwidgets.networks import Class, Subject
from xwidgets.networks.target import Above

from .by_hand import CLASSES, MEAN, STD, by_hand, image, network

TARGETS = {
    "class": (Class(2), lambda found: found["linear"][:, 2], "cat", {}),
    "channel": (
        xw.Channel("first", 3),
        lambda found: found["first"][:, 3].mean((1, 2)),
        "first, channel 3",
        {"layer": "first"},
    ),
    "channel by number": (
        xw.Channel(2, 1),
        lambda found: found["second"][:, 1].mean((1, 2)),
        "second, channel 1",
        {"layer": "second"},
    ),
    "channel of a vector": (
        xw.Channel("linear", 1),
        lambda found: found["linear"][:, 1],
        "linear, channel 1",
        {"layer": "linear"},
    ),
    "unit": (
        xw.Unit("second", 5, 2, 3),
        lambda found: found["second"][:, 5, 2, 3],
        "second, channel 5, row 2, column 3",
        {"layer": "second", "row": 2, "column": 3},
    ),
    "unit above": (
        Above("second", 4),
        lambda found: found["second"][:, 4].mean((1, 2)),
        "unit 4 of layer 'second'",
        {"layer": "second", "top": None},
    ),
    "unit above the scores": (
        Above(None, 1),
        lambda found: found["linear"][:, 1],
        "unit 1 of layer None",
        {"layer": None, "top": None},
    ),
}
each = pytest.mark.parametrize("name", TARGETS)


@each
def test_a_score_is_that_of_plain_activations_and_has_a_name(name):
    target, read, label, facts = TARGETS[name]
    net, x = network(), image()
    subject = Subject(net, x)
    target = subject.target(target)
    expected = read(by_hand(net, x))
    watched = subject.watched(target=target)
    torch.testing.assert_close(target.score(watched), expected, rtol=0, atol=1e-12)
    assert target.score(watched).shape == (1,)
    mean = target.units(watched)[:, target.index].detach().mean()
    assert float(mean) == pytest.approx(float(expected))
    assert target.label(net) == label
    assert dict(target.facts) == facts


def test_a_score_of_several_images_is_one_an_image():
    net = network()
    both = torch.stack([image(), image(seed=2)])
    for target, read, _, _ in TARGETS.values():
        target = Subject(net, image()).target(target)
        watched = net.watched(both, target.layers)
        expected = torch.cat([read(by_hand(net, one)) for one in both])
        torch.testing.assert_close(target.score(watched), expected, rtol=0, atol=1e-12)


def test_a_unit_above_may_be_of_layers_of_the_callers_own():
    torch.manual_seed(3)
    net, x, top = network(), image(), nn.Conv2d(6, 2, 1).double()
    target = Subject(net, x).target(Above("second", 1, top))
    expected = top(by_hand(net, x)["second"])[:, 1].mean((1, 2))
    watched = Subject(net, x).watched(target=target)
    torch.testing.assert_close(target.score(watched), expected, rtol=0, atol=1e-12)
    assert target.label(net) == "unit 1 of the top layers"
    assert dict(target.facts) == {"layer": "second", "top": "Conv2d"}


def test_a_class_of_a_network_without_names_is_a_number():
    net = network(classes=None)
    assert Subject(net, image()).target(1).label(net) == "class 1"
    assert CLASSES[1] == Subject(network(), image()).target(1).label(network())


def computed(method, net, x, target):
    """Output of a method, which need not be a result."""
    subject = Subject(net, x)
    return method.explain(subject, subject.target(target))


# Saliency


class Gradient(xw.Saliency):
    """The map as it is computed, before it becomes a result in float32."""

    def relevance(self, subject, target, values, **facts):
        return values


@each
@pytest.mark.parametrize("reduce", ["maximum", "signed"])
def test_the_saliency_of_a_target_is_its_gradient(name, reduce):
    target, read, _, _ = TARGETS[name]
    net, x = network(), image()
    pixels = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(read(by_hand(net, pixels))[0], pixels)
    expected = gradient.abs().amax(0) if reduce == "maximum" else gradient.sum(0)
    ours = computed(Gradient(reduce), net, x, target)
    assert expected.abs().max() > 1e-6
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


def test_the_saliency_of_a_part_of_a_layer_is_in_units_of_its_activation():
    net, x = network(), image()
    result = xw.saliency(net, x, xw.Unit(2, 5, 2, 3))
    assert result.unit == "activation per unit of pixel value"
    assert result.label == "second, channel 5, row 2, column 3"
    assert result.target == 5
    assert {"layer": "second", "row": 2, "column": 3}.items() <= result.parameters.items()
    assert xw.saliency(net, x, 1).unit == "logits per unit of pixel value"


def test_a_unit_sees_its_receptive_field_and_nothing_else():
    net, x = network(), image()
    alive = int(by_hand(net, x)["first"][0, :, 0, 8].argmax())
    values = xw.saliency(net, x, xw.Unit("first", alive, 0, 8)).values
    assert np.abs(values[:2, 7:]).max() > 0
    values[:2, 7:] = 0
    assert not values.any()


# Excitation backprop


@pytest.mark.parametrize("contrastive", [False, True])
@pytest.mark.parametrize("stop", ["pixels", "first"])
@pytest.mark.parametrize("index", [0, 4])
def test_excitation_backprop_from_a_channel_is_that_from_a_source(stop, contrastive, index):
    net, x = network(), image()
    before = xw.excitation_backprop(net, x, index, stop, contrastive, source="second")
    for layer in ("second", 2):
        now = xw.excitation_backprop(net, x, xw.Channel(layer, index), stop, contrastive)
        np.testing.assert_array_equal(now.values, before.values)
        assert (now.mass, now.target) == (before.mass, before.target)
        assert now.parameters == before.parameters
        assert now.label == f"second, channel {index}"
    assert before.label == f"unit {index} of layer 'second'"
    assert np.abs(before.values).max() > 0


def test_excitation_backprop_from_a_unit_shares_out_one():
    net, x = network(), image()
    unit = xw.Unit("second", 5, 2, 3)
    assert by_hand(net, x)["second"][0, 5, 2, 3] > 0
    result = xw.excitation_backprop(net, x, unit, "first", contrastive=False)
    assert result.mass == pytest.approx(1)
    assert {"layer": "second", "row": 2, "column": 3}.items() <= result.parameters.items()


# Deconvnet


class Reconstruction(xw.Deconvnet):
    """The map as it is computed, before it becomes a result in float32."""

    def relevance(self, subject, target, values, **facts):
        return values


@pytest.mark.parametrize("start", ["map", "maximum"])
@pytest.mark.parametrize("index", [0, 4])
def test_the_deconvnet_of_a_channel_is_summed_over_the_colours(start, index):
    net, x = network(), image()
    expected = xw.deconvolve(net, x, "second", index, start).sum(0)
    assert expected.abs().max() > 1e-6
    for layer in ("second", 2):
        ours = computed(Reconstruction(start), net, x, xw.Channel(layer, index))
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)
    result = xw.Deconvnet(start).run(net, x, xw.Channel(2, index))
    assert (result.unit, result.signed) == ("activation squared per pixel value", True)
    assert result.parameters == {"layer": "second", "start": start}


@pytest.mark.parametrize("start", ["map", "maximum"])
def test_the_deconvnet_of_a_unit_starts_from_its_activation(start):
    net, x = network(), image()
    unit = xw.Unit("second", 5, 2, 3)
    activation = by_hand(net, x)["second"][0, 5, 2, 3]
    assert activation > 0
    module = net.module.eval()
    # down by hand: its kernel where it lies, rectified, through batch norm, then the first kernels
    signal = torch.zeros(1, 6, 3, 4, dtype=torch.float64)
    signal[0, 5, 2, 3] = activation
    down = nn.functional.conv_transpose2d(
        signal, module.second.weight, stride=2, output_padding=(1, 0)
    )
    scale = module.norm.weight / (module.norm.running_var + module.norm.eps).sqrt()
    down = down.relu() * scale[:, None, None]
    down = nn.functional.conv_transpose2d(down, module.first.weight, padding=1)[0]
    expected = (down / torch.tensor(STD, dtype=torch.float64)[:, None, None]).sum(0).detach()
    ours = computed(Reconstruction(start), net, x, unit)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


class Normalize(nn.Module):
    def forward(self, x):
        return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]


def rectified():
    """Every rectifier a module of its own, which is what Captum sees; float64."""
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4 * 4, 10), nn.ReLU(), nn.Linear(10, 3),
    ).double()  # fmt: skip


@pytest.mark.filterwarnings("ignore:Setting backward hooks", "ignore:Input Tensor 0 did not")
@pytest.mark.parametrize("target", [0, 1, 2])
def test_the_deconvnet_of_a_class_is_captums(target):
    module, x = rectified(), image()
    seen = nn.Sequential(Normalize(), copy.deepcopy(module)).eval()
    expected = Deconvolution(seen).attribute(x[None], target=target)[0].detach().sum(0)
    net = xw.Network(module, normalize=(MEAN, STD), size=(8, 9), classes=CLASSES)
    ours = computed(Reconstruction(), net, x, target)
    assert expected.abs().max() > 1e-6
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
    result = xw.Deconvnet().run(net, x, target)
    assert (result.unit, result.label) == ("logits per pixel value", CLASSES[target])
    np.testing.assert_allclose(result.values, expected.numpy(), rtol=1e-6, atol=1e-9)


def test_the_deconvnet_of_a_class_in_a_loop_by_hand():
    module, x = rectified(), image()
    net = xw.Network(module, normalize=(MEAN, STD), size=(8, 9), classes=CLASSES)
    inputs, here = [], Normalize()(x)[None]
    with torch.no_grad():
        for layer in module:
            inputs.append(here)
            here = layer(here)
    signal = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    for layer, given in zip(reversed(module), reversed(inputs), strict=True):
        match layer:
            case nn.Linear():
                signal = signal @ layer.weight
            case nn.ReLU():
                signal = signal.clamp(min=0)
            case nn.Flatten():
                signal = signal.view_as(given)
            case nn.Conv2d():
                signal = nn.functional.conv_transpose2d(signal, layer.weight, padding=1)
            case nn.MaxPool2d():
                _, places = nn.functional.max_pool2d(given, 2, return_indices=True)
                signal = nn.functional.max_unpool2d(signal, places, 2, output_size=given.shape[2:])
    expected = (signal[0] / torch.tensor(STD, dtype=torch.float64)[:, None, None]).sum(0).detach()
    assert expected.abs().max() > 1e-6
    torch.testing.assert_close(
        computed(Reconstruction(), net, x, "cat"), expected, rtol=0, atol=1e-12
    )
