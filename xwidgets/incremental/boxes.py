"""Boxes of activations, one a window: cut out of a base map, or laid into larger boxes.

Boxes are tensors ``(n, C, h, w)`` whose channels lie together in memory (`channels_last`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from .extent import Extent, Span


class Places(NamedTuple):
    """Where the windows of a batch are.

    Attributes:
        rows, columns: ``(n,)``, on the CPU.
    """

    rows: Tensor
    columns: Tensor

    @property
    def order(self) -> Tensor:
        """``(n,)``: by phase at strides of 2, 4, 8 ..., so that windows alike stand together."""
        key = torch.zeros_like(self.rows)
        for bit in range(16):
            for place in self:
                key = key * 2 + (place >> bit & 1)
        return key.argsort(stable=True)


def new_boxes(count: int, channels: int, height: int, width: int, like: Tensor) -> Tensor:
    """Memory for boxes ``(count, channels, height, width)``, with nothing in it yet."""
    return like.new_empty(count, height, width, channels).permute(0, 3, 1, 2)


class BaseCrops:
    """Boxes cut out of one map, which goes on outside with ``fill``, or as it is at its border.

    Args:
        map: ``(1, C, H, W)``.
        extent: where the boxes lie.
        fill: the value outside; ``None`` for that of the nearest cell.

    Attributes:
        shared: whether all windows get the whole map ``(1, C, H, W)``, which must not be changed.
    """

    def __init__(self, map: Tensor, extent: Extent, fill: float | None) -> None:
        self.shared = extent.whole
        if extent.whole:
            self._whole = map.contiguous(memory_format=torch.channels_last)
            return
        rows, columns = extent
        top, bottom = _margins(rows)
        left, right = _margins(columns)
        inside = map[0, :, max(0, -top) :, max(0, -left) :]
        sides = max(0, left), max(0, right), max(0, top), max(0, bottom)
        if fill is None:
            cells = pad(inside, sides, "replicate").permute(1, 2, 0).contiguous()
        else:
            cells = pad(inside.permute(1, 2, 0), (0, 0, *sides), value=fill).contiguous()
        self._cut = cells.unfold(0, rows.size, 1).unfold(1, columns.size, 1).permute(0, 1, 3, 4, 2)
        self._top, self._left = (
            (rows.first + top).to(map.device),
            (columns.first + left).to(map.device),
        )

    def at(self, places: Places) -> Tensor:
        """``(n, C, h, w)``, or the whole map ``(1, C, H, W)``."""
        if self.shared:
            return self._whole
        top = self._top[places.rows.to(self._top.device)]
        left = self._left[places.columns.to(self._left.device)]
        return self._cut[top, left].permute(0, 3, 1, 2)


def _margins(span: Span) -> tuple[int, int]:
    """How many cells the boxes need before and behind the map; before, negative ones are cut."""
    return -int(span.first.min()), int(span.first.max()) + span.size - span.length


class Placement:
    """How boxes lie in other boxes of the same map.

    What lies outside of the other boxes is left out, and what lies outside of the map.

    Args:
        source: where the boxes lie.
        target: where the others lie.
        clean: whether it does no harm to take what lies outside of the map, as it is zero. Then
            more of a batch lies alike, and is done at once.

    Attributes:
        size: height and width of the others.
        same: whether both lie alike.
    """

    def __init__(self, source: Extent, target: Extent, clean: bool = False) -> None:
        self.same = source.same(target)
        self.size = target.rows.size, target.columns.size
        self._rows = _overlap(source.rows, target.rows, clean)
        self._columns = _overlap(source.columns, target.columns, clean)

    def into(self, places: Places, boxes: Tensor) -> Tensor:
        """The boxes with zeros around them."""
        target = new_boxes(len(boxes), boxes.shape[1], *self.size, like=boxes)
        self.fill(places, boxes, target)
        return target

    def fill(self, places: Places, boxes: Tensor, target: Tensor) -> None:
        """Write the boxes into ``target``, with zeros around them."""
        target.zero_()
        for there, here in self._pieces(places):
            target[there] = boxes[here]

    def add(self, places: Places, boxes: Tensor, target: Tensor, factor: float = 1) -> None:
        """Add ``factor`` times the boxes to what is in ``target``."""
        for there, here in self._pieces(places):
            target[there].add_(boxes[here], alpha=factor)

    def _pieces(self, places: Places) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
        """Neighbours in a batch that lie alike go together."""
        cuts = torch.cat([self._rows[places.rows], self._columns[places.columns]], 1).tolist()
        start = 0
        for (row, top, bottom, column, left, right), alike in groupby(cuts):
            stop = start + sum(1 for _ in alike)
            if bottom > top and right > left:
                which, channels = slice(start, stop), slice(None)
                there = (
                    which,
                    channels,
                    slice(row, row + bottom - top),
                    slice(column, column + right - left),
                )
                yield there, (which, channels, slice(top, bottom), slice(left, right))
            start = stop


class Overhang:
    """Parts of boxes that lie outside of the map."""

    def __init__(self, extent: Extent) -> None:
        self._rows, self._columns = map(_inside, extent)

    def wipe(self, places: Places, boxes: Tensor) -> None:
        """Make it zero; it is finite."""
        rows, columns = self._rows[places.rows], self._columns[places.columns]
        if not (rows.all() and columns.all()):
            boxes.mul_((rows[:, None, :, None] & columns[:, None, None, :]).to(boxes))


def _inside(span: Span) -> Tensor:
    """``(places, size)``: which cells of a box lie in the map."""
    cells = span.first[:, None] + torch.arange(span.size)
    return (cells >= 0) & (cells < span.length)


def _overlap(source: Span, target: Span, clean: bool) -> Tensor:
    """``(places, 3)``: where in the target it begins, and which part of the source lies in it."""
    begin = target.first - source.first
    low, high = begin.clamp_min(0), (begin + target.size).clamp_max(source.size)
    if not clean:
        low, high = low.maximum(-source.first), high.minimum(source.length - source.first)
    return torch.stack([low - begin, low, high], 1)
