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
    """Protocol of what fills windows of an image with random contents."""

    def largest(self, image: Tensor) -> int:
        """Side of the largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        ...

    def condition(self, image: Tensor, window: int) -> Draw:
        """Prepare to draw windows of ``window`` pixels in ``image`` ``(C, H, W)``."""
        ...
