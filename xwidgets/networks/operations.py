"""Operations of a forward pass, whoever asks for them.

`F.relu(x)`, `nn.ReLU(inplace=True)(x)`, `x.relu_()` and `x.clamp(min=0)` are calls of different
functions. Here each is an `Operation` with the facts of a rectifier and its arguments under the
same names, so that a method says once what it does with rectifiers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cache
from itertools import repeat
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .operation_table import Facts, Kind, is_inplace, row_of


class Operation:
    """One call in a forward pass.

    Attributes:
        name: such as ``"conv2d"`` or ``"relu"``; the in-place form and the operator have the same.
        inplace: whether the result is written over the input, and it can be run out of place.
        overwrites: whether it writes over the input, or over some of it.
        input: the tensor that it acts on, the first where there are several.
        inputs: the tensors that depend on the image; sums and products can have two.
        facts: what it does, as :mod:`.operation_table` says.
    """

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        inplace = is_inplace(function)
        self._row = row_of(function)
        self.name = self._row.names[0]
        self._args = args
        self._kwargs = kwargs
        self._names = _parameters(function) or self._row.arguments
        self._function = _out_of_place(self.name, function) if inplace else function
        self.inplace = self._function is not function or bool(self.argument("inplace"))
        self.input: Tensor | None = self.argument(self._row.input, args[0] if args else None)
        self.inputs: tuple[Tensor, ...] = tuple(_dependents((*args, *kwargs.values())))
        self.facts = self._known()
        self.overwrites = inplace or self.inplace or self.facts.moves == "assigned"

    def argument(self, name: str, default: Any = None) -> Any:
        """Value given for the argument ``name``."""
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
        other.facts = other._known()
        return other

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """The tensors that do not depend on the image, but for the weights."""
        given = tensors((*self._args, *self._kwargs.values()))
        return tuple(x for x in given if not _depends(x) and x is not self.weight)

    @property
    def weight(self) -> Tensor:
        """The weights of a linear operation."""
        return cast(Tensor, self.argument(self._row.weight))

    def weighted(self, x: Tensor, weight: Tensor) -> Tensor:
        """A linear operation of ``x`` with other weights, and without its bias."""
        changes = {self._row.weight: weight}
        if (bias := self.argument(self._row.bias)) is not None:
            changes[self._row.bias] = torch.zeros_like(bias)
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

    @property
    def kind(self) -> Kind:
        """Kind of operation, to a signal that goes back through it."""
        return self.facts.kind

    def _known(self) -> Facts:
        """Facts of the table; of an unknown kind where that depends on the image."""
        facts = self._row.facts_given(self.argument)
        if facts.kind == "linear":
            weights = self.weight, self.argument(self._row.bias)
            fits = isinstance(self.weight, Tensor) and not any(map(_depends, weights))
        elif facts.kind == "mul" or facts.moves in ("indexed", "assigned"):
            # what is above zero times x would be a rectifier
            fits = not self._masks() and (_depends(self.input) or not facts.divides)
        else:
            fits = True
        return facts if fits else replace(facts, kind="unknown")

    def _masks(self) -> bool:
        return any(
            getattr(producer(value), "kind", None) == "comparison"
            for value in tensors((*self._args, *self._kwargs.values()))
        )


_INPUT = object()
_ON_BLACK = "xwidgets_on_black"
_AFFINE: tuple[Kind, ...] = ("normalization", "sum", "mul", "average")


def _depends(value: object) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def tensors(value: object) -> Iterator[Tensor]:
    """Tensors in a value, or in tuples and lists of values."""
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
    """Operation that made a tensor of a watched pass: of weights, a gate or a comparison."""
    return getattr(tensor, "xwidgets_producer", None)


def on_black(tensor: Tensor) -> Tensor | None:
    """Values for a black picture of a tensor of a watched pass that is nothing but pixels: moved,
    scaled and shifted by constants, or averaged. ``None`` for any other tensor.
    """
    return torch.zeros_like(tensor) if tensor.is_leaf else getattr(tensor, _ON_BLACK, None)


def mark_on_black(output: object, operation: Operation) -> None:
    """Note what :func:`on_black` tells of the output of an operation."""
    known = [on_black(x) for x in operation.inputs]
    blacks = [black for black in known if black is not None]
    alike = operation.kind == "movement" or (operation.kind in _AFFINE and len(known) == 1)
    written = operation.overwrites and not operation.inplace
    is_pixels = alike and not written and 0 < len(blacks) == len(known)
    outputs_on_black = tensors(operation(*blacks) if is_pixels else None)
    for value in tensors(output):
        setattr(value, _ON_BLACK, next(outputs_on_black, None))


def factors(operation: Operation) -> tuple[Tensor, Any] | None:
    """The signal in a product or quotient, and the tensor or number that only scales it.

    Of two inputs, a divisor scales, what comes from a gate such as a sigmoid, and what has fewer
    values. ``None`` when both carry the signal.
    """
    if len(operation.inputs) == 1:
        (x,) = operation.inputs
        return x, operation.argument("other") if x is operation.input else operation.input
    first, second = operation.inputs
    if operation.facts.divides:
        return first, second
    gates = [getattr(producer(value), "kind", None) == "gate" for value in (first, second)]
    if gates[0] != gates[1]:
        return (second, first) if gates[0] else (first, second)
    if first.numel() != second.numel():
        return (second, first) if first.numel() < second.numel() else (first, second)
    return None
