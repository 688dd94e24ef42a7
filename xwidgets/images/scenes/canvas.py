"""Antialiased drawing that records the part that owns each pixel.

A canvas is an image several times larger than the picture. Its three colour channels are averaged
into the picture; its fourth channel holds the number of the part painted last in place of opacity.
So one stroke sets both, and the part masks fit the picture exactly. Shapes are (n, 2) arrays of
(x, y) with y downwards, in the units of the current frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Shape = NDArray[np.float64]
Layers = tuple[tuple[Shape, Colour], ...]
"""Shapes with their colours, filled one over the other."""

OVERSAMPLING = 3
GRAIN = 2.0  # standard deviation of the film grain, in grey levels of 255
BACKDROP_SIDE = 48  # pixels of a blurred backdrop before it is enlarged

_ANGLES = np.linspace(0, 2 * math.pi, 28, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_HALF_TURN = np.linspace(-math.pi / 2, math.pi / 2, 7)
_CAP = np.stack([np.cos(_HALF_TURN), np.sin(_HALF_TURN)], axis=1) / 2


def tone(colour: Colour, factor: float) -> Colour:
    """Colour made darker (factor below 1) or lighter (above 1).

    Lighter tones move towards white, so that no channel saturates before the others.

    Example:
        >>> tone((100, 50, 0), 0.5)
        (50, 25, 0)
    """
    if factor <= 1:
        red, green, blue = (int(c * factor) for c in colour)
    else:
        red, green, blue = (int(255 - (255 - c) / factor) for c in colour)
    return red, green, blue


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour that is `share` of the way from a to b.

    Example:
        >>> mix((0, 0, 0), (200, 100, 50), 0.5)
        (100, 50, 25)
    """
    red, green, blue = (int(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def smooth(corners: ArrayLike) -> Shape:
    """Closed curve inside a polygon, by cutting corners (Chaikin).

    Args:
        corners: (n, 2) points of a closed polygon.

    Returns:
        The (8 n, 2) points of a quadratic B-spline, inside the convex hull of the corners.

    Example:
        >>> smooth([(0, 0), (1, 0), (1, 1), (0, 1)]).shape
        (32, 2)
    """
    points = np.asarray(corners, dtype=float)
    for _ in range(3):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1)
        points = cut.reshape(-1, 2)
    return points


def ellipse(x: float, y: float, width: float, height: float, angle: float = 0) -> Shape:
    """Outline of an ellipse with these half axes, turned by an angle in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    turned: Shape = _CIRCLE * (width, height) @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    return turned


def limb(
    start: tuple[float, float], end: tuple[float, float], width: float, end_width: float
) -> Shape:
    """Outline of a straight limb with round ends that tapers from start to end."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(x, y)
    cap = _CAP @ (np.array([[x, y], [-y, x]]) / length)
    return np.concatenate([end + cap * end_width, start - cap * width])


def rounded(
    shape: Shape, colour: Colour, light: tuple[float, float], contrast: float = 0.3
) -> Layers:
    """Layers that make a shape look round.

    Args:
        shape: the outline.
        colour: the darkest colour, at the outline.
        light: a point inside from which the whole outline can be seen; towards it the shape
            becomes lighter, in steps.
        contrast: how much lighter.
    """
    center = np.asarray(light)
    return tuple(
        (center + (shape - center) * size, tone(colour, 1 + contrast * lift))
        for size, lift in ((1.0, 0.0), (0.86, 0.4), (0.68, 0.7), (0.45, 1.0))
    )


def blurred(colours: Sequence[Colour], blots: Sequence[tuple[Shape, Colour]]) -> Image.Image:
    """Blurred backdrop: a vertical gradient with soft blots on it.

    Args:
        colours: the gradient's colours from top to bottom.
        blots: shapes in units of the picture's side, each with its colour.

    Returns:
        A small RGB image; `Canvas` enlarges it smoothly.
    """
    column = Image.fromarray(np.array(colours, dtype=np.uint8)[:, None])
    image = column.resize((BACKDROP_SIDE, BACKDROP_SIDE), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(image)
    for shape, colour in blots:
        pen.polygon((shape * BACKDROP_SIDE).ravel().tolist(), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(1.5))


@dataclass(frozen=True)
class Frame:
    """Coordinate frame of shapes: they are turned, mirrored, scaled and then moved.

    Attributes:
        x, y: of the frame's origin, in units of the picture's side.
        scale: the frame's unit, in units of the picture's side.
        angle: in radians, clockwise.
        mirrored: whether the frame's x points to the left.

    Example:
        >>> Frame(0.5, 0.5, 0.1, mirrored=True).place((1, 2)).round(3).tolist()
        [0.4, 0.7]
    """

    x: float
    y: float
    scale: float
    angle: float = 0
    mirrored: bool = False

    @cached_property
    def _matrix(self) -> Shape:
        cos, sin = math.cos(self.angle) * self.scale, math.sin(self.angle) * self.scale
        sign = -1 if self.mirrored else 1
        return np.array([[sign * cos, sin], [-sign * sin, cos]])

    @cached_property
    def _origin(self) -> Shape:
        return np.array([self.x, self.y])

    def place(self, shape: ArrayLike) -> Shape:
        """Points of the frame, (..., 2), in units of the picture's side."""
        placed: Shape = np.asarray(shape) @ self._matrix + self._origin
        return placed

    def turned(self, angle: float) -> "Frame":
        """Frame turned further, by an angle in radians, about its own origin."""
        return replace(self, angle=self.angle + angle)


class Canvas:
    """Picture being drawn, with a map of the parts that own its pixels.

    Args:
        size: side of the finished picture in pixels.
        backdrop: an RGB image of any size, enlarged smoothly to fill the picture.

    Attributes:
        frame: of the next shapes; at first the whole picture, of side 1.

    Example:
        >>> canvas = Canvas(8, blurred([(0, 0, 0), (0, 0, 0)], []))
        >>> canvas.fill(ellipse(0.5, 0.5, 0.2, 0.2), (255, 0, 0), owner=3)
        >>> int(canvas.owners().max())
        3
    """

    def __init__(self, size: int, backdrop: Image.Image) -> None:
        """Start from the backdrop, which belongs to no part."""
        self.size = size
        self._side = size * OVERSAMPLING
        fitted = backdrop.resize((size, size), Image.Resampling.BICUBIC)
        self._image = fitted.resize((self._side, self._side), Image.Resampling.NEAREST)
        self._image.putalpha(0)
        self._pen = ImageDraw.Draw(self._image)
        self.frame = Frame(0, 0, 1)

    def fill(self, shape: ArrayLike, colour: Colour, owner: int = 0) -> None:
        """Fill a closed shape with a colour, for an owner; 0 is the backdrop."""
        points = self.frame.place(shape) * self._side
        self._pen.polygon(points.ravel().tolist(), fill=(*colour, owner))

    def paint(self, layers: Layers, owner: int = 0) -> None:
        """Fill layers one over the other, all for the same owner."""
        for shape, colour in layers:
            self.fill(shape, colour, owner)

    def picture(self, grain_seed: int) -> NDArray[np.uint8]:
        """Picture (size, size, 3) with film grain from the seed."""
        clean = np.asarray(self._image.convert("RGB").reduce(OVERSAMPLING), dtype=np.float32)
        random = np.random.default_rng(grain_seed)
        grain = random.standard_normal((self.size, self.size, 1), dtype=np.float32) * GRAIN
        return np.clip(clean + grain, 0, 255).astype(np.uint8)

    def owners(self) -> NDArray[np.uint8]:
        """Owner of every sample, (size, size, OVERSAMPLING ** 2): row, column, sample.

        A pixel has several owners where their edges meet.
        """
        samples = np.asarray(self._image)[:, :, 3]
        blocks = samples.reshape(self.size, OVERSAMPLING, self.size, OVERSAMPLING)
        return blocks.transpose(0, 2, 1, 3).reshape(self.size, self.size, OVERSAMPLING**2)
