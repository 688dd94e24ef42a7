"""How much memory a call may add, and how much goes through a network at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import ceil, inf, prod

import torch
from torch import Tensor

from xwidgets.errors import memory_ran_out, number
from xwidgets.networks import Network

from .free_memory import free_memory
from .parts import parts

RAN_OUT = "memory ran out"

_PROCESSOR = 48e6  # of a batch, for each core
_GPU = 0.125
_SHARE = 0.25  # of what is free
_TENSORS = 0.85  # of the memory; the rest is for what allocators and libraries take beside them
# Times the memory of what is computed together that allocators hold at worst: of whole images, and
# of boxes of many sizes in each thread.
_IMAGE_GAPS, _BOX_GAPS = 2, 3
_RECORDING = 0.5  # of what is left; what differences keep of it, and a batch, come to it


@dataclass(frozen=True)
class Budget:
    """Bytes that a call may add.

    Attributes:
        memory: of tensors; infinite for one at a time, whatever that takes.
        batch: those of a batch at best.
        asked: those that the caller asked for; ``None`` for a share of what is free.
        device: of the network.
    """

    memory: float
    batch: float
    asked: float | None
    device: torch.device

    @classmethod
    def of(cls, memory: float | None, device: torch.device) -> Budget:
        """Bytes ``memory`` or, for ``None``, a quarter of free memory, and batches for the device.

        A processor is fastest while a batch stays in its cache, and cancelling is prompt between
        small ones; a GPU wants large ones, and gets what was asked for or an eighth of its memory.
        The size of a batch decides on the last bits of a result: these follow the number of cores,
        and the free memory where a quarter of it holds no such batch beside what else is kept.

        Example:
            >>> Budget.of(None, torch.device("cpu")).batch
            48000000.0
        """
        if memory is not None:
            number("memory", memory, lambda size: size >= 0, "of bytes, at least 0")
            batch = min(memory, _PROCESSOR) if device.type == "cpu" else memory
            return cls(_TENSORS * memory or inf, batch, memory, device)
        batch = _PROCESSOR
        if device.type == "cuda":
            batch = _GPU * torch.cuda.get_device_properties(device).total_memory
        return cls(_TENSORS * _SHARE * free_memory(device), batch, None, device)

    def beside(self, held: float) -> Budget:
        """Budget that remains when ``held`` bytes are in use."""
        return replace(self, memory=self.memory - held)

    @property
    def recording(self) -> float:
        """Bytes that the values of a recorded pass may take."""
        return _RECORDING * self.memory

    def size(self, need: float, most: float = inf, parts: int = 1) -> int:
        """How many of ``need`` bytes go at once, on a processor at ``most``, and at least one.

        Args:
            need: of each.
            most: in a part.
            parts: that are computed at the same time, each as large as a batch.

        Example:
            >>> Budget.of(100, torch.device("cpu")).size(8)
            10
        """
        count = max(1, int(min(self.memory, parts * self.batch) // need))
        return int(min(count, parts * most)) if self.device.type == "cpu" else count

    def box_size(self, need: float, most: float) -> int:
        """How many boxes go through at once, two thirds of the memory being left for gaps.

        Args:
            need: bytes of what follows each.
            most: in a part.

        Example:
            >>> Budget.of(300, torch.device("cpu")).box_size(8, most=100)
            10
        """
        return self._leaving_gaps(_BOX_GAPS).size(need, most, parts(self.device))

    def image_size(self, net: Network, image: Tensor, what: str) -> int:
        """How many copies of ``image`` ``(C, H, W)`` go through a network whole at once.

        On a processor as many as fit a batch for each of up to four cores, which share the work.
        Half of the memory is left for the gaps between their values.

        Args:
            net: the classifier.
            image: ``(C, H, W)``, on the network's device.
            what: differs in each copy, such as ``"window"``.

        Raises:
            ValueError: when not even one fits into the memory that was asked for.

        Example:
            >>> import xwidgets as xw
            >>> budget = Budget.of(1e7, torch.device("cpu"))
            >>> budget.image_size(xw.network("birds"), torch.zeros(3, 64, 64), "window")
            4
        """
        channels, height, width = image.shape
        layers = net.layers_for((channels, height, width))
        largest = max([image.numel(), *(prod(layer.shape) for layer in layers)])
        need = 4 * largest * image.element_size()  # an input, its output, and as much to work
        self.admit(need, f"one image of this size in {net.name}", what)
        return self._leaving_gaps(_IMAGE_GAPS).size(need, parts=parts(self.device))

    def _leaving_gaps(self, times: float) -> Budget:
        gaps = times if self.device.type == "cpu" else 1
        return replace(self, memory=self.memory / gaps)

    def admit(self, need: float, taker: str, what: str) -> None:
        """Check that ``need`` bytes are there, where the caller asked for some.

        Raises:
            ValueError: when they are not.
        """
        if self.asked and self.memory < need:
            held, need = self.asked - self.memory / _TENSORS, need / _TENSORS
            beside = f", and what is kept beside it {_amount(held)}" if held else ""
            raise ValueError(
                f"memory is {_amount(self.asked)}, but {taker} takes {_amount(need)}{beside}; "
                f"give at least {ceil(need + held):_} bytes, or 0 for one {what} at a time"
            )


def _amount(count: float) -> str:
    return f"{ceil(count):,} bytes" if count < 1e5 else f"{count / 1e6:,.1f} MB"


def joined(notes: Iterable[str]) -> str:
    """Distinct notes in one line, which says once that memory ran out.

    Example:
        >>> joined(["run whole: memory ran out", "", "memory ran out, so that 1 is run at a time"])
        'run whole: memory ran out, so that 1 is run at a time'
    """
    text = "; ".join(dict.fromkeys(filter(None, notes)))
    return text.replace(f"{RAN_OUT}; {RAN_OUT}", RAN_OUT)


class Batches:
    """Parts of lists that are computed one after the other, halved where memory runs out.

    Args:
        size: of a part at first.
        what: is computed, such as ``"window"``.

    Attributes:
        size: of the parts from now on.
        note: how memory ran out, if it did; otherwise empty.

    Example:
        >>> Batches(2, "number").run(torch.square, torch.arange(5))
        tensor([ 0,  1,  4,  9, 16])
    """

    def __init__(self, size: int, what: str) -> None:
        self.size, self._what, self.note = size, what, ""

    def run(self, compute: Callable[..., Tensor], *lists: Tensor) -> Tensor:
        """Results ``(n, ...)`` of a function of parts of lists ``(n, ...)``.

        Raises:
            MemoryError: when memory runs out with a single one.
        """
        results: list[Tensor] = []
        while len(lists[0]) or not results:
            result = self._tried(compute, *(part[: self.size] for part in lists))
            if result is not None:
                results.append(result)
                lists = tuple(part[len(result) :] for part in lists)
        return torch.cat(results)

    def _tried(self, compute: Callable[..., Tensor], *parts: Tensor) -> Tensor | None:
        try:
            return compute(*parts)
        except (MemoryError, RuntimeError) as error:
            if not memory_ran_out(error):
                raise
            if len(parts[0]) <= 1:
                raise MemoryError(
                    f"memory ran out with a single {self._what}; free some, or take a smaller "
                    "picture or network"
                ) from error
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        self.size = len(parts[0]) // 2
        self.note = f"{RAN_OUT}, so that {self._what}s are run {self.size} at a time"
        return None
