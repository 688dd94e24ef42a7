"""Which class the relevance is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from xwidgets.errors import at_least, index_within, unknown
from xwidgets.live.kind import check_study
from xwidgets.live.traits import Whole
from xwidgets.results.numbers import percent

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class ClassChooser(View, module="class_chooser.mjs"):
    """The most probable classes of a study's image, with their probabilities, to choose from.

    A part of a layer is offered too while it is the study's target.

    Args:
        study: whose target is chosen.
        k: how many classes are offered; the target is offered in any case.

    Attributes:
        options: pairs of a name and a target.
        value: the target that is chosen; can be set to one that is offered.
        index: its place among the options; can be set.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> len(ClassChooser(study, k=3).options)
        3
        >>> study.close()
    """

    _study: Held[Study] = Held()
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = Whole().tag(sync=True)
    value: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)  # asks for None, too

    def __init__(self, study: Study, k: int = 5) -> None:
        check_study(study)
        at_least("k", k, 1)
        self._study, self._k = study, k
        self.options: tuple[tuple[str, Any], ...] = ()
        super().__init__()
        self._follow()
        self.observe(lambda _: self._choose(self.options[self.index][1]), "index")
        self.observe(lambda _: self._choose(self.value), "value")
        self.follow(study, self._follow, ["target", "image"])

    def preview(self) -> dict[str, str]:
        """Name of the class, and its probability."""
        return {"text/plain": f"Class: {self.names[self.index]}"}

    def _choose(self, target: Any) -> None:
        try:
            self._study.target = target
        except ValueError:  # the method explains no class
            self._follow()

    def _follow(self) -> None:
        study, target = self._study, self._study.target
        hidden = [] if isinstance(target, int) else [(target.label(study.network), target)]
        classes = [
            (f"{name} ({percent(share)})", index)
            for place, (index, name, share) in enumerate(study.ranking)
            if place < self._k or index == target
        ]
        self.options = (*hidden, *classes)
        with self.hold_trait_notifications():
            self.names = [name for name, _ in self.options]
            self.index = [offered for _, offered in self.options].index(target)
            self.value = target

    @traitlets.validate("index")
    def _possible_index(self, proposal: traitlets.Bunch) -> int:
        return index_within("index", proposal.value, len(self.options), "the chooser")

    @traitlets.validate("value")
    def _possible_value(self, proposal: traitlets.Bunch) -> Any:
        if proposal.value not in [target for _, target in self.options]:
            raise unknown("class", proposal.value, self.names)
        return proposal.value
