"""Maxima and means over windows of a map, or over all of it.

A maximum is taken of values, as it keeps small differences exact: the maximum over the window of
B + D, minus the base output.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.utils import _pair

from xwidgets.networks.operations import Operation

from .boxes import BaseCrops, Overhang, Placement, Places
from .kernels import read, slidings, strides
from .layout import Layout
from .rule import DifferenceRule, Source, huge


class Maximum(DifferenceRule):
    """A max pool, on values; behind a rectifier, which may as well come after it."""

    def __init__(self, operation: Operation, x: Source, output: Tensor, rectified: bool) -> None:
        self._kernel = _pair(operation.argument("kernel_size"))
        self._stride = strides(operation)
        self._dilation = _pair(operation.argument("dilation", 1))
        sliding = slidings(operation, self._kernel)
        self.layout = Layout.usual(output.shape)
        self.extent = x.extent.through(sliding, output.shape[2:])
        source = read(self.extent, x.extent, sliding)
        low = -huge(x.base)
        self._rectified = rectified
        self._input = BaseCrops(x.base, source, fill=low)
        self._output = BaseCrops(output, self.extent, fill=0)
        self._place = Placement(x.extent, source, clean=True)  # outside, all is low
        self._alike = self._place.same
        self._outside = Overhang(self.extent)
        self._free = x.free
        held = 0 if self._alike and x.free else source.area
        cropped = source.area if self._alike and not self._input.shared else 0
        first = self.extent.rows.size * source.columns.size
        self.workspace = (held + max(first, cropped)) * x.channels

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The maximum, first along the rows and then along the columns."""
        values = self._input.at(places)
        if self._alike:
            values = boxes[0].add_(values) if self._free else boxes[0] + values
        else:
            if self._input.shared:
                values = values.repeat(len(boxes[0]), 1, 1, 1)
            self._place.add(places, boxes[0], values)
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
        kernel, self._stride = _pair(operation.argument("kernel_size")), strides(operation)
        sliding = slidings(operation, kernel)
        self.layout = Layout.usual(output.shape)
        self.extent = x.extent.through(sliding, output.shape[2:])
        self._kernel = kernel
        source = read(self.extent, x.extent, sliding)
        self._place = Placement(x.extent, source, x.clean)
        self.workspace = source.area * x.channels
        ones = torch.ones_like(x.base[:, :1])
        before = [axis.padding for axis in sliding]
        around = [before[1], before[1] + kernel[1], before[0], before[0] + kernel[0]]
        counts = self._sums(F.pad(ones, around))[:, :, : output.shape[2], : output.shape[3]]
        self._shares = BaseCrops(operation(ones) / counts, self.extent, fill=0)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """Zero outside of the map, where the share is."""
        return self._sums(self._place.into(places, boxes[0])).mul_(self._shares.at(places))

    def _sums(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self._kernel, self._stride, divisor_override=1)


class Mean(DifferenceRule):
    """The mean over a whole map, or its sum, which ``of_ones`` tells."""

    def __init__(self, x: Source, output: Tensor, of_ones: float) -> None:
        kept = output.ndim == x.base.ndim
        self.layout = Layout(x.layout.channels, x.layout.places if kept else None)
        self.extent = x.extent.all((1, 1))
        self._outside = None if x.clean else Overhang(x.extent)
        self._divisor = prod(x.size) / of_ones

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The sum of a box, over the cells of the map where it is a mean."""
        if self._outside:
            self._outside.wipe(places, boxes[0])
        return boxes[0].sum((2, 3), keepdim=True).div_(self._divisor)
