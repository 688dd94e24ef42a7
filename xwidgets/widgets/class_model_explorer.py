"""What the network thinks a class looks like, watched while it is computed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from itertools import cycle, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import live
from xwidgets.errors import listed, one_of
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Whole
from xwidgets.results import ClassModel, render
from xwidgets.results.line_chart import COLORS, Axis, Line, line_chart, save

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.live.class_models import ClassModels
    from xwidgets.live.study import Study


class ClassModelExplorer(View, module="class_model_explorer.mjs"):
    """Class models of several seeds side by side, with live curves of score and norm.

    The class is chosen, and λ and the regularisers are moved, in the view. Below the curves stands
    a strip of frames of the way; choosing one shows that frame. Of a study whose target is a
    channel or unit, that is raised.

    Args:
        subject: a :class:`Study` to follow, or an :class:`xwidgets.ClassModel`.
        seeds: one picture each, of a study.
        **parameters: others of :class:`xwidgets.ActivationMaximization`, of a study.

    Attributes:
        shown: number of the frame that is shown; -1 for the newest.

    Raises:
        ValueError: for another subject, or invalid parameters.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> explorer = ClassModelExplorer(study, seeds=(0, 1), iterations=3)
        >>> _ = study.class_models.growing.wait()
        >>> len(explorer.pictures), explorer.frame_steps
        (2, [0, 1, 2, 3])
        >>> study.close()
    """

    _study: Held[Study | None] = Held()
    _models: Held[ClassModels | None] = Held()
    pictures = traitlets.List(traitlets.Bytes()).tag(sync=True, echo_update=False)
    frames = traitlets.List(traitlets.List(traitlets.Bytes())).tag(sync=True, echo_update=False)
    frame_steps = traitlets.List(Whole()).tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    curves = traitlets.Dict().tag(sync=True, echo_update=False)
    seeds = traitlets.List(Whole()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    target = Whole(-1).tag(sync=True)
    controls = traitlets.List(traitlets.Dict()).tag(sync=True)
    shown = Whole(-1).tag(sync=True)
    work = traitlets.Dict().tag(sync=True, echo_update=False)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self, subject: Study | ClassModel, seeds: Sequence[int] | None = None, **parameters: Any
    ) -> None:
        if not is_study(subject) and not isinstance(subject, ClassModel):
            raise ValueError(
                f"an explorer of class models shows a study or a class model, not "
                f"{type(subject).__name__}; make one with xw.class_model(net, target)"
            )
        if isinstance(subject, ClassModel) and (seeds is not None or parameters):
            raise ValueError("a class model is shown as it is; give a study to compute others")
        super().__init__(alive=is_study(subject))
        self._model: ClassModel | None = None
        self._models = None
        self._study = None
        if isinstance(subject, ClassModel):
            self._show(subject)
            return
        models = self._models = live.ClassModels.of(subject)
        self._study = subject
        seeds = FIRST if seeds is None else tuple(listed("seeds", seeds, int, "a list of seeds"))
        if seeds != models.method.seeds or parameters:
            models.move(seeds=seeds, **parameters)
        self.show_work(work=models.growing, beside=subject)
        self.follow(subject, lambda: self._turn_to(subject), "target")
        self.follow(models, lambda: self._follow_method(models), "method")
        self.follow(models.growing, lambda: self._follow_model(models), ["answer", "progress"])
        self.refresh_after(models.growing)
        count = subject.subject.logits.shape[1]
        self.classes = [subject.network.class_name(index) for index in range(count)]
        self._turn_to(subject)
        self._follow_method(models)
        self._follow_model(models)

    def about(self) -> list[str]:
        """What the pictures are of; on a page they can be played, and their curves read."""
        if self._model is None:
            raise ValueError("there is no picture yet; wait for study.class_models.growing.wait()")
        return [self._model.title]

    def still(self) -> dict[str, Any]:
        """Nothing grows."""
        return {"alive": False, "work": {}, "message": "", "controls": []}

    def preview(self) -> dict[str, str]:
        """The pictures, and what they are of."""
        if self._model is None:
            return {"text/plain": "What the network thinks a class looks like; no picture yet."}
        picture = b64encode(self._model.png()).decode()
        return {"image/png": picture, "text/plain": self._model.title}

    def to_svg(self, path: str | Path, curve: str = "scores") -> None:
        """Write a chart over the steps to an SVG file, for a document.

        Args:
            path: of the file.
            curve: ``"scores"``, ``"norms"``, of the squared norm of the picture, or
                ``"probabilities"`` of the class.

        Raises:
            ValueError: for another curve, while there is no picture yet, or where the curve has no
                finite value, as the probabilities of a channel or unit have none.
            OSError: when the file cannot be written; one that was there stays as it was.
        """
        model, names = self._model, {"scores": "score", "norms": "‖x‖²", "probabilities": "p"}
        one_of("curve", curve, tuple(names))
        if model is None:
            raise ValueError("there is no curve yet; wait for study.class_models.growing.wait()")
        curves = getattr(model, curve)
        if not np.isfinite(curves).any():
            raise ValueError(
                f"none of the {curve} of {model.label} is a finite number; give another curve"
            )
        lines = [
            Line(np.arange(len(values)), values, color, f"seed {seed}", dashed=dashed)
            for values, seed, (dashed, color) in zip(
                curves, model.seeds, cycle(product((False, True), COLORS[:4]))
            )
        ]
        label = f"{names[curve]}, in {model.unit}" if curve == "scores" else names[curve]
        save(line_chart(lines, Axis("step"), Axis(label), title=model.title), path)

    def hear_choose(self, target: int) -> None:
        """Make a class the study's target."""
        if self._study is not None:
            try:
                self._study.target = target
            except ValueError as error:
                self.message = str(error)

    def hear_move(self, name: str, value: Any) -> None:
        """Change a parameter of the method; the seeds by their number."""
        if self._models is None:
            return
        if name == "seeds":
            value = tuple(range(value)) if isinstance(value, int) and 0 < value <= MOST else ()
        try:
            self._models.move(**{name: value})
            self.message = ""
        except ValueError as error:
            self.message = str(error)
            self._follow_method(self._models)

    def _turn_to(self, study: Study) -> None:
        with self.hold_sync():
            self.label = study.question.target.label(study.network)
            self.network = study.network.name
            self.target = study.target if isinstance(study.target, int) else -1
            self.message, self.shown = "", -1

    def _follow_method(self, models: ClassModels) -> None:
        method = models.method
        count = {
            "name": "seeds",
            "label": "Seeds",
            "line": "number of pictures, each from other noise",
            "kind": "range",
            "value": len(method.seeds),
            "least": 1,
            "most": max(MOST, len(method.seeds)),
            "step": 1,
            "unit": "",
            "choices": [],
        }
        known = [asdict(control) for control in method.controls(models.subject)]
        self.controls = [count, *(one | {"choices": list(one["choices"])} for one in known)]

    def _follow_model(self, models: ClassModels) -> None:
        model, progress = models.growing.answer, models.growing.progress
        with self.hold_sync():
            self.work = asdict(progress)
            if model is not None:
                self._show(model)
            elif self._model is not None:  # of another class, or with other parameters
                self._model, self.pictures, self.frames, self.note = None, [], [], ""
                self.frame_steps, self.seeds, self.curves = [], [], {}

    def _show(self, model: ClassModel) -> None:
        before, self._model = self._model, model
        with self.hold_sync():
            self.pictures = [small(picture) for picture in model.pictures]
            steps: list[int] = model.frame_steps.tolist()
            if model.completed >= 1 or steps[:-1] != self.frame_steps[:-1] or before is None:
                self.frame_steps = steps
                self.frames = [[small(frame) for frame in of_seed] for of_seed in model.frames]
            self.shape = list(model.frames.shape[2:4])
            self.curves = {
                "kept": model.kept.tolist(),
                "scores": rounded(model.scores),
                "norms": rounded(model.norms),
                "probabilities": rounded(model.probabilities),
            }
            self.seeds = list(model.seeds)
            self.label, self.network, self.unit = model.label, model.network_name, model.unit
            self.note = model.note


FIRST, MOST = (0, 1, 2), 4
"""Seeds of a view unless others are chosen, and the number of them that its control offers."""
SIDE = 128
"""Longest side of the pictures that are sent, in pixels."""


def small(picture: NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file, as large as the view shows it."""
    return render.png(render.thumbnail(picture, SIDE))


def rounded(curves: NDArray[np.float64]) -> list[list[float | None]]:
    """Curves with six digits, ``None`` for NaN."""
    return [
        [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]
        for curve in curves.tolist()
    ]
