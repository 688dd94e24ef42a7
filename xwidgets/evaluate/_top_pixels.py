"""The most relevant pixels of a map (Zintgraf et al. 2016, figure 4)."""

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import number


def top_pixels(values: NDArray[np.floating], share: float = 0.05) -> NDArray[np.bool_]:
    """The pixels with the largest absolute values, as a mask.

    Args:
        values: ``(H, W)``, signed or not, such as ``Relevance.values``.
        share: how many of all pixels, above 0 and at most 1.

    Returns:
        ``(H, W)``, true at that share of the pixels, one at least; of equal ones the first.

    Raises:
        ValueError: when the map has unknown values, or the share cannot be.

    Example:
        >>> top_pixels(np.array([[1.0, -3.0], [0.0, 2.0]]), share=0.5).tolist()
        [[False, True], [False, True]]
    """
    number("share", share, lambda share: 0 < share <= 1, "above 0 and at most 1")
    if not np.isfinite(values).all():
        raise ValueError("the map has values that are not known; give a complete one")
    order = np.argsort(-np.abs(values), axis=None, kind="stable")
    mask = np.zeros(values.size, bool)
    mask[order[: max(1, round(share * values.size))]] = True
    return mask.reshape(values.shape)
