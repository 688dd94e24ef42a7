"""The signed relevance map over its picture."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import explain, images
from xwidgets.errors import of_kind
from xwidgets.live.difference import Difference
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Number, Whole, a_point
from xwidgets.results import Relevance, common_settings, ends, render, sentences
from xwidgets.results.common_scale import CommonScale
from xwidgets.results.legend import with_legend

from .closing import Held
from .exporting import NO_MAP
from .page import Page
from .view import COMPLETE, View, page_of

if TYPE_CHECKING:
    from xwidgets.explain import Method
    from xwidgets.images.scenes import Scene
    from xwidgets.live.study import Study


class RelevanceOverlay(View, module="relevance_overlay.mjs"):
    """Which pixels speak for and against a class, drawn over the picture.

    In a notebook it follows a study while the map is computed; the picture goes to the browser
    once, each update is an int8 map. Colour map, opacity, threshold and hover live in the browser,
    so that they also work in a page without a kernel.

    Args:
        subject: a :class:`Study` to follow, a :class:`xwidgets.Relevance`, or several of them for
            one picture, between which a slider in the view switches.

    Attributes:
        color_map: a name in ``xwidgets.results.render.COLOR_MAPS``.
        opacity: of the map, 0 to 1.
        effect: magnitude, in the map's unit, below which a value is too small to matter: it is
            hatched and not coloured. ``None`` for 0.05 bits, 0.005 of a probability, and 0 in other
            units.
        threshold: the same as a share of the scale, 0 to 1; the larger of the two counts.
        hide_uncertain: whether pixels within 2 standard errors of zero are hatched too, where
            standard errors are known.
        outline: whether the object is outlined that :func:`xwidgets.segment` finds by a complete
            map.
        object_threshold: probability from which on a pixel is inside the outline, 0 to 1.
        segments: whether there is a kernel that finds the object.
        scale: magnitude at the ends of the colour map, in the map's unit; ``None`` for the largest.
        scale_locked: whether the largest is that of all maps of the view, so that colours mean the
            same in all: those of a page or a list, or those that a study had for one target and
            method. Otherwise each map has its own.
        scene: the drawn scene that is explained, by whose parts the sentence names places; ``None``
            for other pictures, where it tells thirds of the picture. Can be set.
        sentence: what the map at hand shows, in words.
        offer: label of a button that changes the study's question where the map tells nothing; ""
            for none.
        index: which of several maps is shown.
        pixel: row and column of the pixel that is read, by pointer or keys; empty for none. Set it
            to mark one, or link it, as with ``ipywidgets.link((one, "pixel"), (other, "pixel"))``.
        zoom: how many times the picture is enlarged, 1 to 16.
        center: row and column of the middle of the part that is shown, as shares of height and
            width; the part is moved into the picture where it is not.
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

    _study: Held[Study | None] = Held()
    scene = traitlets.Any()
    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    frames = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    index = Whole(0).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)
    color_maps = traitlets.Dict(render.COLOR_MAPS).tag(sync=True)
    color_map = traitlets.Enum(list(render.COLOR_MAPS), "red-blue").tag(sync=True)
    sequential = traitlets.List(list(render.SEQUENTIAL)).tag(sync=True)
    opacity = Number(0.85, min=0, max=1).tag(sync=True)
    threshold = Number(0.0, min=0, max=1).tag(sync=True)
    effect = Number(None, allow_none=True, min=0).tag(sync=True)
    hide_uncertain = traitlets.Bool(True).tag(sync=True)
    outline = traitlets.Bool(False).tag(sync=True)
    object_threshold = Number(0.5, min=0, max=1).tag(sync=True)
    segments = traitlets.Bool(True).tag(sync=True)
    scale = Number(None, allow_none=True).tag(sync=True)
    scale_locked = traitlets.Bool(True).tag(sync=True)
    pixel = traitlets.List(Whole(), maxlen=2).tag(sync=True, echo_update=False)
    zoom = Number(1.0, min=1, max=16).tag(sync=True, echo_update=False)
    center = a_point().tag(sync=True, echo_update=False)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    offer = traitlets.Unicode().tag(sync=True)
    controls = traitlets.Enum(["all", "none", "only"], "all").tag(sync=True)

    def __init__(self, subject: Study | Difference | Relevance | Sequence[Relevance]) -> None:
        self._study = subject if is_study(subject) else None
        self._live = is_study(subject) or isinstance(subject, Difference)
        self._results: list[Relevance] = []
        self._ends = CommonScale()
        self.lock = threading.RLock()
        if is_study(subject) or isinstance(subject, Difference):
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
            frames=frames(self._results, tell=False),
            progress=COMPLETE,
        )
        self.observe(lambda _: self._draw(), "outline")
        self.observe(lambda _: self._tell(), ["index", "scene", *HATCHING])
        self._tell()
        if is_study(subject) or isinstance(subject, Difference):
            follow, turn_to = partial(self._follow, subject), partial(self._turn_to, subject)
            self.show_work(progress=subject)
            self.follow(subject, follow, ["relevance", "progress"])
            self.follow(subject, turn_to, "image")
            if is_study(subject):
                self.follow(subject, self._ends.clear, "renewals")
            self.refresh_after(subject)
            follow()

    @traitlets.validate("scene")
    def _known_scene(self, proposal: dict[str, Any]) -> Scene | None:
        scene: Scene | None = proposal["value"]
        if scene is not None:
            kind = images.scenes.Scene  # which imports torch
            of_kind("scene", scene, kind, "a drawn scene, such as xw.scenes.bird(seed=3)")
        return scene

    def to_page(  # type: ignore[override]
        self,
        windows: Iterable[int] | None = None,
        title: str | None = None,
        **values: Iterable[Any],
    ) -> Page:
        """The maps for where there is no kernel, with a slider between them.

        Args:
            windows: sizes, in pixels, between which a slider on the page switches. It begins at
                that nearest to the study's; those that were not looked at before are computed now.
                ``None`` for those that are complete, after waiting for the one at hand.
            title: of the page; what is shown by default.
            **values: instead of ``windows`` the values of another parameter of the study's method,
                such as ``measure=["difference", "drop"]``.

        Raises:
            ValueError: when ``windows`` are asked of a view that follows no study, or cannot be.
        """
        if windows is not None:
            if "window" in values:
                raise ValueError("windows and window are the same; give one of them")
            values["window"] = windows
        if len(values) > 1:
            raise ValueError(
                f"a page has one slider, not one each for {' and '.join(values)}; give the values "
                "of one parameter"
            )
        [(parameter, several)] = values.items() or [("window", None)]
        results, state = self._stills(parameter, several)
        titles = dict.fromkeys(result.title for result in results)
        return page_of(title, ["; ".join(titles), common_settings(results)], [(self, state)])

    def still(self) -> dict[str, Any]:
        """The maps that are complete, after waiting for the one at hand."""
        _, state = self._stills("window", None)
        return state

    def _stills(
        self, parameter: str, several: Iterable[Any] | None
    ) -> tuple[list[Relevance], dict[str, Any]]:
        """Maps on a page, and the traits that have another value there."""
        results, index = self._results, self.index
        if self._study is not None:
            results, index = self._of_study(self._study, parameter, several)
        elif several is not None:
            raise ValueError(
                f"this view shows finished results, so it cannot compute {parameter}s; choose them "
                f"with xw.RelevanceOverlay(study).to_html(path, {parameter}=[...])"
            )
        shown = self._frames(results)
        if self._study is not None and parameter in self._study.method.parameters:
            label = self._study.method.parameters[parameter].label
            shown = [one | {"slider": label or one["slider"]} for one in shown]
        state = {"frames": shown, "index": index, "progress": COMPLETE}
        return results, state | {"segments": False, "offer": ""}

    def _of_study(
        self, study: Study, parameter: str, values: Iterable[Any] | None
    ) -> tuple[list[Relevance], int]:
        """The complete maps for values of a parameter, and which of them is at hand."""
        if values is None:
            shown = a_map(study.at())
            results = study.complete(parameter) or [shown]
            return results, next(n for n, result in enumerate(results) if result is shown)
        example = "[4, 8, 12]" if parameter == "window" else "its values"
        given = None if isinstance(values, str) else values
        of_kind(f"{parameter}s", given, Iterable, f"a list, such as {example}")
        several = list(values)
        if not several:
            raise ValueError(f"there are no {parameter}s to show; give one at least")
        maps = [a_map(study.at(**{parameter: value})) for value in several]
        meant = [
            study.method.changed(**{parameter: one}).resolved(study.subject) for one in several
        ]
        here = study.question.method
        if here in meant:
            return maps, meant.index(here)
        return maps, _nearest(several, getattr(here, parameter))

    def serve_others(self) -> None:
        """Show but the controls for the maps of other overlays, and no map from now on."""
        self.unfollow()
        with self.lock:
            self._results, self.frames, self.sentence, self.controls = [], [], "", "only"

    def preview(self) -> dict[str, str]:
        """The picture with its map, its title, and what it shows."""
        drawn = self.drawn()
        if drawn is None:
            words = "The picture; its relevance map was not computed yet."
            return {"image/png": b64encode(self.photo).decode(), "text/plain": words}
        picture, words = drawn
        return {"image/png": b64encode(render.png(picture)).decode(), "text/plain": words}

    def drawn(self, size: int = 448) -> tuple[NDArray[np.uint8], str] | None:
        """The picture with its map as the view shows it, and that in words.

        Args:
            size: its width in pixels; the height follows.

        Returns:
            8-bit ``(height, size, 3)``, and the words; ``None`` while there is no map.
        """
        with self.lock:
            result = self._shown()
            if result is None:
                return None
            look, words = self._look(result), f"{result.title}. {self.sentence}"
        return result.overlay(size, **look), words

    def with_legends(self, size: int = 560) -> NDArray[np.uint8]:
        """The picture with its map and legend, ``size`` wide.

        Raises:
            ValueError: while there is no map.
        """
        with self.lock:
            result = self._shown()
            if result is None:
                raise ValueError(NO_MAP)
            look, parts = self._look(result), parts_of(self.scene, result)
        return with_legend(result, size, **look, parts=parts)

    def hear_before_softmax(self) -> None:
        """Ask the study for the score before softmax, where its probability cannot change."""
        method = None if self._study is None else before_softmax(self._study)
        if self._study is not None and method is not None:
            self._study.method = method

    def _shown(self) -> Relevance | None:
        """The result that is shown."""
        return self._results[min(self.index, len(self._results) - 1)] if self._results else None

    def _look(self, result: Relevance) -> dict[str, Any]:
        """How the view draws a map, as :meth:`xwidgets.Relevance.overlay` takes it."""
        frame = self.frames[self._results.index(result)]
        return {
            "scale": self._end(frame),
            "effect": self._limit(frame),
            "uncertain": self.hide_uncertain,
            "color_map": self.color_map,
        }

    def _end(self, frame: dict[str, Any]) -> float:
        """Magnitude at the ends of the colours of a map."""
        if self.scale is not None:
            return float(self.scale)
        own: float = frame["scale"]
        return float(frame.get("end", own)) if self.scale_locked else own

    def _limit(self, frame: dict[str, Any]) -> float:
        """Magnitude below which a map is hatched."""
        effect = frame["effect"] if self.effect is None else self.effect
        return max(float(effect), float(self.threshold) * self._end(frame))

    def _tell(self) -> None:
        """Say what is shown, and again in the frames where that has changed."""
        if not self._results:
            return
        with self.lock:
            told = self._told(self.frames, self._results)
            if [one["sentence"] for one in told] != [one["sentence"] for one in self.frames]:
                self.frames = told
            self._say()

    def _say(self) -> None:
        """Say what the map at hand shows, after its frame."""
        result = self._shown()
        if result is None:
            self.sentence = ""
            return
        frame = self.frames[self._results.index(result)]
        hatching = self._limit(frame), self.hide_uncertain
        self.sentence = sentences.with_hatching(frame["sentence"], result, *hatching)

    def _told(
        self, shown: Sequence[dict[str, Any]], results: Sequence[Relevance]
    ) -> list[dict[str, Any]]:
        """Maps as the view takes them, with what each shows by what is hatched now."""
        return [
            frame
            | {
                "sentence": sentences.found(
                    one, self._limit(frame), self.hide_uncertain, parts_of(self.scene, one)
                )
            }
            for frame, one in zip(shown, results, strict=True)
        ]

    def _frames(self, results: Sequence[Relevance]) -> list[dict[str, Any]]:
        """Results as the view takes them, with their objects where they are outlined."""
        shown = frames(results, tell=False)
        if self._live:
            for frame, result in zip(shown, results, strict=True):
                frame["end"] = max(self._ends.of(result), frame.get("end", 0))
        shown = self._told(shown, results)
        if not self.outline:
            return shown
        return [frame | object_of(result) for frame, result in zip(shown, results, strict=True)]

    def _draw(self) -> None:
        with self.lock:
            self.frames = self._frames(self._results)

    def _turn_to(self, subject: Study | Difference) -> None:
        picture = subject.picture
        with self.lock, self.hold_sync():
            self.photo, self.shape = render.png(picture), list(picture.shape[:2])
            self._follow(subject)

    def _follow(self, subject: Study | Difference) -> None:
        result = subject.relevance
        with self.lock, self.hold_sync():
            if result is None or self._shown() is not result:
                self._results = [] if result is None else [result]
                self.frames = self._frames(self._results)
                self._say()
            self.progress = asdict(subject.progress)
            if is_study(subject):
                self.note = no_map(subject)
                self.offer = OFFER if before_softmax(subject) is not None else ""


