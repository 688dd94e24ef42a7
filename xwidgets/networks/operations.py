"""What a forward pass consists of: operations, whoever asks for them.

`F.relu(x)`, `nn.ReLU(inplace=True)(x)`, `x.relu_()` and `x.clamp(min=0)` are calls of different
functions. Here each is an `Operation` of the kind "rectifier", with its arguments under the same
names, so that a method says once what it does with rectifiers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, cached_property
from itertools import repeat
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Kind = Literal[
    "linear",  # with weights: convolutions and matrix products
    "average",  # without: weighted means and sums of one tensor's values
    "maximum",
    "normalization",  # by statistics that do not depend on the image
    "sum",
    "product",
    "rectifier",
    "gate",  # other activations, such as the sigmoid
    "comparison",
    "movement",  # values are moved, copied or dropped, but not changed
    "unknown",
]

_NAMES: dict[Kind, str] = {
    "linear": """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
        linear matmul mm addmm""",
    "average": """avg_pool1d avg_pool2d avg_pool3d
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        mean sum interpolate upsample""",
    "maximum": """max_pool1d max_pool2d max_pool3d
        max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
        adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices
        adaptive_max_pool3d_with_indices amax max""",
    "normalization": "batch_norm",
    "sum": "add sub rsub",
    "product": "mul div",
    "rectifier": """relu relu6 leaky_relu prelu rrelu elu selu celu silu gelu hardswish mish
        softplus hardtanh clamp clamp_min threshold""",
    "gate": "sigmoid hardsigmoid softmax tanh",
    "comparison": "gt ge lt le eq ne greater greater_equal less less_equal sign heaviside",
    "movement": """__get__ __getitem__ __setitem__ view view_as reshape flatten unflatten squeeze
        unsqueeze permute transpose t movedim swapaxes cat concat concatenate stack hstack vstack
        chunk split tensor_split unbind narrow select index_select gather expand expand_as repeat
        ravel moveaxis swapdims type tile roll flip pad copy zero fill clone contiguous to type_as
        float double half bfloat16 cpu cuda pixel_shuffle pixel_unshuffle channel_shuffle dropout
        dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout""",
}
_KINDS: dict[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}

_SYNONYMS = {
    "subtract": "sub",
    "__rsub__": "rsub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "__matmul__": "matmul",
    "_threshold": "threshold",
    "clip": "clamp",
}

_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = (*_CONVOLUTION[:5], "output_padding", "groups", "dilation")
_POOL = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _CONVOLUTION),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _TRANSPOSED),
    "linear": ("input", "weight", "bias"),
    "matmul": ("input", "other"),
    "mm": ("input", "mat2"),
    "addmm": ("input", "mat1", "mat2"),
    "batch_norm": ("input", "weight", "bias", "running_mean", "running_var", "training"),
    "max_pool2d": _POOL,
    "max_pool2d_with_indices": _POOL,
    "avg_pool2d": ("input", "kernel_size", "stride", "padding", "ceil_mode"),
    **dict.fromkeys(("mean", "sum", "amax", "max"), ("input", "dim", "keepdim")),
    **dict.fromkeys(("cat", "concat", "concatenate"), ("tensors", "dim")),
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div"), ("input", "other")),
    "__getitem__": ("input", "index"),
    "clamp": ("input", "min", "max"),
    "clamp_min": ("input", "min"),
    "threshold": ("input", "threshold", "value"),
    "hardtanh": ("input", "min_val", "max_val"),
}
"""The arguments of functions that have no Python signature, in their order."""


class Operation:
    """One call in a forward pass.

    Attributes:
        name: such as ``"conv2d"`` or ``"relu"``; the in-place form and the operator have the same.
        inplace: whether the result is written over the input, and it can be run out of place.
        overwrites: whether it writes over the input, or over some of it.
        input: the tensor that it acts on, the first where there are several.
        inputs: the tensors that depend on the image; sums and products can have two.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        called = function.__name__
        inplace = called.endswith("_") and not called.endswith("__")
        name = called[:-1] if inplace else called
        self.name = _SYNONYMS.get(name, name)
        self._args = args
        self._kwargs = kwargs
        self._names = _parameters(function) or _ARGUMENTS.get(self.name, ())
        self._function = _out_of_place(self.name, function) if inplace else function
        self.inplace = self._function is not function or bool(self.argument("inplace"))
        self.overwrites = inplace or self.inplace or self.name == "__setitem__"
        self._weight, self._bias = _WEIGHTS.get(self.name, ("weight", "bias"))
        self.input: Tensor | None = self.argument("input", args[0] if args else None)
        if self.name == "addmm":
            self.input = self.argument("mat1")
        self.inputs: tuple[Tensor, ...] = tuple(_dependents((*args, *kwargs.values())))

    def argument(self, name: str, default: Any = None) -> Any:
        """What was given for the argument ``name``."""
        given = dict(zip(self._names, self._args, strict=False))
        return given.get(name, self._kwargs.get(name, default))

    def released(self) -> Operation:
        """The same without its inputs, for a backward that is kept by what it made."""
        other = copy(self)
        other._args = tuple(_replaced(self._args, repeat(_INPUT)))
        other._kwargs = {
            name: _replaced(value, repeat(_INPUT)) for name, value in self._kwargs.items()
        }
        other.input, other.inputs = None, ()
        return other

    def holding(self, constants: Sequence[Tensor | None]) -> Operation:
        """The same with some of its :attr:`inputs` constant; ``None`` for those that stay."""
        news = [x if one is None else one for x, one in zip(self.inputs, constants, strict=True)]
        ahead = iter(news)
        other = copy(self)
        other._args = tuple(_replaced(self._args, ahead))
        other._kwargs = {name: _replaced(value, ahead) for name, value in self._kwargs.items()}
        for x, new in zip(self.inputs, news, strict=True):
            if x is self.input:
                other.input = new
        other.inputs = tuple(x for x, one in zip(news, constants, strict=True) if one is None)
        return other

    @property
    def weight(self) -> Tensor:
        """The weights of a linear operation."""
        return cast(Tensor, self.argument(self._weight))

    def weighted(self, x: Tensor, weight: Tensor) -> Tensor:
        """A linear operation of ``x`` with other weights, and without its bias."""
        changes = {self._weight: weight}
        if (bias := self.argument(self._bias)) is not None:
            changes[self._bias] = torch.zeros_like(bias)
        return cast(Tensor, self(x, **changes))

    def __call__(self, *inputs: Tensor, **changes: Any) -> Any:
        """Run it out of place, with other :attr:`inputs` and with other named arguments."""
        news = iter(inputs or self.inputs)
        args = [_replaced(value, news) for value in self._args]
        kwargs = {name: _replaced(value, news) for name, value in self._kwargs.items()}
        if self.inplace and "inplace" in self._names:
            changes["inplace"] = False
        for name, value in changes.items():
            position = self._names.index(name)
            if position < len(args):
                args[position] = value
            else:
                kwargs[name] = value
        return self._function(*args, **kwargs)

    def on(self, change: Callable[[Tensor], Tensor]) -> Any:
        """Run it out of place on what ``change`` makes of each tensor that it was called with."""
        kwargs = {name: _changed(value, change) for name, value in self._kwargs.items()}
        return self._function(*_changed(self._args, change), **kwargs)

    @cached_property
    def kind(self) -> Kind:
        """What it is to methods that go back through the network."""
        kind = _KINDS.get(self.name, "unknown")
        if kind == "linear":
            fits = isinstance(self.weight, Tensor) and not (
                _depends(self.weight) or _depends(self.argument(self._bias))
            )
        elif self.name == "batch_norm":
            fits = not self.argument("training")
        elif self.name in _BOUNDS:
            bound = self.argument(_BOUNDS[self.name])
            fits = not isinstance(bound, Tensor) and bound == 0 and not self.argument("value")
        elif self.name in ("mul", "div", "__getitem__", "__setitem__") and self._masks():
            fits = False  # what is above zero times x: a rectifier
        elif self.name == "div":
            fits = _depends(self.input)
        elif self.name == "max":  # with a second tensor it can be a rectifier
            others = (*self._args[1:], *self._kwargs.values())
            fits = not any(isinstance(value, Tensor) for value in others)
        elif self.name == "interpolate":
            fits = self.argument("mode") != "bicubic"  # which has negative weights
        else:
            fits = True
        return kind if fits else "unknown"

    def _masks(self) -> bool:
        return any(
            getattr(producer(value), "kind", None) == "comparison"
            for value in tensors((*self._args, *self._kwargs.values()))
        )


