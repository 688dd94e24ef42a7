"""Lines over two axes as an SVG drawing, for documents and for readers without widgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xwidgets.errors import number
from xwidgets.files import whole

WIDTH, HEIGHT, MARGIN = 640, 360, (56, 64, 48, 64)
"""Of a drawing, and of what stands above, right of, below and left of the lines, in pixels.

Margins and height grow where texts need more.
"""

LETTER, BOLD, ROW, EDGE = 8, 9, 16, 8
"""Estimated width of a letter and of a bold one, height of a row of text, and what stays free at
the edges of a drawing, in pixels."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c8c8c")
"""Okabe and Ito's, which can be told apart with any colour vision."""

TICKS = 6
"""How many numbers stand along an axis at most."""

RADIUS = 4
"""Of the mark of a point, in pixels."""

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for, even escaped."""


@dataclass(frozen=True)
class Axis:
    """Axis of a chart.

    Attributes:
        label: what its numbers are.
        log: whether equal distances are equal factors; values from 0 down are left out then.
        least, most: its ends; ``None`` for those of the lines.

    Raises:
        ValueError: for an end that is no finite number, or not above 0 where equal distances are
            equal factors.
    """

    label: str = ""
    log: bool = False
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        condition = "above 0 on a logarithmic axis" if self.log else "that is finite"
        for name, end in (("least", self.least), ("most", self.most)):
            if end is not None:
                number(name, end, lambda end: end > 0 or not self.log, condition)


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
    across = _Scale(x, [line.x for line in lines])
    sides = {
        of_right: _Scale(axis, [line.y for line in lines if line.right == of_right])
        for of_right, axis in ((False, left), (True, right))
        if axis is not None
    }
    heading = _rows(title, WIDTH - 2 * EDGE, BOLD)
    legend, above = _legend(lines, 40 + ROW * max(len(heading) - 1, 0))
    frame = _Frame(
        left=_beside(sides[False], across),
        top=above + ROW,
        right=WIDTH - _beside(sides.get(True), across),
    )
    below = _rows(x.label, frame.right - frame.left)
    height = frame.bottom + MARGIN[2] + ROW * max(len(below) - 1, 0)
    parts = [
        _element("rect", width=WIDTH, height=height, fill="white"),
        *_text(heading, 18, x=WIDTH / 2, text_anchor="middle", font_weight=600),
        *_axis_below(across, below, frame),
        *(
            part
            for of_right, scale in sides.items()
            for part in _axis_beside(scale, of_right, frame)
        ),
        _clipped([part for line in lines for part in _drawn(line, across, sides, frame)], frame),
        *legend,
    ]
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    names = ", ".join(filter(None, (line.name for line in lines)))
    words = _escaped(": ".join(filter(None, (title, names))))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img" aria-label="{words}">'
        f"<title>{words}</title>{''.join(parts)}</svg>\n"
    )


def save(svg: str, path: str | Path) -> None:
    """Write a drawing to an SVG file.

    Raises:
        OSError: when that is not possible; a file that was there stays as it was.

    Example:
        >>> save(line_chart([], Axis("epoch"), Axis("error")), "empty.svg")
        >>> Path("empty.svg").read_text("utf-8")[:5]
        '<svg '
    """
    with whole(path) as part:
        part.write_text(svg, "utf-8")


class _Scale:
    """Values along an axis, and the round numbers beside it.

    Attributes:
        axis: whose they are.
        ends: the least and the most value.
        ticks: by round number between the ends, how it is written.
    """

    def __init__(self, axis: Axis, several: Sequence[ArrayLike]) -> None:
        self.axis = axis
        values = np.concatenate([[], *(np.asarray(one, float).ravel() for one in several)])
        known = values[np.isfinite(values) & ((values > 0) | (not axis.log))]
        least, most = (float(known.min()), float(known.max())) if len(known) else (1.0, 10.0)
        least = least if axis.least is None else axis.least
        most = most if axis.most is None else axis.most
        if most <= least:
            least, most = (least / 2, least * 2) if axis.log else (least - 0.5, least + 0.5)
        self.ends = least, most
        self.ticks = self._powers() or self._steps()

    @property
    def widest(self) -> float:
        """Width of the longest number, in pixels."""
        return LETTER * max(map(len, self.ticks.values()), default=0)

    def shares(self, values: ArrayLike) -> NDArray[np.float64]:
        """Share of the axis below each value; NaN for those that are nowhere."""
        numbers = np.asarray(values, float)
        least, most = self.ends
        if self.axis.log:
            numbers = np.log(np.where(numbers > 0, numbers, np.nan))
            least, most = np.log(least), np.log(most)
        return np.asarray((numbers - least) / (most - least))

    def _powers(self) -> dict[float, str]:
        """Powers of ten on a logarithmic axis; none where fewer than two are between the ends."""
        if not self.axis.log:
            return {}
        least, most = self.ends
        powers = range(int(np.floor(np.log10(least))), int(np.ceil(np.log10(most))) + 1)
        steps = (1, 2, 5) if most / least < 100 else (1,)
        rounded = [step * 10.0**power for power in powers for step in steps]
        found = [tick for tick in rounded if least <= tick <= most]
        return {tick: _told(tick) for tick in found} if len(found) > 1 else {}

    def _steps(self) -> dict[float, str]:
        """Multiples of a round step, with as many digits as tell them apart."""
        least, most = self.ends
        size = 10 ** np.floor(np.log10((most - least) / TICKS))
        step = next(
            size * n for n in (1, 2, 5, 10, 20) if (most - least) / (size * n) < TICKS - 0.99
        )
        first, last = np.ceil(least / step - 1e-9), np.floor(most / step + 1e-9)
        ticks = [float(at * step) + 0.0 for at in np.arange(first, last + 1)]  # no negative zero
        digits = int(np.ceil(np.log10(max(abs(least), abs(most)) / step))) + 1
        return {tick: _told(tick, digits) for tick in ticks}


@dataclass(frozen=True)
class _Frame:
    """Where the lines are, in pixels."""

    left: float
    top: float
    right: float

    @property
    def bottom(self) -> float:
        return self.top + HEIGHT - MARGIN[0] - MARGIN[2]

    def x(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of shares of the axis below."""
        return self.left + shares * (self.right - self.left)

    def y(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of shares of an axis beside."""
        return self.bottom - shares * (self.bottom - self.top)


def _element(tag: str, text: str | None = None, **attributes: Any) -> str:
    """Element of SVG; names of attributes have hyphens where Python has underscores."""
    told = "".join(
        f' {name.replace("_", "-")}="{_escaped(_short(value))}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{told}/>" if text is None else f"<{tag}{told}>{_escaped(text)}</{tag}>"


def _escaped(text: str) -> str:
    """Text in XML, without the characters that it forbids."""
    return escape(FORBIDDEN.sub("", text))


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _told(tick: float, digits: int = 6) -> str:
    return f"{tick:.{max(digits, 6)}g}".replace("-", "−")


def _rows(text: str, room: float, letter: float = LETTER) -> list[str]:
    """Text in rows that are no wider than there is room."""
    return wrap(FORBIDDEN.sub("", text), int(room / letter))


def _text(rows: Sequence[str], y: float, **attributes: Any) -> Iterator[str]:
    """Rows of text below each other, the first at ``y``."""
    for at, row in enumerate(rows):
        yield _element("text", row, y=y + ROW * at, **attributes)


def _beside(scale: _Scale | None, across: _Scale) -> float:
    """Margin beside the lines, for an axis if there is one, and numbers below that stand out."""
    out = across.widest / 2
    texts = 0 if scale is None else ROW * len(_label(scale.axis)) + scale.widest + 8
    return max(MARGIN[1], EDGE + max(out, texts))


def _label(axis: Axis) -> list[str]:
    """Rows of the label of an axis beside the lines."""
    return _rows(axis.label, HEIGHT - MARGIN[0] - MARGIN[2])


def _stem(d: str) -> str:
    """Path of an axis."""
    return _element("path", d=d, stroke="#444", fill="none")


def _axis_below(scale: _Scale, label: Sequence[str], frame: _Frame) -> Iterator[str]:
    line = frame.bottom
    yield _stem(f"M{frame.left:g} {line:g}H{frame.right:g}")
    for place, told in _ticks(scale, frame.x):
        yield _stem(f"M{place:.1f} {line:g}v5")
        yield _element("text", told, x=place, y=line + 18, text_anchor="middle")
    yield from _text(label, line + 38, x=(frame.left + frame.right) / 2, text_anchor="middle")


def _axis_beside(scale: _Scale, right: bool, frame: _Frame) -> Iterator[str]:
    line, side = (frame.right, 1) if right else (frame.left, -1)
    anchor = "start" if right else "end"
    yield _stem(f"M{line:g} {frame.bottom:g}V{frame.top:g}")
    for place, told in _ticks(scale, frame.y):
        yield _stem(f"M{line:g} {place:.1f}h{5 * side}")
        yield _element("text", told, x=line + 8 * side, y=place + 4.5, text_anchor=anchor)
    edge, middle = WIDTH if right else 0, (frame.top + frame.bottom) / 2
    turned = f"translate({edge} {middle:g}) rotate({90 * side})"
    yield from _text(_label(scale.axis), 2 * EDGE, x=0, text_anchor="middle", transform=turned)


def _ticks(
    scale: _Scale, placed: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Iterator[tuple[float, str]]:
    """Place and text of each number along an axis."""
    yield from zip(placed(scale.shares([*scale.ticks])).tolist(), scale.ticks.values(), strict=True)


def _clipped(parts: Sequence[str], frame: _Frame) -> str:
    """Parts as far as they are between the axes, and half a mark beyond."""
    half = RADIUS + 1
    x, y = frame.left - half, frame.top - half
    width, height = frame.right + half - x, frame.bottom + half - y
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    box = f'viewBox="{x:g} {y:g} {width:g} {height:g}" overflow="hidden"'
    return f"<svg {place} {box}>{''.join(parts)}</svg>"


def _drawn(
    line: Line, across: _Scale, sides: Mapping[bool, _Scale], frame: _Frame
) -> Iterator[str]:
    """Pieces of a line between gaps, and marks of points."""
    x, y = frame.x(across.shares(line.x)), frame.y(sides[line.right].shares(line.y))
    known = np.isfinite(x) & np.isfinite(y)
    look = _stroke(line)
    for piece in np.split(np.arange(len(x)), np.flatnonzero(~known)):
        piece = piece[known[piece]]
        points = " ".join(f"{x[at]:.1f},{y[at]:.1f}" for at in piece)
        if len(piece) > 1 and line.width:
            yield _element("polyline", points=points, stroke_width=line.width, **look)
        for at in piece if line.points or len(piece) == 1 else ():
            cx, cy = round(float(x[at]), 1), round(float(y[at]), 1)
            yield _element("circle", r=RADIUS, stroke_width=2, cx=cx, cy=cy, **look)


def _stroke(line: Line) -> dict[str, Any]:
    """Colour and dashes of a line."""
    dashes = {"stroke_dasharray": "6 4"} if line.dashed else {}
    return {"stroke": line.color, "stroke_opacity": float(line.opacity), "fill": "none", **dashes}


def _legend(lines: Sequence[Line], y: float) -> tuple[list[str], float]:
    """Names of lines, each beside a piece of its line, in rows from ``y`` on; and the last row."""
    parts: list[str] = []
    start, end = MARGIN[3], WIDTH - EDGE
    x, last = float(start), y
    for line in lines:
        if not line.name:
            continue
        name = _rows(line.name, end - start - 28)
        width = 28 + LETTER * max(map(len, name), default=0)
        if x + width > end:
            x, y = start, last + ROW
        piece = _element("path", d=f"M{x:g} {y - 4:g}h22", stroke_width=3, **_stroke(line))
        parts += [piece, *_text(name, y, x=x + 28)]
        x, last = x + width + 20, max(last, y + ROW * max(len(name) - 1, 0))
    return parts, last
