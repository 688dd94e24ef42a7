"""A small network, usual arguments of functions that take one, and all public callables."""

from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

import xwidgets as xw

SIDE = 12


def classifier(channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(5, 3),
    )  # fmt: skip


def network(channels: int = 3) -> xw.Network:
    images = torch.rand(24, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    return xw.Network(
        classifier(channels), size=(SIDE, SIDE), name="small", prepare_size=14,
        examples=lambda: images,
    )  # fmt: skip


@cache
def explanation_module() -> xw.ExplanationModule:
    net = network()
    target = int(net(net.examples()).argmax(1).mode().values)
    return xw.fit_explanation(
        net, net.examples(), target, layer="4", hidden=(6, 4), epochs=2, progress=False
    )


@cache
def arguments() -> dict[str, Any]:
    """Values of the arguments that are required, and of some that make it quick."""
    net = network()
    images = net.examples()
    return {
        "image": images[0], "images": images, "target": 0, "targets": [0, 1], "module": None,
        "mask": np.eye(SIDE, dtype=bool), "neurons": [(1, 2)], "removed_layer": "3", "layer": 1,
        "maps": np.ones((24, SIDE, SIDE)), "labels": [0, 1] * 12, "channel": 2, "samples": 2,
        "sigma": 0.1, "stride": 4, "window": 4, "minimum": 0, "cache": False, "progress": False,
        "scene": xw.scenes.bird(seed=3), "part": "beak", "values": np.ones((64, 64)), "epochs": 2,
        "iterations": 2, "method": xw.Saliency(),
    }  # fmt: skip


def rooms(room: ModuleType = xw) -> Iterator[ModuleType]:
    """The package and its public modules."""
    yield room
    for name in room.__all__:
        value = getattr(room, name)
        if isinstance(value, ModuleType) and hasattr(value, "__all__"):
            yield from rooms(value)


@cache
def public_callables() -> dict[str, Any]:
    """Public functions and classes, by the shortest name under which ``xw`` has them."""
    found: dict[str, Any] = {}
    for room in rooms():
        prefix = room.__name__.removeprefix("xwidgets").removeprefix(".")
        for name in room.__all__:
            value = getattr(room, name)
            ours = getattr(value, "__module__", "").startswith("xwidgets.")
            if ours and callable(value) and value not in found.values():
                found[f"{prefix}.{name}" if prefix else name] = value
    return found
