"""Which class the relevance is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from xwidgets.errors import at_least
from xwidgets.live.kind import check_study
from xwidgets.results.numbers import percent

from .closing import Closing, Held

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class ClassChooser(Closing, ipywidgets.Dropdown):
    """The most probable classes of a study's image, with their probabilities, to choose from.

    A part of a layer is offered too while it is the study's target.

    Args:
        study: whose target is chosen.
        k: how many classes are offered; the target is offered in any case.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> len(ClassChooser(study, k=3).options)
        3
        >>> study.close()
    """

    _study: Held[Study] = Held()
    options: list[tuple[str, Any]]

    def __init__(self, study: Study, k: int = 5) -> None:
        check_study(study)
        at_least("k", k, 1)
        self._study, self._k = study, k
        super().__init__(description="Class", options=self._offered(), value=study.target)
        self.layout.width, self.layout.margin = "min(100%, 28rem)", "2px 0"
        self.style.description_width = "72px"
        self.add_class("xw-chooser")
        self.observe(self._choose, "value")
        self.follow(study, self._follow, ["target", "image"])

    def _offered(self) -> list[tuple[str, Any]]:
        study, target = self._study, self._study.target
        hidden = [] if isinstance(target, int) else [(target.label(study.network), target)]
        return hidden + [
            (f"{name} ({percent(share)})", index)
            for place, (index, name, share) in enumerate(study.ranking)
            if place < self._k or index == target
        ]

    def _choose(self, change: traitlets.Bunch) -> None:
        try:
            self._study.target = change.new
        except ValueError:  # the method explains no class
            self._follow()

    def _follow(self) -> None:
        self.unobserve(self._choose, "value")  # new options select the first for a moment
        offered = self._offered()
        if list(self.options) != offered:
            self.options = offered
        self.value = self._study.target
        self.observe(self._choose, "value")
