"""Drawn scenes with ground truth.

`bird` and `street` draw one `Scene` from a seed: a picture, its class, its parts as points and
masks, and the same picture `without` a part. `draw` draws many pictures with their labels.
"""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from random import Random

import numpy as np
import torch

from xwidgets.errors import listed, number, unknown

from . import birds, streets
from .birds import BirdRecord, bird
from .scene import Point, Record, Scene, check_size
from .streets import StreetRecord, street

__all__ = [
    "CLASSES",
    "BirdRecord",
    "Point",
    "Record",
    "Scene",
    "StreetRecord",
    "bird",
    "draw",
    "street",
]

CLASSES: dict[str, tuple[str, ...]] = {
    "birds": tuple(species.name for species in birds.SPECIES),
    "street": streets.NAMES,
}
"""By kind of scene, the names of its classes in the order of the labels."""


def draw(
    kind: str, seeds: Iterable[int], size: int = 64, incomplete: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw many scenes: images and labels of `bird(seed)` or `street(seed)` for every seed.

    Args:
        kind: "birds" or "street".
        seeds: one for each scene.
        size: side of the pictures in pixels.
        incomplete: share of the scenes that lack one or more removable parts, drawn by the seed.

    Returns:
        Images, float32 (N, 3, size, size) in [0, 1], and labels, int64 (N,).

    Raises:
        ValueError: the kind is unknown, or the size is not positive.

    Example:
        >>> images, labels = draw("birds", range(10))
        >>> images.shape, labels.shape
        (torch.Size([10, 3, 64, 64]), torch.Size([10]))
    """
    if not isinstance(kind, str) or kind not in CLASSES:
        raise unknown("kind of scene", kind, CLASSES)
    check_size(size)
    number("incomplete", incomplete, lambda share: 0 <= share <= 1, "from 0 to 1")
    seeds = listed("seeds", seeds, Integral, "a list of whole numbers, one for each scene")
    pictures = np.empty((len(seeds), size, size, 3), dtype=np.uint8)
    labels = torch.empty(len(seeds), dtype=torch.int64)
    for i, seed in enumerate(seeds):
        record: BirdRecord | StreetRecord
        record = birds.draw_record(seed) if kind == "birds" else streets.draw_record(seed)
        record = replace(record, removed=_missing(record, incomplete))
        pictures[i] = record.paint(size).picture(seed)
        labels[i] = record.label
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return images, labels


def _missing(record: Record, incomplete: float) -> tuple[str, ...]:
    """Choose parts to leave out of some scenes: each with probability 1/4, but at least one."""
    random = Random(f"missing parts of {record.seed}")
    if random.random() >= incomplete or not record.removable:
        return ()
    first = random.choice(record.removable)
    return tuple(p for p in record.removable if p == first or random.random() < 0.25)
