"""One picture, several methods: small multiples that are read together."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from itertools import combinations
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import evaluate, live
from xwidgets.errors import of_kind
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Number, Whole, a_point
from xwidgets.results import Relevance, common_settings, render, sentences
from xwidgets.results.legend import with_legend

from .closing import Held
from .exporting import NO_MAP
from .relevance_overlay import frames
from .view import COMPLETE, View

if TYPE_CHECKING:
    from xwidgets.explain import Method
    from xwidgets.live import MethodMaps
    from xwidgets.live.study import Study


class MethodComparison(View, module="method_comparison.mjs"):
    """Maps of one picture and target by several methods, beside each other.

    Each map has the question that the method asks, its unit, the time that it took, and how far it
    agrees with a chosen one (:func:`xwidgets.evaluate.agreement`). Pointing at a pixel reads it in
    all maps. A button randomises the network's weights layer by layer, from the output on, and
    shows which maps change (:func:`xwidgets.evaluate.weight_randomisation`).

    Args:
        subject: a :class:`Study`, whose image and target are followed; or finished maps, of one
            picture.
        methods: of a study, such as ``[xw.Saliency(), xw.Occlusion(window=8)]``, which give maps;
            one of each kind by default.

    Attributes:
        chosen: which map the others are compared with, from 0 on.
        pixel: row and column of the pixel that is read; empty for none.
        zoom, center: the part of the picture that all maps show, as of
            :class:`RelevanceOverlay`.
        color_map: a name in ``xwidgets.results.render.COLOR_MAPS``.
        opacity: of the maps, 0 to 1.

    Raises:
        ValueError: for something else, no method or map, or maps of different pictures.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> methods = [xw.Saliency(), xw.ExcitationBackprop(), xw.Deconvnet()]
        >>> view = MethodComparison([method.run(net, scene.image) for method in methods])
        >>> [cell["name"] for cell in view.cells]
        ['saliency', 'excitation backprop', 'deconvnet']
    """

    _study: Held[Study | None] = Held()
    _live: Held[MethodMaps | None] = Held()
    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    cells = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    chosen = Whole(0, min=0).tag(sync=True)
    pixel = traitlets.List(Whole(), maxlen=2).tag(sync=True, echo_update=False)
    zoom = Number(1.0, min=1, max=16).tag(sync=True, echo_update=False)
    center = a_point().tag(sync=True, echo_update=False)
    color_maps = traitlets.Dict(render.COLOR_MAPS).tag(sync=True)
    color_map = traitlets.Enum(list(render.COLOR_MAPS), "red-blue").tag(sync=True)
    sequential = traitlets.List(list(render.SEQUENTIAL)).tag(sync=True)
    opacity = Number(0.85, min=0, max=1).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)
    randomising = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(
        self,
        subject: Study | Sequence[Relevance],
        methods: Sequence[Method[Relevance]] | None = None,
    ) -> None:
        self._lock: AbstractContextManager[Any] = (
            subject.lock if is_study(subject) else nullcontext()
        )
        self._study = subject if is_study(subject) else None
        self._live = None
        self._maps: list[Relevance | None] = []
        self._agreements: dict[frozenset[int], float | None] = {}
        if is_study(subject):
            self._live = live.MethodMaps(subject, None if methods is None else _checked(methods))
            photo = subject.picture
            cells = [{"asks": method.asks} for method in self._live.methods]
            self._maps = [None] * len(cells)
        else:
            results = _results(subject)
            photo, cells = results[0].image, [{"asks": ""} for _ in results]
        super().__init__(
            photo=render.png(photo),
            shape=list(photo.shape[:2]),
            cells=[
                cell | {"progress": COMPLETE, "agreements": [], "layers": [], "randomised": []}
                for cell in cells
            ],
            progress=COMPLETE,
            randomising={} if self._live else COMPLETE,
        )
        if self._live is not None and self._study is not None:
            self._follow(self._live, self._study)
        else:
            self._maps = list(results)
            self.cells = [
                cell | _shown(result) for cell, result in zip(self.cells, results, strict=True)
            ]
            self._compare()

    def about(self) -> list[str]:
        """What the maps are of, and the settings that they have in common."""
        results = [result for result in self._maps if result is not None]
        return [self._words(), common_settings(results)]

    def still(self) -> dict[str, Any]:
        """All maps are complete; what was randomised so far stays."""
        for part in () if self._live is None else self._live.maps:
            part.wait()
        return {"progress": COMPLETE, "randomising": COMPLETE, "pixel": []}

    def preview(self) -> dict[str, str]:
        """All maps in one picture, and whose they are."""
        results = [result for result in self._maps if result is not None]
        if not results:
            words = "The picture; its maps were not computed yet."
            return {"image/png": b64encode(self.photo).decode(), "text/plain": words}
        sheet = render.png(
            _sheet([one.overlay(PREVIEW, color_map=self.color_map) for one in results])
        )
        told = [f"{one.title}. {sentences.sentence(one)}" for one in results]
        words = "\n".join([self._words(), *told])
        return {"image/png": b64encode(sheet).decode(), "text/plain": words}

    def with_legends(self) -> NDArray[np.uint8]:
        """All maps in one picture with their legends.

        Raises:
            ValueError: while there is none.
        """
        results = [result for result in self._maps if result is not None]
        panels = [with_legend(one, LEGENDED, color_map=self.color_map) for one in results]
        if not panels:
            raise ValueError(NO_MAP)
        return _sheet(panels)

    def hear_randomise(self) -> None:
        """Randomise the weights, layer by layer."""
        if self._live is not None:
            self._live.randomise()

    def _let_go(self) -> None:
        if self._live is not None:
            self._live.close()
        super()._let_go()

    def _words(self) -> str:
        results = [result for result in self._maps if result is not None]
        methods = ", ".join(result.method for result in results)
        label = f" for {results[0].label!r} ({results[0].network_name})" if results else ""
        return f"{len(results)} maps{label}: {methods}"

    def _follow(self, compared: MethodMaps, study: Study) -> None:
        self.show_work(progress=compared.maps, randomising=compared.randomised)
        self.follow(study, lambda: self._turn(study), "image")
        for at, (part, randomised) in enumerate(
            zip(compared.maps, compared.randomised, strict=True)
        ):
            self.follow(part, partial(self._show, at, part), ["answer", "progress"])
            self.follow(randomised, partial(self._show_randomised, at, randomised), "answer")
            self._show(at, part)
        self.follow(compared.maps, lambda: self._tell(compared), "progress")
        self.follow(compared.randomised, lambda: self._tell(compared), "progress")
        self.refresh_after(compared.maps)
        self._tell(compared)

    def _turn(self, study: Study) -> None:
        picture = study.picture
        with self._lock, self.hold_sync():
            self.photo, self.shape = render.png(picture), list(picture.shape[:2])

    def _tell(self, compared: MethodMaps) -> None:
        with self._lock:
            self.progress = asdict(compared.maps.progress)
            begun = any(part.question is not None for part in compared.randomised)
            self.randomising = asdict(compared.randomised.progress) if begun else {}

    def _show(self, at: int, part: live.LiveResult[Any, Any]) -> None:
        timed, progress = part.answer, part.progress
        with self._lock:
            self._maps[at] = None if timed is None else timed.relevance
            shown = {"frame": None} if timed is None else _shown(timed.relevance)
            seconds = None if timed is None else timed.seconds
            self._put(at, {"progress": asdict(progress), "seconds": seconds, **shown})
            self._agreements = {
                pair: value for pair, value in self._agreements.items() if at not in pair
            }
            if progress.state == "complete":
                self._compare()

    def _show_randomised(self, at: int, part: live.LiveResult[Any, Any]) -> None:
        found = part.answer
        layers = [] if found is None else list(found.layers)
        agreements = [] if found is None else [_plain(value) for value in found.agreements]
        with self._lock:
            self._put(at, {"layers": layers, "randomised": agreements})

    def _compare(self) -> None:
        """Agreement of all pairs of complete maps; of those that changed, computed."""
        complete = {
            at: result
            for at, (result, cell) in enumerate(zip(self._maps, self.cells, strict=True))
            if result is not None and cell["progress"]["state"] == "complete"
        }
        for pair in map(frozenset, combinations(complete, 2)):
            left, right = (complete[at] for at in pair)
            same = left.values.shape == right.values.shape  # not while the picture is replaced
            if same and pair not in self._agreements:
                self._agreements[pair] = _plain(evaluate.agreement(left, right))
        places = range(len(self.cells))
        self.cells = [
            cell
            | {"agreements": [self._agreements.get(frozenset((at, other))) for other in places]}
            for at, cell in enumerate(self.cells)
        ]

    def _put(self, at: int, facts: dict[str, Any]) -> None:
        cells = list(self.cells)
        cells[at] = cells[at] | facts
        self.cells = cells


PREVIEW, LEGENDED = 224, 448
"""Widths of a map in a preview, in pixels: without and with a legend."""


def _sheet(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures in rows of at most three."""
    rows = [[*panels[at : at + 3]] for at in range(0, len(panels), 3)]
    blank = np.full_like(panels[0], 255)
    return render.sheet([row + [blank] * (len(rows[0]) - len(row)) for row in rows], gap=16)


def _shown(result: Relevance) -> dict[str, Any]:
    [frame] = frames([result])
    return {"name": result.method, "frame": frame}


def _plain(value: float) -> float | None:
    return None if isnan(value) else value


def _results(subject: object) -> list[Relevance]:
    given: list[Any] = list(subject) if isinstance(subject, list | tuple) else [subject]
    if not given:
        raise ValueError("there is no map to compare; give a study, or maps that methods returned")
    for result in given:
        of_kind("what is compared", result, Relevance, "an xw.Study, or an xw.Relevance each")
    if not all(np.array_equal(result.image, given[0].image) for result in given):
        raise ValueError("maps of different pictures cannot be compared; give maps of one picture")
    return given


def _checked(methods: object) -> Sequence[Method[Relevance]]:
    given: list[Any] = list(methods) if isinstance(methods, list | tuple) else [methods]
    if not given:
        raise ValueError("there is no method to compare; give a list such as [xw.Saliency()]")
    return [live.study.a_method(method) for method in given]
