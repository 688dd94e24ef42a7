"""A network that takes off again what is added to its pixels."""

import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.evaluate import shifted_network


def test_a_shift_is_taken_off_with_its_padding() -> None:
    net = xw.network("birds")
    shifted, offset = shifted_network(net)
    image = 0.7 * xw.scenes.bird(seed=5).image[None]
    assert offset.unique().numel() > 1 or offset.shape == (3, 1, 1)
    torch.testing.assert_close(net(image), shifted(image + offset), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(net(image), net(image + offset), atol=1e-2)
    torch.testing.assert_close(net(image), xw.network("birds")(image))


def test_networks_without_normalisation_or_bias_are_shifted_too() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=(1, 2), bias=False), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
    )
    layers(torch.rand(1, 3, 6, 6))
    net = xw.Network(layers, size=(6, 6), name="small")
    shifted, offset = shifted_network(net)
    image = torch.rand(2, 3, 6, 6) / 2
    assert offset.flatten().tolist() == [0.5] * 3
    torch.testing.assert_close(net(image), shifted(image + offset))


def test_other_first_layers_are_refused() -> None:
    for first in (nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), nn.Linear(6, 2)):
        net = xw.Network(nn.Sequential(first, nn.Flatten()), size=(6, 6), name="other")
        with pytest.raises(ValueError, match="other does not begin with a convolution"):
            shifted_network(net)
