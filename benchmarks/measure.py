"""Networks to measure with, and what a call of a function takes."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from torch import nn
from torch.profiler import profile
from torchvision import models

import xwidgets as xw

REPEATS = 3


def random_network(name: str) -> xw.Network:
    """A network of torchvision with random weights, batch-norm statistics and scales."""
    torch.manual_seed(0)
    auxiliary = {"aux_logits": False, "init_weights": False}
    options = auxiliary if name in ("googlenet", "inception_v3") else {}
    module = models.get_model(name, weights=None, **options)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.1)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    module.to(memory_format=torch.channels_last)  # as the networks that come by name
    side = 299 if name == "inception_v3" else 224
    net = xw.Network(module, size=(side, side), name=name)
    net.memory_format = torch.channels_last
    return net


def seconds(method: Callable[..., object], *arguments: object) -> float:
    """The median time of a call."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        method(*arguments)
        taken.append(time.perf_counter() - start)
    return median(taken)


def peak(method: Callable[[], object]) -> int:
    """The most memory that a call holds at once, in bytes."""
    with profile(profile_memory=True) as trace:
        method()
    with TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        trace.export_chrome_trace(str(file))
        events = json.loads(file.read_text())["traceEvents"]
    held = [event["args"]["Total Allocated"] for event in events if event["name"] == "[memory]"]
    return max(held) - held[0]