HATCHING = ("effect", "hide_uncertain", "threshold", "scale", "scale_locked")
"""Traits that say what is hatched."""

OFFER = "Show the score before softmax"


def no_map(study: Study) -> str:
    """Why a study has no map to show, in a sentence; "" where it has one, or will have."""
    if isinstance(study.method, explain.MapMethod):
        return ""
    return f"{study.method.name.capitalize()} gives no map; another view shows what it finds."


def before_softmax(study: Study) -> Method[Any] | None:
    """The study's method, measuring the score before softmax; ``None`` where it does, or cannot."""
    method = study.method
    measure = method.parameters.get("measure")
    if not isinstance(study.target, int) or measure is None:
        return None
    choices = measure.choices if isinstance(measure.choices, tuple | list) else ()
    if "difference" not in choices or method.measure == "difference":
        return None
    changed: Method[Any] = method.changed(measure="difference")
    return changed


def parts_of(scene: Scene | None, result: Relevance) -> dict[str, NDArray[np.bool_]]:
    """Masks of the parts of a scene by name, for a map of its picture; {} for another map."""
    if scene is None or not np.array_equal(images.picture(scene.image), result.image):
        return {}
    return scene.masks


def a_map(result: object) -> Relevance:
    """``result``, when it is a map.

    Raises:
        ValueError: when it is not.
    """
    of_kind("what the method gives", result, Relevance, "a map over the picture")
    assert isinstance(result, Relevance)
    return result


