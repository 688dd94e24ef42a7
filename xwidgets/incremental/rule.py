"""A rule: what an operation does with differences.

B is a value of the unchanged image and D the difference that a window makes, so that a linear
operation does with D what it does with B, but without its bias, and any other f gives
f(B + D) - f(B). Outside of a map a box holds nothing that counts, and a rule says whether that is
zero (`clean`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from .boxes import Placement, Places
from .extent import Extent
from .layout import Layout


@dataclass(frozen=True)
class Source:
    """A value that an operation takes.

    Attributes:
        base: ``(1, ...)``, what it is for the unchanged image.
        layout: how a map lies in that.
        extent: where its difference can lie.
        clean: whether the boxes are zero outside of the map.
        free: whether nothing else needs its boxes, so that they can be written over.
    """

    base: Tensor
    layout: Layout
    extent: Extent
    clean: bool
    free: bool

    @property
    def map(self) -> Tensor:
        """``(1, C, H, W)``."""
        return self.layout.map(self.base)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the map."""
        return self.extent.rows.length, self.extent.columns.length

    @property
    def channels(self) -> int:
        """Channels of the map."""
        return self.base.numel() // (self.size[0] * self.size[1])

    @property
    def numbers(self) -> int:
        """How many numbers its difference takes for one window."""
        return self.channels * self.extent.area


class DifferenceRule(ABC):
    """An operation on differences, made ready for one image and one window size.

    Attributes:
        extent: where its result can differ.
        layout: of its result.
        clean: whether its boxes are zero outside of the map.
        cost: multiplications a window.
        workspace: numbers a window that it holds beside its sources and its result, less those of a
            source that the result is written over.
    """

    extent: Extent
    layout: Layout
    clean: bool = True
    cost: int = 0
    workspace: int = 0

    @abstractmethod
    def __call__(self, places: Places, *boxes: Tensor) -> Tensor:
        """The differences of the result."""


def whole_maps(x: Source) -> Placement | None:
    """How to lay boxes into whole maps, where they are not whole already."""
    return None if x.extent.whole else Placement(x.extent, x.extent.all(x.size))


def huge(like: Tensor) -> float:
    """A number above all activations, of which two can be added."""
    return torch.finfo(like.dtype).max / 4
