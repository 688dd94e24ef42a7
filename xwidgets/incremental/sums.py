"""Sums and products of two values that both differ."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .boxes import BaseCrops, Placement, Places
from .rule import DifferenceRule, Source


class Sum(DifferenceRule):
    """A sum of two values of one layout, each with a factor."""

    def __init__(self, sources: Sequence[Source], factors: Sequence[float]) -> None:
        self._factors = factors
        self.layout = sources[0].layout
        self.extent = sources[0].extent.joined(sources[1].extent)
        self._places = [Placement(x.extent, self.extent, x.clean) for x in sources]
        self._start = next((i for i, place in enumerate(self._places) if place.same), None)
        self.clean = self._start is None or sources[self._start].clean
        self._free = self._start is not None and sources[self._start].free
        self.workspace = -sources[self._start or 0].numbers if self._free else 0

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Both in boxes that hold both; the second is added to the first, or the other way."""
        start = self._start or 0
        if self._start is None:
            result = self._places[start].into(places, boxes[start])
        else:
            result = boxes[start] if self._free else boxes[start].clone()
        if self._factors[start] != 1:
            result.mul_(self._factors[start])
        other = 1 - start
        self._places[other].add(places, boxes[other], result, self._factors[other])
        return result


class Product(DifferenceRule):
    """(B1 + D1) (B2 + D2) - B1 B2 = D1 (B2 + D2) + B1 D2.

    One of them may have one place that stands for all of the other's, as a gate of channels has, or
    one channel.

    Args:
        sources: both values.
        larger: the number of the one that is as large as the product, which is B1 + D1.
    """

    def __init__(self, sources: Sequence[Source], larger: int) -> None:
        first, second = sources[larger], sources[1 - larger]
        self._larger, self._free = larger, first.free
        gate = second.size != first.size
        beside = second.extent.all(first.size) if gate else second.extent
        self.layout = first.layout
        self.extent = first.extent.joined(beside)
        self._place = Placement(first.extent, self.extent, first.clean)
        self._beside = None if gate else Placement(second.extent, self.extent, second.clean)
        self._first = BaseCrops(first.map, self.extent, fill=0)
        around = second.extent if gate else self.extent
        self._second = BaseCrops(second.map, around, fill=0)
        self.clean = self.extent.whole or first.clean or second.clean
        laid = sum(1 for place in (self._place, self._beside) if place and not place.same)
        others = (0 if gate else 1) + (0 if self.extent.whole else 1) - self._free
        self.workspace = (laid + others) * first.channels * self.extent.area

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """B1 D2 wherever the second differs, and the rest where the first does."""
        first, second = boxes[self._larger], boxes[1 - self._larger]
        if self._beside is not None:
            if not self._beside.same:
                second = self._beside.into(places, second)
            if not self._place.same:
                first = self._place.into(places, first)
        gate = self._second.at(places) + second
        rest = first.mul_(gate) if self._free else first * gate
        if self._beside is None and not self._place.same:
            result = self._first.at(places) * second
            self._place.add(places, rest, result)
            return result
        return rest.addcmul_(self._first.at(places), second)
