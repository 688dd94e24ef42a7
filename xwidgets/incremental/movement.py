"""Operations that move values: channels of a map, its places, or all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .boxes import Overhang, Placement, Places, new_boxes
from .extent import Extent, Span
from .layout import Layout
from .rule import DifferenceRule, Source, whole_maps


class Channels(DifferenceRule):
    """Some of the channels, in some order.

    Args:
        x: where they come from.
        taken: ``(C',)``, which.
        layout: of the result.
    """

    def __init__(self, x: Source, taken: Tensor, layout: Layout) -> None:
        self.extent, self.clean, self.layout = x.extent, x.clean, layout
        self._first = int(taken[0])
        self._neighbours = torch.equal(taken, torch.arange(len(taken)) + self._first)
        self._groups = _shuffled(taken, x.channels)
        self._taken = taken.to(x.base.device)
        self._view = x.free and 2 * len(taken) >= x.channels  # which holds the whole box

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """A view of neighbours that nothing else needs, or a copy."""
        if self._neighbours:
            part = boxes[0].narrow(1, self._first, len(self._taken))
            return part if self._view else part.clone(memory_format=torch.channels_last)
        if self._groups:
            return F.channel_shuffle(boxes[0], self._groups)
        return boxes[0].permute(0, 2, 3, 1)[..., self._taken].permute(0, 3, 1, 2)


def _shuffled(taken: Tensor, channels: int) -> int:
    """Number of groups of a channel shuffle that takes these; 0 where it is none."""
    if len(taken) != channels or channels < 2 or taken[1] < 1 or channels % int(taken[1]):
        return 0
    groups = channels // int(taken[1])
    in_turn = torch.arange(channels).view(groups, -1).T.flatten()
    return groups if torch.equal(taken, in_turn) else 0


class Padding(DifferenceRule):
    """Constant cells around a map, or negative ones that are cut off it."""

    def __init__(self, x: Source, output: Tensor, top: int, left: int) -> None:
        rows, columns = x.extent
        height, width = output.shape[2:]
        moved = Extent(rows.moved(top, height), columns.moved(left, width))
        self.layout = Layout.usual(output.shape)
        self.extent = moved.settled()
        self._outside = Overhang(x.extent)
        self._place = Placement(moved, self.extent)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The boxes, which lie elsewhere in a map of another size."""
        self._outside.wipe(places, boxes[0])
        return self._place.into(places, boxes[0])


class Cell(DifferenceRule):
    """The units of all channels at one place of a map."""

    def __init__(self, x: Source, row: int, column: int) -> None:
        rows, columns = x.extent
        one = torch.ones_like(rows.first), torch.ones_like(columns.first)
        cell = Extent(
            Span(one[0] * row, one[0] * row, rows.length),
            Span(one[1] * column, one[1] * column, columns.length),
        )
        self.layout = Layout(x.layout.channels)
        self.extent = x.extent.all((1, 1))
        self._place = Placement(x.extent, cell)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero where the place is outside of the box."""
        return self._place.into(places, boxes[0])


class Spread(DifferenceRule):
    """The one place of a map, everywhere in a larger one."""

    def __init__(self, x: Source, output: Tensor) -> None:
        self.layout = Layout.usual(output.shape)
        self._size = output.shape[2:]
        self.extent = x.extent.all(self._size)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Copies of it."""
        spread = boxes[0].expand(-1, -1, *self._size)
        return spread.contiguous(memory_format=torch.channels_last)


class Whole(DifferenceRule):
    """A linear operation without bias that is done on whole values."""

    def __init__(self, x: Source, output: Tensor, function: Callable[[Tensor], Tensor]) -> None:
        self._before, self.layout = x.layout, Layout.usual(output.shape)
        self.extent = x.extent.all(self.layout.map(output).shape[2:])
        self._place = whole_maps(x)
        self._function = function
        self.workspace = x.base.numel()

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The operation on the whole differences."""
        x = self._place.into(places, boxes[0]) if self._place else boxes[0]
        return self.layout.map(self._function(self._before.value(x)))


class Concatenation(DifferenceRule):
    """Channels side by side, of which those of constant maps do not differ.

    Args:
        sources: the maps that differ.
        channels: of all maps.
        constant: which of them do not differ.
        layout: of the result.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        channels: Sequence[int],
        constant: Sequence[bool],
        layout: Layout,
    ) -> None:
        extent = sources[0].extent
        for x in sources[1:]:
            extent = extent.joined(x.extent)
        self.extent, self.layout = extent, layout
        self._channels, self._constant = list(channels), constant
        self._places = [Placement(x.extent, extent, x.clean) for x in sources]
        pairs = zip(sources, self._places, strict=True)
        self.clean = all(x.clean or not place.same for x, place in pairs)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """All in boxes that hold all."""
        size = self._places[0].size
        result = new_boxes(len(boxes[0]), sum(self._channels), *size, like=boxes[0])
        ahead = zip(self._places, boxes, strict=True)
        for part, constant in zip(result.split(self._channels, 1), self._constant, strict=True):
            if constant:
                part.zero_()
                continue
            place, x = next(ahead)
            if place.same:
                part.copy_(x)
            else:
                place.fill(places, x, part)
        return result
