"""What the tests of going back through a network are made of."""

import copy
import os
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
REAL = Path(os.environ.get("XWIDGETS_REAL", Path(__file__).parents[3] / "shared" / "real"))


class Sum(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return sum(branch(x) for branch in self.branches)


class Concatenation(Sum):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def image(height, width=None, seed=1, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, height, width or height, generator=generator, dtype=dtype)


def assert_close(ours, theirs, tolerance):
    assert theirs.abs().max() > 1e-6
    assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def conv(inputs, outputs, size=3, **options):
    return nn.Conv2d(inputs, outputs, size, **options)


def facts(module):
    return {
        "training": [part.training for part in module.modules()],
        "hooks": [
            [len(value) for name, value in vars(part).items() if name.endswith("_hooks")]
            for part in module.modules()
        ],
        "requires_grad": [parameter.requires_grad for parameter in module.parameters()],
        "grad": [parameter.grad for parameter in module.parameters()],
        "classes": [type(part) for part in module.modules()],
    }


@contextmanager
def untouched(module):
    before, values = facts(module), copy.deepcopy(module.state_dict())
    yield
    assert facts(module) == before
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, values[name], rtol=0, atol=0, equal_nan=True)
    assert torch.is_grad_enabled()
    assert not torch.overrides._get_current_function_mode_stack()


class Maximum(nn.Module):
    def forward(self, x):
        return torch.maximum(x, x.flip(1))


class Product(nn.Module):
    def forward(self, x):
        return x * x.flip(1)
