"""A tiny network on small images, whose maps take no time."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

import xwidgets as xw


@pytest.fixture
def net() -> xw.Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 3))
    return xw.Network(module, size=(16, 16), classes=["ant", "bee", "cat"])


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def other() -> torch.Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def study(net: xw.Network, image: torch.Tensor) -> Iterator[xw.Study]:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1) as study:
        yield study
