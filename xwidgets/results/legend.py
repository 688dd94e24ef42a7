"""Map over its picture with a legend, as a picture that explains itself."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from . import render, sentences
from ._difference import ends
from .numbers import brief, signed
from .relevance import Relevance

MARGIN, RAMP, LINE, GAP, FONT = 12, 14, 20, 8, 15
"""Pixels: border, heights of the ramp, of a line and of the gap above the text; size of letters."""


def with_legend(
    result: Relevance,
    size: int = 560,
    scale: float | None = None,
    effect: float | None = None,
    uncertain: bool = True,
    color_map: str = "red-blue",
    parts: sentences.Parts | None = None,
) -> NDArray[np.uint8]:
    """Map over its picture, and below it what colours and hatching mean and what the map shows.

    Args:
        result: a map.
        size: width in pixels; the height follows.
        scale, effect, uncertain, color_map: as of :meth:`xwidgets.Relevance.overlay`.
        parts: masks of named parts of the picture, by which places are told.

    Returns:
        8-bit ``(height, size, 3)``. Letters that are not of the Latin alphabet are question marks.

    Example:
        >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> with_legend(Relevance(values, image, "bits", "", "birds", 0, "wren", {})).shape[1]
        560
    """
    picture = result.overlay(size, scale, effect, uncertain, color_map=color_map)
    shades = ramp(result, size - 2 * MARGIN, color_map)
    words = paragraphs(result, effect, uncertain, parts)
    return with_key(picture, shades, result.signed, scale_texts(result, scale), words)


def with_key(
    picture: NDArray[np.uint8],
    shades: NDArray[np.uint8],
    signed: bool,
    texts: Iterable[tuple[str, str, str]],
    words: Iterable[str],
) -> NDArray[np.uint8]:
    """Picture, and below it the ramp of its colours with texts, and paragraphs.

    Args:
        picture: 8-bit ``(H, W, 3)``.
        shades: colours of the ramp, 8-bit ``(h, W - 2 * MARGIN, 3)``.
        signed: whether a line marks zero in their middle.
        texts: at the low end, the middle and the high end; a row below each other.
        words: paragraphs.

    Returns:
        8-bit ``(height, W, 3)``. Letters that are not of the Latin alphabet are question marks.

    Example:
        >>> picture, shades = np.zeros((9, 200, 3), np.uint8), np.zeros((14, 176, 3), np.uint8)
        >>> with_key(picture, shades, True, [("against", "", "for")], ["in bits"]).shape
        (95, 200, 3)
    """
    font, size, texts = ImageFont.load_default(FONT), picture.shape[1], list(texts)
    lines = [line for each in words for line in _lines(written(each), size - 2 * MARGIN, font)]
    height = 2 * MARGIN + len(shades) + LINE * (len(lines) + len(texts)) + GAP
    key = Image.new("RGB", (size, height), "white")
    pen = ImageDraw.Draw(key)
    key.paste(Image.fromarray(shades), (MARGIN, MARGIN))
    top = MARGIN + len(shades) + 3
    if signed:
        pen.line([(size // 2, MARGIN - 3), (size // 2, top)], fill="black")
    columns = (MARGIN, "la"), (size // 2, "ma"), (size - MARGIN, "ra")
    for row, across in enumerate(texts):
        for (left, anchor), each in zip(columns, across, strict=True):
            pen.text(
                (left, top + row * LINE), written(each), fill="black", font=font, anchor=anchor
            )
    for row, line in enumerate(lines, len(texts)):
        pen.text((MARGIN, top + GAP + row * LINE), line, fill="black", font=font, anchor="la")
    return np.concatenate([picture, np.asarray(key)])


def paragraphs(
    result: Relevance,
    effect: float | None = None,
    uncertain: bool = True,
    parts: sentences.Parts | None = None,
) -> Iterator[str]:
    """Title, what hatching means, and what the map shows; arguments as of :func:`with_legend`."""
    yield result.title
    if meaning := hatch_words(result, effect, uncertain):
        yield meaning
    yield sentences.relevance(result, effect, uncertain, parts)


def ramp(result: Relevance, width: int, color_map: str = "red-blue") -> NDArray[np.uint8]:
    """Colours of a map's scale from its low to its high end, 8-bit ``(RAMP, width, 3)``.

    Example:
        >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> ramp(Relevance(values, image, "bits", "", "birds", 0, "wren", {}), 3)[0].tolist()
        [[5, 48, 97], [247, 247, 247], [103, 0, 31]]
    """
    shares = np.linspace(-1 if result.signed else 0, 1, width)
    row = np.round(render.colorize(shares, color_map, result.signed)).astype(np.uint8)
    return np.repeat(row[None], RAMP, 0)


def scale_texts(
    result: Relevance, scale: float | None = None
) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Numbers below the ramp at its low end, middle and high end; and their meanings.

    Args:
        result: a map.
        scale: magnitude at the ends of the colours; ``None`` for the largest of the map.

    Example:
        >>> values, image = np.full((4, 4), 0.5, np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> scale_texts(Relevance(values, image, "bits", "", "birds", 0, "wren", {}))
        (('−0.500', '0 bits', '+0.500'), ('against wren', '', 'for wren'))
    """
    factor, unit = _telling(result)
    end = factor * (render.scale_of(result.values) if scale is None else scale)
    low, high = ends(result)
    if result.signed:
        return (signed(-end), f"0 {unit}", signed(end)), (low, "", high)
    return ("0", unit, signed(end).removeprefix("+")), (low, "", high)


def hatch_words(result: Relevance, effect: float | None = None, uncertain: bool = True) -> str:
    """What hatching means in a map, in numbers; "" where nothing can be hatched.

    Args:
        result: a map.
        effect, uncertain: as of :meth:`xwidgets.Relevance.hatched`.

    Example:
        >>> values, image = np.full((4, 4), 0.5, np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> hatch_words(Relevance(values, image, "bits", "", "birds", 0, "wren", {}))
        'hatched: within ±0.05 bits'
    """
    if result.remaining:
        return ""
    (factor, unit), limit = _telling(result), result.effect if effect is None else effect
    small = "within ±" if result.signed else "below "
    reasons = [f"{small}{brief(factor * limit)} {unit}"] if limit else []
    early = ""
    if uncertain and result.standard_error is not None:
        if np.isfinite(result.standard_error).any():
            reasons.append("not told from zero (2 standard errors)")
        else:
            early = "no standard errors yet"
    hatching = f"hatched: {', or '.join(reasons)}" if reasons else ""
    return "; ".join(filter(None, (hatching, early)))


def written(text: str) -> str:
    """Text in the letters of the font that every installation has.

    Example:
        >>> written("−0.5 × grün")
        '-0.5 x grun'
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    return "".join(each if each in _LETTERS else "?" for each in kept)


_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "x", "“": '"', "”": '"', "‘": "'", "’": "'"})
_LETTERS = {chr(code) for code in range(32, 127)} | {"±"}


def _lines(text: str, width: int, font: Any) -> list[str]:
    """Text in lines of at most ``width`` pixels, but for words that are longer."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _telling(result: Relevance) -> tuple[float, str]:
    """Factor and unit in which values are told."""
    if sentences.is_share(result):
        return float(result.values.size), sentences.EVEN
    return 1.0, result.unit
