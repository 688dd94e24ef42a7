"""What fills windows of an image, whatever it draws from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

Draw = Callable[[Tensor, Sequence[np.random.Generator]], Tensor]
"""Window corners ``(n, 2)`` as (y, x), and a source of randomness for each -> ``(n, C, k, k)``."""


@runtime_checkable
class Sampler(Protocol):
    """Anything that can fill windows of an image."""

    def largest(self, image: Tensor) -> int:
        """The largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        ...

    def given(self, image: Tensor, window: int) -> Draw:
        """Get ready for windows of ``window`` pixels in ``image`` ``(C, H, W)``."""
        ...
