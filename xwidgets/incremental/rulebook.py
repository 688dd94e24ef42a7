"""Which rule an operation on differences has.

An operation whose arguments no rule covers has none, and the rest of the network runs on whole
values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from xwidgets.networks.operation_table import Facts
from xwidgets.networks.operations import Operation

from .layout import Layout, arrangements
from .linear import Convolution, FullyConnected, TransposedConvolution
from .movement import Cell, Channels, Concatenation, Padding, Spread, Whole
from .pointwise import Identity, Pointwise, Rectifier, Scale
from .pools import Average, Maximum, Mean
from .resizing import Resizing
from .rule import DifferenceRule, Source
from .sums import Product, Sum

Maker = Callable[[Operation, Sequence[Source], Tensor], DifferenceRule | None]


def rules_for(
    operation: Operation, sources: Sequence[Source], outputs: Sequence[Tensor]
) -> Sequence[DifferenceRule]:
    """The rule for each value that an operation makes; none when any has no rule.

    From a value on that is NaN or infinite somewhere there is none, as differences from it are NaN.

    Args:
        operation: what was called for the unchanged image.
        sources: what it took.
        outputs: what it made.
    """
    if any(value.shape[:1] != (1,) for value in [*(x.base for x in sources), *outputs]):
        return []
    if not all(map(_is_finite, outputs)):
        return []
    if len(outputs) == 1 and (make := _maker(operation.facts)):
        rule = make(operation, sources, outputs[0])
        if rule is not None:
            return [rule]
    if operation.facts.moves in ("indexed", "arranged") and len(sources) == 1:
        return _arranged(operation, sources[0])
    return []


def _is_finite(value: Tensor) -> bool:
    """Whether all numbers are finite: a finite sum tells that, sooner than a test of each."""
    return bool(value.sum().isfinite() or value.isfinite().all())


def _arranged(operation: Operation, x: Source) -> Sequence[DifferenceRule]:
    """Rules of an operation that moves nothing but channels; none for another."""
    alike = torch.arange(x.channels)
    return [
        Identity(x, layout=layout) if torch.equal(taken, alike) else Channels(x, taken, layout)
        for layout, taken in arrangements(operation, x.layout, x.base) or ()
    ]


def _maker(facts: Facts) -> Maker | None:
    match facts:
        case Facts(kind="linear", reads="window", axes=2):
            return partial(_convolution, Convolution)
        case Facts(kind="linear", axes=2):
            return partial(_convolution, TransposedConvolution)
        case Facts(kind="linear", axes=0, outputs_first=True):
            return _fully_connected
        case Facts(kind="average", reads="window", axes=2):
            return _average
        case Facts(kind="average", reads="region", axes=2):
            return _pooled
        case Facts(reads="region", axes=0):
            return _resized
        case Facts(kind="average", reads="axes"):
            return _mean
        case Facts(kind="normalization"):
            return _normalization
        case Facts(kind="sum"):
            return _sum
        case Facts(kind="mul"):
            return _product
        case Facts(kind="rectifier", plain=True):
            return _rectified
        case Facts(kind="rectifier" | "gate" | "unknown", reads="value" | "channels"):
            return _pointwise
        case Facts(reads="map"):
            return _along_axes
        case Facts(moves="kept" | "copied"):
            return _identity
        case Facts(moves="reshaped"):
            return _reshaped
        case Facts(moves="padded"):
            return _padded
        case Facts(moves="indexed"):
            return _cell
        case Facts(moves="expanded"):
            return _expanded
        case Facts(moves="joined"):
            return _concatenation
    return _maximum if is_max_pool(facts) else None


def is_max_pool(facts: Facts) -> bool:
    """Whether it takes the maximum of a sliding window of a map."""
    return facts.kind == "maximum" and facts.reads == "window" and facts.axes == 2


def _convolution(
    kind: type[Convolution | TransposedConvolution],
    operation: Operation,
    sources: Sequence[Source],
    output: Tensor,
) -> DifferenceRule | None:
    fits = len(sources) == 1 and _are_maps(*sources)
    return kind(operation, sources[0], output) if fits else None


def _maximum(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Maximum(operation, sources[0], output, False) if _are_maps(*sources) else None


def _average(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Average(operation.released(), sources[0], output) if _are_maps(*sources) else None


def _padded(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    sides = operation.argument("pad")
    if not _are_maps(*sources) or operation.argument("mode", "constant") != "constant":
        return None
    left, _, top, _ = (*sides, 0, 0)[:4]
    return Padding(sources[0], output, top, left) if len(sides) <= 4 else None


def _pooled(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    if not _are_maps(x):
        return None
    if output.shape == x.base.shape:
        return Identity(x)
    if output.shape[2:] == (1, 1):
        return Mean(x, output, of_ones=1)
    return Whole(x, output, operation.released())


def _resized(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    if not _are_maps(x):
        return None
    function = operation.released()
    rule = Resizing(x, output, function)
    return Whole(x, output, function) if rule.extent.whole else rule


def _mean(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    (x,) = sources
    axes = operation.argument("dim")
    if x.layout.places is None or not isinstance(axes, list | tuple):
        return None
    if {axis % x.base.ndim for axis in axes} != {*x.layout.places}:
        return None
    of_ones = float(operation(torch.ones_like(x.base)).flatten()[0])  # 1, or the cells of a sum
    return Mean(x, output, of_ones)


def _cell(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    index = operation.argument("index")
    fits = _are_maps(*sources) and isinstance(index, tuple) and len(index) == 4
    if not fits or [type(at) for at in index] != [slice, slice, int, int]:
        return None
    if index[:2] != (slice(None), slice(None)):
        return None
    row, column = (at % side for at, side in zip(index[2:], sources[0].base.shape[2:], strict=True))
    return Cell(sources[0], row, column)


def _fully_connected(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    fits = len(sources) == 1 and _are_channels([sources[0].base.ndim - 1], sources[0])
    return FullyConnected(operation, sources[0]) if fits else None


def _reshaped(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    becomes_map = x.layout.places is None and output.ndim == 4
    if not becomes_map and (rules := _arranged(operation, x)):
        return rules[0]
    shape = output.shape[1:]

    def reshaped(values: Tensor) -> Tensor:
        result = values.reshape(len(values), *shape)
        return result if x.free else result.clone()

    return Whole(x, output, reshaped)


def _normalization(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    factor = operation.spread(operation.scale.to(x.base))[None]
    return _scaled(x, factor)


def _scaled(x: Source, factor: Tensor) -> DifferenceRule | None:
    if (factor == 1).all():
        return Identity(x)
    of_channels = x.layout.same_everywhere(factor, x.base)
    return None if of_channels is None else Scale(x, of_channels)


def _rectified(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Rectifier(sources[0])


def _pointwise(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    first = sources[0]
    if any((x.base.shape, x.layout) != (output.shape, first.layout) for x in sources):
        return None
    weighted = isinstance(operation.argument("weight"), Tensor)
    along_second = weighted or operation.facts.reads == "channels"
    if along_second and first.layout.places not in ((2, 3), None):
        return None
    alike = (first.layout.same_everywhere(x, first.base) is not None for x in operation.constants)
    if not all(alike):
        return None
    function = operation.released()
    if len(sources) == 1 and function.has_inplace_form:
        return Pointwise(sources, output, function.over, beside=-1)
    return Pointwise(sources, output, function, beside=function.intermediates)


def _along_axes(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    """A normalization over some axes, or a softmax along one, that are all of channels."""
    (x,) = sources
    shape, axis = operation.argument("normalized_shape"), operation.argument("dim")
    if shape is not None:
        axes = [*range(x.base.ndim - len(shape), x.base.ndim)]
    elif isinstance(axis, int):
        axes = [axis]
    else:
        return None
    return Pointwise(sources, output, operation.released()) if _are_channels(axes, x) else None


def _identity(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    base = sources[0].base
    alike = (output.shape, output.dtype, output.device) == (base.shape, base.dtype, base.device)
    return Identity(sources[0]) if alike else None


def _expanded(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    x = sources[0]
    if x.base.shape == output.shape:
        return Identity(x)
    fits = _are_maps(x) and x.size == (1, 1) and output.shape[:2] == x.base.shape[:2]
    return Spread(x, output) if fits else None


def _sum(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    if any((x.base.shape, x.layout) != (output.shape, sources[0].layout) for x in sources):
        return None
    factors = operation.facts.coefficients
    if len(sources) == 2:
        return Sum(sources, factors)
    return Identity(sources[0], factors[operation.input is not operation.inputs[0]])


def _product(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    if len(sources) == 2:
        return _of_two(operation, sources, output)
    (x,) = sources
    if x.base.shape != output.shape:
        return None
    first = operation.input is operation.inputs[0]
    other = operation.argument("other") if first else operation.input
    factor = torch.as_tensor(other).to(output)
    return _scaled(x, 1 / factor if operation.facts.divides else factor)


def _of_two(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    """A product of two values that differ, or a quotient."""
    if operation.facts.divides:
        return _pointwise(operation, sources, output)
    larger = int(sources[0].base.shape != output.shape)
    first, second = sources[larger], sources[1 - larger]
    layouts = first.layout, second.layout
    if first.base.shape != output.shape or layouts[0].places != layouts[1].places:
        return None
    counts = [len(layout.channels) for layout in layouts]
    alike = layouts[0] == layouts[1] or (counts == [1, 1] and second.channels == 1)
    spread = second.size in (first.size, (1, 1))
    return Product(sources, larger) if alike and spread else None


def _concatenation(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    axis = operation.argument("dim", operation.argument("axis", 0)) % output.ndim
    layout, maps = sources[0].layout, operation.argument("tensors")
    if any(x.ndim != output.ndim for x in maps):
        return None
    of_channels = [
        number for number in range(1, output.ndim) if number not in (layout.places or ())
    ]
    beside = {(x.layout.channels[1:], x.layout.places, x.size) for x in sources}
    if len(beside) != 1 or of_channels[:1] != [axis]:
        return None
    constant = [all(x is not value for value in operation.inputs) for x in maps]
    channels = [layout.map(x).shape[1] for x in maps]
    joined = Layout((output.shape[axis], *layout.channels[1:]), layout.places)
    return Concatenation(sources, channels, constant, joined)


def _are_maps(*sources: Source) -> bool:
    """Whether all are maps ``(1, C, H, W)``."""
    return all(x.layout.is_usual for x in sources)


def _are_channels(axes: Sequence[int], x: Source) -> bool:
    """Whether all of some axes of a value are those of channels."""
    return not {axis % x.base.ndim for axis in axes} & {0, *(x.layout.places or ())}
