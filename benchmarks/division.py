"""Maps of the same number of samples, divided evenly and by the spread of neighbouring windows.

    OMP_NUM_THREADS=1 python -m benchmarks.division [PART ...] [--real FOLDER] [--pools FOLDER]

The parts are errors and bias. Every window of a picture has a pool of contents, from which each
seed draws with replacement: the mean over the pool is the truth. For the bias, the ten windows with
the rarest effects have pools of 10,000. Pools are kept in a folder, as they take nearly all of the
time. With ``--real``, a folder with torch.hub's ``torch/`` and
photographs in ``imagenet/``, SqueezeNet 1.1 is measured too.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import skew
from torch import Tensor

import xwidgets as xw
from xwidgets.explain.nodes import nodes_of
from xwidgets.explain.removal.division import PILOTS
from xwidgets.explain.removal.samplers import default_sampler
from xwidgets.explain.removal.windows import WindowGrid
from xwidgets.explain.running_moments import RunningMoments
from xwidgets.files import whole
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks.subject import Subject

WINDOW = 10
MEASURES = ("evidence", "difference")
SAMPLES = 20
SEEDS = {"evidence": 120, "difference": 40}  # few contents decide on the error of evidence
CONTENTS = 400
"""Size of the pools of drawn pictures."""
RAREST, DEEP = 10, 10_000
"""Windows whose bias is told, and the size of their pools."""
TOLD, SIZES = (5, 10, 20), (2, 3, 4, 5, 7, 10, 14, 20, 28)
"""S of the maps whose errors are told, and of those that are compared with the even S = 20."""


@dataclass(frozen=True)
class Picture:
    """A picture in a network, and the size of its pools."""

    name: str
    subject: Subject
    stride: int
    contents: int

    @property
    def grid(self) -> WindowGrid:
        return WindowGrid(*self.subject.image.shape[1:], WINDOW, self.stride)

    def pool(self, folder: Path) -> dict[str, Tensor]:
        """Values ``(n, P, 1)`` of the best class by measure, with each window filled P times."""
        return self._kept(folder, torch.arange(len(self.grid)), self.contents)

    def deep_pool(self, folder: Path, windows: Tensor) -> Tensor:
        """Values ``(m, 10000, 1)``, for the evidence, of some windows of many contents."""
        return self._kept(folder, windows, DEEP)["evidence"]

    def _kept(self, folder: Path, windows: Tensor, contents: int) -> dict[str, Tensor]:
        path = folder / f"{self.name}_{len(windows)}x{contents}.npz".replace(" ", "_")
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with whole(path) as part, open(part, "wb") as file:
                np.savez(file, **self._drawn(windows, contents))
        return {name: torch.from_numpy(values) for name, values in np.load(path).items()}

    def _drawn(self, windows: Tensor, contents: int) -> dict[str, np.ndarray]:
        net, pixels, corners = self.subject.net, self.subject.pixels, self.grid.corners[windows]
        inference = IncrementalInference(WholeInference(net, pixels, WINDOW))
        draw = default_sampler(net).condition(pixels, WINDOW)
        rngs = [np.random.default_rng((5, place)) for place in windows.tolist()]
        target = self.subject.target(None)
        nodes = {
            name: nodes_of(self.subject, [target], name, net.training_size) for name in MEASURES
        }
        pools: dict[str, list[Tensor]] = {name: [] for name in MEASURES}
        for _ in range(contents):
            outputs = inference.outputs(corners, draw(corners, rngs))
            for name in MEASURES:
                pools[name].append(nodes[name].values(outputs))
        return {name: torch.stack(pool, 1).numpy() for name, pool in pools.items()}


def pictures(real: Path | None) -> list[Picture]:
    """Five birds, two streets, and a photograph where there are some."""
    birds, street = xw.network("birds"), xw.network("street")
    chosen = [
        Picture(f"bird {seed}", Subject(birds, xw.scenes.bird(seed=seed).image), 3, CONTENTS)
        for seed in (3, 11, 5, 7, 1)
    ]
    chosen += [
        Picture(f"street {seed}", Subject(street, xw.scenes.street(seed=seed).image), 3, CONTENTS)
        for seed in (5, 3)
    ]
    if real:
        os.environ.setdefault("TORCH_HOME", str(real / "torch"))
        net = xw.network("squeezenet1_1")
        for name in ("n01558993_robin", "n01518878_ostrich"):
            photograph = net.prepare(real / "imagenet" / f"{name}.jpg")
            small = torch.nn.functional.interpolate(photograph[None], (112, 112), mode="area")[0]
            label = f"SqueezeNet, {name.split('_')[1]}"
            chosen.append(Picture(label, Subject(net, small), 6, 100))
    return chosen


class Simulation:
    """Maps of a picture whose windows are filled with contents of their pools.

    Args:
        picture, measure: what is explained.
        pool: for each window, values ``(P,)`` with each content.
        samples, division: as of :class:`xwidgets.PredictionDifference`.

    Attributes:
        run: of the method, with the moments of the last map.
    """

    def __init__(
        self, picture: Picture, measure: str, pool: Sequence[Tensor], samples: int, division: str
    ) -> None:
        self._samples, self._divided = samples, division == "spread"
        self._values, self._sizes = torch.cat([*pool]), torch.tensor([*map(len, pool)])
        self._means = torch.stack([values.mean() for values in pool])
        method = xw.PredictionDifference(
            window=WINDOW, stride=picture.stride, samples=samples, measure=measure,
            division=division,
        )  # fmt: skip
        subject = picture.subject
        self.run = method.resolved(subject).begin(subject, [subject.target(None)])
        self._random = torch.Generator().manual_seed(0)

    def map(self) -> xw.Relevance:
        """Map of other samples with every call."""
        run, windows = self.run, torch.arange(len(self._sizes))
        run.moments = RunningMoments(len(windows), 1)
        first = PILOTS if self._divided else self._samples
        self._fill(torch.full_like(windows, first))
        if self._divided:
            self._fill(run.further_samples())
        [relevance] = run.results()
        return relevance

    def truth(self) -> NDArray[np.float32]:
        """Map of all contents of the pools."""
        windows = torch.arange(len(self._means))
        self.run.moments = RunningMoments(len(windows), 1)
        self.run.moments.add(windows, self._means[:, None])
        return self.run.results()[0].values

    def _fill(self, counts: Tensor) -> None:
        starts = self._sizes.cumsum(0) - self._sizes
        for sample in range(int(counts.max())):
            windows = (counts > sample).nonzero()[:, 0]
            share = torch.rand(len(windows), generator=self._random, dtype=torch.float64)
            chosen = (share * self._sizes[windows]).long()
            self.run.moments.add(windows, self._values[starts[windows] + chosen, None])


def error(simulation: Simulation, truth: NDArray[np.float32], seeds: int) -> tuple[float, float]:
    """Root mean square error over pixels and seeds, and share of them in the 95 % interval."""
    maps = [simulation.map() for _ in range(seeds)]
    errors = np.array([relevance.values - truth for relevance in maps])
    covered = np.abs(errors) <= 2 * np.array([relevance.standard_error for relevance in maps])
    return float(np.sqrt(np.mean(errors**2))), float(covered.mean())


def share_of_samples(found: dict[int, tuple[float, float]], goal: float) -> float:
    """Number of samples with an error of ``goal``, of those of the even division."""
    sizes = sorted(found)
    falling = np.minimum.accumulate([found[size][0] for size in sizes])
    return float(np.exp(np.interp(-np.log(goal), -np.log(falling), np.log(sizes)))) / SAMPLES


def errors(chosen: list[Picture], folder: Path) -> None:
    """Table of errors, of the share of samples that gives the error of twenty, and of coverage."""
    print("| picture | measure | even, S = 5 | 10 | 20 | spread, S = 5 | 10 | 20 "
          "| samples for the error of 20 | covered, even | spread |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for picture in chosen:
        pools = picture.pool(folder)
        for measure in MEASURES:
            pool = pools[measure][..., 0]
            truth = Simulation(picture, measure, pool, SAMPLES, "even").truth()
            even, spread = (
                {
                    size: error(
                        Simulation(picture, measure, pool, size, division), truth, SEEDS[measure]
                    )
                    for size in sizes
                }
                for division, sizes in (("even", TOLD), ("spread", SIZES))
            )
            cells = [
                f"{told[size][0] / truth.std():.3f}" for told in (even, spread) for size in TOLD
            ]
            cells.append(f"{share_of_samples(spread, even[SAMPLES][0]):.2f}")
            cells += [f"{told[SAMPLES][1]:.2f}" for told in (even, spread)]
            print(f"| {picture.name} | {measure} | {' | '.join(cells)} |", flush=True)


def bias(chosen: list[Picture], folder: Path) -> None:
    """Bias of the mean value of the ten windows with the rarest effects, in standard errors."""
    print("| picture | division | skew | bias, root mean square | largest | of evidence, bits |")
    print("|---|---|---|---|---|---|")
    for picture in chosen:
        shallow = picture.pool(folder)["evidence"][..., 0]
        skews = np.nan_to_num(np.abs(skew(shallow.numpy(), 1)))
        rarest = skews.argsort()[-RAREST:]
        deep = picture.deep_pool(folder, torch.from_numpy(rarest))[..., 0]
        pool = [*shallow]
        for window, values in zip(rarest, deep, strict=True):
            pool[window] = values
        truth = deep.mean(1).numpy()
        for division in ("even", "spread"):
            simulation = Simulation(picture, "evidence", pool, 10, division)
            means, parts = [], []
            for _ in range(200):
                simulation.map()
                moments = simulation.run.moments
                means.append(moments.mean[rarest, 0].numpy())
                parts.append(1 / moments.count[rarest].numpy())
            variance = deep.var(1, correction=0).numpy() * np.mean(parts, 0) / len(means)
            scores = (np.mean(means, 0) - truth) / np.sqrt(variance)
            evidence, true = (
                simulation.run.nodes.evidence(torch.from_numpy(np.array(values)))
                for values in (means, truth)
            )
            off = (evidence.mean(0) - true).mean()
            rms, largest = np.sqrt(np.mean(scores**2)), np.abs(scores).max()
            print(f"| {picture.name} | {division} | {skews[rarest].mean():.1f} | {rms:.2f} "
                  f"| {largest:.1f} | {off:+.4f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--pools", type=Path, default=Path(gettempdir()) / "division-pools")
    options = parser.parse_args()
    chosen = pictures(options.real)
    for part in options.parts:
        PARTS[part](chosen, options.pools)


PARTS = {"errors": errors, "bias": bias}

if __name__ == "__main__":
    main()
