"""A forward pass in which tensors carry notes, such as what they see or where they come from.

A `TorchFunctionMode` sees every operation, so that functional calls, sums and concatenations pass
notes on as modules do.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .operations import Operation, constant, tensors

Note = TypeVar("Note")


class Propagation(TorchFunctionMode, Generic[Note]):
    """A context in which notes follow the data."""

    @abstractmethod
    def follow(self, operation: Operation, noted: list[Tensor], outputs: list[Tensor]) -> None:
        """Note down on ``outputs`` what follows from the operation and its ``noted`` inputs."""

    def write(self, tensor: Tensor, note: Note | None) -> Tensor:
        """``tensor``, with a note or with none."""
        tensor.xwidgets_note = note  # type: ignore[attr-defined]
        return tensor

    def read(self, tensor: Tensor) -> Note | None:
        """The note that a tensor carries."""
        return getattr(tensor, "xwidgets_note", None)

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        args, kwargs = constant(args), constant(kwargs or {})
        output = function(*args, **kwargs)
        inputs = tensors((*args, *kwargs.values()))
        if noted := [value for value in inputs if self.read(value) is not None]:
            self.follow(Operation(function, args, kwargs), noted, list(tensors(output)))
        return output


@contextmanager
def hooked(modules: Sequence[nn.Module], hook: Callable[..., None]) -> Iterator[None]:
    """``hook`` called after each of these modules ran."""
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
