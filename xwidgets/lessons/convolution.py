"""Convolution in one dimension as a matrix W, its transpose and its pseudo-inverse.

Row i of W holds the filter at the place where window i begins, column s i of the padded signal, and
zeros elsewhere: W x lists the windows' dot products. The first weight other than zero stands in
another column in each row, further right from row to row, so that the rows are independent, W Wᵀ
can be inverted, and the pseudo-inverse is Wᵀ (W Wᵀ)⁻¹.

Wᵀ y adds the filter, times y_i, at the place of each window. The same sum is a convolution of
stride 1 with the flipped filter, once y has s - 1 zeros between its values and f - 1 at both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from xwidgets.errors import WrongType, at_least, shown

Numbers = NDArray[np.float64]

TOLERANCE = 1e-9
"""Largest share of the factor c by which W Wᵀ may differ from c I and still be called that."""


class SubPixelSteps(NamedTuple):
    """Transposed convolution as a convolution of stride 1, step by step.

    Attributes:
        outputs: y, ``(n_y,)``, of which the signal is to be made.
        spread: y with s - 1 zeros between its values.
        bordered: with f - 1 zeros at each end, and at the right end one more for each number of the
            padded signal that no window reads.
        flipped: the filter from its last weight to its first.
        signal: dot products of ``flipped`` with every window of ``bordered``; equals Wᵀ y,
            ``(n + 2 p,)``.
        cropped: without the padding, ``(n,)``.
    """

    outputs: Numbers
    spread: Numbers
    bordered: Numbers
    flipped: Numbers
    signal: Numbers
    cropped: Numbers


@dataclass(frozen=True)
class Convolution1d:
    """Convolution of a signal by a filter, as networks compute it: without flipping the filter.

    Args:
        filter: f weights, not all of them 0.
        stride: s, how far the window moves from an output to the next.
        padding: p, zeros put at each end of the signal, at most f - 1.

    Raises:
        ValueError: for a filter without weights, with weights that are no finite numbers or all 0,
            for a stride below 1, or a padding of f or more.

    Example:
        >>> edges = Convolution1d((-1, 0, 0, 1), stride=2, padding=2)
        >>> edges.matrix(8).shape, edges.row_scale(8)
        ((5, 12), 2.0)
        >>> edges.convolve([1, 1, 1, 1, 0, 0, 0, 0])
        array([ 1.,  0., -1.,  0.,  0.])
    """

    filter: tuple[float, ...]
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "filter", _finite("filter", self.filter))
        if not any(self.filter):
            raise ValueError(
                "filter has zeros only, and nothing of the signal would be left; give it a weight "
                "other than 0"
            )
        at_least("stride", self.stride, 1)
        most = len(self.filter) - 1
        whole = isinstance(self.padding, Integral) and not isinstance(self.padding, bool)
        if not whole or not 0 <= self.padding <= most:
            raise (ValueError if whole else WrongType)(
                f"padding is {shown(self.padding)}, but must be a whole number from 0 to {most}, "
                "one less than the filter has weights: a window would hold nothing but padding"
            )

    def outputs(self, length: int) -> int:
        """Number of outputs n_y = ⌊(n + 2 p - f) / s⌋ + 1 of a signal of n = ``length`` numbers.

        Raises:
            ValueError: when the padded signal is shorter than the filter.
        """
        at_least("length", length, 1)
        padded = length + 2 * self.padding
        if len(self.filter) > padded:
            raise ValueError(
                f"the filter has {len(self.filter)} weights, but the signal only {padded} numbers "
                "with its padding; give a longer signal, more padding or a shorter filter"
            )
        return (padded - len(self.filter)) // self.stride + 1

    def padded(self, signal: ArrayLike) -> Numbers:
        """Signal ``(n,)`` with the padding, ``(n + 2 p,)``."""
        return np.pad(_vector("signal", signal), self.padding)

    def convolve(self, signal: ArrayLike) -> Numbers:
        """Dot product of the filter with each window of the padded signal, ``(n_y,)``."""
        values = self.padded(signal)
        self.outputs(len(values) - 2 * self.padding)
        return sliding_window_view(values, len(self.filter))[:: self.stride] @ self.filter

    def matrix(self, length: int) -> Numbers:
        """Matrix W ``(n_y, n + 2 p)`` with ``convolve(x) == W @ padded(x)``."""
        matrix = np.zeros((self.outputs(length), length + 2 * self.padding))
        for row, values in enumerate(matrix):
            values[row * self.stride :][: len(self.filter)] = self.filter
        return matrix

    def gram(self, length: int) -> Numbers:
        """Dot products of every two rows, W Wᵀ ``(n_y, n_y)``."""
        matrix = self.matrix(length)
        return matrix @ matrix.T

    def row_scale(self, length: int) -> float | None:
        """The c with W Wᵀ = c I, where there is one: then, and only then, W⁺ = Wᵀ / c."""
        gram = self.gram(length)
        scale = float(gram[0, 0])
        multiple = np.abs(gram - scale * np.eye(len(gram))).max() <= TOLERANCE * scale
        return scale if multiple else None

    def pseudo_inverse(self, length: int) -> Numbers:
        """W⁺ = Wᵀ (W Wᵀ)⁻¹, ``(n + 2 p, n_y)``; W⁺ y is the shortest of all x with W x = y."""
        pseudo_inverse: Numbers = np.linalg.pinv(self.matrix(length)).astype(float)
        return pseudo_inverse

    def sub_pixel(self, outputs: ArrayLike, length: int) -> SubPixelSteps:
        """Wᵀ y by a convolution of stride 1.

        Args:
            outputs: y, ``(n_y,)``.
            length: n, of the signal.

        Raises:
            ValueError: when the signal has not as many outputs.

        Example:
            >>> edges = Convolution1d((-1, 0, 0, 1), stride=2, padding=2)
            >>> steps = edges.sub_pixel([1, 2, 3, 4, 5], 8)
            >>> steps.spread
            array([1., 0., 2., 0., 3., 0., 4., 0., 5.])
            >>> bool((steps.signal == edges.matrix(8).T @ steps.outputs).all())
            True
        """
        values, count = _vector("outputs", outputs), self.outputs(length)
        if len(values) != count:
            raise ValueError(
                f"there are {len(values)} outputs, but a signal of {length} numbers has {count}; "
                "give as many"
            )
        border = len(self.filter) - 1
        spread = np.zeros((count - 1) * self.stride + 1)
        spread[:: self.stride] = values
        flipped = np.array(self.filter[::-1])
        total = length + 2 * self.padding
        unread = total - (len(spread) + border)
        bordered = np.pad(spread, (border, border + unread))
        signal = sliding_window_view(bordered, len(flipped)) @ flipped
        cropped = signal[self.padding : self.padding + length]
        return SubPixelSteps(values, spread, bordered, flipped, signal, cropped)


def _finite(name: str, values: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(np.ravel(np.array(values, dtype=object)).tolist())
    if not numbers or not all(map(_is_finite, numbers)):
        raise ValueError(f"{name} is {shown(values)}, but must be one finite number or more")
    return tuple(map(float, numbers))


def _vector(name: str, values: ArrayLike) -> Numbers:
    return np.array(_finite(name, np.asarray(values)))  # type: ignore[arg-type]


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
