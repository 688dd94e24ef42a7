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
        gain: of a rectifier, what it multiplies large values with.
        sign: of a linear operation, the signs ``(C,)`` that normalizations behind it give its
            channels; ``None`` where there are none.
    """

    gain: Tensor | float = 1.0
    sign: Tensor | None = None

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
    def given(self) -> tuple[Tensor, ...]:
        """All tensors that it was called with."""
        return tuple(tensors((*self._args, *self._kwargs.values())))

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """The tensors that do not depend on the image, but for the weights."""
        return tuple(x for x in self.given if not _depends(x) and x is not self.weight)

    @property
    def weight(self) -> Tensor:
        """The weights of a linear operation."""
        return cast(Tensor, self.argument(self._row.weight))

    def weight_times(self, factors: Tensor) -> Tensor:
        """Weights of a linear operation, those of each output times a factor ``(C,)``, or one."""
        weight = self.weight
        if factors.numel() == 1:
            return weight * factors
        if self.facts.outputs_first:
            return weight * factors.view(-1, *[1] * (weight.ndim - 1))
        if not self.facts.axes:
            return weight * factors
        groups = self.argument("groups", 1)
        grouped = weight.view(groups, -1, *weight.shape[1:])
        return (grouped * factors.view(groups, 1, -1, *[1] * self.facts.axes)).view_as(weight)

    @property
    def scale(self) -> Tensor:
        """The factor of a normalization for each channel, ``(C,)``."""
        variance: Tensor = self.argument("running_var")
        factor = torch.rsqrt(variance + self.argument("eps", 1e-5))
        weight = self.argument("weight")
        return factor if weight is None else factor * weight

    def spread(self, values: Tensor) -> Tensor:
        """``(C,)`` values along the channels of a normalization's input."""
        return values.view(-1, *[1] * (cast(Tensor, self.input).ndim - 2))

    def weighted(self, x: Tensor, weight: Tensor) -> Tensor:
        """A linear operation of ``x`` with other weights, and without its bias."""
        changes = {self._row.weight: weight}
        if (bias := self.argument(self._row.bias)) is not None:
            changes[self._row.bias] = torch.zeros_like(bias)
        return cast(Tensor, self(x, **changes))

    def unknown(self) -> Operation:
        """The same, of which it is not known what it is to a signal."""
        other = copy(self)
        other.facts = replace(self.facts, kind="unknown")
        return other

    def signed(self, scale: Tensor) -> Operation:
        """A linear operation behind which its channels are multiplied with ``scale`` ``(C,)``.

        It is run as before; :attr:`sign` tells the signs.
        """
        other, sign = copy(self), scale.sign().to(self.weight)
        other.sign = sign if self.sign is None else self.sign * sign
        return other

    def __call__(self, *inputs: Tensor, **changes: Any) -> Any:
        """Run it out of place, with other :attr:`inputs` and with other named arguments."""
        news = iter(inputs or self.inputs)
        args = [_replaced(value, news) for value in self._args]
        kwargs = {name: _replaced(value, news) for name, value in self._kwargs.items()}
        return self._run(args, kwargs, changes)

    def over(self, x: Tensor) -> Tensor:
        """Run an activation that :attr:`has_inplace_form` on ``x``, over which it is written."""
        if "inplace" in self._names:
            return cast(Tensor, self(x, inplace=True))
        inplace = getattr(torch.ops.aten, f"{self.name}_")
        return cast(Tensor, inplace(x, *self._args[1:], **self._kwargs))

    @property
    def has_inplace_form(self) -> bool:
        """Whether it is an activation that torch can write over what it takes."""
        if self.kind not in ("rectifier", "gate"):
            return False
        first = bool(self._args) and self._args[0] is _INPUT
        return "inplace" in self._names or (first and hasattr(torch.ops.aten, f"{self.name}_"))

    @property
    def intermediates(self) -> int:
        """How many values of the size of its result it makes on the way; none, as one operation."""
        return 0

    def on(self, change: Callable[[Any], Any]) -> Any:
        """Run it out of place on what ``change`` makes of everything that it was called with."""
        other = self.with_each(change)
        return self._run(list(other._args), dict(other._kwargs), {})

    def with_each(self, change: Callable[[Any], Any]) -> Operation:
        """The same with what ``change`` makes of everything that it was called with."""
        other = copy(self)
        other._args = _changed(self._args, change)
        other._kwargs = {name: _changed(value, change) for name, value in self._kwargs.items()}
        other.input, other.inputs = None, ()
        return other

    def _run(self, args: list[Any], kwargs: dict[str, Any], changes: dict[str, Any]) -> Any:
        if self.inplace and "inplace" in self._names:
            changes.setdefault("inplace", False)
        for name, value in changes.items():
            position = self._names.index(name)
            if position < len(args):
                args[position] = value
            else:
                kwargs[name] = value
        return self._function(*args, **kwargs)

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
        else:
            fits = not (facts.divides and self.inputs) or _depends(self.input)
        return facts if fits else replace(facts, kind="unknown")


_INPUT = object()


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


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_changed(item, change) for item in value)
    return change(value)


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
