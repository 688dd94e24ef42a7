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
