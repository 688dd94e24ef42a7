"""Which class the relevance is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from xwidgets.errors import at_least, index_within
from xwidgets.live.kind import check_study
from xwidgets.live.traits import Whole
from xwidgets.results.numbers import percent

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class ClassChooser(View, module="class_chooser.mjs"):
    """The most probable classes of a study's image as bars, to choose from, and a search for all.

    A part of a layer is told too while it is the study's target.

    Args:
        study: whose target is chosen.
        k: how many classes are shown before anything is searched for; the target is in any case.

    Attributes:
        value: the study's target: the index of a class, or a part of a layer. Can be set.
        names: of all classes.
        shares: their probabilities, float64.
        part: the part of a layer that is the target; "" for a class.
        message: why a class was refused.
        alive: whether there is a kernel that can be asked for another class.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> chooser = ClassChooser(study, k=3)
        >>> [label for label, index in chooser.options]
        ['Dune finch (ruby breast) (> 99.9 %)', ...]
        >>> study.close()
    """

    _study: Held[Study] = Held()
    value = traitlets.Any().tag(
        sync=True, to_json=lambda value, _: value if isinstance(value, int) else None
    )
    k = Whole(5, min=1).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shares = traitlets.Bytes().tag(sync=True)
    part = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(True).tag(sync=True)

    def __init__(self, study: Study, k: int = 5) -> None:
        check_study(study)
        at_least("k", k, 1)
        self._study = study
        super().__init__(k=k, value=study.target)
        self.follow(study, self._follow, ["target", "image"])
        self._follow()

    @property
    def index(self) -> int:
        """Place of the target among :attr:`options`; can be set."""
        return [target for _, target in self.options].index(self._study.target)

    @index.setter
    def index(self, place: int) -> None:
        options = self.options
        _, self.value = options[index_within("option", place, len(options), "the chooser")]

    @property
    def options(self) -> list[tuple[str, Any]]:
        """Labels and targets that are offered first: of the ``k`` most probable and the target."""
        study, target = self._study, self._study.target
        part = [] if isinstance(target, int) else [(target.label(study.network), target)]
        return part + [
            (f"{name} ({percent(share)})", index)
            for place, (index, name, share) in enumerate(study.ranking)
            if place < self.k or index == target
        ]

    def preview(self) -> dict[str, str]:
        """The classes that are offered first, with their probabilities."""
        return {"text/plain": "\n".join(label for label, _ in self.options)}

    @traitlets.validate("value")
    def _choose(self, proposal: traitlets.Bunch) -> Any:
        """Make it the study's target, or say why it cannot be; ``None`` comes from browsers."""
        if proposal.value is not None and proposal.value is not self._study.target:
            try:
                self._study.target = proposal.value
            except ValueError as error:
                self.message = str(error)
                raise
            self.message = ""
        return self._study.target

    def _follow(self) -> None:
        study = self._study
        ranked = sorted(study.ranking)
        with self.hold_sync():
            self.names = [name for _, name, _ in ranked]
            self.shares = np.array([share for *_, share in ranked], "<f8").tobytes()
            target = study.target
            self.part = "" if isinstance(target, int) else target.label(study.network)
            self.value = target
