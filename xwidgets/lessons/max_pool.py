"""Max pooling that keeps its switches, and unpooling by them.

The switch of an output is the place of the number that was the largest of its window. Unpooling
puts every output back to that place and leaves zeros elsewhere; where windows overlap and share a
largest number, what comes back is added, as in the transpose of the pooling. Pooled again, it gives
the same outputs if windows do not overlap and no output is negative: a zero would be larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from xwidgets.errors import WrongType, at_least, shown


class Pooled(NamedTuple):
    """Outputs of a max pool.

    Attributes:
        values: largest numbers, ``(h,)`` or ``(h, w)``.
        switches: where they stood, of the same shape: indices into the flattened input.
        shape: of the input.
    """

    values: NDArray[np.float64]
    switches: NDArray[np.int64]
    shape: tuple[int, ...]

    def unpool(self) -> NDArray[np.float64]:
        """Every value at its switch and zeros elsewhere, in the shape of the input.

        Example:
            >>> MaxPool(2)([3, 1, 2, 5]).unpool()
            array([3., 0., 0., 5.])
        """
        unpooled = np.zeros(self.shape)
        np.add.at(unpooled.ravel(), self.switches.ravel(), self.values.ravel())
        return unpooled


@dataclass(frozen=True)
class MaxPool:
    """Largest number of every window of a signal or of a map.

    Args:
        window: its side, at least 1.
        stride: how far it moves; 0 for as far as it is long, so that windows do not overlap.

    Raises:
        ValueError: for a window below 1 or a stride below 0.

    Example:
        >>> values, switches, _ = MaxPool(2)([[1, 2, 0, 0], [3, 0, 0, 9]])
        >>> values, switches
        (array([[3., 9.]]), array([[4, 7]]))
    """

    window: int = 2
    stride: int = 0

    def __post_init__(self) -> None:
        at_least("window", self.window, 1)
        at_least("stride", self.stride, 0)

    def __call__(self, values: ArrayLike) -> Pooled:
        """Pool a signal ``(n,)`` or a map ``(H, W)``; of equal numbers the first is taken.

        Raises:
            ValueError: for other shapes, for what is no finite number, or for less than a window.
        """
        try:
            numbers = np.asarray(values, float)
        except (TypeError, ValueError) as error:
            raise WrongType(
                f"values is {shown(values)}, but must be numbers (n,) or (H, W)"
            ) from error
        if numbers.ndim not in (1, 2) or min(numbers.shape) < self.window:
            raise ValueError(
                f"values have the shape {numbers.shape}, but must be (n,) or (H, W) and at least "
                f"{self.window} long, as the window is"
            )
        if not np.isfinite(numbers).all():
            raise ValueError("values hold NaN or infinity, but must be finite numbers")
        steps = (slice(None, None, self.stride or self.window),) * numbers.ndim
        shape = (self.window,) * numbers.ndim
        windows = sliding_window_view(numbers, shape)[steps]
        places = sliding_window_view(np.arange(numbers.size).reshape(numbers.shape), shape)[steps]
        pooled = np.zeros(windows.shape[: numbers.ndim])
        switches = np.zeros(pooled.shape, int)
        for place in product(*map(range, pooled.shape)):
            largest = windows[place].argmax()
            pooled[place] = windows[place].flat[largest]
            switches[place] = places[place].flat[largest]
        return Pooled(pooled, switches, numbers.shape)
