"""Where an activation map can have changed when a window of the image did.

For every place of the window along an axis, the cells from ``first`` to ``last`` can have changed.
A window operation with a (dilated) kernel of ``reach`` cells, a stride s and a padding p reads, for
its cell y, the cells y s - p ... y s - p + reach - 1, so that

    first' = ceil((first + p - reach + 1) / s),    last' = floor((last + p) / s).

Differences are carried in boxes of one size for all places, so that windows of any place share a
batch. A box may stick out of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.modules.utils import _pair

_SHARE = 0.8  # of a map; a box that is larger becomes the whole map


@dataclass(frozen=True, eq=False)
class Span:
    """An extent along one axis.

    Attributes:
        first, last: ``(places,)``, the first and last cell that can have changed.
        length: of the map.

    Example:
        >>> pixels = Span.of_windows(window=2, length=6)
        >>> pixels.through(Sliding(reach=3, stride=1, padding=1), 6).first
        tensor([-1,  0,  1,  2,  3])
    """

    first: Tensor
    last: Tensor
    length: int

    @classmethod
    def of_windows(cls, window: int, length: int) -> Span:
        """The windows of ``window`` pixels themselves, one at each place."""
        first = torch.arange(length - window + 1)
        return cls(first, first + window - 1, length)

    @cached_property
    def size(self) -> int:
        """Size of a box that holds any of the places."""
        return int((self.last - self.first).max()) + 1

    @cached_property
    def whole(self) -> bool:
        """Whether the box is the map."""
        return self.size == self.length and not self.first.any()

    def all(self, length: int) -> Span:
        """All cells of a map, at every place."""
        first = torch.zeros_like(self.first)
        return Span(first, first + length - 1, length)

    def through(self, sliding: Sliding, length: int) -> Span:
        """Places that change in a map of ``length`` behind a window operation."""
        reach, stride, padding = sliding
        first = -((reach - 1 - padding - self.first) // stride)
        return Span(first, ((self.last + padding) // stride).maximum(first), length)

    def through_transposed(self, sliding: Sliding, length: int) -> Span:
        """Places that change in a map of ``length`` behind a transposed window operation."""
        reach, stride, padding = sliding
        first, last = (cells * stride - padding for cells in (self.first, self.last))
        return Span(first, last + reach - 1, length)

    def moved(self, by: int, length: int) -> Span:
        """The same in a map of ``length`` in which all cells lie ``by`` further on."""
        return Span(self.first + by, self.last + by, length)

    def joined(self, other: Span) -> Span:
        """Places that change where two maps are added or laid side by side."""
        first, last = self.first.minimum(other.first), self.last.maximum(other.last)
        return Span(first, last, self.length)


class Sliding(NamedTuple):
    """A window operation along one axis.

    Attributes:
        reach: how many cells the dilated kernel spans.
        stride: how far apart its cells are.
        padding: how many cells are added in front of the map.
    """

    reach: int
    stride: int
    padding: int


class Extent(NamedTuple):
    """An extent along both axes."""

    rows: Span
    columns: Span

    @classmethod
    def of_windows(cls, window: int | tuple[int, int], size: Sequence[int]) -> Extent:
        """The windows of ``window`` cells (a side, or height and width) in maps of ``size``."""
        return cls(*map(Span.of_windows, _pair(window), size))

    @property
    def whole(self) -> bool:
        """Whether the box is the map."""
        return self.rows.whole and self.columns.whole

    @property
    def area(self) -> int:
        """Cells of a box."""
        return self.rows.size * self.columns.size

    def settled(self) -> Extent:
        """The whole map where a box would be nearly as large."""
        size = self.rows.length, self.columns.length
        return self.all(size) if self.area >= _SHARE * size[0] * size[1] else self

    def all(self, size: Sequence[int]) -> Extent:
        """The whole of maps of ``size`` (H, W)."""
        return Extent(self.rows.all(size[0]), self.columns.all(size[1]))

    def through(self, slidings: Sequence[Sliding], size: Sequence[int]) -> Extent:
        """Places that change in maps of ``size`` (H, W) behind a window operation."""
        if self.whole:
            return self.all(size)
        return Extent(*map(Span.through, self, slidings, size)).settled()

    def through_transposed(self, slidings: Sequence[Sliding], size: Sequence[int]) -> Extent:
        """Places that change in maps of ``size`` (H, W) behind a transposed window operation."""
        if self.whole:
            return self.all(size)
        return Extent(*map(Span.through_transposed, self, slidings, size)).settled()

    def joined(self, other: Extent) -> Extent:
        """Places that change where two maps are added or laid side by side."""
        if self.whole or other.whole:
            return self.all((self.rows.length, self.columns.length))
        return Extent(self.rows.joined(other.rows), self.columns.joined(other.columns)).settled()

    def same(self, other: Extent) -> bool:
        """Whether the boxes are the same at every place."""
        return all(
            one.size == two.size and torch.equal(one.first, two.first)
            for one, two in zip(self, other, strict=True)
        )
