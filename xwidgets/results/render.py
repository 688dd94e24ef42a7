"""Rendering: arrays to pictures, int8 maps for the views and PNG files; tables to HTML.

A signed map is shown on a scale that is symmetric about zero: -scale ... 0 ... +scale, with the
largest magnitude as the scale, one that cannot be negative on a scale from 0 in other colours. The
views get it as int8, with steps of 1/127 of the scale.
"""

import io
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from . import numbers

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

COLOR_MAPS: dict[str, tuple[str, ...]] = {
    "red-blue": ("#053061", "#2166ac", "#4393c3", "#92c5de", "#f7f7f7",
                 "#f4a582", "#d6604d", "#b2182b", "#67001f"),
    "orange-purple": ("#2d004b", "#542788", "#8073ac", "#b2abd2", "#f7f7f7",
                      "#fdb863", "#e08214", "#b35806", "#7f3b08"),
    "magenta-green": ("#276419", "#4d9221", "#7fbc41", "#b8e186", "#f7f7f7",
                      "#f1b6da", "#de77ae", "#c51b7d", "#8e0152"),
}  # fmt: skip
"""Evenly spaced stops from -scale to +scale, zero in the middle (ColorBrewer RdBu, PuOr, PiYG;
all three can be told apart with any colour vision)."""

SEQUENTIAL = ("#1d0b3f", "#451070", "#6f1f7a", "#98306f", "#c04559",
              "#e2623f", "#f48a2f", "#fbb850", "#fdeaa0")  # fmt: skip
"""Evenly spaced stops from 0 to +scale of values that cannot be negative, from dark to light."""

VEIL = 0.3
"""Opacity of zero, as a share of the map's."""

UNKNOWN = -128
"""Int8 code of a pixel whose value is not known yet."""


def scale_of(values: NDArray[np.floating]) -> float:
    """Largest magnitude among the known values; 1 where there is none.

    Example:
        >>> scale_of(np.array([[-2.0, 1.0]]))
        2.0
    """
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size and known.max() > 0 else 1.0


def quantize(values: NDArray[np.floating], scale: float) -> NDArray[np.int8]:
    """Values as int8: -127 for -scale, 127 for +scale, :data:`UNKNOWN` for NaN.

    Example:
        >>> quantize(np.array([[-2.0, np.nan, 1.0]]), 2.0).tolist()
        [[-127, -128, 64]]
    """
    steps = np.round(np.nan_to_num(values, posinf=0, neginf=0) / scale * 127).clip(-127, 127)
    return np.where(np.isfinite(values), steps, UNKNOWN).astype(np.int8)


def quantize_error(values: NDArray[np.floating], scale: float) -> NDArray[np.uint8]:
    """Standard errors as uint8: 0 for 0, 254 for ``scale``, 255 for NaN.

    Example:
        >>> quantize_error(np.array([[0.0, np.nan, 1.0]]), 2.0).tolist()
        [[0, 255, 127]]
    """
    steps = np.round(np.nan_to_num(values, posinf=0, neginf=0) / scale * 254).clip(0, 254)
    return np.where(np.isfinite(values), steps, 255).astype(np.uint8)


def colorize(
    shares: NDArray[np.floating], color_map: str = "red-blue", signed: bool = True
) -> NDArray[np.float64]:
    """RGB colours ``(..., 3)`` in [0, 255] of ``shares`` of the scale.

    Args:
        shares: in [-1, 1].
        color_map: a name in :data:`COLOR_MAPS`, of signed maps.
        signed: whether values can be negative; others have the colours of :data:`SEQUENTIAL`.
    """
    return ramp(shares, *((COLOR_MAPS[color_map], -1) if signed else (SEQUENTIAL, 0)))


