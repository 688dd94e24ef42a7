"""The signed relevance map over its picture."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from xwidgets import render
from xwidgets.errors import of_kind
from xwidgets.export import write_page
from xwidgets.results import Relevance, common_settings, ends

from .difference import Difference
from .study import Study
from .view import View

HERE = Path(__file__).parent
STYLES = ("controls.css", "relevance_overlay.css")


class RelevanceOverlay(View):
    """Which pixels speak for and against a class, drawn over the picture.

    In a notebook it follows a study while the map is computed; the picture goes to the browser
    once, each update is an int8 map. Colour map, opacity, threshold and hover live in the browser,
    so that they also work in a page without a kernel.

    Args:
        subject: a :class:`Study` to follow, a :class:`xwidgets.Relevance`, or several of them for
            one picture, between which a slider in the view switches.

    Attributes:
        color_map: a name in ``xwidgets.render.COLOR_MAPS``.
        opacity: of the map, 0 to 1.
        threshold: share of the scale below which pixels stay uncoloured, 0 to 1.
        hide_uncertain: whether pixels within 2 standard errors of zero stay uncoloured, where
            standard errors are known.
        scale: magnitude at the ends of the colour map, in the map's unit; ``None`` for the largest.
        index: which of several maps is shown.
        pixel: row and column of the pixel that is read; empty for none.
        caption: stands over the picture.
        note: stands in place of the map, and says why there is none.
        lock: held while a thread writes to the view; a comparison has two.
        controls: ``"all"``, or ``"none"`` of those for how maps are drawn, or ``"only"`` those.

    Raises:
        ValueError: when there is no result, something else, or results of different pictures.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> result = xw.prediction_difference(xw.network("birds"), scene.image, samples=1, stride=5)
        >>> view = RelevanceOverlay(result)
        >>> view.frames[0]["window"]
        10
    """

    _esm = HERE / "relevance_overlay.mjs"
    _css = "".join((HERE / name).read_text("utf-8") for name in STYLES)

    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    frames = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    index = traitlets.Int(0).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)
    color_maps = traitlets.Dict(render.COLOR_MAPS).tag(sync=True)
    color_map = traitlets.Enum(list(render.COLOR_MAPS), "red-blue").tag(sync=True)
    opacity = traitlets.Float(0.85, min=0, max=1).tag(sync=True)
    threshold = traitlets.Float(0.0, min=0, max=1).tag(sync=True)
    hide_uncertain = traitlets.Bool(False).tag(sync=True)
    scale = traitlets.Float(None, allow_none=True).tag(sync=True)
    pixel = traitlets.List(traitlets.Int()).tag(sync=True, echo_update=False)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    controls = traitlets.Enum(["all", "none", "only"], "all").tag(sync=True)

    def __init__(self, subject: Study | Difference | Relevance | Sequence[Relevance]) -> None:
        self._study = subject if isinstance(subject, Study) else None
        self._results: list[Relevance] = []
        self.lock = threading.RLock()
        if isinstance(subject, Study | Difference):
            photo = subject.picture
        else:
            self._results = list(subject) if isinstance(subject, Iterable) else [subject]
            if not self._results:
                raise ValueError("there is no result to show; give a study or a relevance result")
            needed = "an xw.Study or an xw.Relevance, as xw.prediction_difference returns it"
            for result in self._results:
                of_kind("what is shown", result, Relevance, needed)
            photo = self._results[0].image
            if not all(np.array_equal(result.image, photo) for result in self._results):
                raise ValueError("results of different pictures cannot share one overlay")
        super().__init__(
            photo=render.png(photo),
            shape=list(photo.shape[:2]),
            frames=frames(self._results),
            progress=COMPLETE,
        )
        if isinstance(subject, Study | Difference):
            follow, turn_to = partial(self._follow, subject), partial(self._turn_to, subject)
            self.on_msg(lambda _, content, __: subject.heard(content))
            self.follow(subject, follow, ["relevance", "progress"])
            self.follow(subject, turn_to, "image")
            follow()

    def to_html(
        self, path: str | Path, windows: Iterable[int] | None = None, title: str | None = None
    ) -> None:
        """Write a page of one file that needs neither kernel nor network.

        Args:
            path: where.
            windows: sizes, in pixels, between which a slider on the page switches; sizes that were
                not looked at before are computed now. ``None`` for those that are complete, after
                waiting for the one at hand.
            title: of the page; what is shown by default.

        Raises:
            ValueError: when ``windows`` are asked of a view that follows no study, or cannot be.
        """
        results = self._results
        if self._study is not None:
            if windows is None:
                self._study.at(self._study.window)
                results = self._study.complete()
            else:
                of_kind("windows", windows, Iterable, "a list of sizes, such as [4, 8, 12]")
                results = [self._study.at(window) for window in windows]
            if not results:
                raise ValueError("there are no windows to show; give one size at least")
        elif windows is not None:
            raise ValueError(
                "this view shows finished results, so it cannot compute windows; choose them with "
                "xw.RelevanceOverlay(study).to_html(path, windows)"
            )
        index = self.index
        if self._study is not None:
            sizes = [result.parameters["window"] for result in results]
            index = sizes.index(self._study.window) if self._study.window in sizes else 0
        state = {"frames": frames(results), "index": index, "progress": COMPLETE}
        titles = dict.fromkeys(result.title for result in results)
        write_page(path, title, ["; ".join(titles), common_settings(results)], [(self, state)])

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0].update(self.preview())
        return bundle

    def preview(self) -> dict[str, str]:
        """What a reader without widgets sees: a PNG and words, by MIME type."""
        if not self._results:
            words = "The picture; its relevance map was not computed yet."
            return {"image/png": b64encode(self.photo).decode(), "text/plain": words}
        shown = self._results[min(self.index, len(self._results) - 1)]
        return {"image/png": b64encode(shown.png()).decode(), "text/plain": shown.title}

    def _turn_to(self, subject: Study | Difference) -> None:
        picture = subject.picture
        with self.hold_sync():
            self.photo, self.shape = render.png(picture), list(picture.shape[:2])
            self._follow(subject)

    def _follow(self, subject: Study | Difference) -> None:
        result = subject.relevance
        self._results = [] if result is None else [result]
        with self.lock, self.hold_sync():
            self.frames = frames(self._results)
            self.progress = asdict(subject.progress)


COMPLETE = {"state": "complete", "share": 1.0}


def frames(
    results: Sequence[Relevance], scales: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """Results as the view takes them: int8 maps with their scales, and words.

    Args:
        results: of one picture.
        scales: magnitude at the ends of the colour map for each; ``None`` for the largest.
    """
    if scales is None:
        scales = [render.scale_of(result.values) for result in results]
    sizes = [result.parameters.get("window") for result in results]
    by_size = None not in sizes and len(set(sizes)) == len(sizes)
    return [
        _frame(result, f"{size} × {size} pixels" if by_size else result.title, scale)
        for result, size, scale in zip(results, sizes, scales, strict=True)
    ]


def _frame(result: Relevance, name: str, scale: float) -> dict[str, Any]:
    frame = {
        "name": name,
        "map": render.quantize(result.values, scale).tobytes(),
        "scale": scale,
        "unit": result.unit,
        "ends": ends(result),
        "title": result.title,
        "window": result.parameters.get("window"),
        "remark": result.note,
        "completed": result.completed,
    }
    if result.standard_error is None:
        return frame
    error_scale = render.scale_of(result.standard_error)
    error = render.quantize_error(result.standard_error, error_scale).tobytes()
    return frame | {"error": error, "error_scale": error_scale}
