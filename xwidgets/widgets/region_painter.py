"""A region is painted by hand, and what is predicted without it shows at once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import ipycanvas
import ipywidgets
import numpy as np
from numpy.typing import NDArray

from xwidgets import live
from xwidgets.live.kind import check_study
from xwidgets.results import render, sentences

from .closing import Held, close_all
from .exporting import Exporting
from .page import Page
from .region_scores import RegionScores
from .region_tools import RegionTools

if TYPE_CHECKING:
    from xwidgets.live.regions import Regions
    from xwidgets.live.study import Study

WIDTH = 448
"""The picture's largest width on the page, in CSS pixels."""
_DRAWING = RLock()  # ipycanvas has one manager for all canvases, which is not safe in threads


class RegionPainter(Exporting, ipywidgets.Box):
    """Paint a region of a study's picture, and see how the class scores change without it.

    The region is painted with mouse, pen or finger, or added as a rectangle by keyboard. Each
    stroke asks anew; :attr:`Study.regions` holds the region and the answer, so that a region can
    also be set there, such as ``study.regions.mask = scene.masks["beak"]``.

    Args:
        study: what is looked at.

    Attributes:
        tools: brush, eraser and filling.
        scores: the scores and samples.

    Raises:
        ValueError: when ``study`` is none.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> study = xw.Study(xw.network("birds"), scene.image)
        >>> painter = RegionPainter(study)
        >>> study.regions.mask = scene.masks["beak"]
        >>> len(study.regions.removal.wait().samples), painter.scores.pixels
        (20, 81)
        >>> study.close()
    """

    _study: Held[Study] = Held()
    _regions: Held[Regions] = Held()

    def __init__(self, study: Study) -> None:
        check_study(study)
        self._study = study
        self._regions = live.Regions.of(study)
        self._mask: NDArray[np.bool_] = self._regions.mask.copy()  # with the stroke that is drawn
        self._last: tuple[float, float] | None = None  # where the brush is, while it is down
        self._canvas = ipycanvas.MultiCanvas(3)  # the picture, the region, the brush's outline
        self._measure()
        self.tools, self.scores = RegionTools(study), RegionScores(study)
        self.tools.bring_along(self._canvas)
        board = ipywidgets.VBox([self._canvas, self.tools])
        super().__init__([board, self.scores])
        self.add_class("xw-painter")
        self._canvas.on_client_ready(self._greet)
        self._canvas.on_mouse_down(self._begin)
        self._canvas.on_mouse_move(self._move)
        self._canvas.on_mouse_up(lambda x, y: self._end())
        self._canvas.on_mouse_out(lambda x, y: self._leave())
        self._canvas.on_touch_start(lambda touches: self._begin(*touches[0]))
        self._canvas.on_touch_move(lambda touches: self._move(*touches[0]))
        self._canvas.on_touch_end(lambda touches: self._leave())
        self._canvas.on_touch_cancel(lambda touches: self._leave())
        self.follow(self._regions, self._turn_to, "mask")
        self.refresh_after(self._regions.removal)

    def preview(self) -> dict[str, str]:
        """The picture with the region and some samples, and what changes without it."""
        removal = self._regions.removal.answer
        if removal is None:
            picture = render.marked(self._study.picture, self._regions.mask)
            png, words = render.png(picture), "The picture; no region of it was removed yet."
        else:
            png, words = removal.png(), f"{removal.title}. {sentences.sentence(removal)}"
        return {"image/png": b64encode(png).decode(), "text/plain": words}

    def to_page(self, title: str | None = None) -> Page:
        """The picture with the region, the scores and some samples, after waiting for them.

        Args:
            title: of the page; what is shown by default.

        Raises:
            ValueError: when no region is removed.
        """
        self._regions.removal.wait()
        return self.scores.to_page(title)

    def _let_go(self) -> None:
        close_all(self._canvas._canvases)  # which a MultiCanvas does not close

    def _greet(self) -> None:
        """Draw everything for a page that has just opened, whose canvas is blank."""
        self._draw_picture()
        self._draw_region()

    def _begin(self, x: float, y: float) -> None:
        with _DRAWING:
            self._last = x / self._scale, y / self._scale
            self._move(x, y)

    def _move(self, x: float, y: float) -> None:
        with _DRAWING:
            if self._last is not None:
                here = x / self._scale, y / self._scale
                stroke(self._mask, self._last, here, self.tools.brush, not self.tools.erase)
                self._last = here
                self._draw_region()
            self._draw_brush(x, y)

    def _end(self) -> None:
        with _DRAWING:
            if self._last is not None:
                self._last = None
                self._regions.mask = self._mask

    def _leave(self) -> None:
        self._end()
        with drawing():
            self._canvas[2].clear()

    def _turn_to(self) -> None:
        """Follow the study's region, which is of another picture at times."""
        mask = self._regions.mask
        with _DRAWING:
            self._last, self._mask = None, mask.copy()
            if not np.array_equal(self._pictured, self._study.picture):
                self._measure()
                self._draw_picture()
            self._draw_region()

    def _measure(self) -> None:
        """Make the canvas as large as the picture needs it to be sharp on any screen."""
        self._pictured = self._study.picture
        height, width = self._pictured.shape[:2]
        self._scale = -(-2 * WIDTH // width)
        self._canvas.width, self._canvas.height = width * self._scale, height * self._scale

    def _draw_picture(self) -> None:
        picture = self._pictured
        if picture.shape[1] < 160:
            picture = picture.repeat(self._scale, 0).repeat(self._scale, 1)
        opaque = np.full((*picture.shape[:2], 1), 255, np.uint8)
        size = self._canvas.width / picture.shape[1]
        with drawing():
            canvas = self._canvas[0]
            canvas.save()
            canvas.scale(size, size)
            canvas.put_image_data(np.concatenate([picture, opaque], 2))
            canvas.restore()

    def _draw_region(self) -> None:
        with drawing():
            canvas = self._canvas[1]
            canvas.clear()
            for color, opacity, rectangles in paint(self._mask, self._scale):
                canvas.fill_style, canvas.global_alpha = color, opacity
                if len(rectangles):
                    canvas.fill_rects(*rectangles.T)

    def _draw_brush(self, x: float, y: float) -> None:
        with drawing():
            canvas = self._canvas[2]
            canvas.clear()
            radius = self.tools.brush * self._scale / 2
            for color, width in (("black", 4), ("white", 2)):
                canvas.stroke_style, canvas.line_width = color, width
                canvas.stroke_circle(x, y, radius)


@contextmanager
def drawing() -> Iterator[None]:
    """Draw at once all that is drawn within, by one thread at a time, and go on after errors."""
    error: Exception | None = None
    with _DRAWING, ipycanvas.hold_canvas():
        try:
            yield
        except Exception as caught:  # hold_canvas would hold on to every canvas
            error = caught
    if error is not None:
        raise error


def stroke(
    mask: NDArray[np.bool_],
    start: tuple[float, float],
    end: tuple[float, float],
    brush: int,
    value: bool,
) -> None:
    """Set the pixels of ``mask`` ``(H, W)`` under a round brush that moves along a line.

    Args:
        mask: is changed.
        start, end: of the line, as (x, y) from the picture's upper left corner, in its pixels.
        brush: its diameter, in pixels. The pixels at both ends are under it in any case.
        value: what they are set to.

    Example:
        >>> mask = np.zeros((3, 5), bool)
        >>> stroke(mask, (0.5, 1.5), (3.5, 1.5), 1, True)
        >>> mask.astype(int).tolist()
        [[0, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    (x0, y0), (x1, y1), radius = start, end, brush / 2
    top, left = (max(0, int(min(a, b) - radius)) for a, b in ((y0, y1), (x0, x1)))
    bottom, right = (max(0, int(max(a, b) + radius) + 1) for a, b in ((y0, y1), (x0, x1)))
    part = mask[top:bottom, left:right]
    y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    dx, dy, across, down = x1 - x0, y1 - y0, x + 0.5 - x0, y + 0.5 - y0
    along = ((across * dx + down * dy) / max(dx**2 + dy**2, 1e-12)).clip(0, 1)
    part[(across - along * dx) ** 2 + (down - along * dy) ** 2 <= radius**2] = value
    for at_x, at_y in (start, end):
        if 0 <= at_y < mask.shape[0] and 0 <= at_x < mask.shape[1]:
            mask[int(at_y), int(at_x)] = value


def paint(mask: NDArray[np.bool_], scale: int) -> Sequence[tuple[str, float, NDArray[np.int32]]]:
    """Picture of a region ``(H, W)`` where a pixel is ``scale`` units wide.

    Returns:
        In the order of painting: a colour, its opacity, and rectangles ``(n, 4)`` as x, y, width
        and height: the outline without, the veil and the outline within.
    """
    step = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), end = np.nonzero(step == 1), np.nonzero(step == -1)[1]
    veil = np.stack([start, row, end - start, np.ones_like(row)], 1) * scale
    return [
        ("black", 1.0, _outline(~mask, scale)),
        (render.REGION_COLOR, render.REGION_OPACITY, veil.astype(np.int32)),
        ("white", 1.0, _outline(mask, scale)),
    ]


def _outline(mask: NDArray[np.bool_], scale: int) -> NDArray[np.int32]:
    """Rectangles along the inner edges of what is true in ``mask``."""
    padded, thin = np.pad(mask, 1, mode="edge"), min(2, scale)
    far = scale - thin
    sides = (
        (padded[:-2, 1:-1], (0, 0, scale, thin)),
        (padded[2:, 1:-1], (0, far, scale, thin)),
        (padded[1:-1, :-2], (0, 0, thin, scale)),
        (padded[1:-1, 2:], (far, 0, thin, scale)),
    )
    edges = []
    for neighbour, (right, down, width, height) in sides:
        y, x = np.nonzero(mask & ~neighbour)
        size = np.full((len(x), 2), (width, height))
        edges.append(np.column_stack([x * scale + right, y * scale + down, size]))
    return np.concatenate(edges).astype(np.int32)
