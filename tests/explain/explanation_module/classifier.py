"""A small classifier of small images, run part by part."""

from types import SimpleNamespace

import torch
from torch import nn

import xwidgets as xw

from ..parts import MEAN, STD, conv

HEIGHT, WIDTH = 8, 10
CLASSES = 4


def pixels(count, seed=0, channels=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, HEIGHT, WIDTH, generator=generator)


def network(*parts, seed=0, dtype=torch.float32, channels=3, name="small", **options):
    """A convolution and two fully connected layers, that takes some images for every class."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = nn.Sequential(
            conv(channels, 4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(48, 12), nn.ReLU(inplace=True), *parts, nn.Linear(12, CLASSES),
        ).to(dtype)  # fmt: skip
    options = {"normalize": (MEAN[:channels], STD[:channels]), "size": (HEIGHT, WIDTH)} | options
    net = xw.Network(module, name=name, **options)
    module[0].weight.data *= 3
    module[4].weight.data *= 2
    scores = net(pixels(200, 9, channels))
    module[-1].bias.data -= scores.mean(0)
    return net


def forward(net, images, count):
    """Outputs of the first ``count`` parts of a network for images, one at a time."""
    mean, std = (torch.tensor(part, dtype=net.dtype) for part in (MEAN, STD))
    outputs = []
    for image in images.to(net.dtype):
        x = (image[None] - mean[: net.channels, None, None]) / std[: net.channels, None, None]
        for part in list(net.module)[:count]:
            x = part(x.clone())
        outputs.append(x.detach()[0])
    return torch.stack(outputs)


class Fails(nn.Module):
    """Layer that fails after some passes, of copies of it too."""

    def __init__(self, times):
        super().__init__()
        self.passes = SimpleNamespace(left=times)

    def forward(self, x):
        self.passes.left -= 1
        if self.passes.left < 0:
            raise RuntimeError("out of order")
        return x
