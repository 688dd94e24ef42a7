"""A forward pass written down: which operation made which value from which.

A `TorchFunctionMode` sees every operation that depends on the image, so that functional calls, sums
and in-place operations are recorded as modules are. What cannot be replayed for another image (a
branch taken on a value, a value that left torch and came back) raises :class:`Unrecordable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode

from xwidgets.errors import memory_ran_out
from xwidgets.networks.operation_table import Facts
from xwidgets.networks.operations import Operation, constant, tensors
from xwidgets.networks.provenance import Making


class Unrecordable(Exception):
    """Why a forward pass cannot be replayed, as the end of a sentence."""


@contextmanager
def affordable() -> Iterator[None]:
    """Errors that tell that memory ran out, as an :class:`Unrecordable`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not memory_ran_out(error):
            raise
        raise Unrecordable("memory ran out") from error


@dataclass(frozen=True)
class Call:
    """One operation of a recording.

    Attributes:
        operation: what was called.
        sources: the numbers of the values that it took, in the order of ``operation.inputs``.
        results: the numbers of the values that it made, :data:`LOST` for indices and the like.
    """

    operation: Operation
    sources: tuple[int, ...]
    results: tuple[int, ...]

    @property
    def made(self) -> tuple[int, ...]:
        """The numbers of the values among the results."""
        return tuple(number for number in self.results if number != LOST)


@dataclass
class Recording:
    """A forward pass of one image.

    Attributes:
        calls: in the order in which they ran.
        values: by number, what they made for this image; value 0 is the image. Of those that were
            released only type and shape are left, in a meta tensor.
        output: the number of the value that the pass returned.
    """

    calls: list[Call]
    values: list[Tensor]
    output: int

    def release(self, position: int, values: Iterable[int]) -> None:
        """Forget what a call took, and some values, which nothing needs any more.

        A recording of which something was released can be replayed, but is not looked at again.
        """
        call = self.calls[position]
        self.calls[position] = replace(call, operation=call.operation.released())
        for number in values:
            self.values[number] = self.values[number].to("meta")

    def behind(self, number: int) -> Recording:
        """The part that depends on a value, which becomes the image; other values are constant.

        Raises:
            Unrecordable: when the output does not depend on it.
        """
        numbers = {number: 0}
        calls = []
        for call in self.calls:
            constants = [None if n in numbers else self.values[n] for n in call.sources]
            if None not in constants:
                continue
            for one in call.made:
                numbers[one] = len(numbers)
            sources = tuple(numbers[n] for n in call.sources if n in numbers)
            results = tuple(LOST if n == LOST else numbers[n] for n in call.results)
            calls.append(Call(call.operation.holding(constants), sources, results))
        if self.output not in numbers:
            raise Unrecordable("its output does not depend on that layer")
        return Recording(calls, [self.values[n] for n in numbers], numbers[self.output])

    def replay(self, start: Tensor) -> Tensor:
        """The output when value 0 is another, of the same shape."""
        values = {0: start}
        for call in self.calls:
            made = tensors(call.operation(*(values[number] for number in call.sources)))
            values.update(zip(call.results, made, strict=True))
        return values[self.output]


def record(forward: Callable[[Tensor], Tensor], image: Tensor, most: float = inf) -> Recording:
    """Write down ``forward(image)``.

    Args:
        forward: maps ``(1, C, H, W)`` to ``(1, K)``.
        image: ``(1, C, H, W)``, which is not changed.
        most: bytes that the values may take.

    Raises:
        Unrecordable: when the pass cannot be replayed for another image, or takes more.

    Example:
        >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
        >>> recording = record(module, torch.rand(1, 3, 8, 8))
        >>> [call.operation.name for call in recording.calls]
        ['clone', 'conv2d', 'relu', 'flatten']
    """
    recorder = _Recorder(most)
    unsaved = saved_tensors_hooks(lambda tensor: None, _refuse_backward)
    with torch.inference_mode(False), torch.enable_grad(), unsaved, recorder:
        try:
            output = forward(image.detach().clone().requires_grad_().clone())
        except RuntimeError as error:
            if memory_ran_out(error):
                raise
            raise Unrecordable(f"its forward pass cannot be watched ({error})") from error
    number = recorder.number(output)
    if number is None:
        raise Unrecordable("what it returns does not depend on the image")
    calls = _leading_to(number, recorder.calls)
    needed = {0, number}.union(*(call.sources + call.made for call in calls))
    values = [value if n in needed else value.to("meta") for n, value in enumerate(recorder.values)]
    return Recording(calls, values, number)


def _refuse_backward(saved: object) -> Tensor:
    raise Unrecordable("its forward pass takes a gradient of its own")


