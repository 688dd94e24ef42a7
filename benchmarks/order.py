"""Likeness of the map after a second, or five, to the complete one, in two orders of windows.

    OMP_NUM_THREADS=2 python -m benchmarks.order [--real FOLDER] [--seeds N]

The orders are that of a Sobol sequence and a shuffled one, in turns and with the same seeds. With
``--real``, as of :mod:`benchmarks.division`, SqueezeNet 1.1 at 112 x 112 pixels is measured too.
"""

import argparse
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from scipy.stats import pearsonr
from torch import Tensor

import xwidgets as xw
from xwidgets.explain.removal.windows import WindowGrid

from .division import Picture, pictures

SAMPLES = 20
SECONDS = {"squeezenet1_1": 5.0}  # 1 for others


def shuffled(grid: WindowGrid, random: torch.Generator) -> Tensor:
    return torch.randperm(len(grid), generator=random)


ORDERS = {"shuffled": shuffled, "Sobol": WindowGrid.order}


def likeness(picture: Picture, seconds: float, complete: xw.Relevance, seed: int) -> float:
    """Correlation of the map after some seconds with the complete one."""
    subject = picture.subject
    early = xw.prediction_difference(
        subject.net, subject.image, samples=SAMPLES, seed=seed, seconds=seconds
    )
    return float(pearsonr(early.values.ravel(), complete.values.ravel()).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    print("| picture | seconds | shuffled, median | least | Sobol, median | least |")
    print("|---|---|---|---|---|---|")
    for picture in pictures(options.real):
        subject = picture.subject
        seconds = SECONDS.get(subject.net.name, 1.0)
        complete = xw.prediction_difference(subject.net, subject.image, samples=SAMPLES)
        found: dict[str, list[float]] = {name: [] for name in ORDERS}
        for seed in range(1, options.seeds + 1):
            for name, order in ORDERS.items():
                with patch.object(WindowGrid, "order", order):
                    found[name].append(likeness(picture, seconds, complete, seed))
        cells = [f"{number:.3f}" for values in found.values()
                 for number in (np.median(values), min(values))]  # fmt: skip
        print(f"| {picture.name} | {seconds:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
