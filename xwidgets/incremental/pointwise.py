"""Functions of each value, or of the channels at each place.

For those, f(B + D) - f(B). One form of that keeps small differences exact:

    rectifier   max(B + D, 0) - max(B, 0) = max(D, -B) - max(-B, 0)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from torch import Tensor

from .boxes import BaseCrops, Overhang, Placement, Places
from .extent import Extent
from .layout import Layout
from .rule import DifferenceRule, Source, huge


class Identity(DifferenceRule):
    """Operation that adds a constant, scales by one number, or only hands on."""

    def __init__(self, x: Source, factor: float = 1, layout: Layout | None = None) -> None:
        self.extent, self.clean = x.extent, x.clean
        self.layout = layout or x.layout
        self._factor = factor
        self._free = x.free
        self.workspace = -x.numbers if x.free else 0

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The same boxes, which may be written over from here on."""
        boxed = boxes[0] if self._free else boxes[0].clone()
        return boxed if self._factor == 1 else boxed.mul_(self._factor)


class Scale(DifferenceRule):
    """A factor ``(1, C, 1, 1)`` a channel, as of a batch norm."""

    def __init__(self, x: Source, factor: Tensor) -> None:
        self.extent, self.clean, self.layout = x.extent, x.clean, x.layout
        self._factor = factor
        self._free = x.free
        self.workspace = -x.numbers if x.free else 0

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """D times the factor."""
        return boxes[0].mul_(self._factor) if self._free else boxes[0] * self._factor


class Rectifier(DifferenceRule):
    """max(B + D, 0) - max(B, 0) = max(D, -B) - max(-B, 0)."""

    def __init__(self, x: Source) -> None:
        self.extent, self.layout = x.extent, x.layout
        self._negative = BaseCrops(-x.map, x.extent, fill=huge(x.base))
        self._free = x.free
        self.workspace = (0 if x.extent.whole else x.numbers) - (x.numbers if x.free else 0)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero outside of the map, where -B is huge."""
        negative = self._negative.at(places)
        result = torch.maximum(boxes[0], negative, out=boxes[0] if self._free else None)
        return result.sub_(negative.relu() if self._negative.shared else negative.relu_())


class Pointwise(DifferenceRule):
    """f(B + D) - f(B) for an f that keeps every place to itself.

    Args:
        sources: of one layout.
        output: f(B), of that layout too.
        function: f, on values of that layout.
        beside: how many boxes f holds beside what it takes and its result; less than none where it
            writes that over what it takes.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        output: Tensor,
        function: Callable[..., Tensor],
        beside: int = 0,
    ) -> None:
        self.extent = reduce(Extent.joined, [x.extent for x in sources])
        self.layout = sources[0].layout
        self._bases = [BaseCrops(x.map, self.extent, fill=None) for x in sources]
        self._output = BaseCrops(self.layout.map(output), self.extent, fill=None)
        self._places = [Placement(x.extent, self.extent, x.clean) for x in sources]
        self._outsides = [None if x.clean else Overhang(x.extent) for x in sources]
        self._free = [x.free for x in sources]
        self._function = function
        kept = (place.same and x.free for place, x in zip(self._places, sources, strict=True))
        copies = sum(not written_over for written_over in kept)
        cropped = 0 if self.extent.whole else 1
        most = max(beside, cropped + min(beside, 0))
        self.workspace = (copies + most) * sources[0].channels * self.extent.area

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero outside of the map, where D is."""
        values = [self._changed(places, number, x) for number, x in enumerate(boxes)]
        result = self._function(*map(self.layout.value, values))
        return self.layout.map(result).sub_(self._output.at(places))

    def _changed(self, places: Places, number: int, x: Tensor) -> Tensor:
        if outside := self._outsides[number]:
            outside.wipe(places, x)
        base, place = self._bases[number].at(places), self._places[number]
        if not place.same:
            return place.into(places, x).add_(base)
        return x.add_(base) if self._free[number] else x + base
