"""Where in a value the axes of a map are.

Differences lie in boxes ``(n, C, h, w)`` of maps ``(1, C, H, W)``. The values of a network are
arranged in other ways too: channels behind rows and columns, channels along two axes while they are
shuffled, or vectors. A layout tells how to get from one to the other; that a movement only moves
channels is found by moving the numbers of all cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xwidgets.networks.operations import tensors


class Layout(NamedTuple):
    """The axes of a value ``(1, ...)``, of which all but two are those of channels.

    Attributes:
        channels: the sizes of the axes of channels.
        places: the axes of rows and columns; ``None`` for a value without, a map of one place.

    Example:
        >>> Layout((8,), (1, 2)).value(torch.rand(5, 8, 3, 4)).shape
        torch.Size([5, 3, 4, 8])
    """

    channels: tuple[int, ...]
    places: tuple[int, int] | None = None

    @classmethod
    def usual(cls, shape: Sequence[int]) -> Layout:
        """Layout of ``(1, C, H, W)``; values with fewer or more axes are no maps."""
        return cls((shape[1],), (2, 3)) if len(shape) == 4 else cls(tuple(shape[1:]))

    @property
    def is_usual(self) -> bool:
        """Whether values are ``(1, C, H, W)``."""
        return len(self.channels) == 1 and self.places == (2, 3)

    def map(self, value: Tensor) -> Tensor:
        """``(n, C, h, w)`` of a value of this layout, in the same memory where that can be."""
        if self.is_usual:
            return value
        if self.places is None:
            return value.reshape(len(value), prod(self.channels), 1, 1)
        moved = value.movedim(self.places, (-2, -1))
        return moved.reshape(len(value), prod(self.channels), *moved.shape[-2:])

    def value(self, boxes: Tensor) -> Tensor:
        """The value in this layout of ``(n, C, h, w)``."""
        if self.is_usual:
            return boxes
        if self.places is None:
            return boxes.reshape(len(boxes), *self.channels)
        shape = len(boxes), *self.channels, *boxes.shape[-2:]
        return boxes.reshape(shape).movedim((-2, -1), self.places)

    def same_everywhere(self, constant: Tensor, base: Tensor) -> Tensor | None:
        """``(1, C, 1, 1)`` of a constant beside a value; ``None`` where it depends on the place."""
        if constant.numel() == 1:
            return constant.reshape(1, 1, 1, 1)
        try:
            cells = self.map(constant.expand_as(base))
        except RuntimeError:  # it has more axes, or others
            return None
        one = cells[:, :, :1, :1]
        return one if bool((cells == one).all()) else None


def arrangements(
    move: Callable[[Tensor], Any], layout: Layout, base: Tensor
) -> list[tuple[Layout, Tensor]] | None:
    """The layout of each result of a movement, and ``(C',)``, which channels it takes.

    Args:
        move: such as a transposition or a split.
        layout: of what is moved.
        base: of that layout.

    Returns:
        ``None`` where more than channels are moved.

    Example:
        >>> [(layout, channels)] = arrangements(lambda x: x[:, ::2], Layout((4,), (2, 3)),
        ...                                     torch.rand(1, 4, 5, 6))
        >>> layout.is_usual, channels
        (True, tensor([0, 2]))
    """
    size = layout.map(base).shape
    cells = torch.arange(prod(size), device=base.device).view(size)
    try:
        moved = [*tensors(move(layout.value(cells).contiguous()))]
    except RuntimeError:  # it asks for the memory of the value itself
        return None
    results = [_arrangement(numbers.cpu(), size[2], size[3]) for numbers in moved]
    known = [result for result in results if result is not None]
    return known if len(known) == len(results) else None


def _arrangement(cells: Tensor, height: int, width: int) -> tuple[Layout, Tensor] | None:
    if len(cells) != 1 or not cells.numel():
        return None
    channels, places = cells // (height * width), cells % (height * width)
    whole = torch.arange(height * width).view(height, width)
    for axes in _axes(cells.ndim):
        if [cells.shape[axis] for axis in axes] != [height, width]:
            continue
        if not (places.movedim(axes, (-2, -1)) == whole).all():
            continue
        taken = channels.movedim(axes, (-2, -1))
        sizes = tuple(taken.shape[1:-2])
        first = taken[..., :1, :1]
        return (Layout(sizes, axes), first.flatten()) if (taken == first).all() else None
    if height * width == 1:
        return Layout(tuple(cells.shape[1:])), channels.flatten()
    return None


def _axes(count: int) -> Iterator[tuple[int, int]]:
    """Where rows and columns can be; first where they usually are."""
    pairs = permutations(range(1, count), 2)
    yield from sorted(pairs, key=lambda pair: (pair[0] > pair[1], -pair[0], -pair[1]))
