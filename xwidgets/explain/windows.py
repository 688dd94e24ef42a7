"""Where windows sit in an image, the order they are visited in, and their mean at each pixel."""

from collections.abc import Iterator

import torch
from torch import Tensor


class WindowGrid:
    """All windows of one size in an image, ``stride`` pixels apart.

    The last window of a row or column ends at the border, so every pixel is covered.

    Args:
        height, width: of the image, in pixels.
        window: side of a window, in pixels.
        stride: distance of neighbouring windows, at most ``window``.

    Attributes:
        corners: ``(n, 2)``, upper left corners as (y, x), row by row.
    """

    def __init__(self, height: int, width: int, window: int, stride: int) -> None:
        self.window = window
        self._rows, self._columns = height - window + 1, width - window + 1
        rows, columns = _places(self._rows, stride), _places(self._columns, stride)
        self.corners = torch.cartesian_prod(rows, columns).view(-1, 2)
        step = window // stride
        self._cover = torch.cartesian_prod(
            _places(len(rows), step), _places(len(columns), step)
        ).view(-1, 2) @ torch.tensor([len(columns), 1])

    def __len__(self) -> int:
        return len(self.corners)

    def sweeps(self, samples: int, seed: int) -> Iterator[tuple[int, Tensor]]:
        """The order of the work: the number of a sample, and the windows that draw it.

        First windows that just cover the picture, then the others, then all of them again for every
        further sample; shuffled within a sweep, so that any part of it is spread over the picture.
        """
        order = torch.Generator().manual_seed(seed)
        covering = torch.zeros(len(self), dtype=torch.bool)
        covering[self._cover] = True
        for sample in range(samples):
            parts = (covering, ~covering) if sample == 0 else (torch.ones_like(covering),)
            for part in parts:
                windows = part.nonzero()[:, 0]
                if len(windows):
                    yield sample, windows[torch.randperm(len(windows), generator=order)]

    def spread(self, values: Tensor) -> Tensor:
        """At each pixel, the mean of ``values`` ``(n,)`` over the windows that it lies in.

        Windows whose value is NaN count as not there; a pixel without any is NaN.
        """
        known = values.isfinite()
        count = self.covering(known)
        total = self._sums(torch.where(known, values.double(), 0))
        return torch.where(count > 0, total / count, torch.nan)

    def covering(self, windows: Tensor) -> Tensor:
        """At each pixel, how many of some ``windows``, ``(n,)`` of booleans, it lies in."""
        return self._sums(windows.double()).round()

    def _sums(self, values: Tensor) -> Tensor:
        # A window adds its value at its corner and takes it back behind its edges; running sums
        # along both axes then hold, at each pixel, the sum over the windows around it.
        rows, columns = self.corners.T
        k = self.window
        steps = torch.zeros(self._rows + k, self._columns + k, dtype=torch.float64)
        for down, right, sign in ((0, 0, 1), (k, 0, -1), (0, k, -1), (k, k, 1)):
            steps[rows + down, columns + right] += sign * values
        return steps.cumsum(0).cumsum(1)[:-1, :-1]


def _places(count: int, step: int) -> Tensor:
    """0, step, 2 step ... and the last of ``count`` places."""
    return torch.tensor(sorted({*range(0, count, step), count - 1}))
