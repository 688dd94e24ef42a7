"""Orders in which windows are filled: how soon a map is like the complete one.

    OMP_NUM_THREADS=2 python -m benchmarks.order [PART ...] [--real FOLDER] [--seeds N]

The parts are seconds and samples. The first runs the method itself for a second, on SqueezeNet for
five, with the windows of a sweep shuffled and in their Sobol order, in turns. The second compares
more orders by the number of samples, drawn from pools as of :mod:`benchmarks.division`, which also
tells what ``--real`` adds.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr
from torch import Tensor

import xwidgets as xw
from xwidgets.explain.removal.windows import WindowGrid
from xwidgets.explain.running_moments import RunningMoments

from .division import WINDOW, Picture, pictures

SAMPLES = 20
SECONDS = {"squeezenet1_1": 5.0}  # 1 for others
CONTENTS = {"squeezenet1_1": 8}  # of the complete map; SAMPLES for others
MARKS = (200, 400, 1000, 2000)
"""Samples after which maps are compared."""


def shuffled(grid: WindowGrid, random: torch.Generator) -> Tensor:
    return torch.randperm(len(grid), generator=random)


ORDERS = {"shuffled": shuffled, "Sobol": WindowGrid.order}

Schedule = Callable[[WindowGrid, int], tuple[Tensor, Tensor]]
"""Maps a grid and a seed to windows, and the numbers of their samples, in the order of the work."""


def swept(order: Callable[[WindowGrid, torch.Generator], Tensor]) -> Schedule:
    """Windows that cover the picture, then the others in an order."""

    def schedule(grid: WindowGrid, seed: int) -> tuple[Tensor, Tensor]:
        with patch.object(WindowGrid, "order", order):
            windows = torch.cat([part for _, part in grid.sweeps(1, seed)])
        return windows, torch.zeros_like(windows)

    return schedule


def doubled(grid: WindowGrid, seed: int) -> tuple[Tensor, Tensor]:
    """Windows that cover the picture, then two samples of each window at a time."""
    windows, _ = swept(WindowGrid.order)(grid, seed)
    cover = next(part for _, part in grid.sweeps(1, seed))
    twice = windows[len(cover) :].repeat_interleave(2)
    numbers = torch.arange(len(twice)) % 2
    return torch.cat([cover, twice]), torch.cat([torch.zeros_like(cover), numbers])


def nested(grid: WindowGrid, seed: int) -> tuple[Tensor, Tensor]:
    """Grids of windows 8, 4, 2 and 1 pixels apart, each of them shuffled."""
    random = torch.Generator().manual_seed(seed)
    height, width = (int(most) + WINDOW for most in grid.corners.amax(0))
    parts = []
    for stride in (8, 4, 2, 1):
        rows, columns = WindowGrid(height, width, WINDOW, stride).corners.T
        windows = rows * grid.shape[1] + columns
        parts.append(windows[torch.randperm(len(windows), generator=random)])
    windows = torch.from_numpy(np.array(list(dict.fromkeys(torch.cat(parts).tolist()))))
    return windows, torch.zeros_like(windows)


SCHEDULES: dict[str, Schedule] = {
    "shuffled": swept(shuffled), "Sobol": swept(WindowGrid.order), "Sobol, two each": doubled,
    "nested": nested,
}  # fmt: skip


def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(pearsonr(one.ravel(), other.ravel()).statistic)


def seconds(chosen: list[Picture], seeds: int, _: Path) -> None:
    """Table of correlations with the complete map after some seconds."""
    print("| picture | seconds | shuffled, median | least | Sobol, median | least |")
    print("|---|---|---|---|---|---|")
    for picture in chosen:
        net, image = picture.subject.net, picture.subject.image
        limit = SECONDS.get(net.name, 1.0)
        complete = xw.prediction_difference(net, image, samples=SAMPLES).values
        correlations: dict[str, list[float]] = {name: [] for name in ORDERS}
        for seed in range(1, seeds + 1):
            for name, order in ORDERS.items():
                with patch.object(WindowGrid, "order", order):
                    early = xw.prediction_difference(
                        net, image, samples=SAMPLES, seed=seed, seconds=limit
                    )
                correlations[name].append(correlation(early.values, complete))
        cells = [f"{number:.3f}" for values in correlations.values()
                 for number in (np.median(values), min(values))]  # fmt: skip
        print(f"| {picture.name} | {limit:g} | {' | '.join(cells)} |", flush=True)


class Grown:
    """Maps of a picture from some of the samples in its pool ``(n, P, 1)``."""

    def __init__(self, picture: Picture, pool: Tensor) -> None:
        method = xw.PredictionDifference(window=WINDOW, samples=SAMPLES).resolved(picture.subject)
        self._run = method.begin(picture.subject, [picture.subject.target(None)])
        self._pool = pool

    def map(self, windows: Tensor, numbers: Tensor) -> NDArray[np.float32]:
        self._run.moments = RunningMoments(len(self._pool), 1)
        self._run.moments.add(windows, self._pool[windows, numbers])
        return self._run.results()[0].values


def samples(chosen: list[Picture], seeds: int, folder: Path) -> None:
    """Table of correlations with the complete map after some samples, means over seeds."""
    print("| picture | order |", " | ".join(f"{mark} samples" for mark in MARKS), "|")
    print("|---|---|" + "---|" * len(MARKS))
    for picture in chosen:
        contents = CONTENTS.get(picture.subject.net.name, SAMPLES)
        every = replace(picture, stride=1, contents=contents)
        grown = Grown(every, every.pool(folder)["evidence"])
        windows = torch.arange(len(every.grid))
        complete = grown.map(
            windows.repeat(contents), torch.arange(contents).repeat_interleave(len(windows))
        )
        for name, schedule in SCHEDULES.items():
            correlations = []
            for seed in range(1, seeds + 1):
                windows, numbers = schedule(every.grid, seed)
                maps = [grown.map(windows[:mark], numbers[:mark]) for mark in MARKS]
                correlations.append([correlation(early, complete) for early in maps])
            cells = " | ".join(f"{mean:.3f}" for mean in np.mean(correlations, 0))
            print(f"| {picture.name} | {name} | {cells} |", flush=True)


PARTS = {"seconds": seconds, "samples": samples}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--pools", type=Path, default=Path(gettempdir()) / "division-pools")
    options = parser.parse_args()
    chosen = pictures(options.real)
    for part in options.parts:
        PARTS[part](chosen, options.seeds, options.pools)


if __name__ == "__main__":
    main()
