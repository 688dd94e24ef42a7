"""Live difference of two maps."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets import results
from xwidgets.results import Relevance

from .following import Following
from .kind import is_study
from .live_result import Progress

if TYPE_CHECKING:
    from .study import Study

Side: TypeAlias = "Study | Relevance"


class Difference(Following, traitlets.HasTraits):
    """Difference of two maps, each finished, or of a study that computes it.

    Args:
        left, right: a study, or a map.

    Attributes:
        relevance: ``left - right`` so far; ``None`` while there is none.
        sides: the two maps of ``relevance``; ``None`` until both exist.
        note: reason why the maps have no difference, in a sentence; "" where they have one.
        progress: of the side with the smaller share.
        image: picture of the left side, set anew when a side's image changes.
        kinds: types of the studies' methods.
        both: left and right.
        studies: those of the two that are studies.
        linked: names of parameters that were equal in both studies and change together.

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
        self.studies = tuple(dict.fromkeys(s for s in self.both if is_study(s)))
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
        """Picture of the left side, 8-bit ``(H, W, 3)``."""
        left = self.both[0]
        return left.picture if is_study(left) else left.image

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
        """Stop following the sides."""
        self.unfollow()

    def _link(self) -> None:
        """Find the linked parameters anew when the types of the methods change."""
        with self._lock:
            kinds = tuple(type(study.method) for study in self.studies)
            if len(kinds) == 2 and kinds != self.kinds:
                self.linked = equal_parameters(*self.studies)
            self.set_trait("kinds", kinds)

    def _compute(self) -> None:
        with self._lock:
            left, right = (side.relevance if is_study(side) else side for side in self.both)
            moving = len(self.studies) == 2 and any(
                len({getattr(study.method, name, None) for study in self.studies}) > 1
                for name in self.linked
            )
            if left is None or right is None or moving:
                self.set_trait("relevance", None)
                return
            try:
                relevance, note = results.difference(left, right), ""
            except ValueError as error:
                reason = str(error)
                relevance, note = None, f"{reason[0].upper()}{reason[1:]}."
            self.set_trait("note", note)
            self.set_trait("sides", (left, right))
            self.set_trait("relevance", relevance)

    def _tell(self) -> None:
        with self._lock:
            each = [study.progress for study in self.studies] or [Progress("complete", 1.0)]
            states = {progress.state for progress in each}
            state = next(s for s in ("failed", "computing", "stopped", "complete") if s in states)
            times = [
                left for left in (progress.seconds_left for progress in each) if left is not None
            ]
            behind = min(each, key=lambda progress: progress.share)
            message = next(filter(None, (progress.message for progress in each)), "")
            left = max(times, default=None)
            self.set_trait(
                "progress", replace(behind, state=state, seconds_left=left, message=message)
            )

    def _turn_to(self) -> None:
        with self._lock:
            self.set_trait("image", self.picture)


def equal_parameters(left: Study, right: Study) -> tuple[str, ...]:
    """Names of the parameters that have a control and equal values in both studies."""
    names = [
        {control.name: control.kind for control in study.method.controls(study.subject)}
        for study in (left, right)
    ]
    return tuple(
        name
        for name, kind in names[0].items()
        if names[1].get(name) == kind and getattr(left.method, name) == getattr(right.method, name)
    )
