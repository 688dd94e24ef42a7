"""The weights that read a channel: those of the convolutions and linear layers right behind it.

Along a forward pass every tensor carries, for each of its values, the number of the channel that it
comes from: through rectifiers and pools, batch norms and gates, concatenations, shuffles and
flattenings, until weights read it. Behind a sum, several channels share a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ._network import Network
from .layers import Layer
from .operations import Operation, tensors
from .propagation import Propagation, hooked


class Weights(NamedTuple):
    """Statistics of the weights that read each of C channels.

    Attributes:
        number: float64 ``(C,)``, how many there are; 0 where none is known.
        total: float64 ``(C,)``, their sum.
        squares: float64 ``(C,)``, the sum of their squares.
    """

    number: Tensor
    total: Tensor
    squares: Tensor


def outgoing_weights(net: Network, layers: Sequence[Layer]) -> list[Weights]:
    """The weights that read the channels of some layers, in the next layers that have weights.

    Args:
        net: the classifier.
        layers: some of its layers.

    Returns:
        One for each layer.

    Example:
        >>> import xwidgets as xw
        >>> net = xw.network("birds")
        >>> [weights] = outgoing_weights(net, [net.layer(1)])
        >>> int(weights.number[0])  # sixteen kernels of 3 x 3 in the second convolution
        144
    """
    firsts: dict[nn.Module, int] = {}
    channels = sum(layer.shape[0] for layer in layers)

    def begin(module: nn.Module, _: object, output: object) -> None:
        first = firsts[module]
        if isinstance(output, Tensor) and first not in begun:
            begun.add(first)
            numbers = torch.arange(first + 1, first + 1 + output.shape[1], dtype=torch.float64)
            numbers = numbers.view(1, -1, *[1] * (output.ndim - 2)).expand(output.shape)
            readers.write(output, [*(readers.read(output) or []), numbers])

    begun: set[int] = set()
    with net.evaluating() as evaluated:
        modules = dict(evaluated.named_modules(remove_duplicate=False))
        first = 0
        for layer in layers:
            firsts[modules[layer.name]] = first
            first += layer.shape[0]
        readers = _Readers(channels)
        image = torch.zeros(1, net.channels or 3, *net.size, device=net.device, dtype=net.dtype)
        with hooked(list(firsts), begin), readers:
            evaluated(readers.write(image, []))
    sums = readers.sums[:, 1:].split([layer.shape[0] for layer in layers], 1)
    return [Weights(*part) for part in sums]


class _Readers(Propagation[list[Tensor]]):
    """Notes on all that depends on the image: tensors of the shape of the noted one, with the
    number of a channel from 1, or 0 for none, at each place; several where channels share places.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sums = torch.zeros(3, 1 + channels, dtype=torch.float64)

    def follow(self, operation: Operation, noted: list[Tensor], outputs: list[Tensor]) -> None:
        notes = [self.read(value) or [] for value in noted]
        facts = operation.facts
        found: list[list[Tensor]] = [[] for _ in outputs]
        if facts.kind == "linear" and operation.input is noted[0] and len(noted) == 1:
            self._count(operation, notes[0])
        elif facts.keeps_place:
            found = [_distinct([one for note in notes for one in note], part) for part in outputs]
        elif facts.kind in ("average", "maximum"):
            found = [_pooled(notes[0], operation, output) for output in outputs]
        elif facts.moves == "padded":
            padding, mode = operation.argument("pad"), operation.argument("mode") or "constant"
            found = [[pad(number, padding, mode) for number in notes[0]]]
        elif facts.kind == "movement" and not operation.overwrites:
            for place in range(max(map(len, notes))):
                moved = tensors(operation.on(partial(self._numbers, place)))
                for numbers, part in zip(found, moved, strict=True):
                    numbers.append(part)
        if operation.overwrites and not outputs and operation.input is not None:
            outputs, found = [operation.input], [[]]
        for output, numbers in zip(outputs, found, strict=True):
            self.write(output, numbers)

    def _numbers(self, place: int, value: Tensor) -> Tensor:
        if not value.is_floating_point():
            return value  # an index
        numbers = (self.read(value) or [])[place:]
        return numbers[0].contiguous() if numbers else torch.zeros(value.shape, dtype=torch.float64)

    def _count(self, operation: Operation, notes: list[Tensor]) -> None:
        moments = _moments(operation)
        for numbers in notes:
            if operation.facts.axes:
                channels = numbers.flatten(2).amax(2)[0]
            else:
                channels = numbers.reshape(-1, numbers.shape[-1]).amax(0)
            self.sums.index_add_(1, channels.long(), moments)


def _moments(operation: Operation) -> Tensor:
    """``(3, I)``: number, sum and sum of squares of the weights that read each of I inputs."""
    weight, facts = operation.weight, operation.facts
    if facts.axes and not facts.outputs_first:
        rows = weight.flatten(1).T
    elif facts.axes:
        groups = operation.argument("groups") or 1
        grouped = weight.reshape(groups, len(weight) // groups, weight.shape[1], -1)
        rows = grouped.permute(1, 3, 0, 2).flatten(0, 1).flatten(1)
    else:
        rows = weight if facts.outputs_first else weight.T
    moments = torch.zeros(3, rows.shape[1], dtype=torch.float64)
    moments[0] = len(rows)
    for some in rows.split(256):  # double precision throughout would take four times as long
        moments[1] += some.sum(0).cpu()
        moments[2] += some.square().sum(0).cpu()
    return moments


def _distinct(notes: list[Tensor], output: Tensor) -> list[Tensor]:
    """The notes of what is added up to ``output``; a channel that meets itself counts once."""
    distinct: list[Tensor] = []
    for note in notes:
        numbers = note.expand(output.shape)
        for other in distinct:
            numbers = numbers.where(numbers != other, 0)
        if numbers.any():
            distinct.append(numbers)
    return distinct


def _pooled(notes: list[Tensor], operation: Operation, output: Tensor) -> list[Tensor]:
    if operation.facts.reads == "axes":
        axes, keep = operation.argument("dim"), bool(operation.argument("keepdim"))
        axes = tuple(range(output.ndim)) if axes is None else axes
        ends = [(note.amin(axes, keep), note.amax(axes, keep)) for note in notes]
        return [high for low, high in ends if torch.equal(low, high)]
    spatial = operation.facts.axes or output.ndim - 2
    corner = (slice(None),) * (output.ndim - spatial) + (slice(1),) * spatial
    return [note[corner].expand(output.shape) for note in notes]
