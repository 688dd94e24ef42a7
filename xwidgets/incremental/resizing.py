"""Maps in another size: each row and each column a weighted mean of some of the rows and columns.

Whatever the mode, a resizing is X -> R X C with matrices of weights that belong to the two sizes. A
box of X reaches the rows of the result in which R is not zero for any of its rows, and so for
columns; of R and C, it is multiplied with the parts that lie there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .boxes import Overhang, Places
from .extent import Extent, Span
from .layout import Layout
from .rule import DifferenceRule, Source


class Resizing(DifferenceRule):
    """Nearest neighbours, bilinear and bicubic interpolation, with or without aligned corners.

    Args:
        x: the map.
        output: of the unchanged image.
        function: the operation, on any maps of that size.
    """

    def __init__(self, x: Source, output: Tensor, function: Callable[[Tensor], Tensor]) -> None:
        made = output.shape[2:]
        weights = [_weights(function, x, axis) for axis in (0, 1)]
        self.layout = Layout.usual(output.shape)
        reached = map(_reached, weights, x.extent, made)
        self.extent = Extent(*reached).settled()
        self.clean = True
        self._outside = None if x.clean else Overhang(x.extent)
        self._rows, self._columns = map(_parts, weights, self.extent, x.extent)
        high, wide = x.extent.rows.size, x.extent.columns.size
        self.workspace = (
            high * self.extent.rows.size
            + wide * self.extent.columns.size
            + x.channels * high * (wide + 2 * self.extent.columns.size)
        )

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """R D C, of the parts of R and C that lie in the boxes."""
        if self._outside:
            self._outside.wipe(places, boxes[0])
        rows, columns = (
            parts[at.to(parts.device)]
            for parts, at in zip((self._rows, self._columns), places, strict=True)
        )
        cells = boxes[0].permute(0, 3, 2, 1)
        wide = torch.bmm(columns, cells.flatten(2)).unflatten(2, cells.shape[2:]).transpose(1, 2)
        result: Tensor = torch.bmm(rows, wide.flatten(2)).unflatten(2, wide.shape[2:])
        return result.permute(0, 3, 1, 2)


def _weights(function: Callable[[Tensor], Tensor], x: Source, axis: int) -> Tensor:
    """Matrix R or C, ``(cells of the result, cells of the map)``: what becomes of single cells."""
    cells = torch.eye(x.size[axis]).to(x.base)
    spread = cells[None, :, :, None] if axis == 0 else cells[None, :, None]
    size = -1, -1, *x.size
    parts = [function(part.expand(size)) for part in spread.split(_AT_ONCE, 1)]
    return torch.cat([part.select(3 - axis, 0)[0] for part in parts]).T


_AT_ONCE = 8  # cells that are followed at a time, each in a map of its own


def _reached(weights: Tensor, span: Span, length: int) -> Span:
    """The cells of the result that any of the places reaches."""
    reaching = (weights != 0).cpu()
    first, last = torch.zeros_like(span.first), torch.zeros_like(span.last)
    for place, (low, high) in enumerate(zip(span.first.tolist(), span.last.tolist(), strict=True)):
        cells = reaching[:, max(low, 0) : high + 1].any(1).nonzero()[:, 0]
        if len(cells):
            first[place], last[place] = cells[0], cells[-1]
    return Span(first, last, length)


def _parts(weights: Tensor, target: Span, source: Span) -> Tensor:
    """``(places, size, size)``: the weights in each box of the result of those in each box."""
    parts = weights.new_zeros(len(source.first), target.size, source.size)
    cells = zip(target.first.tolist(), source.first.tolist(), strict=True)
    for part, (to, start) in zip(parts, cells, strict=True):
        low, high = max(start, 0), min(start + source.size, source.length)
        if high > low:
            inside = weights[to : to + target.size, low:high]
            part[: len(inside), low - start : high - start] = inside
    return parts
