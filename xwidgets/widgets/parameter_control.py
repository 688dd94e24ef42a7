"""The parameters of a method, as controls that a person moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from xwidgets.errors import a_flag, of_kind, shown, unknown
from xwidgets.live.kind import check_study, is_study
from xwidgets.live.traits import Number, Whole

from .closing import close_all
from .group import Group
from .view import View

if TYPE_CHECKING:
    from xwidgets.explain import Control
    from xwidgets.live.study import Study


class ParameterControl(View, module="parameter_control.mjs"):
    """A control for one parameter of the method of a study: a slider, a choice or a switch.

    It is made from what the method says of the parameter; arrow keys move a slider by a step.

    Args:
        name: of the parameter, which the method lets a person move.
        *studies: whose method is changed; several have the same value from now on, at first the
            first's, among those that all of them can take.
        side: which of two things side by side it is for, such as ``"left"``; "" where it is clear.

    Attributes:
        name: of the parameter.
        value: of the parameter; of a choice, as text.
        min, max, step: of a slider.
        kind: ``"range"``, ``"choice"`` or ``"switch"``; "" while the method has no such parameter.
        label, line, unit: what it is called, what explains it, and what it is in.
        sides: largest height and width of a rectangle, where the value is a side or both.
        options: the values to choose from, as text.
        units: the unit of the results with each of them, where they are not all the same.
        message: why a value was refused.

    Raises:
        ValueError: without a study, for what is none, or a method without that parameter.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1)
        >>> control = ParameterControl("measure", study)
        >>> control.options, control.value
        (['evidence', 'difference'], 'evidence')
        >>> control.value = "difference"
        >>> study.method.measure
        'difference'
        >>> study.close()
    """

    needs_kernel = True
    name = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    side = traitlets.Unicode().tag(sync=True)
    line = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    value: traitlets.TraitType[Any, Any] = traitlets.TraitType(None).tag(sync=True)  # asks for None
    min = traitlets.Union([Whole(0), Number()]).tag(sync=True)
    max = traitlets.Union([Whole(1), Number()]).tag(sync=True)
    step = traitlets.Union([Whole(1), Number()]).tag(sync=True)
    sides = traitlets.List(Whole()).tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    units = traitlets.List(traitlets.Unicode()).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, name: str, *studies: Study, side: str = "") -> None:
        if not studies or not all(is_study(study) for study in studies):
            given = " and ".join(type(one).__name__ for one in studies) or "nothing"
            raise ValueError(
                f"a control moves a parameter of studies, but was given {given}; "
                "make a study with xw.Study(net, image)"
            )
        of_kind("name", name, str, "the name of a parameter")
        of_kind("side", side, str, "a text")
        self._studies: tuple[Study, ...] = studies
        self._values: dict[str, Any] = {}
        for study in studies:
            if control_of(study, name) is None:
                known = [control.name for control in study.method.controls(study.subject)]
                raise ValueError(
                    f"{study.method.name} has no {name} to move; it has "
                    f"{', '.join(known) or 'nothing that moves'}"
                )
        super().__init__(name=name, side=side)
        self.observe(lambda _: self._move(), "value")
        self._follow(studies[0])
        for study in studies:
            self.follow(study, partial(self._follow, study), ["method", "image"])

    def preview(self) -> dict[str, str]:
        """Label of the parameter, and its value."""
        return {"text/plain": f"{self.label or self.name}: {self.value}"}

    def _let_go(self) -> None:
        self._studies = ()
        super()._let_go()

    def _follow(self, study: Study) -> None:
        """Show a study's value of the parameter, and give it to the others."""
        if study in self._studies:  # or else it was closed by whoever heard of this first
            self._show(study)
            self._move()

    def _show(self, study: Study) -> None:
        """Take over what a study's method says of the parameter."""
        controls = [control_of(one, self.name) for one in self._studies]
        known = [control for control in controls if control is not None]
        with self.hold_sync():
            if len(known) < len(controls):
                self.kind, self.sides = "", []
                return
            first = known[self._studies.index(study)]
            self._values = values_of(known, first.value)
            self.label, self.line, self.unit = first.label, first.line, first.unit
            self.kind, self.step, self.options = first.kind, first.step, list(self._values)
            units = [
                study.method.changed(**{self.name: value}).unit for value in self._values.values()
            ]
            self.units = units if len(set(units)) > 1 else []
            self.min = max(control.least for control in known)
            self.max = min(control.most for control in known)
            self.sides = sides_of(known)
            self.message = ""
            self.value = self._text_of(first.value)

    def _text_of(self, value: Any) -> Any:
        """A value of the parameter as the control has it."""
        if self.kind == "choice":
            return next(text for text, one in self._values.items() if one == value)
        if isinstance(value, tuple):
            return list(value)
        return max(self.min, min(self.max, value)) if self.kind == "range" else value

    def _move(self) -> None:
        """Give all studies the value that is shown, or none where one of them refuses it."""
        value = self._values[self.value] if self.kind == "choice" else self.value
        value = tuple(value) if isinstance(value, list) else value
        controls = [(study, control_of(study, self.name)) for study in self._studies]
        moving = [
            (study, study.method.changed(**{self.name: value}))
            for study, control in controls
            if self.kind and control is not None and control.value != value
        ]
        try:
            for study, method in moving:
                method.admit(study.subject, study.subject.target(study.target))
        except ValueError as error:
            self._show(self._studies[0])
            self.message = str(error)
            return
        for study, method in moving:
            study.method = method

    @traitlets.validate("value")
    def _possible(self, proposal: traitlets.Bunch) -> Any:
        value = proposal.value
        if self.kind == "choice" and value not in self.options:
            raise unknown(self.name, value, self.options)
        if self.kind == "switch":
            a_flag(self.name, value)
        if self.kind == "range" and not isinstance(value, list):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not self.min <= value <= self.max:
                raise ValueError(
                    f"{self.name} {shown(value)} is not possible here: {self.min:g} to "
                    f"{self.max:g} are"
                )
            return int(value) if float(value).is_integer() and self.step == 1 else value
        return value


