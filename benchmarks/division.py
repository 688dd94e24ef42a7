"""Maps of the same number of samples, divided evenly and by the spread of neighbouring windows.

    OMP_NUM_THREADS=1 python -m benchmarks.division [--real FOLDER] [--pools FOLDER]

Every window of a picture has a pool of contents, from which each seed draws with replacement: the
mean over the pool is the truth. Pools are kept in a folder, as they take nearly all of the time.
With ``--real``, a folder with torch.hub's ``torch/`` and photographs in ``imagenet/``, SqueezeNet 1.1
is measured too.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import torch
from torch import Tensor

import xwidgets as xw
from xwidgets.explain.nodes import nodes_of
from xwidgets.explain.removal.samplers import default_sampler
from xwidgets.explain.removal.windows import WindowGrid
from xwidgets.files import whole
from xwidgets.incremental import IncrementalInference, WholeInference
from xwidgets.networks.subject import Subject

WINDOW = 10
MEASURES = ("evidence", "difference")


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
        path = folder / f"{self.name.replace(' ', '_')}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with whole(path) as part, open(part, "wb") as file:
                np.savez(file, **self._drawn())
        return {name: torch.from_numpy(values) for name, values in np.load(path).items()}

    def _drawn(self) -> dict[str, np.ndarray]:
        net, pixels, corners = self.subject.net, self.subject.pixels, self.grid.corners
        inference = IncrementalInference(WholeInference(net, pixels, WINDOW))
        draw = default_sampler(net).condition(pixels, WINDOW)
        rngs = [np.random.default_rng((5, place)) for place in range(len(corners))]
        target = self.subject.target(None)
        nodes = {
            name: nodes_of(self.subject, [target], name, net.training_size) for name in MEASURES
        }
        pools: dict[str, list[Tensor]] = {name: [] for name in MEASURES}
        for _ in range(self.contents):
            outputs = inference.outputs(corners, draw(corners, rngs))
            for name in MEASURES:
                pools[name].append(nodes[name].values(outputs))
        return {name: torch.stack(pool, 1).numpy() for name, pool in pools.items()}


def pictures(real: Path | None) -> list[Picture]:
    """Five birds, two streets, and a photograph where there are some."""
    birds, street = xw.network("birds"), xw.network("street")
    chosen = [
        Picture(f"bird {seed}", Subject(birds, xw.scenes.bird(seed=seed).image), 3, 200)
        for seed in (3, 11, 5, 7, 1)
    ]
    chosen += [
        Picture(f"street {seed}", Subject(street, xw.scenes.street(seed=seed).image), 3, 200)
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path)
    parser.add_argument("--pools", type=Path, default=Path(gettempdir()) / "division-pools")
    options = parser.parse_args()
    for picture in pictures(options.real):
        pool = picture.pool(options.pools)
        print(picture.name, pool["evidence"].shape, flush=True)


if __name__ == "__main__":
    main()
