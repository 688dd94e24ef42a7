"""Why this class and not that one: x-features of two classes in one picture, on one scale."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import live
from xwidgets.errors import of_kind
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Whole
from xwidgets.results import XFeatures, render

from .closing import Held
from .view import View
from .xfeature_explorer import PROGRESS, as_sentence, feature

if TYPE_CHECKING:
    from xwidgets.explain import ExplanationModule
    from xwidgets.live.study import Study
    from xwidgets.live.x_feature_fit import XFeatureFit

TRAITS = ("left", "right")
"""Traits of the two sides, in order."""
SIZE = 224
"""Width of a map in the preview, in pixels."""


class XFeatureComparison(View, module="xfeature_comparison.mjs"):
    """X-features of two classes in one picture: why this one and not that one (Qi et al. 2018).

    Each class has its own one-against-all explanation module. Its x-features stand in a column,
    with what each adds to the class's score before softmax. Both columns have one scale: bars are
    in units of the scores, and a heat map is as strong as what its x-feature adds, spread over the
    picture.

    Args:
        subject: a :class:`Study` to follow, whose target is the first class; or
            :class:`xwidgets.XFeatures` of the first class.
        other: the second class, by index or name, or its :class:`xwidgets.XFeatures` of the same
            picture; ``None`` for the class of the study with the highest score beside the target.
        images: what modules are fitted to, as :func:`xwidgets.fit_explanation` takes it; ``None``
            for the network's examples.
        modules: explanation modules that are fitted already.
        contrastive: of :func:`xwidgets.x_features`, how heat maps are made.
        **options: further arguments of :func:`xwidgets.fit_explanation`.

    Attributes:
        fits: :class:`xwidgets.live.XFeatureFit` of both classes; none without a study.
        common: whether all heat maps have one scale, or each its own.
        heat: whether heat maps are shown over the picture.

    Raises:
        ValueError: when the classes are one, the pictures or networks two, or there is nothing to
            fit a module to.

    Example:
        >>> import xwidgets as xw
        >>> net, bird = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> modules = xw.fit_explanation(net, images, [3, 2], epochs=2, progress=False)
        >>> one, other = (xw.x_features(net, module, bird.image) for module in modules)
        >>> [side["label"] for side in XFeatureComparison(one, other).sides]
        ['Briar finch (hooked beak)', 'Briar finch (dagger beak)']
    """

    _study: Held[Study | None] = Held()
    photo = traitlets.Bytes().tag(sync=True)
    shape = traitlets.List(Whole(), [1, 1]).tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    sides = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    left = traitlets.Dict().tag(sync=True, echo_update=False)
    right = traitlets.Dict().tag(sync=True, echo_update=False)
    common = traitlets.Bool(True).tag(sync=True)
    heat = traitlets.Bool(True).tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)
    fits: tuple[XFeatureFit, ...] = ()

    def __init__(
        self,
        subject: Study | XFeatures,
        other: int | str | XFeatures | None = None,
        images: object = None,
        *,
        modules: ExplanationModule | Iterable[ExplanationModule] = (),
        contrastive: bool | None = None,
        **options: Any,
    ) -> None:
        of_kind("contrastive", contrastive, bool | None, "True, False or None")
        if is_study(subject):
            self._study = subject
            super().__init__(alive=True)
            several = tuple(modules) if isinstance(modules, Iterable) else (modules,)
            self._wanted = None if other is None else named(subject, other)
            self._follow_study(subject, images, several, contrastive, options)
        else:
            self._study = None
            pair = (subject, other)
            for side in pair:
                needed = "xwidgets.XFeatures of each class; or give an xw.Study and another class"
                of_kind("a side", side, XFeatures, needed)
            super().__init__()
            self._show([side for side in pair if isinstance(side, XFeatures)])

    @property
    def found(self) -> list[XFeatures]:
        """X-features of the two classes; none until both are known."""
        return list(self._found)

    def about(self) -> list[str]:
        """Title of a page, and what is explained."""
        if not self._found:
            raise ValueError("the x-features are not known yet; wait for fit.wait() of both .fits")
        heading = f"X-features of two classes in one picture ({self.network})"
        return [heading, *(found.title for found in self._found)]

    def still(self) -> dict[str, Any]:
        """Nothing is fitted."""
        return {"alive": False, "left": {}, "right": {}}

    def preview(self) -> dict[str, str]:
        """The heat maps of both classes on one scale, a class a row, and what they are of."""
        if not self._found:
            return {"text/plain": "The x-features of two classes; none were found yet."}
        lacks = [side["lack"] for side in self.sides if side["lack"]]
        if lacks:
            return {"text/plain": " ".join(lacks)}
        largest = max(map(peak, self._found)) or 1.0
        rows = [
            [
                render.overlay(found.image, values, size=SIZE, scale=largest)
                for values in weighted(found)[found.order]
            ]
            for found in self._found
        ]
        blank = np.full_like(rows[0][0], 255)
        width = max(map(len, rows))
        rows = [row + [blank] * (width - len(row)) for row in rows]
        return {
            "image/png": b64encode(render.png(render.sheet(rows, gap=8))).decode(),
            "text/plain": f"{self._title()} {' '.join(found.title for found in self._found)}",
        }

    _found: tuple[XFeatures, ...] = ()
    _wanted: int | None = None

    def _follow_study(
        self,
        study: Study,
        images: object,
        modules: tuple[ExplanationModule, ...],
        contrastive: bool | None,
        options: dict[str, Any],
    ) -> None:
        other = self._second(study)
        self.fits = tuple(
            live.XFeatureFit(study, images, modules, contrastive, target, **options)
            for target in (None, other)
        )
        first, second = self.fits
        self.show_work(left=first.fitting, right=second.fitting, beside=study)
        self.follow(study, lambda: self._turn_to(study), ["target", "image"])
        for fit, trait in zip(self.fits, TRAITS, strict=True):
            self.follow(fit.found, self._follow_found, PROGRESS)
            self.follow(fit.fitting, partial(self._follow_fitting, fit, trait), PROGRESS)
            self.refresh_after(fit.found)
            self._follow_fitting(fit, trait)
        self._turn_to(study)

    def _second(self, study: Study) -> int:
        """The class beside the target: the one that was asked for, or that of the highest score."""
        if self._wanted is not None and self._wanted != study.target:
            return self._wanted
        others = [index for index, *_ in study.ranking if index != study.target]
        if not others:
            raise ValueError(f"{study.network.name} has one output, and no other class to compare")
        return others[0]

    def _turn_to(self, study: Study) -> None:
        self.fits[1].target = self._second(study)
        self._follow_found()

    def _follow_found(self) -> None:
        each = [fit.found.answer for fit in self.fits]
        known = [
            found
            for found, fit in zip(each, self.fits, strict=True)
            if found is not None and found.target == fit.explained
        ]
        same = len(known) == 2 and np.array_equal(known[0].image, known[1].image)
        if same:
            self._show(known)
        elif len(known) < 2:  # of another class
            self._found, self.sides = (), []

    def _follow_fitting(self, fit: XFeatureFit, trait: str) -> None:
        progress, fitting = fit.fitting.progress, fit.fitting.answer
        epoch = 0 if fitting is None else fitting.epoch
        error = float(fitting.errors[-1, 0]) if fitting is not None and epoch else None
        complete = progress.state == "complete"
        setattr(
            self, trait, {} if complete else asdict(progress) | {"epoch": epoch, "error": error}
        )

    def _show(self, pair: list[XFeatures]) -> None:
        first, second = pair
        if first.target == second.target:
            raise ValueError(
                f"both sides are of {first.label!r}; give x-features of two different classes"
            )
        if first.network_name != second.network_name or not np.array_equal(
            first.image, second.image
        ):
            raise ValueError(
                "the sides are of different pictures or networks; make both with "
                "xw.x_features(net, module, image) of the same net and image"
            )
        self._found = (first, second)
        largest = max(map(peak, pair)) or 1.0
        with self.hold_sync():
            self.photo, self.shape = render.png(first.image), list(first.image.shape[:2])
            self.network = first.network_name
            self.sides = [side(found, largest) for found in pair]

    def _title(self) -> str:
        first, second = self._found
        return f"Why {first.label} and not {second.label}?"

    def _let_go(self) -> None:
        for fit in self.fits:
            fit.close()
        super()._let_go()


def named(study: Study, other: object) -> int:
    """Index of a class of the study's network, which is not its target.

    Raises:
        ValueError: for an unknown class, or the target itself.
    """
    resolved = study.subject.target(other)  # type: ignore[arg-type]
    index = getattr(resolved, "index", None)
    if not isinstance(index, int) or resolved.layers:
        raise ValueError(f"other is {other!r}, but must be a class, by index or name")
    if index == study.target:
        raise ValueError(
            f"other is {study.network.class_name(index)!r}, which is the study's target too; give "
            "another class"
        )
    return index


def weighted(found: XFeatures) -> NDArray[np.float32]:
    """Maps ``(n, H, W)`` of what each x-feature adds to the score, spread over the picture."""
    spread: NDArray[np.float32] = found.maps * found.contributions[:, None, None]
    return spread


def peak(found: XFeatures) -> float:
    """Largest absolute value of the weighted maps."""
    return float(np.abs(weighted(found)).max(initial=0))


def side(found: XFeatures, largest: float) -> dict[str, Any]:
    """A class as the view takes it; the strength of a map is its maximum on the common scale."""
    strengths = np.abs(weighted(found)).max((1, 2), initial=0) / largest
    shown = 0 if found.lack else len(found.weights)
    return {
        "label": found.label,
        "method": found.fitted_by,
        "layer": found.layer,
        "score": found.score,
        "approximation": found.approximation,
        "intercept": found.intercept,
        "lack": as_sentence(found.lack),
        "features": [
            feature(found, index) | {"strength": float(strengths[index])} for index in range(shown)
        ],
    }
