"""Which class the relevance is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from xwidgets.errors import at_least
from xwidgets.live.kind import check_study
from xwidgets.results.numbers import percent

if TYPE_CHECKING:
    from xwidgets.live.study import Study
    from xwidgets.networks.target import Resolved


class ClassChooser(ipywidgets.Dropdown):
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

    options: list[tuple[str, Any]]

    def __init__(self, study: Study, k: int = 5) -> None:
        def options(target: int | Resolved) -> list[tuple[str, Any]]:
            hidden = [] if isinstance(target, int) else [(target.label(study.network), target)]
            return hidden + [
                (f"{name} ({percent(share)})", index)
                for place, (index, name, share) in enumerate(study.ranking)
                if place < k or index == target
            ]

        def choose(change: traitlets.Bunch) -> None:
            try:
                study.target = change.new
            except ValueError:  # the method explains no class
                follow(None)

        def follow(_: object) -> None:
            self.unobserve(choose, "value")  # new options select the first for a moment
            offered = options(study.target)
            if list(self.options) != offered:
                self.options = offered
            self.value = study.target
            self.observe(choose, "value")

        check_study(study)
        at_least("k", k, 1)
        super().__init__(description="Class", options=options(study.target), value=study.target)
        self.layout.width, self.layout.margin = "min(100%, 28rem)", "2px 0"
        self.style.description_width = "72px"
        self.add_class("xw-chooser")
        self.observe(choose, "value")
        study.observe(follow, ["target", "image"])
