"""Patches of neurons: where their box must be, and what it touches."""

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw


def network():
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(5, 6, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 2), nn.ReLU(),
    )  # fmt: skip
    return xw.Network(module, size=(20, 24), name="small")


IMAGE = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(2))
NEURONS = [(2, 4), (1, 0), (2, 4), ("3", 1), (1, 3)]


@pytest.mark.parametrize("start", ["map", "maximum"])
def test_the_box_holds_all_that_the_reconstruction_shows_and_ends_where_it_ends(start):
    net = network()
    for patch, (layer, channel) in zip(
        xw.neuron_patches(net, IMAGE, NEURONS, start), NEURONS, strict=True
    ):
        pixels = xw.deconvolve(net, IMAGE, layer, channel, start).numpy()
        np.testing.assert_allclose(patch.pixels, pixels, atol=1e-6)
        rows, columns = np.nonzero(np.abs(pixels).max(0))
        assert patch.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert patch.channel == channel
        assert patch.layer == net.layer(layer).name
        assert np.array_equal(patch.crop, patch.image[patch.box.slices])


def test_a_patch_from_the_maximum_is_the_receptive_field_of_where_it_is():
    net = network()
    for patch in xw.neuron_patches(net, IMAGE, NEURONS, "maximum"):
        activations = net.watched(IMAGE[None], [patch.layer]).activations[patch.layer][0].detach()
        place = divmod(int(activations[patch.channel].argmax()), activations.shape[2])
        assert patch.field == net.layer(patch.layer).field_of(*place, (20, 24))
        assert patch.activation == pytest.approx(float(activations[patch.channel].max()))
        assert patch.box.top >= patch.field.top
        assert patch.box.right <= patch.field.right


def test_contact_names_the_sides_on_which_the_box_reaches_the_field():
    patch = xw.NeuronPatch(
        network_name="n", layer="l", channel=0, convolution=1, depth=1.0,
        activation=1.0, image=np.zeros((9, 9, 3), np.uint8),
        pixels=np.zeros((3, 9, 9), np.float32), box=xw.box.Box(1, 2, 6, 7),
        field=xw.box.Box(1, 0, 8, 7),
    )  # fmt: skip
    assert patch.contact == ("top", "right")


def test_a_map_sees_what_all_its_active_units_see():
    net = network()
    [patch] = xw.neuron_patches(net, IMAGE, [(2, 4)])
    activations = net.watched(IMAGE[None], ["3"]).activations["3"][0, 4]
    fields = [net.layer(2).field_of(row, column, (20, 24)) for row, column in activations.nonzero()]
    edges = np.array(fields)
    assert patch.field == (*edges[:, :2].min(0), *edges[:, 2:].max(0))


def test_a_silent_neuron_has_no_box():
    net = network()
    with torch.no_grad():
        net.module[3].bias[2] = -1000
    [patch] = xw.neuron_patches(net, IMAGE, [(2, 2)])
    assert patch.box is None
    assert patch.field is None
    assert patch.contact == ()
    assert patch.crop.size == 0
    assert not patch.pixels.any()


def test_a_threshold_makes_the_box_smaller():
    net = network()
    areas = []
    for threshold in (0, 0.5, 0.99):
        [patch] = xw.neuron_patches(net, IMAGE, [(1, 0)], threshold=threshold)
        strength = np.abs(patch.pixels).max(0)
        rows, columns = np.nonzero(strength > threshold * strength.max())
        assert patch.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        areas.append(patch.box.height * patch.box.width)
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > areas[-1]


def test_units_of_a_linear_layer_see_everything():
    net = network()
    active = int(net(IMAGE[None])[0].argmax())
    [patch] = xw.neuron_patches(net, IMAGE, [("7", active)])
    assert patch.field == (0, 0, 20, 24)


def test_no_neurons_have_no_patches():
    assert xw.neuron_patches(network(), IMAGE, []) == []


@pytest.mark.parametrize(
    ("neurons", "options", "match"),
    [
        ([("4", 6)], {}, "layer '4' has channels 0 to 5"),
        ([("33", 0)], {}, "unknown layer '33'"),
        ([(3, 0)], {}, "there is no convolution 3"),
        ([(1, 0)], {"threshold": 1}, "threshold is 1"),
        ([(1, 0)], {"start": "mean"}, 'start is \'mean\', but must be "map" or "maximum"'),
    ],
)
def test_arguments_that_cannot_be_are_refused(neurons, options, match):
    with pytest.raises(ValueError, match=match):
        xw.neuron_patches(network(), IMAGE, neurons, **options)


def test_of_equal_maxima_the_patch_starts_from_the_first_and_sees_its_field():
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.constant_(module[0].weight, 9)
    net = xw.Network(module, size=(9, 9))
    [patch] = xw.neuron_patches(net, torch.full((3, 9, 9), 0.5), [(1, 0)], "maximum")
    assert patch.box == patch.field == (0, 0, 3, 3)
    assert patch.contact == ("top", "left", "bottom", "right")


@pytest.mark.parametrize("neuron", [3, "c", (1,), (1, 2, 3)])
def test_a_neuron_is_a_pair(neuron):
    with pytest.raises(ValueError, match="no pair of a layer and a channel"):
        xw.neuron_patches(network(), IMAGE, [neuron])
