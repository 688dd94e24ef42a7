"""A network of two convolutions whose activations are computed by hand."""

import torch
from torch import nn

import xwidgets as xw

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
CLASSES = ("ant", "bee", "cat")


class Parts(nn.Module):
    """Two convolutions, the first with batch norm, and a linear layer behind the mean."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.linear = nn.Conv2d(4, 6, 3, stride=2), nn.Linear(6, 3)
        self.norm.running_mean.uniform_(-0.2, 0.2)
        self.double()

    def forward(self, x):
        x = self.norm(self.first(x)).relu()
        return self.linear(self.second(x).relu().mean((2, 3)))


def network(seed=0, size=(8, 9), **options):
    options = {"normalize": (MEAN, STD), "classes": CLASSES, "name": "small"} | options
    return xw.Network(Parts(seed), size=size, **options)


def image(size=(8, 9), seed=1, dtype=torch.float64):
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_hand(net, x):
    """Activations by layer, rectified, of one image in [0, 1]."""
    module = net.module.eval()
    mean, std = (torch.tensor(part, dtype=torch.float64)[:, None, None] for part in (MEAN, STD))
    with torch.set_grad_enabled(x.requires_grad):
        first = module.norm(module.first(((x - mean) / std)[None])).relu()
        second = module.second(first).relu()
        return {"first": first, "second": second, "linear": module.linear(second.mean((2, 3)))}
