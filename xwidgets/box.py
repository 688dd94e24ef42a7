"""Rectangles of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """Rectangle of pixels; bottom and right are exclusive.

    Example:
        >>> Box(2, 1, 9, 5).height
        7
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices that cut the box out of an array ``(H, W, ...)``."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def is_in(self, size: tuple[int, ...]) -> bool:
        """Whether it has pixels, all of them in a picture of this ``(height, width)``.

        Example:
            >>> Box(2, 1, 9, 5).is_in((9, 9)), Box(2, 1, 9, 5).is_in((8, 9))
            (True, False)
        """
        height, width = size
        return 0 <= self.top < self.bottom <= height and 0 <= self.left < self.right <= width

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0 to 1; 0 where both are empty.

        Example:
            >>> Box(0, 0, 2, 4).overlap(Box(0, 2, 2, 6))
            0.3333333333333333
        """
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        width = min(self.right, other.right) - max(self.left, other.left)
        common = max(0, height) * max(0, width)
        union = self.height * self.width + other.height * other.width - common
        return common / union if union else 0.0

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Box | None:
        """Bounding box of the true pixels of a mask ``(H, W)``; ``None`` when there are none.

        Example:
            >>> Box.around(np.eye(3, dtype=bool))
            Box(top=0, left=0, bottom=3, right=3)
        """
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            return None
        return cls(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
