"""Kernels of window operations: how far they reach, and what boxes are computed from."""

from __future__ import annotations

from collections.abc import Sequence

from torch.nn.modules.utils import _pair

from xwidgets.networks.operations import Operation

from .extent import Extent, Sliding, Span


def slidings(operation: Operation, kernel: Sequence[int]) -> tuple[Sliding, Sliding]:
    """A window operation along rows and columns; ``kernel`` is its height and width."""
    dilation = _pair(operation.argument("dilation") or 1)
    reach = [(side - 1) * gap + 1 for side, gap in zip(kernel, dilation, strict=True)]
    padding = operation.argument("padding", 0)
    if padding == "same":
        padding = [(side - 1) // 2 for side in reach]
    padding = _pair(0 if padding == "valid" else padding)
    first, second = map(Sliding, reach, strides(operation), padding)
    return first, second


def strides(operation: Operation) -> tuple[int, int]:
    """The stride along rows and columns; of a pool without one, its kernel."""
    default = operation.argument("kernel_size") or 1
    stride: tuple[int, int] = _pair(operation.argument("stride") or default)
    return stride


def read(output: Extent, source: Extent, slidings: Sequence[Sliding]) -> Extent:
    """The part of the input that boxes of the output are computed from."""

    def back(result: Span, span: Span, sliding: Sliding) -> Span:
        first = result.first * sliding.stride - sliding.padding
        size = (result.size - 1) * sliding.stride + sliding.reach
        return Span(first, first + size - 1, span.length)

    return Extent(*map(back, output, source, slidings))
