"""Which method explains, and how finely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from xwidgets import live
from xwidgets.live.kind import check_study
from xwidgets.live.traits import Whole

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.explain import Method
    from xwidgets.live.study import Study


class MethodChooser(View, module="method_chooser.mjs"):
    """The methods that can explain a study's target, to choose from, and how fine the result is.

    Args:
        study: whose method is chosen. One of the reader's own is offered while the study has it.

    Attributes:
        methods: name and question of each method.
        chosen: number of the study's; can be set.
        qualities: ``"quick"``, ``"normal"`` and ``"fine"``, for methods that know them.
        quality: that of the study's method; "" for parameters of the reader's own. Can be set.
        message: why a method was refused.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> chooser = MethodChooser(study)
        >>> chooser.quality = "quick"
        >>> study.method.samples, study.method.stride
        (2, 4)
        >>> study.close()
    """

    needs_kernel = True
    _study: Held[Study] = Held()
    methods = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = Whole(0).tag(sync=True)
    qualities = traitlets.List(traitlets.Unicode()).tag(sync=True)
    quality = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, study: Study) -> None:
        check_study(study)
        self._study = study
        self._offered: list[Method[Any]] = []
        self._complete = False
        self._kind: type | None = None
        super().__init__()
        self.follow(study, self._follow, "method")
        self.follow(study, self._turn_to, "target")
        self._follow()
        self.observe(self._choose, "chosen")
        self.observe(self._refine, "quality")

    def preview(self) -> dict[str, str]:
        """Name of the method, and what it asks."""
        method = self._study.method
        return {"text/plain": f"{method.name}: {method.asks}"}

    def offer(self) -> None:
        """Find out which methods explain the target; a view that is shown does."""
        self._complete = True
        self._kind = kind_of_target(self._study)
        self._offered = list(live.methods_for(self._study))
        self._follow()

    def hear_shown(self) -> None:
        """Offer the methods when a browser shows the view."""
        super().hear_shown()
        if not self._complete:
            self.offer()

    def _turn_to(self) -> None:
        """Find out anew what explains another kind of target."""
        if self._complete and kind_of_target(self._study) is not self._kind:
            self.offer()

    def _follow(self) -> None:
        method = self._study.method
        kinds = [type(offered) for offered in self._offered]
        if type(method) in kinds:
            self._offered[kinds.index(type(method))] = method
        else:
            self._offered = [method, *self._offered]
        with self.hold_sync():
            self.methods = [{"name": one.name, "asks": one.asks} for one in self._offered]
            self.chosen = [type(offered) for offered in self._offered].index(type(method))
            self.qualities = list(method.qualities)
            self.quality = quality_of(method)

    def _choose(self, change: traitlets.Bunch) -> None:
        if 0 <= change.new < len(self._offered):
            method = self._offered[change.new]
            if type(method) is not type(self._study.method):
                self._move(method.suited(self._study.subject))

    def _refine(self, change: traitlets.Bunch) -> None:
        method = self._study.method
        if change.new in method.qualities and change.new != quality_of(method):
            self._move(method.changed(**method.qualities[change.new]))

    def _move(self, method: Method[Any]) -> None:
        try:
            self._study.method = method
            self.message = ""
        except ValueError as error:
            self.message = str(error)
            self._follow()


def kind_of_target(study: Study) -> type:
    """Class, channel or another kind of target that a study has."""
    return type(study.subject.target(study.target))


def quality_of(method: Method[Any]) -> str:
    """Which of a method's qualities its parameters are; "" for none."""
    for name, parameters in method.qualities.items():
        if all(getattr(method, key) == value for key, value in parameters.items()):
            return name
    return ""
