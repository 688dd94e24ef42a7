"""Values of a map that are too small to matter, or not told from zero: hatched instead of coloured.

A value is hatched when its magnitude is below a threshold of practical effect, or within 2 standard
errors of zero where these are known. ``overlay/frames.mjs`` of the views decides the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .relevance import Relevance

EFFECTS = {"bits": 0.05, "probability": 0.005}
"""Magnitudes, by unit, below which the effect of hiding a part of the picture is too small to
matter. 0.05 bits move a probability of a half by less than a hundredth. Units of pixel-wise methods
have none: there a large effect may be the sum of many small values."""

SURE = 0.999
"""Probability beyond which a network is called sure of a class."""


def default_effect(result: Relevance) -> float:
    """Magnitude below which values of a map are too small to matter, in its unit; 0 for none known.

    Example:
        >>> from xwidgets.results import Relevance
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> default_effect(Relevance(*pixels, "bits", "occlusion", "birds", 0, "wren", {}))
        0.05
    """
    return EFFECTS.get(result.unit, 0.0) if result.signed else 0.0


def hatched(
    result: Relevance, effect: float | None = None, uncertain: bool = True
) -> NDArray[np.bool_]:
    """Mask ``(H, W)`` of the known values that are too small to matter, or not told from zero.

    Args:
        result: a map.
        effect: magnitude below which values are too small, in the map's unit; ``None`` for
            :func:`default_effect`.
        uncertain: whether values within 2 standard errors of zero are among them.

    Example:
        >>> from xwidgets.results import Relevance
        >>> values = np.array([[0.04, -0.2], [0.3, np.nan]], np.float32)
        >>> error = np.full((2, 2), 0.12, np.float32)
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> one = Relevance(values, image, "bits", "occlusion", "birds", 0, "wren", {},
        ...                 standard_error=error)
        >>> hatched(one).tolist()
        [[True, True], [False, False]]
    """
    effect = default_effect(result) if effect is None else effect
    size = np.abs(result.values)
    mask = size < effect
    if uncertain and result.standard_error is not None:
        mask = mask | (size <= 2 * result.standard_error)
    return np.asarray(mask & np.isfinite(result.values))
