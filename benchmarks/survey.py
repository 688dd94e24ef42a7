"""Pictures a second of a survey: a plain loop of calls, this process, two more, a Dask cluster.

    python -m benchmarks.survey [--methods saliency ...] [--pictures 2000] [--turns 3] [--drawn 250]

The ways take turns. All but the loop write a folder, and their maps are compared to the last bit.
Workers are warm: a short survey went before. Memory is the growth of this process's largest
resident size during a survey of the given number of pictures, behind one of a tenth of them.
"""

import argparse
import resource
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from dask.distributed import Client, LocalCluster

import xwidgets as xw
from xwidgets.explain import MapMethod

METHODS: dict[str, MapMethod] = {
    "saliency": xw.Saliency(),
    "occlusion": xw.Occlusion(window=8, stride=8),
}


class Birds:
    """A data set of drawn birds, again and again."""

    def __init__(self, count: int, drawn: int) -> None:
        self._count = count
        self._pictures = [xw.scenes.bird(seed).image for seed in range(drawn)]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> torch.Tensor:
        return self._pictures[number % len(self._pictures)]


def largest() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--drawn", type=int, default=250)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    net, count = xw.network("birds"), arguments.pictures
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory()))
        cluster = stack.enter_context(
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        )
        client = stack.enter_context(Client(cluster))
        ways: dict[str, Any] = {"this process": None, "2 processes": 2, "Dask, 2 workers": client}

        def survey(way: str, method: MapMethod, name: str, pictures: int) -> Path:
            folder = root / f"{method.name} {way} {name}"
            birds = Birds(pictures, min(pictures, arguments.drawn))
            xw.survey(net, birds, method, folder, workers=ways[way], progress=False)
            return folder

        print("| method | way | pictures a second | times the loop |\n|---|---|---|---|")
        for title in arguments.methods:
            method = METHODS[title]
            taken: dict[str, list[float]] = {name: [] for name in ("plain loop", *ways)}
            folders: dict[str, Path] = {}
            for way in ways:
                survey(way, method, "warm", max(1, count // 10))
            before = largest()
            survey("this process", method, "memory", count)
            grown = largest() - before
            for turn in range(arguments.turns):
                few = Birds(max(1, count // 10), arguments.drawn)
                begun = time.perf_counter()
                for number in range(len(few)):
                    method.run(net, few[number])
                taken["plain loop"].append((time.perf_counter() - begun) / len(few))
                for way in ways:
                    begun = time.perf_counter()
                    folders[way] = survey(way, method, str(turn), count)
                    taken[way].append((time.perf_counter() - begun) / count)
            rates = {way: 1 / median(several) for way, several in taken.items()}
            for way, rate in rates.items():
                print(f"| {title} | {way} | {rate:.1f} | {rate / rates['plain loop']:.2f} |")
            same = (
                len({xw.open_survey(folder).maps[:].tobytes() for folder in folders.values()}) == 1
            )
            print(f"\n{title}: equal to the bit: {same}; {grown:.0f} MB more memory\n", flush=True)


if __name__ == "__main__":
    main()
