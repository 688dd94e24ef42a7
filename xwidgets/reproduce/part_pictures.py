"""Pictures of where a subject's parts are (Qi et al. 2018, figure 3a, first line)."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from xwidgets.images.scenes import Point


def points_picture(
    image: NDArray[np.uint8], points: Collection[Point], size: int = 224
) -> NDArray[np.uint8]:
    """A picture with a dot at each visible part.

    Args:
        image: 8-bit ``(H, W, 3)``.
        points: one for each of the P parts.
        size: width of the picture in pixels; the height follows.

    Returns:
        8-bit ``(size * H / W, size, 3)``.

    Example:
        >>> drawn = points_picture(np.zeros((4, 8, 3), np.uint8), [Point(2, 1, True)], 80)
        >>> drawn.shape, drawn[15, 25].tolist() != [0, 0, 0]
        ((40, 80, 3), True)
    """
    enlarged = _enlarged(image, size)
    draw, scale, radius = ImageDraw.Draw(enlarged), size / image.shape[1], size / 50
    for color, point in zip(_colors(len(points)), points, strict=True):
        if point.visible:
            x, y = scale * (point.x + 0.5), scale * (point.y + 0.5)
            edges = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(edges, fill=tuple(color), outline="black")
    return np.asarray(enlarged)


def parts_picture(
    image: NDArray[np.uint8], parts: NDArray[np.floating], size: int = 224
) -> NDArray[np.uint8]:
    """A picture in which each part has a colour of its own, the more surely the stronger.

    Args:
        image: 8-bit ``(H, W, 3)``, shown in gray.
        parts: P(part | pixel), ``(P + 1, H, W)``, the context last, which stays as it is.
        size: width of the picture in pixels; the height follows.

    Returns:
        8-bit ``(size * H / W, size, 3)``.

    Raises:
        ValueError: when the parts are not of the image's size.

    Example:
        >>> parts = np.stack([np.eye(4), 1 - np.eye(4)])
        >>> parts_picture(np.zeros((4, 4, 3), np.uint8), parts, 4)[0, :2].any(1).tolist()
        [True, False]
    """
    if parts.shape[1:] != image.shape[:2]:
        raise ValueError(
            f"the parts are {parts.shape[1:]}, the image {image.shape[:2]}; give those of one "
            "picture"
        )
    gray = image @ np.array([0.299, 0.587, 0.114])
    shares = np.moveaxis(parts[:-1], 0, -1) * _STRENGTH
    mixed = gray[..., None] * (1 - shares.sum(-1, keepdims=True)) + shares @ _colors(len(parts) - 1)
    return np.asarray(_enlarged(np.round(mixed).clip(0, 255).astype(np.uint8), size))


_STRENGTH = 0.8


def _enlarged(image: NDArray[np.uint8], size: int) -> Image.Image:
    height = max(1, round(size * image.shape[0] / image.shape[1]))
    return Image.fromarray(image).resize((size, height), Image.Resampling.NEAREST)


def _colors(count: int) -> NDArray[np.int64]:
    """``(count, 3)``: around the colour circle, neighbours far apart and of two brightnesses."""
    hues = (np.arange(count) * 0.382) % 1
    cycle = np.clip(np.abs((hues[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    bright = np.where(np.arange(count) % 2, 255, 170)[:, None]
    colors: NDArray[np.int64] = np.round(cycle * bright).astype(np.int64)
    return colors
