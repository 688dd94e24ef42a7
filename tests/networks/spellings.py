"""Activations and normalizations, each as a module of torch and as people write it by hand."""

import math

import torch
from torch import nn
from torch.nn import functional as F

CHANNELS = 4
SLOPES = torch.tensor([0.5, 1.0, 1.702, 3.0])[:, None, None]
ROOT = math.sqrt(2 / math.pi)

ACTIVATIONS = {
    "ReLU": (
        nn.ReLU(),
        lambda x: x * (x > 0),
        lambda x: (x >= 0).float() * x,
        lambda x: x * x.gt(0).type_as(x),
        lambda x: x.mul_(x > 0),
        lambda x: x * (x.sign() + 1) / 2,
        lambda x: (x + x.abs()) / 2,
        lambda x: torch.where(x > 0, x, 0),
        lambda x: torch.where(x < 0, torch.zeros_like(x), x),
        lambda x: x.where(x > 0, 0),
        lambda x: torch.maximum(x, torch.zeros_like(x)),
        lambda x: torch.max(x, torch.zeros((), dtype=x.dtype)),
        lambda x: -torch.minimum(-x, torch.zeros_like(x)),
        lambda x: (-x).clamp(max=0).neg(),
        lambda x: x.clamp(min=torch.zeros(CHANNELS, 1, 1, dtype=x.dtype)),
        lambda x: x.masked_fill(x < 0, 0),
        lambda x: x.masked_fill_(x < 0, 0),
    ),
    "ReLU6": (
        nn.ReLU6(),
        lambda x: x.relu().clamp(max=6),
        lambda x: x.clamp(max=6).relu(),
        lambda x: torch.minimum(x * (x > 0), torch.full((), 6.0, dtype=x.dtype)),
    ),
    "LeakyReLU": (
        nn.LeakyReLU(0.1),
        lambda x: torch.where(x > 0, x, 0.1 * x),
        lambda x: torch.maximum(x, 0.1 * x),
        lambda x: x * torch.where(x > 0, 1.0, 0.1),
        lambda x: x.relu() - 0.1 * (-x).relu(),
    ),
    "ELU": (
        nn.ELU(),
        lambda x: torch.where(x > 0, x, x.exp() - 1),
        lambda x: x.relu() + x.clamp(max=0).expm1(),
    ),
    "Softplus": (nn.Softplus(), lambda x: (1 + x.exp()).log(), lambda x: x.exp().log1p()),
    "SiLU": (
        nn.SiLU(),
        lambda x: x * torch.sigmoid(x),
        lambda x: x.mul_(x.sigmoid()),
        lambda x: x / (1 + torch.exp(-x)),
        lambda x: x * (1 / (1 + math.e**-x)),
        lambda x: x * torch.sigmoid(torch.ones(CHANNELS, 1, 1, dtype=x.dtype) * x),
    ),
    "Mish": (
        nn.Mish(),
        lambda x: x * torch.tanh(F.softplus(x)),
        lambda x: torch.tanh_(F.softplus(x)) * x,
        lambda x: x * torch.tanh(torch.log(1 + torch.exp(x))),
    ),
    "Hardswish": (
        nn.Hardswish(),
        lambda x: x * F.relu6(x + 3) / 6,
        lambda x: x * F.hardsigmoid(x),
        lambda x: x * (x + 3).clamp(0, 6) / 6,
        lambda x: x.mul_(F.relu6(x + 3)).div_(6),
        lambda x: x * F.hardtanh(x / 6 + 0.5, 0, 1),
    ),
    "GELU": (
        nn.GELU(),
        lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
        lambda x: x * (1 + torch.erf(x / math.sqrt(2))) * 0.5,
    ),
    "GELU with tanh": (
        nn.GELU("tanh"),
        lambda x: 0.5 * x * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3))),
        lambda x: 0.5 * x * (1 + torch.tanh(ROOT * (x + 0.044715 * torch.pow(x, 3)))),
    ),
}  # fmt: skip
"""By name, a module and functions that compute the same."""


def normalized(x, scale, bias):
    return F.batch_norm(
        x, torch.zeros_like(scale[:, 0, 0]), torch.ones_like(scale[:, 0, 0]), scale[:, 0, 0],
        bias[:, 0, 0], eps=0,
    )  # fmt: skip


NORMS = {
    "x * scale + bias": lambda x, scale, bias: x * scale + bias,
    "in place": lambda x, scale, bias: x.mul_(scale[None]).add_(bias),
    "addcmul": lambda x, scale, bias: torch.addcmul(bias, x, scale),
    "divided": lambda x, scale, bias: x / (1 / scale) - (-bias),
    "subtracted": lambda x, scale, bias: bias - x * -scale,
    "negated": lambda x, scale, bias: -(x * -scale) + bias,
    "of the size of the map": lambda x, scale, bias: x * scale.expand_as(x) + bias,
    "a residual of itself": lambda x, scale, bias: x + x * (scale - 1) + bias,
    "copied": lambda x, scale, bias: (x.contiguous() * scale).clone() + bias,
    "two": lambda x, scale, bias: x * scale.abs() * scale.sign() + bias,
    "plain batch norm, then a scale": lambda x, scale, bias: (
        normalized(x, torch.ones_like(scale), torch.zeros_like(bias)) * scale + bias
    ),
    "F.batch_norm": normalized,
}
"""By name, functions of x, scale and bias ``(C, 1, 1)``."""


class Affine(nn.Module):
    """An affine map a channel, by a function of x, scale and bias."""

    def __init__(self, function, scale, bias):
        super().__init__()
        self.scale, self.function = nn.Parameter(scale[:, None, None]), function
        self.register_buffer("bias", bias[:, None, None])

    def forward(self, x):
        return self.function(x, self.scale, self.bias)
