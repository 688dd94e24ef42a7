"""Rules of operations for differences.

B is a value of the unchanged image and D the difference that a window makes, so that a linear
operation does with D what it does with B, but without its bias, and any other f gives
f(B + D) - f(B). Two forms of that keep small differences exact:

    rectifier   max(B + D, 0) - max(B, 0) = max(D, -B) - max(-B, 0)
    maximum     max over the window of B + D, minus the base output

Outside of a map a box holds nothing that counts, and a rule says whether that is zero (`clean`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.utils import _pair

from xwidgets.networks.operations import Operation

from .boxes import BaseCrops, Overhang, Placement, Places, new_boxes
from .extent import Extent, Sliding, Span


@dataclass(frozen=True)
class Source:
    """A value that an operation takes.

    Attributes:
        base: ``(1, ...)``, what it is for the unchanged image.
        extent: where its difference can lie; ``None`` when it is whole and no map.
        clean: whether the boxes are zero outside of the map.
        free: whether nothing else needs its boxes, so that they can be written over.
    """

    base: Tensor
    extent: Extent | None
    clean: bool
    free: bool

    @property
    def numbers(self) -> int:
        """How many numbers its difference takes for one window."""
        if self.extent is None:
            return self.base.numel()
        return self.base.shape[1] * self.extent.area


class DifferenceRule:
    """An operation on differences, made ready for one image and one window size.

    Attributes:
        extent: where its result can differ; ``None`` when it is whole and no map.
        clean: whether its boxes are zero outside of the map.
        cost: multiplications a window.
        workspace: numbers a window that it holds beside its sources and its result.
    """

    extent: Extent | None
    clean: bool = True
    cost: int = 0
    workspace: int = 0

    @abstractmethod
    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The differences of the result."""


class Identity(DifferenceRule):
    """Operation that adds a constant, scales by one number, or only hands on."""

    def __init__(self, x: Source, factor: float = 1) -> None:
        self.extent, self.clean = x.extent, x.clean
        self._factor = factor
        self._free = x.free

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The same boxes, which may be written over from here on."""
        if self._factor != 1:
            return boxes[0] * self._factor
        return boxes[0] if self._free else boxes[0].clone()


class Scale(DifferenceRule):
    """A factor a channel, as of a batch norm."""

    def __init__(self, x: Source, factor: Tensor) -> None:
        self.extent, self.clean = x.extent, x.clean
        self._factor = factor
        self._free = x.free

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """D times the factor."""
        return boxes[0].mul_(self._factor) if self._free else boxes[0] * self._factor


class Rectifier(DifferenceRule):
    """max(B + D, 0) - max(B, 0) = max(D, -B) - max(-B, 0)."""

    def __init__(self, x: Source) -> None:
        self.extent = x.extent
        self._negative = BaseCrops(-x.base, x.extent, fill=huge(x.base))
        self._free = x.free
        self.workspace = x.numbers

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero outside of the map, where -B is huge."""
        negative = self._negative.at(places)
        result = torch.maximum(boxes[0], negative, out=boxes[0] if self._free else None)
        return result.sub_(negative.relu() if self._negative.shared else negative.relu_())


class Pointwise(DifferenceRule):
    """f(B + D) - f(B) for an f that keeps every cell to itself."""

    def __init__(self, x: Source, function: Callable[[Tensor], Tensor]) -> None:
        self.extent = x.extent
        self.clean = x.clean or x.extent is None or x.extent.whole
        self._base = BaseCrops(x.base, x.extent, fill=0)
        self._function = function
        self._free = x.free
        self.workspace = 3 * x.numbers

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The function twice."""
        base = self._base.at(places)
        values = boxes[0].add_(base) if self._free else boxes[0] + base
        return self._function(values) - self._function(base)


class Linear(DifferenceRule):
    """A linear operation with weights, which may be rounded to a smaller type."""

    def __init__(self, weight: Tensor) -> None:
        self._exact = self._weight = weight

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Round differences and weights to a type before they are multiplied."""
        self._weight = self._exact.to(dtype)


class FullyConnected(Linear):
    """A linear layer without its bias."""

    extent = None

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.weight.detach())
        self.cost = self._weight.numel()

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """W D."""
        return F.linear(boxes[0].to(self._weight.dtype), self._weight).to(boxes[0].dtype)


