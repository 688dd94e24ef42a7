"""Lines over two axes as an SVG drawing, for documents and for readers without widgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT, MARGIN = 640, 360, (56, 64, 48, 64)
"""Of a drawing, and of what stands above, right of, below and left of the lines, in pixels."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c8c8c")
"""Okabe and Ito's, which can be told apart with any colour vision."""

TICKS = 6
"""How many numbers stand along an axis at most."""


@dataclass(frozen=True)
class Axis:
    """Axis of a chart.

    Attributes:
        label: what its numbers are.
        log: whether equal distances are equal factors; values from 0 down are left out then.
        least, most: its ends; ``None`` for those of the lines.
    """

    label: str = ""
    log: bool = False
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Line:
    """Line through points, with a gap where a value is NaN.

    Attributes:
        x, y: of its points.
        color: such as ``"#0072b2"``.
        name: in the legend; "" for a line that has no entry there.
        width: in pixels; 0 for points alone.
        opacity: 0 to 1.
        dashed: whether it is.
        points: whether each point has a mark; one that has no neighbour has it in any case.
        right: whether its values are those of the axis on the right.
    """

    x: ArrayLike
    y: ArrayLike
    color: str
    name: str = ""
    width: float = 2
    opacity: float = 1
    dashed: bool = False
    points: bool = False
    right: bool = False


def line_chart(
    lines: Sequence[Line], x: Axis, left: Axis, right: Axis | None = None, title: str = ""
) -> str:
    """Draw lines on white, with axes, their numbers and names, and a legend.

    Args:
        lines: in the order in which they are drawn.
        x, left, right: axes; ``None`` where no line is of the one on the right.
        title: stands above the lines.

    Returns:
        Text of an SVG file, which is text and vectors alone and refers to nothing.

    Example:
        >>> line = Line([1, 2, 3], [0.5, 0.2, 0.1], "#0072b2", name="error")
        >>> line_chart([line], Axis("epoch"), Axis("error"))[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '
    """
    top, beside, below, before = MARGIN
    across = _Scale(x, [line.x for line in lines], before, WIDTH - beside)
    sides = {
        of_right: _Scale(
            axis, [line.y for line in lines if line.right == of_right], HEIGHT - below, top
        )
        for of_right, axis in ((False, left), (True, right))
        if axis is not None
    }
    middle = (top + HEIGHT - below) / 2
    parts = [
        _element("rect", width=WIDTH, height=HEIGHT, fill="white"),
        _element("text", title, x=WIDTH / 2, y=18, text_anchor="middle", font_weight=600),
        *_axis_below(across),
        *(
            part
            for of_right, scale in sides.items()
            for part in _axis_beside(scale, of_right, middle)
        ),
        *(part for line in lines for part in _drawn(line, across, sides[line.right])),
        *_legend(lines),
    ]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    names = ", ".join(filter(None, (line.name for line in lines)))
    words = escape(": ".join(filter(None, (title, names))))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img" aria-label="{words}">'
        f"<title>{words}</title>{''.join(parts)}</svg>\n"
    )


