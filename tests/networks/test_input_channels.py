"""How many channels images have is learnt by trying where the first convolution does not tell."""

import pytest
import torch
from torch import nn
from torchvision import models

import xwidgets as xw


class Before(nn.Module):
    """Something before the first convolution."""

    def __init__(self, before, channels):
        super().__init__()
        self.before, self.stem = before, nn.Conv2d(channels, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.stem(self.before(x)).mean((2, 3)))


def focus(x):
    return torch.cat(
        [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1
    )


def space_to_depth(x):
    n, c, h, w = x.shape
    x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * 16, h // 4, w // 4)


def coordinates(x):
    rows = torch.linspace(-1, 1, x.shape[2])[:, None].expand_as(x[:, :1])
    columns = torch.linspace(-1, 1, x.shape[3]).expand_as(x[:, :1])
    return torch.cat([x, rows, columns], 1)


CASES = {
    "focus": (focus, 12, 3),
    "focus of one channel": (focus, 4, 1),
    "focus of four": (focus, 16, 4),
    "pixel unshuffle": (nn.PixelUnshuffle(2), 12, 3),
    "space to depth": (space_to_depth, 48, 3),
    "coordinates": (coordinates, 5, 3),
    "coordinates of two channels": (coordinates, 4, 2),
    "repeated": (lambda x: x.repeat(1, 3, 1, 1), 3, 1),
    "as they are": (lambda x: x, 3, 3),
    "many": (lambda x: x, 7, 7),
    "nothing fits": (lambda x: x.view(1, 11, 1, 1), 5, 5),
}


@pytest.mark.parametrize("name", CASES)
def test_channels_are_those_that_the_network_takes(name):
    before, channels, expected = CASES[name]
    net = xw.Network(Before(before, channels).train(), size=(16, 16))
    assert net.channels == expected
    assert repr(net) == f"Network('Before', {expected} x 16 x 16)"
    assert net.module.training
    if name != "nothing fits":
        image = torch.rand(expected, 16, 16)
        assert xw.saliency(net, image).values.shape == (16, 16)
        assert net.layer("stem").shape[0] == 4


def test_the_normalisation_tells_first():
    net = xw.Network(Before(focus, 12), size=(16, 16), normalize=([0.5] * 3, [0.2] * 3))
    assert net.channels == 3


def test_without_convolutions_any_number_will_do():
    assert xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), size=(2, 2)).channels is None


def test_the_module_runs_to_its_first_convolution_alone():
    module = models.resnet18(weights=None)
    ran = []
    for part in module.modules():
        part.register_forward_hook(lambda part, *_: ran.append(type(part)))
    assert xw.Network(module, size=(32, 32)).channels == 3
    assert set(ran) <= {nn.Conv2d}