class Convolution(Linear):
    """The convolution without its bias."""

    def __init__(
        self, operation: Operation, x: Source, output: Tensor, factor: Tensor | None
    ) -> None:
        weight = operation.weight.detach()
        if factor is not None:
            weight = weight * factor.reshape(-1, 1, 1, 1)
        super().__init__(weight.contiguous(memory_format=torch.channels_last))
        self._groups = operation.argument("groups", 1)
        self._stride = _pair(operation.argument("stride", 1))
        self._dilation = _pair(operation.argument("dilation", 1))
        slidings = _slidings(operation, weight.shape[2:])
        assert x.extent is not None
        self.extent = x.extent.through(slidings, output.shape[2:])
        self.clean = self.extent.whole
        self.cost = output.shape[1] * self.extent.area * weight[0].numel()
        self._place: Placement | None = None
        self._outside: Overhang | None = None
        self._padding: Any = 0
        if self.extent.whole:
            self._padding = operation.argument("padding", 0)
            self._place = whole_maps(x)
        elif self._stride == (1, 1):
            self._padding = tuple(sliding.reach - 1 for sliding in slidings)
            self._outside = None if x.clean else Overhang(x.extent)
        else:
            target = _read(self.extent, x.extent, slidings)
            self._place = Placement(x.extent, target, x.clean)
            self.workspace = target.area * x.base.shape[1]

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The convolution of the boxes, with zeros around them."""
        x = self._place.into(places, boxes[0]) if self._place else boxes[0]
        if self._outside:
            self._outside.wipe(places, x)
        result = F.conv2d(
            x.to(self._weight.dtype), self._weight, None, self._stride, self._padding,
            self._dilation, self._groups,
        )  # fmt: skip
        return result.to(x.dtype)


class Maximum(DifferenceRule):
    """A max pool, on values; behind a rectifier, which may as well come after it."""

    def __init__(self, operation: Operation, x: Source, output: Tensor, rectified: bool) -> None:
        self._kernel = _pair(operation.argument("kernel_size"))
        self._stride = _strides(operation)
        self._dilation = _pair(operation.argument("dilation", 1))
        slidings = _slidings(operation, self._kernel)
        assert x.extent is not None
        self.extent = x.extent.through(slidings, output.shape[2:])
        read = _read(self.extent, x.extent, slidings)
        low = -huge(x.base)
        self._rectified = rectified
        self._input = BaseCrops(x.base, read, fill=low)
        self._output = BaseCrops(output, self.extent, fill=0)
        self._place = Placement(x.extent, read, clean=True)  # outside, all is low
        self._alike = self._place.same
        self._outside = Overhang(self.extent)
        self.workspace = 2 * read.area * x.base.shape[1]

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The maximum, first along the rows and then along the columns."""
        values = self._input.at(places)
        if self._alike:
            values = boxes[0] + values
        else:
            if self._input.shared:
                values = values.repeat(len(boxes[0]), 1, 1, 1)
            self._place.add(places, boxes[0], values)
        assert self.extent is not None
        for axis, span in zip((2, 3), self.extent, strict=True):
            values = self._along(values, axis, span.size)
        if self._rectified:
            values.relu_()
        values.sub_(self._output.at(places))
        self._outside.wipe(places, values)
        return values

    def _along(self, values: Tensor, axis: int, size: int) -> Tensor:
        kernel, stride, dilation = (
            pair[axis - 2] for pair in (self._kernel, self._stride, self._dilation)
        )
        length = (size - 1) * stride + 1
        index: list[slice] = [slice(None)] * 4
        result: Tensor | None = None
        for start in range(0, kernel * dilation, dilation):
            index[axis] = slice(start, start + length, stride)
            part = values[tuple(index)]
            if result is None:
                result = part
            elif start == dilation:
                result = torch.maximum(result, part)
            else:
                torch.maximum(result, part, out=result)
        assert result is not None
        return result if kernel > 1 else result.clone()


class Average(DifferenceRule):
    """An average pool: a sum, and what each cell divides it by."""

    def __init__(self, operation: Operation, x: Source, output: Tensor) -> None:
        kernel, self._stride = _pair(operation.argument("kernel_size")), _strides(operation)
        slidings = _slidings(operation, kernel)
        assert x.extent is not None
        self.extent = x.extent.through(slidings, output.shape[2:])
        self._kernel = kernel
        read = _read(self.extent, x.extent, slidings)
        self._place = Placement(x.extent, read, x.clean)
        self.workspace = read.area * x.base.shape[1]
        ones = torch.ones_like(x.base[:, :1])
        before = [sliding.padding for sliding in slidings]
        around = [before[1], before[1] + kernel[1], before[0], before[0] + kernel[0]]
        counts = self._sums(F.pad(ones, around))[:, :, : output.shape[2], : output.shape[3]]
        self._shares = BaseCrops(operation(ones) / counts, self.extent, fill=0)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero outside of the map, where the share is."""
        return self._sums(self._place.into(places, boxes[0])).mul_(self._shares.at(places))

    def _sums(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self._kernel, self._stride, divisor_override=1)


class Padding(DifferenceRule):
    """Constant cells around a map, or negative ones that are cut off it."""

    def __init__(self, x: Source, output: Tensor, top: int, left: int) -> None:
        rows, columns = _extent(x)
        height, width = output.shape[2:]
        moved = Extent(rows.moved(top, height), columns.moved(left, width))
        self.extent = moved.settled()
        self._outside = Overhang(_extent(x))
        self._place = Placement(moved, self.extent)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The boxes, which lie elsewhere in a map of another size."""
        self._outside.wipe(places, boxes[0])
        return self._place.into(places, boxes[0])


