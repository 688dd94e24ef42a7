"""Drawn scenes: a picture with the ground truth of its class and parts.

A record holds every parameter of a drawing, and drawing it twice gives the same picture. So a part
can be removed by drawing the record again without it: the pixels that the part covered then show
what is behind it, and every other pixel stays exactly the same.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from xwidgets.box import Box
from xwidgets.errors import at_least

from .canvas import Canvas

SUBJECT = 16
"""Owners on a canvas count in subjects (the bird, each person) of up to 15 parts: the owner of
part p (from 1) of subject s (from 0) is `SUBJECT * s + p`."""


class Point(NamedTuple):
    """Location of a part: column x and row y of one of its pixels; (0, 0) if not visible."""

    x: int
    y: int
    visible: bool


class Record(Protocol):
    """Protocol of the parameters of one drawing, as of `BirdRecord` and `StreetRecord`."""

    @property
    def seed(self) -> int:
        """Seed that the parameters were drawn from."""

    @property
    def removed(self) -> tuple[str, ...]:
        """Parts that are left out."""

    @property
    def label(self) -> int:
        """Index of the class."""

    @property
    def name(self) -> str:
        """Name of the class."""

    @property
    def part_names(self) -> tuple[str, ...]:
        """Parts of a subject, in the order of their numbers on the canvas, from 1."""

    @property
    def removable(self) -> tuple[str, ...]:
        """Parts that can still be removed."""

    def removing(self, *parts: str) -> Self:
        """Copy with these parts left out too."""

    def paint(self, size: int) -> Canvas:
        """Paint the record on a canvas for a picture of size x size pixels."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Drawn picture with its ground truth.

    Attributes:
        image: float32 (3, H, W) in [0, 1].
        label: index of the class; `name` is its name.
        parts: by name of a part, a point in it, on the largest subject where there are several.
        masks: by name of a part, bool (H, W), true where it is visible; a pixel on the edge between
            two parts is in both.
        boxes: one around the visible pixels of each subject (the bird, each person), nearest last.
        record: parameters of the drawing; equal records draw equal scenes.

    Example:
        >>> from xwidgets.images import scenes
        >>> scene = scenes.bird(seed=3)
        >>> scene
        <Scene 64 x 64: Dune finch (ruby breast)>
        >>> changed = (scene.image != scene.without("beak").image).any(0).numpy()
        >>> bool((changed <= scene.masks["beak"]).all())
        True
    """

    image: torch.Tensor
    label: int
    name: str
    parts: dict[str, Point]
    masks: dict[str, NDArray[np.bool_]]
    boxes: list[Box]
    record: Record

    def __repr__(self) -> str:
        height, width = self.image.shape[1:]
        return f"<Scene {height} x {width}: {self.name}>"

    @classmethod
    def draw(cls, record: Record, size: int) -> Self:
        """Draw a record as a scene of size x size pixels.

        Raises:
            ValueError: the size is not positive.
        """
        check_size(size)
        canvas = record.paint(size)
        picture = torch.from_numpy(canvas.picture(record.seed))
        owners = canvas.owners()
        subjects, numbers = np.divmod(owners, SUBJECT)
        masks = {
            part: (numbers == number).any(2) for number, part in enumerate(record.part_names, 1)
        }
        counts = np.bincount(owners.ravel(), minlength=256).reshape(-1, SUBJECT)
        points = {
            part: _point((owners == SUBJECT * counts[:, number].argmax() + number).any(2))
            for number, part in enumerate(record.part_names, 1)
        }
        present = np.flatnonzero(counts[:, 1:].sum(1))
        shown = (((subjects == subject) & (numbers > 0)).any(2) for subject in present)
        return cls(
            image=picture.permute(2, 0, 1).float() / 255,
            label=record.label,
            name=record.name,
            parts=points,
            masks=masks,
            boxes=[box for mask in shown if (box := Box.around(mask)) is not None],
            record=record,
        )

    @property
    def removable(self) -> tuple[str, ...]:
        """Parts that `without` can remove."""
        return self.record.removable

    def without(self, *parts: str) -> Self:
        """Draw the scene again without some of its parts.

        Args:
            parts: names from `removable`.

        Returns:
            The scene of the same record without the parts; only pixels in their masks differ.

        Raises:
            ValueError: a part is unknown, not in the picture, or part of the body's outline.
        """
        for part in parts:
            if part not in self.removable:
                raise ValueError(
                    f"the part {part!r} cannot be removed from this scene; "
                    f"removable: {', '.join(self.removable) or 'none'}"
                )
        return type(self).draw(self.record.removing(*parts), self.image.shape[-1])


def check_size(size: int) -> None:
    """Check that a picture can have this size."""
    at_least("size", size, 1)


def _point(mask: NDArray[np.bool_]) -> Point:
    rows, columns = mask.nonzero()
    if not len(rows):
        return Point(0, 0, False)
    distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = distance.argmin()
    return Point(int(columns[nearest]), int(rows[nearest]), True)
