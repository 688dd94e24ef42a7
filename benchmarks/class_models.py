"""Class models of the twenty birds: what the network says of them, and where twins differ.

Of every species and seed the probability at the end, its strongest rival, and the time. Of every
pair of twins, which differ in one part, how much of the squared difference of their models lies
where that part is: its density there, weighted with how often the part of drawn scenes covers a
pixel, over the density of the whole picture, beside that of the four parts that twins share.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

import xwidgets as xw
from xwidgets.files import whole
from xwidgets.images.scenes.birds import SPECIES, TWINS, Plumage
from xwidgets.results import render

MARKS = Plumage._fields
SCENES = range(200)


def covered() -> dict[str, NDArray[np.float64]]:
    """Share of drawn scenes in which each mark covers a pixel, ``(H, W)``."""
    total = {mark: np.zeros((64, 64)) for mark in MARKS}
    for seed in SCENES:
        masks = xw.scenes.bird(seed).masks
        for mark in MARKS:
            sides = ("left wing", "right wing") if mark == "wing" else (mark,)
            total[mark] += np.any([masks[side] for side in sides], 0)
    return {mark: count / len(SCENES) for mark, count in total.items()}


def densities(
    difference: NDArray[np.floating], shares: dict[str, NDArray[np.float64]]
) -> dict[str, float]:
    """Mean of the squared difference ``(C, H, W)`` where each mark is, over that of the picture."""
    energy = np.square(difference, dtype=np.float64).sum(0)
    return {
        mark: float((share * energy).sum() / share.sum() / energy.mean())
        for mark, share in shares.items()
    }


def main(seeds: Sequence[int], sheet: Path | None) -> None:
    """Print what was measured."""
    net = xw.network("birds")
    models, seconds = [], []
    for label in range(len(SPECIES)):
        begun = time.perf_counter()
        models.append(xw.class_model(net, label, seeds=seeds))
        seconds.append((time.perf_counter() - begun) / len(seeds))
    probabilities = np.array([model.probability for model in models])
    print(f"probability: least {probabilities.min():.4f}, mean {probabilities.mean():.4f}")
    print(f"above .95: {(probabilities > 0.95).sum()} of {probabilities.size}")
    print("λ", *(f"{model.parameters['penalty']:.3f}" for model in models))
    print(f"seconds a model: median {np.median(seconds):.1f}, most {max(seconds):.1f}")
    twin = {one: other for pair in TWINS for one, other in (pair, pair[::-1])}
    rivals = [
        int(scores.argsort(descending=True)[1]) == twin[label]
        for label, model in enumerate(models)
        for scores in net.logits(torch.from_numpy(model.pixels))
    ]
    print(f"strongest rival is the twin: {sum(rivals)} of {len(rivals)}")
    shares = covered()
    rows = []
    for one, other in TWINS:
        pair = zip(MARKS, SPECIES[one].plumage, SPECIES[other].plumage, strict=True)
        [differs] = [mark for mark, ours, theirs in pair if ours != theirs]
        for place, seed in enumerate(seeds):
            density = densities(models[one].pixels[place] - models[other].pixels[place], shares)
            rows.append({"twins": SPECIES[one].name, "seed": seed, "differs": differs} | density)
    frame = pd.DataFrame(rows)
    print(frame.round(2).to_string(index=False))
    largest = frame[list(MARKS)].idxmax(axis=1) == frame.differs
    print(f"the part that differs has the largest density of five: {largest.sum()} of {len(frame)}")
    for mark in MARKS:
        own, shared = (frame[mark][(frame.differs == mark) == is_own].mean() for is_own in (1, 0))
        print(f"{mark:7} density where it differs {own:.2f}, where twins share it {shared:.2f}")
    if sheet is not None:
        columns = [
            [render.enlarged(picture, 128) for picture in model.pictures] for model in models
        ]
        with whole(sheet) as part:
            part.write_bytes(render.png(render.sheet(np.array(columns).swapaxes(0, 1))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sheet", type=Path, help="PNG file of all pictures")
    arguments = parser.parse_args()
    main(arguments.seeds, arguments.sheet)
