"""What a study was asked before, to go back to and forth."""

from __future__ import annotations

import time
import weakref
from typing import Any, NamedTuple

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.explain import Method
from xwidgets.explain.region_removal import Mask, mask_of
from xwidgets.networks.target import Target

from .following import weakly
from .kind import check_study
from .regions import Regions
from .study import Study


class Moment(NamedTuple):
    """What a study is asked, and the region that is removed."""

    image: Tensor
    target: Target
    method: Method[Any]
    region: Mask | None

    def same(self, other: Moment) -> bool:
        """Whether it is the other, with the very same image."""
        return self.image is other.image and self[1:] == other[1:]


class History(traitlets.HasTraits):
    """Steps by which a study came to what it is asked: image, target, method and region.

    Changes that follow each other within :attr:`pause`, as while a slider is dragged, are one step.

    Args:
        study: whose steps they are.

    Attributes:
        can_undo, can_redo: whether there is a step to go back, or forth.
        pause: in seconds.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        ...     history = History.of(study)
        ...     study.window = 7
        ...     history.undo()
        ...     study.window
        10
    """

    can_undo = traitlets.Bool(False, read_only=True)
    can_redo = traitlets.Bool(False, read_only=True)

    def __init__(self, study: Study) -> None:
        check_study(study)
        super().__init__()
        self.pause = 0.7
        self._study = weakref.proxy(study)  # or else it is not gone as soon as nobody holds it
        self._regions: Regions | None = None
        self._steps = [self._now()]
        self._place = 0
        self._changed = -float("inf")
        self._moving = False
        study.observe(weakly(self._note), ["image", "target", "method"])

    @classmethod
    def of(cls, study: Study) -> History:
        """The history of a study that all its views share."""
        return study.companion(cls)

    def include(self, regions: Regions) -> None:
        """Count changes of the study's region as steps too, from now on."""
        if self._regions is None:
            self._regions = regions
            self._steps[self._place] = self._now()
            regions.observe(weakly(self._note), "mask")

    def undo(self) -> None:
        """Go back a step; nothing where there is none."""
        self._go(self._place - 1)

    def redo(self) -> None:
        """Go forth again; nothing where there is no step."""
        self._go(self._place + 1)

    def _go(self, place: int) -> None:
        if not 0 <= place < len(self._steps):
            return
        moment = self._steps[place]
        self._moving = True
        try:
            if moment.image is not self._study.image:
                self._study.image = moment.image
                self._steps[place] = moment = moment._replace(image=self._study.image)
            self._study.ask(moment.target, moment.method)
            if self._regions is not None:
                self._regions.mask = moment.region.numpy() if moment.region else self._nothing()
        finally:
            self._moving = False
        self._place, self._changed = place, -float("inf")
        self._tell()

    def _nothing(self) -> NDArray[np.bool_]:
        return np.zeros(tuple(self._study.image.shape[1:]), bool)

    def _now(self) -> Moment:
        study = self._study
        region = None if self._regions is None else Mask.of(mask_of(self._regions.mask))
        return Moment(study.image, study.target, study.method, region)

    def _note(self, _: object) -> None:
        if self._moving:
            return
        now, before = time.monotonic(), self._changed
        self._changed = now
        if self._now().same(self._steps[self._place]):
            return
        follows = now - before <= self.pause and self._place > 0
        kept = self._place if follows else self._place + 1
        self._steps = [*self._steps[:kept], self._now()]
        self._place = kept
        self._tell()

    def _tell(self) -> None:
        self.set_trait("can_undo", self._place > 0)
        self.set_trait("can_redo", self._place < len(self._steps) - 1)
