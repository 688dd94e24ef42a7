"""Protocol of samplers, which fill windows of an image with random contents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

Draw = Callable[[Tensor, Sequence[np.random.Generator]], Tensor]
"""From window corners ``(n, 2)``, as (y, x), and a random generator each, to ``(n, C, k, k)``."""


@runtime_checkable
class Sampler(Protocol):
    """Protocol of what fills windows of an image with random contents.

    One that takes memory to draw may tell so by a method ``drawing_bytes(window)``, whose bytes
    are then counted where a call's ``memory`` is bounded.
    """

    def largest(self, image: Tensor) -> int:
        """Side of the largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        ...

    def condition(self, image: Tensor, window: int) -> Draw:
        """Prepare to draw windows of ``window`` pixels in ``image`` ``(C, H, W)``.

        A map that was left and goes on calls it again.
        """
        ...
