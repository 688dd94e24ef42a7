"""Sharpness of maps: their change from pixel to pixel, and the area that they concentrate on.

Noise increases both, so compare maps that are estimated from equally many samples. A sharper map
changes more, and has a smaller half area.
"""

import numpy as np
from numpy.typing import NDArray

from .a_map import a_map


def sharpness(values: NDArray[np.floating]) -> float:
    """Mean absolute change from a pixel to the next, relative to the mean absolute value.

    Args:
        values: ``(H, W)``, at least 2 x 2.

    Returns:
        0 for a constant map, independent of the unit; NaN for an empty map.

    Example:
        >>> sharpness(np.array([[1.0, -1.0], [-1.0, 1.0]]))
        2.0
    """
    size = np.abs(a_map("values", values)).mean()
    if not size:
        return float("nan")
    steps = [np.abs(np.diff(values, axis=axis)).mean() for axis in (0, 1)]
    return float(np.mean(steps) / size)


def half_area(values: NDArray[np.floating]) -> float:
    """Smallest share of the picture that holds half of the sum of absolute values.

    Args:
        values: ``(H, W)``.

    Returns:
        Above 0; 0.5 for a constant map, NaN for an empty one.

    Example:
        >>> half_area(np.array([[3.0, 1.0], [-1.0, 1.0]]))
        0.25
    """
    sizes = np.sort(np.abs(a_map("values", values)), axis=None)[::-1].astype(np.float64)
    if not sizes[0]:
        return float("nan")
    half = int((sizes.cumsum() >= sizes.sum() / 2 * (1 - 1e-12)).argmax())
    return (half + 1) / sizes.size


def same_sign(values: NDArray[np.floating]) -> float:
    """Share of neighbouring pixels with the same sign, weighted by the smaller magnitude.

    Args:
        values: ``(H, W)``, at least 2 x 2.

    Returns:
        0.5 for independent signs, 1 where signs never change; NaN for an empty map.

    Example:
        >>> same_sign(np.array([[2.0, 2.0], [-1.0, -1.0]]))
        0.6
    """
    a_map("values", values)
    weights, same = 0.0, 0.0
    for axis in (0, 1):
        lower, upper = values.swapaxes(0, axis)[1:], values.swapaxes(0, axis)[:-1]
        weight = np.minimum(np.abs(lower), np.abs(upper)).astype(np.float64)
        weights += float(weight.sum())
        same += float(weight[lower * upper > 0].sum())
    return same / weights if weights else float("nan")
