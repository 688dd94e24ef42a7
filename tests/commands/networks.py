"""A small network in place of those by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import nn

import xwidgets as xw
from xwidgets import networks
from xwidgets.errors import unknown

SIZE = 12


def small(
    classes: tuple[str, ...] = ("ant", "bee", "cat"), name: str = "small", size: int = SIZE
) -> xw.Network:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, len(classes)),
    )  # fmt: skip
    images = torch.rand(40, 3, size, size, generator=torch.Generator().manual_seed(1))
    return xw.Network(
        layers, size=(size, size), classes=classes, name=name, examples=lambda: images
    )


@contextmanager
def known_as(name: str, net: xw.Network) -> Iterator[None]:
    """Context in which a network has a name."""

    def network(asked: str) -> xw.Network:
        if asked != name:
            raise unknown("network", asked, [name])
        return net

    with patch.object(networks, "network", network, create=True):
        yield
