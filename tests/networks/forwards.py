"""A network whose forward pass is a function of its parts and the pixels, and many of these."""

import torch
from torch import nn
from torch.nn import functional as F

from xwidgets import Network

from .architectures import settled


class Parts(nn.Module):
    """A network whose forward pass is given as a function of its parts and the pixels."""

    def __init__(self, forward=None, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.other = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.relu, self.same = nn.ReLU(inplace=True), nn.Identity()
        self.linear = nn.Linear(4, 3)
        self.maps = forward or (lambda m, x: m.norm(m.first(x)).relu())
        settled(self)

    def forward(self, x):
        return self.linear(self.maps(self, x).mean((2, 3)))


def network(forward=None, **options):
    return Network(Parts(forward, **options), size=(8, 8), normalize=([0.5] * 3, [0.25] * 3))


def image(size=(8, 8), count=1, seed=1):
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(seed))


def discarded(m, x):
    y = m.norm(m.first(x))
    F.relu(y, inplace=True)
    return y


def slices(m, x):
    y = m.first(x)
    F.relu(y[:, :2], inplace=True)
    y[:, 2:].clamp_(min=0)
    y[:, :1] += 1
    y[:, 0, 0] *= 2
    y[:, 0, :, 1] = 3
    return y


def views(m, x):
    y = m.first(x).contiguous()
    F.hardtanh(y.flatten(1), 0, 6, inplace=True)
    y.view(len(x), -1).mul_(2)
    y.permute(0, 2, 3, 1).add_(torch.arange(4))
    return y


def halves(m, x):
    y = m.first(x)
    left, right = y.chunk(2, 1)
    F.relu(left, inplace=True)
    right.relu_()
    return y


def residual(m, x):
    y = m.first(x).relu_()
    z = m.norm(m.second(y))
    z += y
    z -= 0.1
    z.relu_()
    return z


def reused(m, x):
    y = m.relu(m.norm(m.first(x)))
    for _ in range(3):
        y = m.relu(m.norm(m.second(y)))
    return y


def accumulated(m, x):
    total = torch.zeros(len(x), 4, *x.shape[2:], dtype=x.dtype, device=x.device)
    y = m.first(x).relu()
    total += y
    total.add_(m.second(y).relu(), alpha=0.5)
    return total.mul_(2)


def gated(m, x):
    y = m.first(x).relu()
    gate = m.second(y.mean((2, 3), keepdim=True)).sigmoid_()
    return (y * gate).div_(y.amax((1, 2, 3), keepdim=True) + 1)


def undefined(m, x):
    y = m.first(x).pow_(2).neg_().exp_()
    return F.layer_norm(y, y.shape[1:]).masked_fill_(y > 0.5, 2)


def constants(m, x):
    y = m.first(x)
    return torch.where(y.detach() > 0, y * torch.ones(4, 1, 1), 2 - y) / 3


def alone(m, x):
    m.relu(y := m.first(x))
    return torch.stack([y, y.clone().fill_(1), torch.zeros_like(y).copy_(y)]).sum(0)


FORWARDS = [
    None, discarded, slices, views, residual, reused, accumulated, gated, undefined,
    constants, alone,
]  # fmt: skip
