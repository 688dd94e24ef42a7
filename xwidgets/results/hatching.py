"""Values of a map that are too small to matter, or not told from zero: hatched instead of coloured.

A value is hatched when its magnitude is below a threshold of practical effect, or within 2 standard
errors of zero where these are known. ``overlay/frames.mjs`` of the views decides the same.
"""

import numpy as np
from numpy.typing import NDArray

EFFECTS = {"bits": 0.05, "probability": 0.005}
"""Magnitudes, by unit, below which the effect of hiding a part of the picture is too small to
matter. 0.05 bits move a probability of a half by less than a hundredth. Units of pixel-wise methods
have none: there a large effect may be the sum of many small values."""

SURE = 0.999
"""Probability beyond which a network is called sure of a class."""


def default_effect(unit: str, signed: bool = True) -> float:
    """Magnitude below which values of a map are too small to matter; 0 where none is known.

    Args:
        unit: of the map.
        signed: whether its values can be negative; what is left of a probability is no effect.

    Example:
        >>> default_effect("bits"), default_effect("logits")
        (0.05, 0.0)
    """
    return EFFECTS.get(unit, 0.0) if signed else 0.0


def hatched(
    values: NDArray[np.floating], standard_error: NDArray[np.floating] | None, effect: float
) -> NDArray[np.bool_]:
    """Mask ``(H, W)`` of the known values that are too small to matter, or not told from zero.

    Args:
        values: ``(H, W)``, NaN where nothing is known.
        standard_error: of the values, ``(H, W)``, NaN where it is not known; ``None`` where it does
            not count.
        effect: magnitude below which values are too small.

    Example:
        >>> hatched(np.array([[0.04, -0.2], [0.3, np.nan]]), np.full((2, 2), 0.12), 0.05).tolist()
        [[True, True], [False, False]]
    """
    size = np.abs(values)
    mask = size < effect
    if standard_error is not None:
        mask = mask | (size <= 2 * standard_error)
    return np.asarray(mask & np.isfinite(values))
