"""Parts of a picture: P(part | pixel) from the points or masks of its parts.

Qi et al. 2018 have one point a part and no outlines, so their Algorithm 1 divides the subject's box
into the cells of a Voronoi diagram, with probabilities that fall with the distance to the part's
point. Where true masks are known, they give the parts exactly.
"""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xwidgets.box import Box
from xwidgets.errors import WrongType, listed, of_kind, shown

if TYPE_CHECKING:
    from xwidgets.images.scenes import Point


def voronoi_parts(
    points: Collection[Point], box: Box, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Parts from one point each (Algorithm 1 of Qi et al. 2018).

    A pixel in the box belongs to the visible part with the nearest point, of equally near ones the
    first, with probability 1 - d. d is the Euclidean distance to that point, divided by the largest
    one in the part's cell; a cell of a single pixel has d = 0. So the probabilities of a pixel in
    the box need not sum to 1. Outside of the box, all is context.

    Args:
        points: one for each of the P parts, such as ``scene.parts.values()``.
        box: around the subject.
        size: height and width of the picture.

    Returns:
        ``(P + 1, H, W)``, the context last.

    Raises:
        ValueError: when no part is visible, or a visible point or the box is not in the picture.

    Example:
        >>> from xwidgets.images.scenes import Point
        >>> beak, tail = Point(0, 0, True), Point(4, 0, True)
        >>> voronoi_parts([beak, tail], Box(0, 0, 1, 5), (1, 6))
        array([[[1. , 0.5, 0. , 0. , 0. , 0. ]],
               [[0. , 0. , 0. , 0. , 1. , 0. ]],
               [[0. , 0. , 0. , 0. , 0. , 1. ]]], dtype=float32)
    """
    sides = listed("size", size, Integral, "(height, width) in pixels")
    if len(sides) != 2:
        raise ValueError(f"size is {shown(size)}, but must be (height, width) in pixels")
    of_kind("box", box, Box, "an xwidgets.box.Box")
    points_inside(points, size)
    if not any(point.visible for point in points):
        raise ValueError("no part is visible, so no pixel shows one; leave this picture out")
    height, width = size
    if not (0 <= box.top < box.bottom <= height and 0 <= box.left < box.right <= width):
        raise ValueError(f"{box} is empty or reaches out of the picture of {height} x {width}")
    rows = np.arange(box.top, box.bottom)[:, None]
    columns = np.arange(box.left, box.right)
    squares = np.stack(
        [
            (rows - point.y) ** 2 + (columns - point.x) ** 2 + (0 if point.visible else np.inf)
            for point in points
        ]
    )
    nearest = squares.argmin(0)
    parts = np.zeros((len(points) + 1, height, width), np.float32)
    parts[-1] = 1
    parts[-1][box.slices] = 0
    for number, square in enumerate(squares):
        cell = nearest == number
        distance = np.sqrt(square[cell])
        parts[number][box.slices][cell] = 1 - distance / distance.max() if len(distance) > 1 else 1
    return parts


def mask_parts(masks: Collection[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """Parts from true masks; a pixel in several belongs to each with equal probability.

    Args:
        masks: bool ``(H, W)`` for each of the P parts, such as ``scene.masks.values()``.

    Returns:
        ``(P + 1, H, W)``, the context last: the pixels in no mask. Probabilities of a pixel sum to
        1.

    Raises:
        ValueError: when there is no mask, or they are not bool or not of one size.

    Example:
        >>> mask_parts([np.array([[True, True, False]]), np.array([[False, True, False]])])
        array([[[1. , 0.5, 0. ]],
               [[0. , 0.5, 0. ]],
               [[0. , 0. , 1. ]]], dtype=float32)
    """
    masks = listed("masks", masks, np.ndarray, "a list of masks (H, W)")
    shapes = {mask.shape for mask in masks}
    if len(shapes) != 1 or len(min(shapes)) != 2:
        raise ValueError(
            f"masks of the shapes {sorted(shapes)} are given; give at least one, all (H, W)"
        )
    stacked = np.stack(list(masks))
    if stacked.dtype != bool:
        raise ValueError(f"masks are bool, not {stacked.dtype}; compare them, as in mask > 0")
    counts = stacked.sum(0)
    return np.concatenate([stacked / np.maximum(counts, 1), [counts == 0]]).astype(np.float32)


def points_inside(points: Collection[Point], size: tuple[int, ...]) -> None:
    """Check that every visible point lies in a picture of ``size``, ``(H, W)``."""
    height, width = size
    for point in listed("points", points, tuple, "a list of points xw.images.scenes.Point"):
        if not hasattr(point, "visible"):
            raise WrongType(f"a point is {shown(point)}, but must be an xw.images.scenes.Point")
        if point.visible and not (0 <= point.x < width and 0 <= point.y < height):
            raise ValueError(f"{point} is not in the picture of {height} x {width}")
