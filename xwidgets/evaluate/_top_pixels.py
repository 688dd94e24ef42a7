"""Most relevant pixels of a map (Zintgraf et al. 2016, figure 4)."""

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import number

from .a_map import a_map


def top_pixels(values: NDArray[np.floating], share: float = 0.05) -> NDArray[np.bool_]:
    """Mask of the pixels with the largest absolute values.

    Args:
        values: ``(H, W)``, signed or not, such as ``Relevance.values``.
        share: of all pixels, above 0 and at most 1.

    Returns:
        ``(H, W)``, true at that share of the pixels, at least one; of equal ones the first.

    Raises:
        ValueError: for a map with unknown values, or an invalid share.

    Example:
        >>> top_pixels(np.array([[1.0, -3.0], [0.0, 2.0]]), share=0.5).tolist()
        [[False, True], [False, True]]
    """
    number("share", share, lambda share: 0 < share <= 1, "above 0 and at most 1")
    if not np.isfinite(a_map("values", values)).all():
        raise ValueError("the map has values that are not known; give a complete one")
    order = np.argsort(-np.abs(values), axis=None, kind="stable")
    mask = np.zeros(values.size, bool)
    mask[order[: max(1, round(share * values.size))]] = True
    return mask.reshape(values.shape)
