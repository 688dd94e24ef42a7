"""Which rule an operation on differences has.

An operation whose arguments no rule covers has none, and the rest of the network runs on whole
values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from xwidgets.networks.operation_table import Facts
from xwidgets.networks.operations import Operation

from .rules import (
    Average,
    Cell,
    Concatenation,
    Convolution,
    DifferenceRule,
    FullyConnected,
    Identity,
    Maximum,
    Mean,
    Padding,
    Pointwise,
    Rectifier,
    Scale,
    Source,
    Sum,
    Whole,
    are_maps,
)

Maker = Callable[[Operation, Sequence[Source], Tensor], DifferenceRule | None]


def rule_for(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    """The rule of an operation, or ``None`` when there is none.

    Args:
        operation: what was called for the unchanged image.
        sources: what it took.
        output: what it made.
    """
    if any(len(x.base) != 1 for x in sources) or output.shape[:1] != (1,):
        return None
    make = _maker(operation.facts)
    return make(operation, sources, output) if make else None


def _maker(facts: Facts) -> Maker | None:
    match facts:
        case Facts(kind="linear", reads="window", axes=2):
            return _convolution
        case Facts(kind="linear", axes=0, outputs_first=True):
            return _fully_connected
        case Facts(kind="average", reads="window", axes=2):
            return _average
        case Facts(kind="average", reads="region", axes=2):
            return _pooled
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
        case Facts(moves="kept" | "copied"):
            return _identity
        case Facts(moves="reshaped"):
            return _reshaped
        case Facts(moves="padded"):
            return _padded
        case Facts(moves="indexed"):
            return _cell
        case Facts(moves="joined"):
            return _concatenation
    return _maximum if is_max_pool(facts) else None


def is_max_pool(facts: Facts) -> bool:
    """Whether it takes the maximum of a sliding window of a map."""
    return facts.kind == "maximum" and facts.reads == "window" and facts.axes == 2


def _convolution(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    fits = len(sources) == 1 and are_maps(*sources)
    return Convolution(operation, sources[0], output, None) if fits else None


def _maximum(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Maximum(operation, sources[0], output, False) if are_maps(*sources) else None


def _average(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Average(operation.released(), sources[0], output) if are_maps(*sources) else None


def _padded(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    sides = operation.argument("pad")
    if not are_maps(*sources) or operation.argument("mode", "constant") != "constant":
        return None
    left, _, top, _ = (*sides, 0, 0)[:4]
    return Padding(sources[0], output, top, left) if len(sides) <= 4 else None


def _pooled(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    if not are_maps(x):
        return None
    if output.shape == x.base.shape:
        return Identity(x)
    if output.shape[2:] == (1, 1):
        return Mean(x, output, of_ones=1)
    return Whole(x, output, operation.released())


def _mean(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    (x,) = sources
    axes = operation.argument("dim")
    if not are_maps(x) or not isinstance(axes, list | tuple):
        return None
    if {axis % 4 for axis in axes} != {2, 3}:
        return None
    of_ones = float(operation(torch.ones_like(x.base)).flatten()[0])  # 1, or the cells of a sum
    return Mean(x, output, of_ones)


def _cell(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    index = operation.argument("index")
    fits = are_maps(*sources) and isinstance(index, tuple) and len(index) == 4
    if not fits or [type(at) for at in index] != [slice, slice, int, int]:
        return None
    if index[:2] != (slice(None), slice(None)):
        return None
    row, column = (at % side for at, side in zip(index[2:], sources[0].base.shape[2:], strict=True))
    return Cell(sources[0], row, column)


def _fully_connected(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    if len(sources) != 1 or sources[0].base.ndim != 2:
        return None
    return FullyConnected(operation)


def _reshaped(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    shape = output.shape[1:]
    if (len(shape) == 3 and x.extent is None) or not x.free:
        return None
    return Whole(x, output, lambda boxes: boxes.reshape(len(boxes), *shape))


def _normalization(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    (x,) = sources
    factor = operation.scale.to(x.base)
    return Identity(x) if (factor == 1).all() else Scale(x, operation.spread(factor)[None])


def _rectified(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    return Rectifier(sources[0])


def _pointwise(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    fits = len(sources) == 1 and output.shape == sources[0].base.shape
    cells = output.ndim - 2 if are_maps(*sources) else 0
    alike = all(_same_everywhere(constant, cells) for constant in operation.constants)
    return Pointwise(sources[0], operation.released()) if fits and alike else None


def _same_everywhere(constant: Tensor, cells: int) -> bool:
    """Whether a constant is the same at every place of a map."""
    return constant.numel() == 1 or set(constant.shape[-cells:] if cells else ()) <= {1}


def _identity(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    base = sources[0].base
    alike = (output.shape, output.dtype, output.device) == (base.shape, base.dtype, base.device)
    return Identity(sources[0]) if alike else None


def _sum(operation: Operation, sources: Sequence[Source], output: Tensor) -> DifferenceRule | None:
    if any(x.base.shape != output.shape for x in sources):
        return None
    if len(sources) == 2 and are_maps(sources[0]) != are_maps(sources[1]):
        return None
    factors = operation.facts.coefficients
    if len(sources) == 2:
        return Sum(sources, factors)
    return Identity(sources[0], factors[operation.input is not operation.inputs[0]])


def _product(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    if len(sources) == 2 or sources[0].base.shape != output.shape:
        return None
    first = operation.input is operation.inputs[0]
    other = operation.argument("other") if first else operation.input
    factor = torch.as_tensor(other).to(output)
    if are_maps(sources[0]) and factor.ndim and any(side != 1 for side in factor.shape[-2:]):
        return None
    return Scale(sources[0], 1 / factor if operation.facts.divides else factor)


def _concatenation(
    operation: Operation, sources: Sequence[Source], output: Tensor
) -> DifferenceRule | None:
    axis = operation.argument("dim", operation.argument("axis", 0))
    if not are_maps(*sources) or axis % 4 != 1:
        return None
    maps = operation.argument("tensors")
    constant = [all(x is not one for one in operation.inputs) for x in maps]
    return Concatenation(sources, [x.shape[1] for x in maps], constant)