class Mean(DifferenceRule):
    """The mean over a whole map, or its sum, which ``of_ones`` tells."""

    def __init__(self, x: Source, output: Tensor, of_ones: float) -> None:
        assert x.extent is not None
        self.extent = None if output.ndim == 2 else x.extent.all((1, 1))
        self._outside = None if x.clean else Overhang(x.extent)
        self._divisor = prod(x.base.shape[2:]) / of_ones
        self._keep = output.ndim == 4

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The sum of a box, over the cells of the map where it is a mean."""
        if self._outside:
            self._outside.wipe(places, boxes[0])
        return boxes[0].sum((2, 3), keepdim=self._keep).div_(self._divisor)


class Cell(DifferenceRule):
    """The units of all channels at one place of a map."""

    extent = None

    def __init__(self, x: Source, row: int, column: int) -> None:
        rows, columns = _extent(x)
        one = torch.ones_like(rows.first), torch.ones_like(columns.first)
        cell = Extent(
            Span(one[0] * row, one[0] * row, rows.length),
            Span(one[1] * column, one[1] * column, columns.length),
        )
        self._place = Placement(_extent(x), cell)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero where the place is outside of the box."""
        return self._place.into(places, boxes[0])[:, :, 0, 0]


class Whole(DifferenceRule):
    """A linear operation without bias that is done on whole maps or on vectors."""

    def __init__(self, x: Source, output: Tensor, function: Callable[[Tensor], Tensor]) -> None:
        self.extent = x.extent.all(output.shape[2:]) if x.extent and output.ndim == 4 else None
        self._place = whole_maps(x)
        self._function = function
        self.workspace = x.base.numel()

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The operation on the whole differences."""
        return self._function(self._place.into(places, boxes[0]) if self._place else boxes[0])


class Sum(DifferenceRule):
    """A sum of two values, each with a factor."""

    def __init__(self, sources: Sequence[Source], factors: Sequence[float]) -> None:
        self.extent = None
        self._places: list[Placement] = []
        self._factors = factors
        if are_maps(*sources):
            self.extent = _extent(sources[0]).joined(_extent(sources[1]))
            self._places = [Placement(_extent(x), self.extent, x.clean) for x in sources]
        self._start = next((i for i, place in enumerate(self._places) if place.same), None)
        self.clean = self._start is None or sources[self._start].clean
        self._free = self._start is not None and sources[self._start].free

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Both in boxes that hold both; the second is added to the first, or the other way."""
        if self.extent is None:
            return boxes[0] * self._factors[0] + boxes[1] * self._factors[1]
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


class Concatenation(DifferenceRule):
    """Channels side by side, of which those of constant maps do not differ.

    Args:
        sources: the maps that differ.
        channels: of all maps.
        constant: which of them do not differ.
    """

    def __init__(
        self, sources: Sequence[Source], channels: Sequence[int], constant: Sequence[bool]
    ) -> None:
        extent = _extent(sources[0])
        for x in sources[1:]:
            extent = extent.joined(_extent(x))
        self.extent = extent
        self._channels, self._constant = list(channels), constant
        self._places = [Placement(_extent(x), extent, x.clean) for x in sources]
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


def whole_maps(x: Source) -> Placement | None:
    """How to lay boxes into whole maps, where they are not whole already."""
    if x.extent is None or x.extent.whole:
        return None
    return Placement(x.extent, x.extent.all(x.base.shape[2:]))


def huge(like: Tensor) -> float:
    """A number above all activations, of which two can be added."""
    return torch.finfo(like.dtype).max / 4


def _extent(x: Source) -> Extent:
    assert x.extent is not None
    return x.extent


def _slidings(operation: Operation, kernel: Sequence[int]) -> tuple[Sliding, Sliding]:
    dilation = _pair(operation.argument("dilation") or 1)
    reach = [(side - 1) * gap + 1 for side, gap in zip(kernel, dilation, strict=True)]
    padding = operation.argument("padding", 0)
    if padding == "same":
        padding = [(side - 1) // 2 for side in reach]
    padding = _pair(0 if padding == "valid" else padding)
    first, second = map(Sliding, reach, _strides(operation), padding)
    return first, second


def _strides(operation: Operation) -> tuple[int, int]:
    default = operation.argument("kernel_size") or 1
    stride: tuple[int, int] = _pair(operation.argument("stride") or default)
    return stride


def _read(output: Extent, source: Extent, slidings: Sequence[Sliding]) -> Extent:
    """The part of the input that boxes of the output are computed from."""

    def back(result: Span, span: Span, sliding: Sliding) -> Span:
        first = result.first * sliding.stride - sliding.padding
        size = (result.size - 1) * sliding.stride + sliding.reach
        return Span(first, first + size - 1, span.length)

    return Extent(*map(back, output, source, slidings))


def are_maps(*sources: Source) -> bool:
    """Whether all are maps, whose differences lie in boxes."""
    return all(x.extent is not None for x in sources)
