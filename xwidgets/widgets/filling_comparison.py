"""What becomes of a class when a region is filled in each way, and when it is truly gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import traitlets

from xwidgets import evaluate, images, live
from xwidgets.errors import of_kind
from xwidgets.live.kind import check_study
from xwidgets.results import RegionRemoval, Relevance, render
from xwidgets.results.numbers import number, percent

from .closing import Held
from .region_scores import zoomed
from .relevance_overlay import told_size
from .view import COMPLETE, View

if TYPE_CHECKING:
    from xwidgets.images.scenes import Scene
    from xwidgets.live.regions import Regions
    from xwidgets.live.study import Study

DRAWN, MAP = "drawn", "map"

ROWS = {
    DRAWN: (
        "Drawn without it",
        "What does the network say when the part is truly gone? Only drawn scenes can tell.",
    ),
    "grey": (
        "Plain grey",
        "What does it say to a grey patch? It learned from pictures without one, so a part of the "
        "change is the patch's own.",
    ),
    "marginal": (
        "Contents of other pictures",
        "What does it say to what other pictures have at this place? The edge of the patch is seen "
        "too.",
    ),
    "conditional": (
        "Samples given the surroundings",
        "What does it say to what the rest of the picture suggests there? That can be the part "
        "itself.",
    ),
    MAP: (
        "Mean of the map over it",
        "How much does one window there change? Windows that are smaller than the part leave the "
        "rest of it.",
    ),
}
"""By filling, what a row is called and what it asks, in the order of the rows."""


class Answer(NamedTuple):
    """What one way of removing a region says of a class.

    Attributes:
        name: of the row.
        evidence: that the region gives for the class, in bits; NaN where it is not known yet.
        error: standard error of it; NaN where it is not known.
        before, after: probabilities with and without the region.
        first, first_share: the class that is the most likely without the region where that is
            another one, and its probability; "" and NaN where it is not.
        change: mean magnitude by which the region's pixels differ from the picture, of 1; NaN where
            nothing stands in their place.
    """

    name: str
    evidence: float
    error: float = np.nan
    before: float = np.nan
    after: float = np.nan
    change: float = np.nan
    first: str = ""
    first_share: float = np.nan


class FillingComparison(View, module="filling_comparison.mjs"):
    """Evidence of a region for the class, by each way to remove it: which should one believe?

    Beside each other stand the scene drawn without the part, which is the truth, the region filled
    with grey, with contents of other pictures and with samples given its surroundings, and the mean
    of the study's map over the region; with what each asks, and why they differ, in numbers.

    Args:
        study: whose region it is, ``study.regions``; it is painted, or a part of the scene.
        scene: the drawn scene that the study explains; ``None`` for other pictures.

    Attributes:
        scene: as given; can be set.
        parts: of the scene that can be removed.
        part: the one that is the region; "" for none. Can be set.
        answers: an :class:`Answer` for each row.
        reasons: why they differ, in sentences.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> study = xw.Study(xw.network("birds"), scene.image, method=xw.Saliency())
        >>> view = FillingComparison(study, scene)
        >>> view.part = "breast"
        >>> view.answers[0].name
        'drawn'
        >>> study.close()
    """

    _study: Held[Study] = Held()
    _regions: Held[Regions] = Held()
    scene: traitlets.Instance[Any] = traitlets.Instance(
        "xwidgets.images.scenes.Scene", allow_none=True
    )
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    part = traitlets.Unicode().tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    reasons = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)
    alive = traitlets.Bool(True).tag(sync=True)

    def __init__(self, study: Study, scene: Scene | None = None) -> None:
        check_study(study)
        kinds = images.scenes.Scene | None  # which imports torch
        of_kind("scene", scene, kinds, "a drawn scene, such as xw.scenes.bird(seed=3)")
        self._study, self._regions = study, live.Regions.of(study)
        self._lives = self._regions.compare()
        self._truth: RegionRemoval | None = None
        self.answers: Sequence[Answer] = ()
        super().__init__(scene=scene)
        self.show_work(progress=self._lives, beside=study)
        for each in self._lives:
            self.follow(each, self._draw, "answer")
        self.follow(self._lives, self._tell, "progress")
        self.follow(self._regions, self._turn_to, "mask")
        self.follow(study, self._draw, ["relevance", "target"])
        self.observe(lambda _: self._take(), "scene")
        self.observe(lambda _: self._remove(), "part")
        self.refresh_after(self._lives)
        self._take()
        self._tell()

    def frame(self) -> pd.DataFrame:
        """Table of the answers: evidence in bits and its error, probabilities, change of pixels."""
        rows = [{**answer._asdict(), "name": ROWS[answer.name][0]} for answer in self.answers]
        return pd.DataFrame(rows, columns=Answer._fields)

    def preview(self) -> dict[str, str]:
        """The answers as a table, and why they differ."""
        if not self.answers:
            return {"text/plain": "Ways to remove a region; no region was chosen yet."}
        lines = [f"{ROWS[one.name][0]}: {told(one)}" for one in self.answers]
        return {
            "text/plain": "\n".join([f"Evidence for {self.label}", *lines, *self.reasons]),
            "text/html": render.table(f"Evidence for {self.label}", self.frame()),
        }

    def about(self) -> list[str]:
        """What is compared."""
        if not self._regions.mask.any():
            raise ValueError("no region is removed; set part, or study.regions.mask, first")
        return [f"Ways to remove a region, for {self.label}"]

    def still(self) -> dict[str, Any]:
        """All ways are complete."""
        for each in self._lives:
            each.wait()
        self._draw()
        return {"alive": False, "progress": COMPLETE}

    def _let_go(self) -> None:
        self._regions.compare_no_more()
        super()._let_go()

    def _take(self) -> None:
        """Take the parts of a scene."""
        scene = self.scene
        self.parts = [] if scene is None else visible_parts(scene)
        self._turn_to()

    def _remove(self) -> None:
        """Make a part the region."""
        if self.part in self.parts:
            self._regions.mask = self.scene.masks[self.part]

    def _turn_to(self) -> None:
        """Tell which part the region is, and the truth of that."""
        mask, scene = self._regions.mask, self.scene
        masks = {} if scene is None else {part: scene.masks[part] for part in self.parts}
        part = next((part for part, one in masks.items() if np.array_equal(one, mask)), "")
        self._truth = None
        if scene is not None and part:
            self._truth = evaluate.drawn_without(self._study.network, scene, part)
        self.part = part
        self._draw()

    def _tell(self) -> None:
        self.progress = asdict(self._lives.progress)

    def _removals(self) -> dict[str, RegionRemoval]:
        """Removals of the region with at least one sample so far, by row name."""
        mask, truth = self._regions.mask, self._truth
        if not mask.any():
            return {}
        fills = zip(self._regions.fills, self._lives, strict=True)
        known = {fill: live.answer for fill, live in fills}
        if truth is not None and np.array_equal(truth.mask, mask):  # not of the part before
            known[DRAWN] = truth
        return {
            name: removal
            for name in ROWS
            if (removal := known.get(name)) is not None and len(removal.samples)
        }

    def _draw(self) -> None:
        study = self._study
        with study.lock, self.hold_sync():
            relevance = study.relevance
            target = study.target if isinstance(study.target, int) else study.ranking[0][0]
            removals = self._removals()
            answers = {name: answer_of(name, each, target) for name, each in removals.items()}
            mean = mean_of_map(relevance, self._regions.mask, target)
            if answers and mean is not None:
                answers[MAP] = Answer(MAP, mean)
            self.answers = list(answers.values())
            self.label = study.network.class_name(target)
            self.rows = [
                {
                    "title": ROWS[name][0],
                    "asks": ROWS[name][1],
                    "png": zoomed(removals[name]) if name in removals else b"",
                    "coarse": study.picture.shape[1] < 160,
                    **{
                        key: None if isinstance(value, float) and np.isnan(value) else value
                        for key, value in answer._asdict().items()
                    },
                }
                for name, answer in answers.items()
            ]
            window = relevance.parameters.get("window") if relevance else None
            missing = bool(self.parts) and DRAWN not in answers and bool(answers)
            unit = relevance.unit if relevance and answers and MAP not in answers else ""
            self.reasons = [*advice(answers, missing, unit), *reasons_of(answers, window)]


def visible_parts(scene: Scene) -> list[str]:
    """Parts of a scene that are visible and can be removed."""
    return [part for part in scene.removable if scene.masks[part].any()]


def answer_of(name: str, removal: RegionRemoval, target: int) -> Answer:
    """What the removal of a region says of a class."""
    inside = removal.samples[:, removal.mask].astype(float) - removal.image[removal.mask]
    first = int(removal.after.argmax())
    overtaken = first != target and removal.before[target] >= removal.before[first]
    return Answer(
        name,
        float(removal.evidence[target]),
        float(removal.evidence_error[target]),
        float(removal.before[target]),
        float(removal.after[target]),
        float(np.abs(inside).mean() / 255),
        removal.classes[first] if overtaken else "",
        float(removal.after[first]) if overtaken else np.nan,
    )


def mean_of_map(relevance: Relevance | None, mask: Any, target: int) -> float | None:
    """Mean of a map of evidence for the class over the region; ``None`` for another map."""
    if relevance is None or relevance.unit != "bits" or relevance.target != target:
        return None
    values = relevance.values[mask] if relevance.values.shape == mask.shape else np.array([])
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def told(answer: Answer) -> str:
    """An answer in words.

    Example:
        >>> told(Answer("grey", 4.5, 0.25, 0.9996, 0.9))
        '+4.50 ± 0.250 bits, from > 99.9 % to 90.0 %'
    """
    sign = "+" if answer.evidence > 0 else ""
    margin = "" if np.isnan(answer.error) else f" ± {number(answer.error)}"
    chances = "" if np.isnan(answer.after) else (
        f", from {percent(answer.before)} to {percent(answer.after)}"
    )  # fmt: skip
    lead = (
        f"; most likely then: {answer.first}, {percent(answer.first_share)}" if answer.first else ""
    )
    return f"{sign}{number(answer.evidence)}{margin} bits{chances}{lead}"


def advice(answers: dict[str, Answer], missing: bool, unit: str) -> list[str]:
    """Which answer to believe, in sentences.

    Args:
        answers: by row.
        missing: whether a part would have a true answer, which this region has not.
        unit: of a map whose mean is not among them; "" for none.
    """
    told = []
    if DRAWN in answers:
        told.append(
            "Believe “drawn without it” for what the part gives: it is the part's true effect. The "
            "other rows are what can be asked of a photograph."
        )
    if missing:
        told.append("Press a part above for its true effect: it can be drawn without that part.")
    if unit and unit != "bits":
        told.append(f"The map is in {unit}; its mean over the region is no number of bits.")
    return told


def reasons_of(answers: dict[str, Answer], window: Any = None) -> list[str]:
    """Why answers differ, in sentences, each from numbers that stand beside it."""
    reasons = []
    drawn, grey, samples = (answers.get(name) for name in (DRAWN, "grey", "conditional"))
    if drawn and samples and samples.change < 0.7 * drawn.change:
        error = np.nan_to_num(samples.error)
        taken = drawn.evidence - samples.evidence > 2 * error
        reasons.append(
            "The samples given the surroundings differ from the picture by "
            f"{percent(samples.change)} of the range of a pixel, the drawing without the part by "
            f"{percent(drawn.change)}: the surroundings bring much of the part back"
            + (", and its evidence with it." if taken else ".")
        )
    if drawn and grey and abs(grey.evidence - drawn.evidence) > 0.5:
        gap = number(abs(grey.evidence - drawn.evidence))
        reasons.append(
            f"Grey leaves the class {gap} bits lower than the part's absence: that much is the "
            "patch's own."
            if grey.evidence > drawn.evidence
            else f"Grey leaves the class {gap} bits higher than the part's absence: what is behind "
            "the part speaks against the class more than grey does."
        )
    sure = [answer for answer in answers.values() if answer.before > 0.999]
    if sure and all(answer.after > 0.99 for answer in sure):
        reasons.append(
            "The network is sure of the class, and stays so: as long as other parts suffice, "
            "hiding one hardly moves the probability. That does not say that it plays no part."
        )
    if MAP in answers and window is not None:
        reasons.append(
            f"The map removes one window of {told_size(window)} at a time, and a pixel is the mean "
            "over its windows: what the network still sees around a window keeps the class up."
        )
    return reasons