class _Scale:
    """Places of values along an axis, in pixels from ``start`` to ``end``."""

    def __init__(self, axis: Axis, several: Sequence[ArrayLike], start: float, end: float) -> None:
        self.axis, self.start, self.end = axis, start, end
        values = np.concatenate([[], *(np.asarray(one, float).ravel() for one in several)])
        known = values[np.isfinite(values) & ((values > 0) | (not axis.log))]
        least, most = (float(known.min()), float(known.max())) if len(known) else (1.0, 10.0)
        least = least if axis.least is None else axis.least
        most = most if axis.most is None else axis.most
        if most <= least:
            least, most = (least / 2, least * 2) if axis.log else (least - 0.5, least + 0.5)
        self.ends = least, most

    def places(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values are; NaN for those that are nowhere."""
        numbers = np.asarray(values, float)
        least, most = self.ends
        if self.axis.log:
            numbers = np.log(np.where(numbers > 0, numbers, np.nan))
            least, most = np.log(least), np.log(most)
        return np.asarray(self.start + (numbers - least) / (most - least) * (self.end - self.start))

    def ticks(self) -> list[float]:
        """Round numbers between the ends."""
        least, most = self.ends
        if self.axis.log:
            powers = range(int(np.floor(np.log10(least))), int(np.ceil(np.log10(most))) + 1)
            steps = (1, 2, 5) if most / least < 100 else (1,)
            rounded = [step * 10.0**power for power in powers for step in steps]
            found = [tick for tick in rounded if least <= tick <= most]
            if len(found) > 1:
                return found
        size = 10 ** np.floor(np.log10((most - least) / TICKS))
        step = next(
            size * n for n in (1, 2, 5, 10, 20) if (most - least) / (size * n) < TICKS - 0.99
        )
        first, last = np.ceil(least / step - 1e-9), np.floor(most / step + 1e-9)
        return [float(at * step) + 0.0 for at in np.arange(first, last + 1)]  # no negative zero


def _element(tag: str, text: str | None = None, **attributes: Any) -> str:
    """Element of SVG; names of attributes have hyphens where Python has underscores."""
    told = "".join(
        f' {name.replace("_", "-")}="{escape(_short(value))}"' for name, value in attributes.items()
    )
    return f"<{tag}{told}/>" if text is None else f"<{tag}{told}>{escape(text)}</{tag}>"


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _told(tick: float) -> str:
    return f"{tick:.6g}".replace("-", "−")


def _axis_below(scale: _Scale) -> Iterator[str]:
    line = HEIGHT - MARGIN[2]
    yield _element("path", d=f"M{scale.start:g} {line}H{scale.end:g}", stroke="#444", fill="none")
    for tick, place in zip(scale.ticks(), scale.places(scale.ticks()).tolist(), strict=True):
        yield _element("path", d=f"M{place:.1f} {line}v5", stroke="#444", fill="none")
        yield _element("text", _told(tick), x=place, y=line + 18, text_anchor="middle")
    middle = (scale.start + scale.end) / 2
    yield _element("text", scale.axis.label, x=middle, y=HEIGHT - 10, text_anchor="middle")


def _axis_beside(scale: _Scale, right: bool, middle: float) -> Iterator[str]:
    line, side = (WIDTH - MARGIN[1], 1) if right else (MARGIN[3], -1)
    anchor = "start" if right else "end"
    yield _element("path", d=f"M{line} {scale.start:g}V{scale.end:g}", stroke="#444", fill="none")
    for tick, place in zip(scale.ticks(), scale.places(scale.ticks()).tolist(), strict=True):
        yield _element("path", d=f"M{line} {place:.1f}h{5 * side}", stroke="#444", fill="none")
        yield _element("text", _told(tick), x=line + 8 * side, y=place + 4.5, text_anchor=anchor)
    x = WIDTH - 10 if right else 16
    turned = f"rotate({90 * side} {x} {middle:g})"
    yield _element("text", scale.axis.label, x=x, y=middle, text_anchor="middle", transform=turned)


def _drawn(line: Line, across: _Scale, up: _Scale) -> Iterator[str]:
    """Pieces of a line between gaps, and marks of points."""
    x, y = across.places(line.x), up.places(line.y)
    known = np.isfinite(x) & np.isfinite(y)
    look = _stroke(line)
    for piece in np.split(np.arange(len(x)), np.flatnonzero(~known)):
        piece = piece[known[piece]]
        points = " ".join(f"{x[at]:.1f},{y[at]:.1f}" for at in piece)
        if len(piece) > 1 and line.width:
            yield _element("polyline", points=points, stroke_width=line.width, **look)
        for at in piece if line.points or len(piece) == 1 else ():
            cx, cy = round(float(x[at]), 1), round(float(y[at]), 1)
            yield _element("circle", r=4, stroke_width=2, cx=cx, cy=cy, **look)


def _stroke(line: Line) -> dict[str, Any]:
    """Colour and dashes of a line."""
    dashes = {"stroke_dasharray": "6 4"} if line.dashed else {}
    return {"stroke": line.color, "stroke_opacity": float(line.opacity), "fill": "none", **dashes}


def _legend(lines: Sequence[Line]) -> Iterator[str]:
    """Names of lines in a row below the title, each beside a piece of its line."""
    place = float(MARGIN[3])
    for line in lines:
        if not line.name:
            continue
        piece = f"M{place:g} 36h22"
        yield _element("path", d=piece, stroke_width=3, **_stroke(line))
        yield _element("text", line.name, x=place + 28, y=40)
        place += 48 + 7.5 * len(line.name)
