"""Operations with weights, which do with differences what they do with values but for the bias."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.utils import _pair

from xwidgets.networks.operations import Operation

from .boxes import Overhang, Placement, Places
from .kernels import read, slidings, strides
from .layout import Layout
from .rule import DifferenceRule, Source, whole_maps


class Linear(DifferenceRule):
    """A linear operation with weights, which may be rounded to a smaller type."""

    def __init__(self, weight: Tensor) -> None:
        self._exact = self._weight = weight

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Round differences and weights to a type before they are multiplied."""
        self._weight = self._exact.to(dtype)


class FullyConnected(Linear):
    """A linear layer along the last axis, which is one of channels."""

    def __init__(self, operation: Operation, x: Source) -> None:
        super().__init__(operation.weight.detach())
        self.extent, self.clean = x.extent, x.clean
        *others, _ = x.layout.channels
        self._before = x.layout
        self.layout = Layout((*others, len(self._weight)), x.layout.places)
        self.cost = x.numbers * len(self._weight)

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """W D."""
        x = self._before.value(boxes[0])
        return self.layout.map(F.linear(x.to(self._weight.dtype), self._weight).to(x.dtype))


class Convolution(Linear):
    """The convolution, of which each channel may be multiplied with a ``factor``."""

    def __init__(
        self, operation: Operation, x: Source, output: Tensor, factor: Tensor | None = None
    ) -> None:
        super().__init__(_weight(operation, factor))
        self._groups = operation.argument("groups", 1)
        self._stride = strides(operation)
        self._dilation = _pair(operation.argument("dilation", 1))
        sliding = slidings(operation, self._weight.shape[2:])
        self.layout = Layout.usual(output.shape)
        self.extent = x.extent.through(sliding, output.shape[2:])
        self.clean = self.extent.whole
        self.cost = output.shape[1] * self.extent.area * self._weight[0].numel()
        self._place: Placement | None = None
        self._outside: Overhang | None = None
        self._padding: Any = 0
        if self.extent.whole:
            self._padding = operation.argument("padding", 0)
            self._place = whole_maps(x)
            self.workspace = x.base.numel() if self._place else 0
        elif self._stride == (1, 1):
            self._padding = tuple(axis.reach - 1 for axis in sliding)
            self._outside = None if x.clean else Overhang(x.extent)
        else:
            target = read(self.extent, x.extent, sliding)
            self._place = Placement(x.extent, target, x.clean)
            self.workspace = target.area * x.channels

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


class TransposedConvolution(Linear):
    """The transposed convolution, of which each channel may be multiplied with a ``factor``."""

    def __init__(
        self, operation: Operation, x: Source, output: Tensor, factor: Tensor | None = None
    ) -> None:
        super().__init__(_weight(operation, factor))
        sliding = slidings(operation, self._weight.shape[2:])
        self.layout = Layout.usual(output.shape)
        self.extent = x.extent.through_transposed(sliding, output.shape[2:])
        self.clean = self.extent.whole
        self._stride = strides(operation)
        self._dilation = _pair(operation.argument("dilation", 1))
        self._groups = operation.argument("groups", 1)
        self._padding = self._more = (0, 0)
        self._outside = None if x.clean else Overhang(x.extent)
        self._place: Placement | None = None
        cells = x.extent.area
        if self.extent.whole:
            self._padding = _pair(operation.argument("padding", 0))
            self._more = _pair(operation.argument("output_padding", 0))
            self._place, self._outside = whole_maps(x), None
            cells = x.size[0] * x.size[1]
            self.workspace = x.base.numel() if self._place else 0
        self.cost = cells * self._weight.numel()

    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The transposed convolution of the boxes alone, which reaches all that they change."""
        x = self._place.into(places, boxes[0]) if self._place else boxes[0]
        if self._outside:
            self._outside.wipe(places, x)
        result = F.conv_transpose2d(
            x.to(self._weight.dtype), self._weight, None, self._stride, self._padding, self._more,
            self._groups, self._dilation,
        )  # fmt: skip
        return result.to(x.dtype)


def _weight(operation: Operation, factor: Tensor | None) -> Tensor:
    weight = operation.weight if factor is None else operation.weight_times(factor)
    return weight.detach().contiguous(memory_format=torch.channels_last)
