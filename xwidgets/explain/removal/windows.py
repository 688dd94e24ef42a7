"""Grids of windows over an image: their corners, order of visits, and means at each pixel."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.utils import _pair
from torch.quasirandom import SobolEngine


def check_windows(window: int | tuple[int, int], stride: int, size: Sequence[int]) -> None:
    """Check that windows fit into an image of ``size`` (H, W) and cover it.

    Example:
        >>> check_windows(9, 1, (8, 8))
        Traceback (most recent call last):
        ValueError: window 9 is larger than the image of 8 x 8 pixels; use a window of at most 8
    """
    sides: tuple[int, int] = _pair(window)
    height, width = size
    if sides[0] > height or sides[1] > width:
        most = f"{min(height, width)}" if isinstance(window, int) else f"({height}, {width})"
        raise ValueError(
            f"window {window} is larger than the image of {height} x {width} pixels; "
            f"use a window of at most {most}"
        )
    if stride > min(sides):
        raise ValueError(
            f"stride {stride} is larger than window {window} and would leave pixels unseen; "
            f"use a stride of at most {min(sides)}"
        )


def qualities(
    window: int | tuple[int, int], **others: tuple[int, int, int]
) -> dict[str, dict[str, int]]:
    """Parameters of a quick, a normal and a fine map: every fourth, second, and each window.

    Args:
        window: side in pixels, or height and width, which the distance of windows does not exceed.
        **others: further parameters, for each of the three.

    Example:
        >>> qualities(3, samples=(2, 10, 20))["quick"]
        {'stride': 3, 'samples': 2}
    """
    strides = (min(stride, *_pair(window)) for stride in (4, 2, 1))
    names = ("quick", "normal", "fine")
    return {
        name: {"stride": stride} | {other: values[place] for other, values in others.items()}
        for place, (name, stride) in enumerate(zip(names, strides, strict=True))
    }


_POINTS = 2**14  # of a sequence at a time
_PIXEL, _WINDOW = 100, 40  # bytes
_MAP = 8  # bytes of a pixel for each node: its value and standard error


class WindowGrid:
    """Windows of one size in an image, ``stride`` pixels apart.

    The last window of a row or column ends at the border, so every pixel is covered.

    Args:
        height, width: of the image, in pixels.
        window: side of a window in pixels, or its height and width.
        stride: distance of neighbouring windows, at most the shorter side.

    Attributes:
        corners: ``(n, 2)``, upper left corners as (y, x), row by row.
        shape: rows and columns of windows.
        cover: numbers of windows that just cover the picture.
    """

    def __init__(self, height: int, width: int, window: int | tuple[int, int], stride: int) -> None:
        self.window: tuple[int, int] = _pair(window)
        self._rows, self._columns = (
            length - side + 1 for length, side in zip((height, width), self.window, strict=True)
        )
        rows, columns = _places(self._rows, stride), _places(self._columns, stride)
        self.corners = torch.cartesian_prod(rows, columns).view(-1, 2)
        self.shape = len(rows), len(columns)
        cover = (
            _places(len(places), side // stride)
            for places, side in zip((rows, columns), self.window, strict=True)
        )
        self.cover = torch.cartesian_prod(*cover).view(-1, 2) @ torch.tensor([len(columns), 1])

    def __len__(self) -> int:
        return len(self.corners)

    def map_bytes(self, nodes: int) -> int:
        """Bytes that maps of some nodes take while they are made, and the moments behind them."""
        height: int = self._rows + self.window[0] - 1
        width: int = self._columns + self.window[1] - 1
        return (_PIXEL + _MAP * nodes) * height * width + _WINDOW * len(self) * (1 + nodes)

    def sweeps(self, samples: int, seed: int) -> Iterator[tuple[int, Tensor]]:
        """Order of the work: the number of a sample, and the windows that are filled with it.

        First windows that just cover the picture, those at its border last, then the others, then
        all of them for every further sample, each time in an :meth:`order` of its own.
        """
        random = torch.Generator().manual_seed(seed)
        cover = self.cover[torch.randperm(len(self.cover), generator=random)]
        corners, last = self.corners[cover], self.corners[-1]
        at_border = ((corners == 0) | (corners == last)).any(1)
        yield 0, torch.cat([cover[~at_border], cover[at_border]])
        for sample in range(samples):
            order = self.order(random)
            yield sample, order if sample else order[~torch.isin(order, self.cover)]

    def order(self, random: torch.Generator) -> Tensor:
        """All windows ``(n,)`` in a random order whose first parts are spread over the picture.

        They are in the order in which the points of a scrambled Sobol sequence first meet them.

        Example:
            >>> WindowGrid(4, 4, window=1, stride=1).order(torch.Generator().manual_seed(0))[:4]
            tensor([ 4, 15,  9,  2])
        """
        seed = int(torch.randint(2**31, (), generator=random))
        sequence = SobolEngine(2, scramble=True, seed=seed)
        rows, columns = self.shape
        left, order = torch.ones(len(self), dtype=torch.bool), []
        while left.any():
            points = sequence.draw(_POINTS, dtype=torch.float64)
            row, column = (points * torch.tensor([rows, columns])).long().T
            windows = row * columns + column
            first = np.unique(windows.numpy(), return_index=True)[1]
            windows = windows[np.sort(first)]
            order.append(windows[left[windows]])
            left[windows] = False
        return torch.cat(order)

    def spread(self, values: Tensor) -> Tensor:
        """Mean of window values ``(n,)`` at each pixel, over the windows that contain it.

        Windows whose value is NaN are left out; a pixel without windows is NaN.
        """
        known = values.isfinite()
        count = self.covering(known)
        total = self.total(torch.where(known, values.double(), 0))
        return torch.where(count > 0, total / count, torch.nan)

    def covering(self, windows: Tensor) -> Tensor:
        """Number of windows, of those true in ``windows`` ``(n,)``, that contain each pixel."""
        return self.total(windows.double())

    @property
    def weights(self) -> Tensor:
        """``(n,)``, of the windows' variances in the sum of the variances of all pixels."""
        cover = self.covering(torch.ones(len(self), dtype=torch.bool))
        rows, columns = self.corners.T
        return _sums(_sums(cover**-2, self.window[0]).T, self.window[1]).T[rows, columns]

    def total(self, values: Tensor) -> Tensor:
        """Sum of window values ``(n,)`` at each pixel, over the windows that contain it."""
        top, left = (side - 1 for side in self.window)
        corners = torch.zeros(self._rows + 2 * top, self._columns + 2 * left, dtype=torch.float64)
        rows, columns = self.corners.T
        corners[rows + top, columns + left] = values.double()
        return _sums(_sums(corners, self.window[0]).T, self.window[1]).T


def _sums(values: Tensor, count: int) -> Tensor:
    """Sums of ``count`` consecutive rows, of sums of 1, 2, 4 ... rows.

    Nothing is subtracted, as it is from running sums: values may differ by many orders.
    """
    height = len(values) - count + 1
    total, rows, added = torch.zeros_like(values[:height]), 1, 0
    while added < count:
        if count & rows:
            total, added = total + values[added : added + height], added + rows
        values, rows = values[:-rows] + values[rows:], 2 * rows
    return total


def _places(count: int, step: int) -> Tensor:
    """0, step, 2 step ... and the last of ``count`` places."""
    return torch.tensor(sorted({*range(0, count, step), count - 1}))