def ramp(
    shares: NDArray[np.floating], stops: Sequence[str], least: float = 0
) -> NDArray[np.float64]:
    """RGB colours ``(..., 3)`` in [0, 255] between evenly spaced stops.

    Args:
        shares: from ``least`` to 1; NaN stays NaN.
        stops: ``"#rrggbb"``, of ``least`` first.
        least: share of the first stop.
    """
    colors = np.array([rgb(stop) for stop in stops], float)
    at = np.linspace(least, 1, len(colors))
    return np.stack([np.interp(shares, at, colors[:, channel]) for channel in range(3)], -1)


def cover(shares: NDArray[np.floating], signed: bool = True) -> NDArray[np.float64]:
    """Opacity of ``shares`` of the scale: full from a half on; at zero :data:`VEIL`, or 0.

    Args:
        shares: in [-1, 1].
        signed: whether values can be negative; others are transparent at zero.
    """
    veil = VEIL if signed else 0
    return np.asarray(veil + 2 * (1 - veil) * np.abs(shares), float).clip(max=1)


def overlay(
    image: NDArray[np.uint8],
    values: NDArray[np.floating],
    opacity: float = 0.85,
    color_map: str = "red-blue",
    size: int = 448,
    scale: float | None = None,
    signed: bool = True,
    hatched: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Map over its picture, enlarged to ``size`` pixels in width.

    Args:
        image: 8-bit ``(H, W, 3)``; turns grey as the map becomes opaque.
        values: ``(H, W)``; the picture alone is shown at NaN.
        opacity: of the map, 0 to 1.
        color_map: a name in :data:`COLOR_MAPS`.
        size: width of the picture that is returned; the height follows.
        scale: magnitude at the ends of the colour map; ``None`` for the largest of ``values``.
        signed: whether values can be negative; others have the colours of :data:`SEQUENTIAL`.
        hatched: mask ``(H, W)`` of what is hatched instead of coloured.

    Returns:
        8-bit ``(size * H / W, size, 3)``.
    """
    gray = image @ np.array([0.299, 0.587, 0.114])
    base = image + opacity * (gray[..., None] - image)
    shares = np.nan_to_num(values, posinf=0, neginf=0) / (
        scale_of(values) if scale is None else scale
    )
    colors = colorize(shares, color_map, signed)
    painted = np.isfinite(values) if hatched is None else np.isfinite(values) & ~hatched
    alpha = (opacity * painted * cover(shares, signed))[..., None]
    picture = enlarged(np.round(base + alpha * (colors - base)).astype(np.uint8), size)
    return picture if hatched is None else _with_lines(picture, hatched, opacity)


HATCH = 9
"""Distance of the lines of hatching along a row, in pixels; a dark and a light line alternate."""

HATCH_OPACITY = 0.38


def _with_lines(
    picture: NDArray[np.uint8], hatched: NDArray[np.bool_], opacity: float
) -> NDArray[np.uint8]:
    """Picture with thin diagonal lines where a smaller mask of it says so."""
    height, width = picture.shape[:2]
    region = np.asarray(Image.fromarray(hatched).resize((width, height), Image.Resampling.NEAREST))
    phase = np.add.outer(np.arange(height), np.arange(width)) % HATCH
    strength = (HATCH_OPACITY * opacity * (region & (phase < 2)))[..., None]
    ink = np.where(phase == 0, 0, 255)[..., None]
    return np.asarray(np.round(picture + strength * (ink - picture.astype(float))), np.uint8)


def enlarged(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Picture, 8-bit ``(H, W, 3)``, enlarged to ``size`` pixels in width without interpolation.

    Example:
        >>> enlarged(np.zeros((2, 4, 3), np.uint8), 8).shape
        (4, 8, 3)
    """
    height = max(1, round(size * image.shape[0] / image.shape[1]))
    return np.asarray(Image.fromarray(image).resize((size, height), Image.Resampling.NEAREST))


def strongest(values: NDArray[np.floating], block: int) -> NDArray[np.floating]:
    """Map reduced to the value of the largest magnitude in every block, which keeps specks.

    Args:
        values: ``(H, W)``; NaN only counts where a block has nothing else.
        block: height and width of the blocks; those at the right and the bottom may be smaller.

    Example:
        >>> strongest(np.array([[1.0, -3.0, 0.0], [2.0, 0.0, 0.5]]), 2)
        array([[-3. ,  0.5]])
    """
    height, width = values.shape
    padding = (0, -height % block), (0, -width % block)
    padded = np.pad(values, padding, constant_values=np.nan)
    rows = padded.reshape(padded.shape[0] // block, block, -1, block)
    blocks = rows.swapaxes(1, 2).reshape(len(rows), -1, block * block)
    places = np.nan_to_num(np.abs(blocks), nan=-1).argmax(2, keepdims=True)
    return np.take_along_axis(blocks, places, 2)[..., 0]


def reduced(image: NDArray[np.uint8], block: int) -> NDArray[np.uint8]:
    """Picture, 8-bit ``(H, W, 3)``, reduced to the mean of every block.

    Example:
        >>> reduced(np.zeros((4, 6, 3), np.uint8), 2).shape
        (2, 3, 3)
    """
    return np.asarray(Image.fromarray(image).reduce(block))


def sheet(pictures: Sequence[Sequence[NDArray[np.uint8]]], gap: int = 4) -> NDArray[np.uint8]:
    """Pictures in rows and columns on white, shown in place of widgets.

    Args:
        pictures: rows of 8-bit ``(H, W, 3)``, of any sizes.
        gap: between them, in pixels.

    Example:
        >>> sheet([[np.zeros((2, 3, 3), np.uint8)] * 2]).shape
        (2, 10, 3)
    """
    heights = [max(picture.shape[0] for picture in row) for row in pictures]
    widths = [max(column.shape[1] for column in some) for some in zip(*pictures, strict=True)]
    shape = sum(heights) + gap * (len(heights) - 1), sum(widths) + gap * (len(widths) - 1), 3
    canvas = np.full(shape, 255, np.uint8)
    for number, row in enumerate(pictures):
        top = sum(heights[:number]) + gap * number
        for place, picture in enumerate(row):
            left = sum(widths[:place]) + gap * place
            height, width, _ = picture.shape
            canvas[top : top + height, left : left + width] = picture
    return canvas


def marked(image: NDArray[np.uint8], mask: NDArray[np.bool_], size: int = 448) -> NDArray[np.uint8]:
    """Picture, enlarged to ``size`` pixels in width, with a region tinted and outlined.

    Args:
        image: 8-bit ``(H, W, 3)``.
        mask: bool ``(H, W)``, true in the region.
        size: width of the picture that is returned; the height follows.

    Returns:
        8-bit ``(size * H / W, size, 3)``.

    Example:
        >>> image = np.zeros((4, 4, 3), np.uint8)
        >>> bool((marked(image, np.zeros((4, 4), bool), size=8) == 0).all())
        True
    """
    picture = enlarged(image, size).astype(float)
    region = np.asarray(
        Image.fromarray(mask).resize(picture.shape[1::-1], Image.Resampling.NEAREST)
    )
    veil = REGION_OPACITY * region[..., None]
    colors = picture + veil * (np.array(rgb(REGION_COLOR)) - picture)
    padded = np.pad(region, 1, mode="edge")
    ring = np.stack([padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]])
    colors[region & ~ring.all(0)] = 255
    colors[~region & ring.any(0)] = 0
    rounded: NDArray[np.uint8] = np.round(colors).astype(np.uint8)
    return rounded


REGION_COLOR, REGION_OPACITY = "#d55e00", 0.45
"""Tint of a region; its outline is white inside and black outside, visible on any picture."""


def signed(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Signed pixels ``(C, H, W)`` as a picture ``(H, W, 3)``, with zero in grey.

    Example:
        >>> signed(np.zeros((3, 1, 1))).tolist()
        [[[128, 128, 128]]]
    """
    colors = pixels if len(pixels) == 3 else np.repeat(pixels.mean(0, keepdims=True), 3, 0)
    shares = colors.transpose(1, 2, 0) / scale_of(colors)
    return np.round(127.5 + 127.5 * shares).astype(np.uint8)


def heat(values: NDArray[np.floating], positive: bool = True) -> bytes:
    """Non-negative map as a layer over a picture, whose opacity grows with the values.

    Args:
        values: ``(H, W)``.
        positive: whether values are evidence for something, in the warm colours of a signed map,
            or against it, in the cold ones.

    Returns:
        PNG file of the map's size in 256 steps of colour and opacity, which is 0 at 0.

    Example:
        >>> layer = Image.open(io.BytesIO(heat(np.array([[0.0, 0.5, 1.0]])))).convert("RGBA")
        >>> [layer.getpixel((x, 0))[3] for x in range(3)]
        [0, 109, 217]
    """
    steps = np.arange(256) / 255
    colors = np.round(colorize(steps if positive else -steps)).astype(np.uint8)
    opacity = np.round(255 * _OPAQUE * steps).astype(np.uint8)
    codes = np.round(255 * values / scale_of(values)).astype(np.uint8)
    layer = Image.fromarray(codes).convert("P")
    layer.putpalette(colors.tobytes())
    file = io.BytesIO()
    layer.save(file, "PNG", transparency=opacity.tobytes())
    return file.getvalue()


_OPAQUE = 0.85
"""Opacity of a heat map's maximum."""


def thumbnail(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Picture, 8-bit ``(H, W, 3)``, reduced to at most ``size`` pixels a side.

    Example:
        >>> thumbnail(np.zeros((80, 40, 3), np.uint8), 20).shape
        (20, 10, 3)
    """
    small = Image.fromarray(image)
    small.thumbnail((size, size))
    return np.asarray(small)


def depth_color(depth: float) -> str:
    """Colour of a patch's box: red, green or blue, from shallow to deep layers.

    Lengerich et al. draw layers 3-4 of VGG-16's 13 in red, 5-7 in green and 8-9 in blue; other
    networks have them at the same shares of their depth.

    Args:
        depth: share of the network's convolutions, 0 to 1.

    Example:
        >>> [depth_color(layer / 13) for layer in (3, 4, 5, 7, 8, 9)]
        ['red', 'red', 'green', 'green', 'blue', 'blue']
    """
    return "red" if depth <= 4 / 13 else "green" if depth <= 7 / 13 else "blue"


def digest(image: NDArray[np.uint8]) -> bytes:
    """What tells a picture from others, in few bytes.

    Example:
        >>> black = np.zeros((2, 2, 3), np.uint8)
        >>> digest(black) == digest(black.copy()), digest(black) == digest(black + 1)
        (True, False)
    """
    return sha256(image.tobytes()).digest()


def png(image: NDArray[np.uint8]) -> bytes:
    """PNG file of an 8-bit picture ``(H, W, 3)``."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def table(heading: str, frame: pd.DataFrame) -> str:
    """HTML of a table below a heading, with all names escaped.

    Numbers are written as by :func:`xwidgets.results.numbers.number`.

    Example:
        >>> table("a < b", pd.DataFrame({"class": ["<b>"]}))[:15]
        '<p>a &lt; b</p>'
    """
    return f"<p>{escape(heading)}</p>{frame.to_html(index=False, float_format=numbers.number)}"


def styled(frame: pd.DataFrame) -> "Styler":
    """Styler of a table, with all names escaped, which pandas leaves to the caller.

    Example:
        >>> "<b>" in styled(pd.DataFrame({"class": ["<b>"]})).to_html()
        False
    """
    return (
        frame.style.format(escape="html")
        .format_index(escape="html", axis=0)
        .format_index(escape="html", axis=1)
    )


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of ``"#rrggbb"``."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
