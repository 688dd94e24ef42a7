"""Outlines of objects, and concentration of a map in a region."""

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import isotropic_dilation, isotropic_erosion

from xwidgets.errors import number

from .a_map import a_map


def outline(mask: NDArray[np.bool_], width: float = 2) -> NDArray[np.bool_]:
    """Mask of the pixels on both sides of an object's edge.

    Args:
        mask: ``(H, W)``, the object.
        width: largest distance from the edge, in pixels, on either side.

    Returns:
        ``(H, W)``; empty when the object is empty or fills the picture.

    Example:
        >>> outline(np.array([[False, False, False, True, True, True]]), 1)[0].astype(int)
        array([0, 0, 1, 1, 0, 0])
    """
    number("width", width, lambda width: width > 0, "of pixels, above 0")
    if a_map("mask", mask, "b").all() or not mask.any():
        return np.zeros_like(mask)
    return np.asarray(isotropic_dilation(mask, width) & ~isotropic_erosion(mask, width))


def times_expected(values: NDArray[np.generic], region: NDArray[np.bool_]) -> float:
    """Concentration of a map in a region, relative to a map that is spread evenly.

    Args:
        values: ``(H, W)``; their absolute values count, and a mask counts as 0 and 1.
        region: ``(H, W)``.

    Returns:
        0 to the picture's size over the region's; NaN when the region or the map is empty.

    Example:
        >>> region = np.array([[True, False, False, False]])
        >>> times_expected(np.array([[-2.0, 1.0, 1.0, 0.0]]), region)
        2.0
    """
    sizes = np.abs(a_map("values", values).astype(np.float64))
    if a_map("region", region, "b").shape != sizes.shape:
        raise ValueError(f"the map is {sizes.shape}, the region {region.shape}; give its size")
    if not region.any() or not sizes.sum():
        return float("nan")
    return float(sizes[region].mean() / sizes.mean())
