"""Windows a second by differences: each core with windows of its own, against one batch.

    OMP_NUM_THREADS=2 python -m benchmarks.parts [network ...]

Both run in turns, in a thread beside the main one, which has used torch before, as a study in a
notebook computes, and then in the main one, as a call does.
"""

import sys
import time
from statistics import median
from threading import Thread
from unittest.mock import patch

import torch

import xwidgets as xw
from benchmarks.measure import random_network
from xwidgets.incremental import IncrementalInference, WholeInference, parts
from xwidgets.networks.embedded import EMBEDDED

NETWORKS = (
    "birds", "squeezenet1_1", "alexnet", "resnet18", "googlenet", "vgg16", "mobilenet_v3_large",
)  # fmt: skip
WINDOW = 10
SECONDS = 2.0
TURNS = 5


def rate(inference: IncrementalInference, size: tuple[int, int]) -> float:
    """Windows a second, at random places."""
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS / TURNS or not count:
        corners = (torch.rand(inference.batch, 2) * (torch.tensor(size) - WINDOW + 1)).long()
        inference.outputs(corners, torch.rand(len(corners), 3, WINDOW, WINDOW))
        count += len(corners)
    return count / (time.perf_counter() - begun)


def compare(name: str, rates: list[float]) -> None:
    """Append windows a second of the calling thread, in one batch and in parts."""
    net = xw.network(name) if name in EMBEDDED else random_network(name)
    whole = WholeInference(net, torch.rand(3, *net.size), WINDOW)
    with patch.object(parts, "_MOST", 1):
        together = IncrementalInference(whole)
    apart = IncrementalInference(whole)

    def turn() -> tuple[float, float]:
        with patch.object(parts, "_MOST", 1):
            one = rate(together, net.size)
        return one, rate(apart, net.size)

    turn()  # warms up
    rates.extend(map(median, zip(*(turn() for _ in range(TURNS)), strict=True)))


def main() -> None:
    """Print a row a network."""
    print("| network | study: one batch | parts | ratio | call: one batch | parts | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or NETWORKS:
        rates: list[float] = []
        torch.rand(1000, 1000) @ torch.rand(1000, 1000)  # helpers of the main thread
        study = Thread(target=compare, args=(name, rates))
        study.start()
        study.join()
        compare(name, rates)
        cells = [
            f"{one:.3g} | {several:.3g} | {several / one:.2f}"
            for one, several in (rates[:2], rates[2:])
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
