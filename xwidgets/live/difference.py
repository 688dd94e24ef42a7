"""What one side says more than another, as both grow."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import results
from xwidgets.results import Relevance

from .following import Following
from .live_result import Progress
from .study import Study

Side = Study | Relevance


class Difference(Following, traitlets.HasTraits):
    """The difference of two maps, each of a study that computes it, or finished.

    Args:
        left, right: where the maps come from.

    Attributes:
        relevance: ``left - right`` so far; ``None`` while there is none.
        sides: the two maps that it is of; ``None`` until both are there.
        note: why there is none, in a sentence; "" while nothing stands in its way.
        progress: that of the side that is behind.
        image: changes when a side turns to another picture.
        kinds: of the studies' methods.
        both: left and right.
        studies: those of the two that are studies.
        linked: the parameters that both sides are studies of and that change together, as they
            began equal.

    Example:
        >>> import xwidgets as xw
        >>> image = xw.scenes.bird(seed=3).image
        >>> with xw.Study(xw.network("birds"), image, samples=1, stride=4) as study:
        ...     gap = Difference(study, study.wait())
        ...     float(abs(gap.relevance.values).max())
        0.0
    """

    relevance = traitlets.Instance(Relevance, allow_none=True, read_only=True)
    sides = traitlets.Tuple(default_value=None, allow_none=True, read_only=True)
    note = traitlets.Unicode(read_only=True)
    progress = traitlets.Instance(Progress, args=("complete", 1.0), read_only=True)
    image = traitlets.Any(read_only=True)
    kinds = traitlets.Tuple(read_only=True)

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self.both = left, right
        self._lock = threading.RLock()  # two studies have two threads
        self.studies = tuple(dict.fromkeys(s for s in self.both if isinstance(s, Study)))
        self.linked: tuple[str, ...] = ()
        self._link()
        for study in self.studies:
            self.follow(study, self._link, "method")
            self.follow(study, self._compute, "relevance")
            self.follow(study, self._tell, "progress")
            self.follow(study, self._turn_to, "image")
        self._compute()
        self._tell()

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The picture of the left side, 8-bit ``(H, W, 3)``."""
        left = self.both[0]
        return left.picture if isinstance(left, Study) else left.image

    def stop(self) -> None:
        """Stop computing both sides."""
        for study in self.studies:
            study.stop()

    def resume(self) -> None:
        """Go on with both sides."""
        for study in self.studies:
            study.resume()

    def watched(self, viewers: int) -> None:
        """The views of the sides tell who watches them."""

    def close(self) -> None:
        """Follow the sides no more."""
        self.unfollow()

    def _link(self) -> None:
        """Find anew what changes together, when there are methods of other kinds."""
        with self._lock:
            kinds = tuple(type(study.method) for study in self.studies)
            if len(kinds) == 2 and kinds != self.kinds:
                self.linked = equal_parameters(*self.studies)
            self.set_trait("kinds", kinds)

    def _compute(self) -> None:
        with self._lock:
            left, right = (
                side.relevance if isinstance(side, Study) else side for side in self.both
            )
            moving = len(self.studies) == 2 and any(
                len({getattr(study.method, name, None) for study in self.studies}) > 1
                for name in self.linked
            )
            if left is None or right is None or moving:
                self.set_trait("relevance", None)
                return
            try:
                found, note = results.difference(left, right), ""
            except ValueError as error:
                reason = str(error)
                found, note = None, f"{reason[0].upper()}{reason[1:]}."
            self.set_trait("note", note)
            self.set_trait("sides", (left, right))
            self.set_trait("relevance", found)

    def _tell(self) -> None:
        with self._lock:
            each = [study.progress for study in self.studies] or [Progress("complete", 1.0)]
            states = {one.state for one in each}
            state = next(s for s in ("failed", "computing", "stopped", "complete") if s in states)
            times = [one.seconds_left for one in each if one.seconds_left is not None]
            behind = min(each, key=lambda one: one.share)
            message = next((one.message for one in each if one.message), "")
            left = max(times, default=None)
            self.set_trait(
                "progress", replace(behind, state=state, seconds_left=left, message=message)
            )

    def _turn_to(self) -> None:
        with self._lock:
            self.set_trait("image", self.picture)


def equal_parameters(left: Study, right: Study) -> tuple[str, ...]:
    """The parameters that a person may move in both studies, and that are equal in both."""
    names = [
        {control.name: control.kind for control in study.method.controls(study.subject)}
        for study in (left, right)
    ]
    return tuple(
        name
        for name, kind in names[0].items()
        if names[1].get(name) == kind and getattr(left.method, name) == getattr(right.method, name)
    )
