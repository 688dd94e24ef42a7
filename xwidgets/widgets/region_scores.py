"""The class scores with and without a region of the picture."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import live
from xwidgets.box import Box
from xwidgets.live.kind import is_study
from xwidgets.live.traits import Whole
from xwidgets.results import RegionRemoval, render, sentences

from .view import COMPLETE, View

if TYPE_CHECKING:
    from xwidgets.live.study import Study

CLASSES, THUMBNAILS = 5, 6
"""How many classes and samples are shown."""


class RegionScores(View, module="region_scores.mjs"):
    """Predictions with a region of the picture and without it, and what it is filled with.

    The classes that are most probable with or without the region, with the evidence that it gives
    for each in bits; and some of the samples, which zoom on the region.

    Args:
        subject: a :class:`Study` to follow, or a :class:`xwidgets.RegionRemoval`.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> removal = xw.remove_region(xw.network("birds"), scene.image, scene.masks["beak"])
        >>> len(RegionScores(removal).rows)
        5
    """

    rows = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    contents = traitlets.List(traitlets.Bytes()).tag(sync=True, echo_update=False)
    crop = traitlets.Bytes().tag(sync=True)
    marked = traitlets.Bytes().tag(sync=True)
    coarse = traitlets.Bool().tag(sync=True)
    pixels = Whole().tag(sync=True)
    scored = Whole().tag(sync=True)
    samples = Whole().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True, echo_update=False)
    remark = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)

    def __init__(self, subject: Study | RegionRemoval) -> None:
        self._removal: RegionRemoval | None = None
        super().__init__()
        if is_study(subject):
            regions = live.Regions.of(subject)
            removal = regions.removal
            self.show_work(progress=removal, beside=subject)
            self.follow(removal, lambda: self._follow(subject), ["answer", "progress"])
            self.follow(subject, lambda: self._follow(subject), "image")
            self.follow(regions, lambda: self._mark(subject.picture, regions.mask), "mask")
            self.refresh_after(removal)
            self._mark(subject.picture, regions.mask)
            self._follow(subject)
        else:
            self._show(subject)
            self._mark(subject.image, subject.mask)
            self.progress = COMPLETE

    def about(self) -> list[str]:
        """What was removed."""
        if self._removal is None:
            raise ValueError("no region is removed; paint one, or set study.regions.mask first")
        return [self._removal.title]

    def still(self) -> dict[str, Any]:
        """What is known is all that will be."""
        return {"progress": COMPLETE}

    def preview(self) -> dict[str, str]:
        """The picture with the region and some samples, and what changes without it."""
        if self._removal is None:
            return {"text/plain": "The class scores; no region of the picture was removed yet."}
        png = b64encode(self._removal.png()).decode()
        return {"image/png": png, "text/plain": f"{self._removal.title}. {self.sentence}"}

    def _mark(self, picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        """Draw the picture with its region, for where no painter has it on a canvas."""
        self.marked = render.png(render.marked(picture, mask))

    def _follow(self, study: Study) -> None:
        regions = live.Regions.of(study)
        with self.hold_sync():
            if not regions.mask.any():
                self._forget(study)
            elif regions.removal.answer is not None:
                self._show(regions.removal.answer)
            self.pixels = int(regions.mask.sum())
            self.progress = asdict(regions.removal.progress)

    def _forget(self, study: Study) -> None:
        self._removal = None
        self.rows = [_row(name, before) for _, name, before in study.ranking[:CLASSES]]
        self.contents, self.crop, self.scored, self.remark = [], b"", 0, ""
        self.sentence = ""

    def _show(self, removal: RegionRemoval) -> None:
        if not len(removal.samples):  # what was shown before is better than nothing
            return
        self._removal = removal
        evidence, error, after = removal.evidence, removal.evidence_error, removal.after
        best = np.argsort(-np.maximum(removal.before, after), kind="stable")[:CLASSES]
        zoom = _zoom(removal.mask)
        self.rows = [
            _row(
                removal.classes[one],
                float(removal.before[one]),
                float(after[one]),
                float(evidence[one]),
                None if np.isnan(error[one]) else float(error[one]),
            )
            for one in best
        ]
        self.contents = [_thumbnail(one, zoom) for one in removal.samples[:THUMBNAILS]]
        self.crop = _thumbnail(removal.image, zoom)
        self.coarse = removal.image.shape[1] < 160
        self.pixels, self.scored = int(removal.mask.sum()), len(removal.samples)
        self.samples, self.remark = removal.parameters["samples"], removal.note
        self.sentence = sentences.sentence(removal)


def _row(
    name: str,
    before: float,
    after: float | None = None,
    evidence: float | None = None,
    error: float | None = None,
) -> dict[str, Any]:
    """A class as the view takes it."""
    return {"name": name, "before": before, "after": after, "evidence": evidence, "error": error}


def _zoom(mask: NDArray[np.bool_]) -> Box:
    """A square with some surroundings around a region, as far as the picture reaches."""
    box = Box.around(mask)
    assert box is not None
    side = max(16, round(1.5 * max(box.height, box.width)))
    edges = []
    for start, end, limit in zip(box[:2], box[2:], mask.shape, strict=True):
        length = min(side, limit)
        first = min(max((start + end - length) // 2, 0), limit - length)
        edges.append((first, first + length))
    (top, bottom), (left, right) = edges
    return Box(top, left, bottom, right)


def zoomed(removal: RegionRemoval) -> bytes:
    """PNG file of the first sample, which zooms on the region."""
    return _thumbnail(removal.samples[0], _zoom(removal.mask))


def _thumbnail(image: NDArray[np.uint8], zoom: Box) -> bytes:
    return render.png(render.thumbnail(image[zoom.slices], 192))
