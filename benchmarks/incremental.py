"""Windows a second: differences against the best plain batched forward.

    OMP_NUM_THREADS=2 python -m benchmarks.incremental [network ...]

Both are measured in turn, and medians are compared. Plain forwards run in `channels_last` and at
the best of several batch sizes.
"""

import sys
import time
from statistics import median

import torch

import xwidgets as xw
from benchmarks.measure import random_network
from xwidgets.incremental import IncrementalInference, WholeInference

NETWORKS = ("birds", "alexnet", "squeezenet1_1", "resnet18", "googlenet", "vgg16")
WINDOW = 10
MEMORY = 256e6
ROUNDS = 3
PLAIN_BATCHES = (8, 16, 32)


def rate(run, count: int) -> float:
    """How many windows a second ``run`` does, which does ``count``."""
    start = time.perf_counter()
    run()
    return count / (time.perf_counter() - start)


def measured(name: str) -> tuple[float, float, IncrementalInference]:
    """Windows a second, plain and by differences."""
    net = xw.network(name) if name == "birds" else random_network(name)
    net.memory_format = torch.channels_last
    net.module.to(memory_format=torch.channels_last)
    image = torch.rand(3, *net.size)
    inference = IncrementalInference(WholeInference(net, image, WINDOW, MEMORY))
    batch = inference.batch
    places = torch.tensor(net.size) - WINDOW + 1
    corners = (torch.rand(batch, 2) * places).long()
    contents = torch.rand(batch, 3, WINDOW, WINDOW)
    images = torch.rand(max(PLAIN_BATCHES), 3, *net.size)

    def plain(size: int) -> float:
        return rate(lambda: net.logits(images[:size]), size)

    best = max(PLAIN_BATCHES, key=lambda size: max(plain(size) for _ in range(2)))
    inference.outputs(corners, contents)
    rates = [
        (plain(best), rate(lambda: inference.outputs(corners, contents), batch))
        for _ in range(ROUNDS)
    ]
    whole, differences = map(median, zip(*rates, strict=True))
    return whole, differences, inference


def main() -> None:
    """Print a row a network."""
    print("| network | plain, windows/s | differences, windows/s | ratio | bound | batch |")
    print("|---|---|---|---|---|---|")
    for name in sys.argv[1:] or NETWORKS:
        whole, differences, inference = measured(name)
        ratio = differences / whole
        cells = f"{whole:.1f} | {differences:.1f} | {ratio:.1f} | {1 / inference.share:.1f}"
        print(f"| {name} | {cells} | {inference.batch} |", flush=True)


if __name__ == "__main__":
    main()
