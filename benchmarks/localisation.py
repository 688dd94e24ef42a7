"""Where is the object? Boxes of class activation maps, and masks of segmented saliency maps.

    python -m benchmarks.localisation drawn [--scenes 100] [--training 3000]
    python -m benchmarks.localisation stamps [--cases 60] [--folder FOLDER]

``drawn`` gives the embedded networks a pooled head, which it trains on drawn scenes, and says how
many fresh ones they still recognise. ``stamps`` takes SqueezeNet 1.1 and the cut-out photographs of
birds on other photographs of ``benchmarks.contrast``, which says what these need.
"""

import argparse
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

import xwidgets as xw
from xwidgets.box import Box

from .contrast import BIRDS, REAL, STAMPS, Case, Mask, alone, photographs, recognised

CENTRE = 0.7
"""Sides of the centre box, as shares of the picture's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["drawn", "stamps"])
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--training", type=int, default=3000)
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=STAMPS)
    arguments = parser.parse_args()
    if arguments.what == "drawn":
        for name in ("birds", "street"):
            drawn(name, arguments.scenes, arguments.training)
    else:
        stamps(arguments.folder, arguments.cases)


def drawn(name: str, count: int, training: int) -> None:
    net = xw.network(name)
    images, labels = xw.scenes.draw(name, range(training))
    pooled = xw.pooled_network(net, images, labels)
    fresh, truth = xw.scenes.draw(name, range(10_000, 10_500))
    for made in (net, pooled):
        right = (made(fresh).argmax(1) == torch.as_tensor(truth)).double().mean()
        print(f"{made.name}: accuracy {right:.1%} on {len(fresh)} fresh scenes", flush=True)
    print(f"pooled behind {pooled.facts.layer}", flush=True)
    show(pooled, net, scenes(name, count), f"{name}, drawn scenes")


def scenes(name: str, count: int) -> Iterator[Case]:
    for seed in tqdm(range(20_000, 20_000 + count), leave=False):
        scene = xw.scenes.bird(seed) if name == "birds" else xw.scenes.street(seed, person=True)
        yield Case(scene.image, scene.label, np.any(list(scene.masks.values()), 0))


def stamps(folder: Path, count: int) -> None:
    os.environ.setdefault("TORCH_HOME", str(REAL / "torch"))
    net = xw.network("squeezenet1_1")
    backgrounds = [net.prepare(file) for file in photographs(without=BIRDS)[::4]]
    cases = recognised(net, alone(folder, backgrounds), count)
    show(net, net, cases, "squeezenet1_1, photographs")


def show(pooled: xw.Network, net: xw.Network, cases: Iterable[Case], title: str) -> None:
    """Print the means over pictures of all measures."""
    boxes, masks, areas = [], [], []
    for case in cases:
        activation = xw.class_activation_map(pooled, case.image, case.label)
        saliency = xw.saliency(net, case.image, case.label)
        edges = replace(saliency, values=xw.evaluate.edge_map(case.image))
        areas.append(case.mask.mean())
        for name, relevance in (("class activation map", activation), ("saliency", saliency),
                                ("edge detector", edges)):  # fmt: skip
            pointed = bool(case.mask.flat[relevance.values.argmax()])
            boxes.append({"box": name, "pointing": pointed} | of_box(relevance.box(), case.mask))
            segmented = xw.segment(relevance).mask
            masks.append({"mask from": name, "IoU": overlap(segmented, case.mask)})
        height, width = case.mask.shape
        inset = [round(side * (1 - CENTRE) / 2) for side in (height, width)]
        top, left = inset
        centre = Box(top, left, height - top, width - left)
        middle = bool(case.mask[height // 2, width // 2])
        boxes.append({"box": "centre", "pointing": middle} | of_box(centre, case.mask))
        whole = of_box(Box(0, 0, height, width), case.mask)
        boxes.append({"box": "whole picture", "pointing": np.nan} | whole)
        filled = np.zeros_like(case.mask)
        filled[centre.slices] = True
        masks.append({"mask from": "centre box", "IoU": overlap(filled, case.mask)})
    print(f"\n{title}: {len(areas)} pictures, object {np.mean(areas):.0%} of the picture")
    for rows in (boxes, masks):
        table = pd.DataFrame(rows)
        print(table.groupby(table.columns[0], sort=False).mean().round(3).to_string(), flush=True)


def of_box(box: Box | None, mask: Mask) -> dict[str, float]:
    """Overlap of a box with that of the object, and whether it is at least a half."""
    true = Box.around(mask)
    shared = box.overlap(true) if box and true else 0.0
    return {"hit": float(shared >= 0.5), "IoU": shared}


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


if __name__ == "__main__":
    main()
