"""Which rule an operation on differences has.

An operation whose arguments no rule covers has none, and the rest of the network runs on whole
values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from xwidgets.networks.operations import Operation

from .rules import (
    Average,
    Cell,
    Concatenation,
    Convolution,
    Linear,
    Maximum,
    Mean,
    OnValues,
    Padding,
    Rectifier,
    Rule,
    Same,
    Scale,
    Source,
    Sum,
    Whole,
    are_maps,
)


def rule_for(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    """The rule of an operation, or ``None`` when there is none.

    Args:
        operation: what was called for the unchanged image.
        sources: what it took.
        output: what it made.
    """
    if any(len(x.base) != 1 for x in sources) or output.shape[:1] != (1,):
        return None
    make = _RULES.get(operation.name)
    return make(operation, sources, output) if make else None


def reshapes(operation: Operation) -> bool:
    """Whether it keeps all numbers and their order."""
    return operation.name in _RESHAPES


def batch_norm_factor(operation: Operation) -> Tensor | None:
    """What a batch norm multiplies each channel with, ``(C,)``; ``None`` in training."""
    mean, variance = operation.argument("running_mean"), operation.argument("running_var")
    if operation.argument("training") or mean is None or variance is None:
        return None
    factor = torch.rsqrt(variance + operation.argument("eps", 1e-5))
    weight = operation.argument("weight")
    return factor if weight is None else factor * weight


def _convolution(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    fits = len(sources) == 1 and are_maps(*sources)
    return Convolution(operation, sources[0], output, None) if fits else None


def _maximum(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    return Maximum(operation, sources[0], output, False) if are_maps(*sources) else None


def _average(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    return Average(operation.released(), sources[0], output) if are_maps(*sources) else None


def _padded(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    sides = operation.argument("pad")
    if not are_maps(*sources) or operation.argument("mode", "constant") != "constant":
        return None
    left, _, top, _ = (*sides, 0, 0)[:4]
    return Padding(sources[0], output, top, left) if len(sides) <= 4 else None


def _pooled(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    (x,) = sources
    if not are_maps(x):
        return None
    if output.shape == x.base.shape:
        return Same(x)
    if output.shape[2:] == (1, 1):
        return Mean(x, output)
    return Whole(x, output, operation.released())


def _mean(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    (x,) = sources
    axes = operation.argument("dim")
    if not are_maps(x) or not isinstance(axes, list | tuple):
        return None
    return Mean(x, output) if {axis % 4 for axis in axes} == {2, 3} else None


def _cell(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    index = operation.argument("index")
    fits = are_maps(*sources) and isinstance(index, tuple) and len(index) == 4
    if not fits or [type(at) for at in index] != [slice, slice, int, int]:
        return None
    if index[:2] != (slice(None), slice(None)):
        return None
    row, column = (at % side for at, side in zip(index[2:], sources[0].base.shape[2:], strict=True))
    return Cell(sources[0], row, column)


def _linear(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    if len(sources) != 1 or sources[0].base.ndim != 2:
        return None
    return Linear(operation)


def _reshaped(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    (x,) = sources
    shape = output.shape[1:]
    if (len(shape) == 3 and x.extent is None) or not x.free:
        return None
    return Whole(x, output, lambda boxes: boxes.reshape(len(boxes), *shape))


def _normalization(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    factor = batch_norm_factor(operation)
    (x,) = sources
    if factor is None:
        return None
    return Scale(x, factor.reshape(1, -1, *[1] * (x.base.ndim - 2)))


def _rectified(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    return Rectifier(sources[0])


def _clamped(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    low, high = operation.argument("min"), operation.argument("max")
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        return None
    if high is None and low == 0:
        return Rectifier(sources[0])
    return OnValues(sources[0], operation.released())


def _on_values(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    fits = len(sources) == 1 and output.shape == sources[0].base.shape
    return OnValues(sources[0], operation.released()) if fits else None


def _same(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    fits = not operation.argument("training") and output.dtype == sources[0].base.dtype
    return Same(sources[0]) if fits and output.shape == sources[0].base.shape else None


def _sum(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    if any(x.base.shape != output.shape for x in sources):
        return None
    alpha = operation.argument("alpha", 1)
    if len(sources) == 2 and are_maps(sources[0]) != are_maps(sources[1]):
        return None
    factors = {"add": (1, alpha), "sub": (1, -alpha), "rsub": (-alpha, 1)}[operation.name]
    if len(sources) == 2:
        return Sum(sources, factors)
    first = operation.input is operation.inputs[0]
    return Same(sources[0], factors[0 if first else 1])


def _product(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    if len(sources) == 2 or sources[0].base.shape != output.shape:
        return None
    first = operation.input is operation.inputs[0]
    other = operation.argument("other") if first else operation.input
    division = operation.name == "div"
    if (division and not first) or operation.argument("rounding_mode"):
        return None
    factor = torch.as_tensor(other).to(output)
    if are_maps(sources[0]) and factor.ndim and any(side != 1 for side in factor.shape[-2:]):
        return None
    return Scale(sources[0], 1 / factor if division else factor)


def _concatenation(operation: Operation, sources: Sequence[Source], output: Tensor) -> Rule | None:
    axis = operation.argument("dim", operation.argument("axis", 0))
    if not are_maps(*sources) or axis % 4 != 1:
        return None
    maps = operation.argument("tensors")
    constant = [all(x is not one for one in operation.inputs) for x in maps]
    return Concatenation(sources, [x.shape[1] for x in maps], constant)


_POINTWISE = """relu6 hardtanh leaky_relu elu selu celu silu gelu hardswish mish softplus threshold
    sigmoid hardsigmoid tanh local_response_norm"""
_HANDED_ON = "dropout dropout2d alpha_dropout feature_alpha_dropout clone contiguous"
_RESHAPES = frozenset({"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"})
_RULES: dict[str, Callable[[Operation, Sequence[Source], Tensor], Rule | None]] = {
    "conv2d": _convolution,
    "max_pool2d": _maximum,
    "max_pool2d_with_indices": _maximum,
    "avg_pool2d": _average,
    "adaptive_avg_pool2d": _pooled,
    "pad": _padded,
    "mean": _mean,
    "__getitem__": _cell,
    "linear": _linear,
    "batch_norm": _normalization,
    "relu": _rectified,
    "clamp": _clamped,
    "clamp_min": _clamped,
    "cat": _concatenation,
    "concat": _concatenation,
    "concatenate": _concatenation,
    **dict.fromkeys(("add", "sub", "rsub"), _sum),
    **dict.fromkeys(("mul", "div"), _product),
    **dict.fromkeys(_POINTWISE.split(), _on_values),
    **dict.fromkeys(_HANDED_ON.split(), _same),
    **dict.fromkeys(_RESHAPES, _reshaped),
}
