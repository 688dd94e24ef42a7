"""Drawn birds for small networks: a description in numbers, pictures, and masks."""

from collections.abc import Iterable
from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xwidgets.errors import listed
from xwidgets.images.scenes import Scene
from xwidgets.images.scenes.birds import SPECIES, BirdRecord, Plumage, draw_record
from xwidgets.images.scenes.scene import check_size

GREY = 0.5
"""Colour behind a bird that is shown alone."""

_VARIANTS = [
    sorted({getattr(species.plumage, mark) for species in SPECIES}) for mark in Plumage._fields
]


class DrawnBirds(NamedTuple):
    """Birds of several seeds.

    Attributes:
        descriptions: ``(N, 35)``: where the bird is, its size, direction and colours, each between
            about -1 and 1, and which variant it has of each of its five marks.
        alone: ``(N, 3, H, W)`` in [0, 1], the birds before grey.
        pictures: ``(N, 3, H, W)`` in [0, 1], the birds in their habitats.
        masks: ``(N, 1, H, W)``, 1 where the bird is and 0 elsewhere.
    """

    descriptions: Tensor
    alone: Tensor
    pictures: Tensor
    masks: Tensor


def drawn_birds(seeds: Iterable[int], size: int = 32) -> DrawnBirds:
    """Draw a bird for every seed, in ``size`` x ``size`` pixels.

    Raises:
        ValueError: without a seed, or when the size is not positive.

    Example:
        >>> birds = drawn_birds(range(2))
        >>> birds.descriptions.shape, birds.masks.shape
        (torch.Size([2, 35]), torch.Size([2, 1, 32, 32]))
    """
    check_size(size)
    drawn_from = listed("seeds", seeds, Integral, "a list of whole numbers, one for each bird")
    records = [draw_record(seed) for seed in drawn_from]
    if not records:
        raise ValueError("there is no seed; give one for each bird, such as range(500)")
    drawn = [Scene.draw(record, size) for record in records]
    pictures = torch.stack([scene.image for scene in drawn])
    masks = torch.from_numpy(np.stack([np.any(list(scene.masks.values()), 0) for scene in drawn]))
    shown = masks[:, None].float()
    descriptions = torch.tensor([_description(record) for record in records])
    return DrawnBirds(descriptions, pictures * shown + GREY * (1 - shown), pictures, shown)


def _description(record: BirdRecord) -> list[float]:
    place = [(record.x - 0.5) / 0.06, (record.y - 0.5) / 0.06, (record.scale - 0.2) / 0.03]
    pose = [record.angle / 0.3, record.lift / 0.15, 1.0 if record.faces_left else -1.0]
    colours = (value for colour in (record.body, record.leg, record.eye) for value in colour)
    plumage = zip(SPECIES[record.species].plumage, _VARIANTS, strict=True)
    marks = (float(variant == own) for own, variants in plumage for variant in variants)
    return [*place, *pose, *(value / 127.5 - 1 for value in colours), *marks]
