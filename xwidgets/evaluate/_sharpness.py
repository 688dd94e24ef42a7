"""How sharp a map is: how fast it changes, and on how little of the picture it lies.

Noise makes a map change fast too, so maps are compared that were estimated from as many samples;
and it spreads a map over the picture. A sharper map is better by both measures.
"""

import numpy as np
from numpy.typing import NDArray


def sharpness(values: NDArray[np.floating]) -> float:
    """The mean change from a pixel to the next, as a share of the map's mean absolute value.

    Args:
        values: ``(H, W)``, at least 2 x 2.

    Returns:
        0 for a constant map; it does not depend on the map's unit. NaN for an empty map.

    Example:
        >>> sharpness(np.array([[1.0, -1.0], [-1.0, 1.0]]))
        2.0
    """
    size = np.abs(values).mean()
    if not size:
        return float("nan")
    steps = [np.abs(np.diff(values, axis=axis)).mean() for axis in (0, 1)]
    return float(np.mean(steps) / size)


def half_area(values: NDArray[np.floating]) -> float:
    """The smallest share of the picture that holds half of the map's absolute values.

    Args:
        values: ``(H, W)``.

    Returns:
        Above 0, and 0.5 for a map that is the same everywhere. NaN for an empty map.

    Example:
        >>> half_area(np.array([[3.0, 1.0], [-1.0, 1.0]]))
        0.25
    """
    sizes = np.sort(np.abs(values), axis=None)[::-1].astype(np.float64)
    if not sizes[0]:
        return float("nan")
    half = int((sizes.cumsum() >= sizes.sum() / 2 * (1 - 1e-12)).argmax())
    return (half + 1) / sizes.size


def same_sign(values: NDArray[np.floating]) -> float:
    """How often a pixel and the next have the same sign, weighted by the smaller of the two.

    Args:
        values: ``(H, W)``, at least 2 x 2.

    Returns:
        0.5 for independent signs, 1 where signs never change. NaN for an empty map.

    Example:
        >>> same_sign(np.array([[2.0, 2.0], [-1.0, -1.0]]))
        0.6
    """
    weights, same = 0.0, 0.0
    for axis in (0, 1):
        one, other = values.swapaxes(0, axis)[1:], values.swapaxes(0, axis)[:-1]
        weight = np.minimum(np.abs(one), np.abs(other)).astype(np.float64)
        weights += float(weight.sum())
        same += float(weight[one * other > 0].sum())
    return same / weights if weights else float("nan")