def frames(
    results: Sequence[Relevance], scales: Sequence[float] | None = None, tell: bool = True
) -> list[dict[str, Any]]:
    """Results as the view takes them: int8 maps with their scales, and words.

    Args:
        results: of one picture.
        scales: magnitude at the ends of the colour map for each; ``None`` for the largest.
        tell: whether what each shows is said, by what is hatched unless a view says otherwise.
    """
    if scales is None:
        scales = [render.scale_of(result.values) for result in results]
    slider, names = names_of(results)
    shown = [
        _frame(result, name, scale)
        | {"slider": slider, "sentence": sentences.found(result) if tell else ""}
        for result, name, scale in zip(results, names, scales, strict=True)
    ]
    for frame in shown if len(shown) > 1 else ():
        alike = [other for other in shown if _kind(other) == _kind(frame)]
        frame["end"] = max(other["scale"] for other in alike)
    return shown


def _kind(frame: dict[str, Any]) -> tuple[str, bool]:
    """What maps on one scale have in common."""
    return frame["unit"], frame["signed"]


def object_of(result: Relevance) -> dict[str, Any]:
    """Probability of the object as the view takes it, or why a complete map tells none."""
    from xwidgets.results import segment  # scikit-image, where there is something to segment

    if result.completed < 1:
        return {}
    try:
        probability = segment(result).probability
    except ValueError as error:
        return {"no_object": f"No object is outlined: {error}."}
    return {"object": np.round(255 * probability).astype(np.uint8).tobytes()}