_INPUT = object()
_WEIGHTS = {"matmul": ("other", "bias"), "mm": ("mat2", "bias"), "addmm": ("mat2", "input")}
_BOUNDS = {"hardtanh": "min_val", "clamp": "min", "clamp_min": "min", "threshold": "threshold"}


def _depends(value: object) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def tensors(value: object) -> Iterator[Tensor]:
    """Those in a value, or in tuples and lists of values."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, Tensor):
        yield value


def constant(value: Any) -> Any:
    """A value in which parameters are plain tensors, so that weights are told from the data."""
    if isinstance(value, tuple | list):
        return type(value)(constant(item) for item in value)
    if isinstance(value, dict):
        return {name: constant(item) for name, item in value.items()}
    if isinstance(value, Tensor) and value.is_inference():
        return value.clone()
    return value.detach() if isinstance(value, nn.Parameter) else value


def _dependents(value: object) -> Iterator[Tensor]:
    return filter(_depends, tensors(value))


def _replaced(value: Any, news: Iterator[object]) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_replaced(item, news) for item in value)
    return next(news) if value is _INPUT or _depends(value) else value


def _changed(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_changed(item, change) for item in value)
    return change(value) if isinstance(value, Tensor) else value


def _out_of_place(name: str, inplace: Callable[..., Any]) -> Callable[..., Any]:
    for home in (torch, functional):
        if found := getattr(home, name, None):
            return cast(Callable[..., Any], found)
    return inplace


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a builtin
        return ()
    named = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    return tuple(named)


def producer(tensor: object) -> Operation | None:
    """What made a tensor in a watched pass, when that is weights, a gate or a comparison."""
    return getattr(tensor, "xwidgets_producer", None)


def factors(operation: Operation) -> tuple[Tensor, Any] | None:
    """The signal in a product or quotient, and the tensor or number that only scales it.

    Of two inputs, a divisor scales, what comes from a gate such as a sigmoid, and what has fewer
    values. ``None`` when both carry the signal.
    """
    if len(operation.inputs) == 1:
        (x,) = operation.inputs
        return x, operation.argument("other") if x is operation.input else operation.input
    first, second = operation.inputs
    if operation.name == "div":
        return first, second
    gates = [getattr(producer(value), "kind", None) == "gate" for value in (first, second)]
    if gates[0] != gates[1]:
        return (second, first) if gates[0] else (first, second)
    if first.numel() != second.numel():
        return (second, first) if first.numel() < second.numel() else (first, second)
    return None