def number_of(tensor: Tensor | None) -> int | None:
    """The number that a tensor, which a recorded pass left behind, has in its recording."""
    number: int | None = getattr(tensor, "xwidgets_number", None)
    return None if number == LOST else number


def _leading_to(output: int, calls: Sequence[Call]) -> list[Call]:
    """The calls that the output is made by; what else runs, behind a hidden layer, is left out."""
    needed = {output}
    kept = []
    for call in reversed(calls):
        if needed.intersection(call.results):
            needed.update(call.sources)
            kept.append(call)
    return kept[::-1]


class _Recorder(TorchFunctionMode):
    """Numbers the tensors that depend on the image: those that require a gradient.

    Weights are constants here. A tensor that came from the image but has no gradient, such as a
    comparison or an index, is lost: it has no number, and so is what is made from it, unless that
    is known as a function of a tensor with a number.
    """

    def __init__(self, most: float) -> None:
        super().__init__()
        self._left = most  # bytes
        self._storages: set[int] = set()
        self.calls: list[Call] = []
        self.values: list[Tensor] = []
        self._tensors: list[Tensor] = []

    def number(self, tensor: Tensor) -> int | None:
        """Number of a tensor that depends on the image; ``None`` for others."""
        number = self._number(tensor)
        if number == LOST:
            raise Unrecordable(_NOT_SEEN)
        return number

    def _number(self, tensor: Tensor) -> int | None:
        number: int | None = getattr(tensor, "xwidgets_number", None)
        if number is None and tensor.requires_grad:
            if self.values:
                raise Unrecordable("tensors other than the image require a gradient in it")
            number = self._add(tensor)
        return number

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        args, kwargs = constant(args), constant(kwargs or {})
        given = list(tensors((*args, *kwargs.values())))
        operation = Operation(function, args, kwargs)
        if operation.facts.looks and any(hasattr(one, "xwidgets_number") for one in given):
            raise Unrecordable("its forward pass looks at values and may branch on them")
        making = Making(operation)
        if making.whole.kind in ("rectifier", "normalization") and making.whole.inputs:
            given = list(making.whole.inputs)
        numbers = [number for one in given if (number := self._number(one)) is not None]
        if not numbers or self._only_likens(operation.facts, given[0]):
            return function(*args, **kwargs)
        if operation.overwrites:
            if LOST in numbers:
                raise Unrecordable(_NOT_SEEN)
            self._overwrite(operation)
        output = function(*args, **kwargs)
        making.note(output)
        if LOST in numbers:
            for one in tensors(output):
                _lose(one)
            return output
        call = making.whole
        if _replaces(operation):
            call, numbers = Operation(torch.clone, operation.inputs[1:], {}), numbers[1:]
        results = tuple(
            self._add(one) if one.requires_grad else _lose(one) for one in tensors(output)
        )
        if max(results, default=LOST) != LOST:
            self.calls.append(Call(call, tuple(numbers), results))
        return output

    def _only_likens(self, facts: Facts, first: Tensor) -> bool:
        """Whether a call takes only the shape or the type of a value."""
        return facts.like == "first" or (facts.like == "second" and self._number(first) is None)

    def _add(self, tensor: Tensor) -> int:
        self._tensors.append(tensor)
        self.values.append(tensor.detach())
        self._count(tensor)
        tensor.xwidgets_number = len(self.values) - 1  # type: ignore[attr-defined]
        return len(self.values) - 1

    def _count(self, tensor: Tensor) -> None:
        """Take the bytes of a value from those that are left, once for all views of them."""
        if _memory(tensor) not in self._storages:
            self._storages.add(_memory(tensor))
            self._left -= tensor.untyped_storage().nbytes()
        if self._left < 0:
            raise Unrecordable("the activations of one image do not fit into the memory")

    def _overwrite(self, operation: Operation) -> None:
        """Keep the values that are about to change, and lose other views of the same memory."""
        target = operation.input
        if target is None or not (operation.inplace or _replaces(operation)):
            raise Unrecordable(f"{operation.name!r} writes over a part of a value")
        for number, value in enumerate(self.values):
            if _memory(value) == _memory(target):
                self.values[number] = value.clone()
                self._count(self.values[number])
                if self._tensors[number] is not target:
                    _lose(self._tensors[number])


_NOT_SEEN = "what it computes depends on the image in a way that was not seen"
LOST = -1
"""The number of what came from the image in a way that a gradient does not follow."""


def _replaces(operation: Operation) -> bool:
    """Whether one value is written over the whole of another, as a rule of a watched pass does."""
    shapes = [one.shape for one in operation.inputs]
    return operation.facts.moves == "replaced" and len(shapes) == 2 and shapes[0] == shapes[1]


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _lose(tensor: Tensor) -> int:
    tensor.xwidgets_number = LOST  # type: ignore[attr-defined]
    return LOST