class WindowSlider(ParameterControl):
    """A slider for the window of a study's method, in pixels; arrow keys move it by one.

    Args:
        *studies: whose window is chosen; several have the same from now on, at first the first's,
            and at most the largest that all of them can take.

    Attributes:
        value, min, max: in pixels.

    Raises:
        ValueError: without a study, for what is none, or a method without windows.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> slider = WindowSlider(study)
        >>> slider.value, slider.max
        (10, 16)
        >>> study.close()
    """

    def __init__(self, *studies: Study) -> None:
        super().__init__("window", *studies)


class MethodControls(Group):
    """A control for each parameter of a study's method that a person may move.

    Args:
        study: whose method is changed. When it gets one of another kind, the controls are others.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1)
        >>> controls = MethodControls(study)
        >>> [control.name for control in controls.children]
        ['window', 'measure']
        >>> study.method = xw.Saliency()
        >>> [control.name for control in controls.children]
        ['reduce']
        >>> study.close()
    """

    needs_kernel = True

    def __init__(self, study: Study) -> None:
        check_study(study)
        super().__init__({})
        self.follow(study, lambda: self._turn_to(study), "method")
        self._turn_to(study)

    def preview(self) -> dict[str, str]:
        """The parameters with their values."""
        return {"text/plain": "\n".join(part.preview()["text/plain"] for part in self.children)}

    def _turn_to(self, study: Study) -> None:
        names = [control.name for control in study.method.controls(study.subject)]
        before = self.children
        if names != list(self.parts):
            self.parts = {name: ParameterControl(name, study) for name in names}
            close_all(before)


def control_of(study: Study, name: str) -> Control | None:
    """How a person may move a parameter of a study's method; ``None`` where nobody may."""
    controls = study.method.controls(study.subject)
    return next((control for control in controls if control.name == name), None)


def sides_of(controls: Sequence[Control]) -> list[int]:
    """Largest height and width that all take; empty where one takes no rectangle."""
    if not all(control.sides for control in controls):
        return []
    return [min(sides) for sides in zip(*(control.sides for control in controls), strict=True)]


def values_of(controls: Sequence[Control], value: Any) -> dict[str, Any]:
    """The values that all allow, by what they are called; the one at hand is among them."""
    first, *others = controls
    if first.kind != "choice":
        return {}
    common = [one for one in first.choices if all(one in other.choices for other in others)]
    known = common if value in common else [value, *common]
    return {"default" if one is None else str(one): one for one in known}
