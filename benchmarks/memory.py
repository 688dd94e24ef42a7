"""Memory: what a call promises to add, what it adds, and what a study holds.

    OMP_NUM_THREADS=2 python -m benchmarks.memory [promise | units | limit | study ...]

Each case has a process of its own, on Linux. Its use is the largest resident memory during the
call, above that of the loaded network that has classified the picture once, in a process that has
made a small map of another network, so that all code is loaded. The networks have random weights.
"""

import gc
import os
import re
import resource
import subprocess
import sys
import time
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import interpolate

import xwidgets as xw
from benchmarks.measure import random_network
from xwidgets.explain.method import Method
from xwidgets.images._photo import photographs
from xwidgets.incremental.free_memory import trim_heap
from xwidgets.networks.embedded import EMBEDDED

CASES = {
    "birds": ("birds", 64), "SqueezeNet 1.1": ("squeezenet1_1", 224),
    "SqueezeNet 1.1, large": ("squeezenet1_1", 1536), "AlexNet": ("alexnet", 224),
    "VGG-16": ("vgg16", 224), "ResNet-152": ("resnet152", 224),
}  # fmt: skip
PROMISES = ("64", "256", "1024", "none")
REMOVED = {"birds": 8, "SqueezeNet 1.1": 12, "AlexNet": 2, "VGG-16": 8, "ResNet-152": 60}
WINDOW, SECONDS = 10, 15.0
LIMIT = 2 * 2**30
SIZES = (10, 9, 8, 7, 6, 8, 10)
STEPS, PATIENCE = 4, 60.0  # of each map, and seconds at most


def megabytes(name: str) -> float:
    """A line of what the kernel tells of this process."""
    status = Path("/proc/self/status").read_text()
    line = re.search(rf"{name}:\s+(\d+) kB", status)
    assert line is not None
    return int(line[1]) * 1024 / 1e6


def at_rest() -> float:
    """Resident memory, after what is free was given back; the largest is counted from here."""
    gc.collect()
    trim_heap()
    switch = os.open("/proc/self/clear_refs", os.O_WRONLY)
    os.write(switch, b"5")  # which starts the peak anew
    os.close(switch)
    return megabytes("VmRSS")


def photographed(net: xw.Network) -> torch.Tensor:
    """Photographs of the network's size."""
    return torch.stack([net.prepare(photograph) for photograph in photographs()])


def loaded(name: str, side: int) -> tuple[xw.Network, torch.Tensor, xw.ConditionalSampler]:
    """A network, a picture that it has classified, and a sampler."""
    net = xw.network(name) if name in EMBEDDED else random_network(name)
    pictures = photographed(net)
    image = interpolate(pictures[:1], (side, side), mode="bilinear")[0]
    net.logits(image[None])
    sampler = xw.ConditionalSampler.fit(pictures, window=WINDOW)
    small = xw.network("birds")
    with xw.Study(small, torch.rand(3, 64, 64), 0, samples=1, stride=8, sampler=sampler) as study:
        study.wait()
    return net, image, sampler


def mapped(name: str, side: str, promise: str) -> None:
    """Print what a map that is stopped after some seconds adds, as cells of a table."""
    net, image, sampler = loaded(name, int(side))
    method = xw.PredictionDifference(
        WINDOW, sampler, memory=bytes_of(promise), samples=2, stride=2, measure="difference"
    )
    print(cells_of(method, net, image, len(range(0, int(side) - WINDOW + 1, 2)) ** 2))


def removed(name: str, side: str, layer: str, promise: str) -> None:
    """Print what removal of a layer's units that is stopped after some seconds adds."""
    net, image, _ = loaded(name, int(side))
    method = xw.UnitDifference(
        int(layer), photographed(net), memory=bytes_of(promise), samples=2, measure="difference"
    )
    print(cells_of(method, net, image, prod(net.layer(int(layer)).shape)))


def bytes_of(promise: str) -> float | None:
    """Bytes of a promise in MB."""
    return None if promise == "none" else float(promise) * 1e6


def cells_of(method: Method[Any], net: xw.Network, image: torch.Tensor, parts: int) -> str:
    """Memory that a run with two samples of each part adds, samples a second, and its note."""
    before = at_rest()
    start = time.perf_counter()
    try:
        result = method.run(net, image, 0, SECONDS)
    except (ValueError, MemoryError) as error:
        return f"– | – | {error}"
    rate = result.completed * 2 * parts / (time.perf_counter() - start)
    return f"{megabytes('VmHWM') - before:.0f} | {rate:.3g} | {result.note}"


def separately(*arguments: str, limit: int | None = None) -> str:
    """The last line that this program prints with other arguments in a process of its own."""

    def confine() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=confine)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else f"ended with {done.returncode}"


def promise() -> None:
    """Memory that is promised and used."""
    print("| network | pixels | promised, MB | used, MB | samples a second | note |")
    print("|---|---|---|---|---|---|")
    for title, (name, side) in CASES.items():
        for memory in PROMISES:
            cells = separately("mapped", name, str(side), memory)
            print(f"| {title} | {side} | {memory} | {cells} |", flush=True)


def units() -> None:
    """Memory that is promised and used where units are removed."""
    print("| network | convolution | promised, MB | used, MB | samples a second | note |")
    print("|---|---|---|---|---|---|")
    for title, layer in REMOVED.items():
        for memory in PROMISES:
            name, side = CASES[title]
            cells = separately("removed", name, str(side), str(layer), memory)
            print(f"| {title} | {layer} | {memory} | {cells} |", flush=True)


def limit() -> None:
    """Maps under a limit of writable memory from outside."""
    print("| network | pixels | limit, MB | used, MB | samples a second | note |")
    print("|---|---|---|---|---|---|")
    for title in ("SqueezeNet 1.1, large", "ResNet-152"):
        name, side = CASES[title]
        cells = separately("mapped", name, str(side), "none", limit=LIMIT)
        print(f"| {title} | {side} | {LIMIT / 1e6:.0f} | {cells} |", flush=True)


def moved(name: str) -> None:
    """Print what a study adds with its first map, and with several begun ones."""
    net, image, sampler = loaded(name, 64 if name in EMBEDDED else 224)
    net.sampler = sampler
    before = at_rest()
    with xw.Study(net, image, 0, xw.PredictionDifference(SIZES[0], samples=2)) as study:
        cells = []
        for window in SIZES:
            study.move(window=window)
            seen, begun = set(), time.monotonic()
            while len(seen) < STEPS and time.monotonic() - begun < PATIENCE:
                seen.add(study.progress.share)
                time.sleep(0.01)
            cells.append(f"{megabytes('VmHWM') - before:.0f}")
        print(f"{cells[0]} | {cells[-1]} | {megabytes('VmRSS') - before:.0f}")


def study() -> None:
    """Memory of a study whose slider moves."""
    print("| network | one map, MB | several begun, MB | after that, MB |")
    print("|---|---|---|---|")
    for name in ("birds", "alexnet", "vgg16"):
        print(f"| {name} | {separately('moved', name)} |", flush=True)


if __name__ == "__main__":
    parts = {part.__name__: part for part in (promise, units, limit, study)}
    match sys.argv[1:]:
        case ["mapped", name, side, memory]:
            mapped(name, side, memory)
        case ["removed", name, side, layer, memory]:
            removed(name, side, layer, memory)
        case ["moved", name]:
            moved(name)
        case names:
            for part in names or parts:
                parts[part]()
