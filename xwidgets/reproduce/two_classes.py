"""Images with and without persons, and the pixels that show them.

A source gives the images for one repetition of an experiment, which has a seed: those that a
network is trained on, and held-out ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from xwidgets.box import Box
from xwidgets.images import Photograph, scenes

CLASSES = ("no person", "person")
"""Names of the classes, in the order of the labels."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images with ground truth.

    Attributes:
        images: 8-bit ``(N, 3, H, W)``.
        labels: ``(N,)``, 1 where an image shows a person, 0 where not.
        masks: bool ``(N, H, W)``, the pixels that do.
    """

    images: Tensor
    labels: Tensor
    masks: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, which: slice | Sequence[int]) -> "Pictures":
        return Pictures(self.images[which], self.labels[which], self.masks[which])

    def pixels(self, index: int) -> Tensor:
        """One image, float ``(3, H, W)`` in [0, 1]."""
        return self.images[index].float() / 255


class Source(Protocol):
    """Given how many images to train on, how many to hold out, and the seed: both."""

    __name__: str

    def __call__(self, training: int, held_out: int, seed: int) -> tuple[Pictures, Pictures]:
        """Give the images."""


def streets(training: int, held_out: int, seed: int) -> tuple[Pictures, Pictures]:
    """Drawn street scenes, others for every seed; a :data:`Source`.

    Example:
        >>> training, held_out = streets(6, 4, seed=0)
        >>> len(training), held_out.masks.shape
        (6, (4, 64, 64))
    """
    first = 3_000_000 + 100_000 * seed
    return _drawn(range(first, first + training)), _drawn(
        range(first + 50_000, first + 50_000 + held_out)
    )


def photographs(found: Sequence[Photograph], size: int = 64) -> Source:
    """A source of photographs, which are squeezed to squares of ``size`` pixels.

    Every seed shuffles them anew. Where there are too few, four in five are trained on.

    Example:
        >>> Image.new("RGB", (8, 10)).save("person.png")
        >>> person = Photograph(Path("person.png"), label=1, boxes=(Box(5, 4, 10, 8),))
        >>> training, held_out = photographs([person] * 10)(100, 100, seed=0)
        >>> len(training), len(held_out), int(held_out.masks[0].sum())
        (8, 2, 1024)
    """
    every = _squeezed(found, size)

    def source(training: int, held_out: int, seed: int) -> tuple[Pictures, Pictures]:
        order = np.random.default_rng(seed).permutation(len(every)).tolist()
        most = min(training, len(every) * 4 // 5)
        return every[order[:most]], every[order[most : most + held_out]]

    source.__name__ = f"{len(found)} photographs of {size} pixels"
    return source


def folder(path: str | Path) -> list[Photograph]:
    """List the photographs of a folder with the sub-folders ``person`` and ``other``.

    A file ``boxes.csv`` beside them tells where the persons are: the columns ``file`` (such as
    ``person/1.png``), ``top``, ``left``, ``bottom``, ``right`` in pixels, a row a person.

    Returns:
        Those with persons, then those without, by name.

    Raises:
        ValueError: when a sub-folder has no pictures, or ``boxes.csv`` cannot be used.

    Example:
        >>> for name in ("person", "other"):
        ...     Path(name).mkdir()
        ...     Image.new("RGB", (8, 10)).save(f"{name}/1.png")
        >>> rows = "file,top,left,bottom,right\\nperson/1.png,5,4,10,8\\n"
        >>> _ = Path("boxes.csv").write_text(rows)
        >>> [(one.label, one.boxes) for one in folder(".")]
        [(1, (Box(top=5, left=4, bottom=10, right=8),)), (0, ())]
    """
    root = Path(path)
    try:
        rows = pd.read_csv(root / "boxes.csv")[["file", *Box._fields]]
    except (FileNotFoundError, KeyError, pd.errors.ParserError) as error:
        raise ValueError(
            f"{str(root / 'boxes.csv')!r} is missing or lacks a column; "
            "its first line is file,top,left,bottom,right"
        ) from error
    boxes = {
        str(name): tuple(Box(*edges) for edges in some[list(Box._fields)].values.tolist())
        for name, some in rows.groupby("file")
    }
    found = []
    for name, label in (("person", 1), ("other", 0)):
        files = [
            file
            for file in sorted((root / name).glob("*"))
            if file.suffix.lower() in Image.registered_extensions()
        ]
        if not files:
            raise ValueError(f"there are no pictures in {str(root / name)!r}; put some there")
        found += [Photograph(file, label, boxes.get(f"{name}/{file.name}", ())) for file in files]
    return found


def _drawn(seeds: range) -> Pictures:
    streets = [scenes.street(seed) for seed in seeds]
    images = torch.stack([(street.image * 255).round().byte() for street in streets])
    masks = [np.any(list(street.masks.values()), axis=0) for street in streets]
    return Pictures(images, torch.tensor([street.label for street in streets]), np.stack(masks))


def _squeezed(found: Sequence[Photograph], size: int) -> Pictures:
    images, masks = [], np.zeros((len(found), size, size), bool)
    for photograph, mask in zip(found, masks, strict=True):
        whole = Image.fromarray(
            (photograph.image * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        )
        images.append(torch.tensor(np.asarray(whole.resize((size, size)))).permute(2, 0, 1))
        for top, left, bottom, right in photograph.boxes:
            rows = slice(top * size // whole.height, -(-bottom * size // whole.height))
            mask[rows, left * size // whole.width : -(-right * size // whole.width)] = True
    labels = torch.tensor([photograph.label for photograph in found])
    return Pictures(torch.stack(images), labels, masks)
