"""Two maps side by side, and their difference."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xwidgets import results
from xwidgets.errors import of_kind
from xwidgets.live.difference import Difference, Side
from xwidgets.live.kind import is_study
from xwidgets.results import Relevance, common_settings, contrast, render

from .closing import Held, close_all
from .exporting import NO_MAP
from .group import Group
from .page import Page
from .parameter_control import ParameterControl
from .relevance_overlay import RelevanceOverlay, frames
from .view import COMPLETE, page_of

SIZE = 448
"""The width of a map in a preview, in pixels."""

GAP = "Difference: left minus right"

SHARED = (
    "color_map", "opacity", "effect", "threshold", "hide_uncertain", "pixel", "zoom", "center",
)  # fmt: skip
"""What the maps have in common, also in the browser alone."""


class Comparison(Group, module="comparison.mjs"):
    """Two maps of one picture on one colour scale, and their difference on its own.

    Each side is a study that computes its map, or a finished map: by two samplers, for two classes,
    in two networks or through windows of two sizes. The captions say in what the sides differ.
    Pointing at a pixel reads it in all three maps, which show the same part of the picture. Studies
    in which a parameter of the methods is equal share the control that moves it; otherwise each has
    its own, which names the side.

    Args:
        left, right: a :class:`Study` or a :class:`xwidgets.Relevance` each.

    Attributes:
        difference: a :class:`xwidgets.Relevance`, ``left - right`` so far; ``None`` while there is
            none, as when the sides have other pictures or units.

    Raises:
        ValueError: for a side that is neither.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> wide, narrow = (
        ...     xw.prediction_difference(net, scene.image, window=k, samples=1, stride=4)
        ...     for k in (10, 4)
        ... )
        >>> Comparison(wide, narrow).difference
        <Relevance 64 x 64: prediction difference, window 10 minus window 4 for ...>
    """

    _subject: Held[Difference] = Held()

    def __init__(self, left: Side, right: Side) -> None:
        for side in (left, right):
            needed = "an xw.Study or an xw.Relevance, as methods return it"
            if not is_study(side):
                of_kind("a side", side, Relevance, needed)
        self._subject = Difference(left, right)
        self._maps = RelevanceOverlay(left), RelevanceOverlay(right)
        self._gap = RelevanceOverlay(self._subject)
        self._controls = RelevanceOverlay(self._subject)
        self._controls.serve_others()
        for view in (*self._maps, self._gap):
            view.controls = "none"
        self._still = {
            "left": self._maps[0],
            "right": self._maps[1],
            "gap": self._gap,
            "controls": self._controls,
        }
        super().__init__({}, shared=SHARED)
        self._offer()
        self.follow(self._subject, self._offer, "kinds")
        self.follow(self._subject, self._tell, ["sides", "note"])
        self.refresh_after(self._subject)
        self._tell()

    def _offer(self) -> None:
        """Controls of the parameters: one for both sides where they began equal, else one each."""
        before = [view for view in self.children if isinstance(view, ParameterControl)]
        moving = {
            "-".join(filter(None, ["move", control.name, control.side])): control
            for control in self._controls_of_methods()
        }
        self.parts = moving | self._still
        close_all(before)

    def _controls_of_methods(self) -> list[ParameterControl]:
        studies, linked = self._subject.studies, self._subject.linked
        left, right = self._subject.both
        sides = {} if left is right else {left: "left", right: "right"}
        return [ParameterControl(name, *studies) for name in linked] + [
            ParameterControl(control.name, study, side=sides.get(study, ""))
            for study in studies
            for control in study.method.controls(study.subject)
            if control.name not in linked
        ]

    @property
    def difference(self) -> Relevance | None:
        """``left - right`` so far; ``None`` while there is none."""
        return self._subject.relevance

    def to_page(self, title: str | None = None) -> Page:
        """The maps for where there is no kernel.

        It waits for the maps at hand. Studies that share a slider have one on the page too, between
        the sizes that are complete on both sides.

        Args:
            title: of the page; what is compared by default.

        Raises:
            Exception: what ended a computation, when it failed.
        """
        pairs, index = self._pairs()
        scales = [_common(pair) for pair in pairs]
        states = [
            {"frames": frames([pair[side] for pair in pairs], [ends[side] for ends in scales])}
            for side in (0, 1)
        ]
        gaps = [] if self.difference is None else [results.difference(*pair) for pair in pairs]
        states += [{"frames": frames(gaps)}, {"frames": [_words(pair) for pair in pairs]}]
        still = {"index": index, "progress": COMPLETE, "scale": None}
        views = zip(self._still.values(), states, strict=True)
        return page_of(
            title,
            [self._title(), common_settings([side for pair in pairs for side in pair])],
            [
                (self, {"shared": [*SHARED, "index"]}),
                *((view, state | still) for view, state in views),
            ],
        )

    def preview(self) -> dict[str, str]:
        """The maps side by side, and what they are of."""
        shown = [drawn for view in self._shown() if (drawn := view.drawn(SIZE)) is not None]
        if not shown:
            return self._maps[0].preview()
        panels, told = zip(*shown, strict=True)
        return {
            "image/png": b64encode(render.png(render.sheet([panels], gap=16))).decode(),
            "text/plain": "\n".join([self._title(), *told]),
        }

    def with_legends(self) -> NDArray[np.uint8]:
        """The maps side by side with their legends.

        Raises:
            ValueError: while there is none.
        """
        panels = [view.with_legends(SIZE) for view in self._shown()]
        if not panels:
            raise ValueError(NO_MAP)
        return render.sheet([panels], gap=16)

    def _shown(self) -> tuple[RelevanceOverlay, ...]:
        """The maps of both sides and their difference; none while a side has no map."""
        return () if self._subject.sides is None else (*self._maps, self._gap)

    def _let_go(self) -> None:
        self._subject.close()
        super()._let_go()

    def _pairs(self) -> tuple[list[tuple[Relevance, Relevance]], int]:
        """The complete maps that a page shows, left and right, and which of them are at hand."""
        now = [side.at() if is_study(side) else side for side in self._subject.both]
        if "window" not in self._subject.linked:
            return [(now[0], now[1])], 0
        known = [
            {result.parameters["window"]: result for result in study.complete()}
            for study in self._subject.studies
        ]
        windows = sorted(known[0].keys() & known[1].keys())
        index = windows.index(now[0].parameters["window"])
        return [(known[0][window], known[1][window]) for window in windows], index

    def _title(self) -> str:
        if self.difference is not None:
            return self.difference.title
        return "; ".join(side.title for side in self._subject.sides or ())

    def _tell(self) -> None:
        self._gap.note = self._subject.note
        sides = self._subject.sides
        if sides is None:
            return
        names = [
            name or side for name, side in zip(contrast(*sides), ("left", "right"), strict=True)
        ]
        for view, caption in zip((*self._maps, self._gap), (*names, GAP), strict=True):
            with view.lock:
                view.caption = caption
        for view, scale in zip(self._maps, _common(sides), strict=True):
            with view.lock:
                view.scale = scale
        self._controls.frames = [_words(sides)]


def _common(sides: tuple[Relevance, Relevance]) -> tuple[float, float]:
    """The scales of two maps: one for both where they have one unit."""
    left, right = (render.scale_of(side.values) for side in sides)
    if sides[0].unit != sides[1].unit:
        return left, right
    return max(left, right), max(left, right)


def _words(sides: tuple[Relevance, Relevance]) -> dict[str, Any]:
    """A frame without a map for the controls, which know of standard errors where one side does."""
    told = next((side for side in sides if side.standard_error is not None), sides[0])
    (frame,) = frames([told])
    words = {name: value for name, value in frame.items() if name not in {"map", "error"}}
    return words | {"scale": max(_common(sides))}