def told_size(window: Any) -> str:
    """The size of windows in words, of a side or of height and width."""
    height, width = window if isinstance(window, list | tuple) else (window, window)
    return f"{height} × {width} pixels"


def names_of(results: Sequence[Relevance]) -> tuple[str, list[str]]:
    """Label of a slider between results, and the name of each result on it.

    They are known by the one parameter in which they differ, else by their titles.
    """
    alike = len({(result.method, result.network_name, result.label) for result in results}) == 1
    names = dict.fromkeys(name for result in results for name in result.parameters)
    differ = [
        name
        for name in names
        if any(result.parameters.get(name) != results[0].parameters.get(name) for result in results)
    ]
    alone = ["window"] if not differ and "window" in names else []
    by = next(iter(differ or alone), None) if alike and len(differ) < 2 else None
    values = [result.parameters.get(by) for result in results] if by else []
    if by is None or any(values.count(value) > 1 for value in values):
        return "Map", [result.title for result in results]
    told = [told_size(value) if by == "window" else str(value) for value in values]
    return by.replace("_", " ").capitalize(), told


def _nearest(values: Sequence[Any], value: Any) -> int:
    """Place of the number that is nearest to ``value``; 0 where these are no numbers."""
    if not all(isinstance(number, int | float) for number in (value, *values)):
        return 0
    return min(range(len(values)), key=lambda place: abs(values[place] - value))


def _frame(result: Relevance, name: str, scale: float) -> dict[str, Any]:
    frame = {
        "name": name,
        "map": render.quantize(result.values, scale).tobytes(),
        "scale": scale,
        "unit": result.unit,
        "ends": ends(result),
        "signed": result.signed,
        "title": result.title,
        "window": result.parameters.get("window"),
        "remark": result.note,
        "completed": result.completed,
        "effect": result.effect,
        "about": sentences.about(result),
        "sure": sentences.sure(result),
        "advice": sentences.advice(result),
    }
    if sentences.is_share(result):
        frame |= {"factor": result.values.size, "told": sentences.EVEN}
    if result.standard_error is None:
        return frame
    if not np.isfinite(result.standard_error).any():
        return frame | {"error_scale": 0.0}
    error_scale = render.scale_of(result.standard_error)
    error = render.quantize_error(result.standard_error, error_scale).tobytes()
    return frame | {"error": error, "error_scale": error_scale}
