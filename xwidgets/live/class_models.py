"""Live class models: what raises a study's target most, while it is computed."""

from __future__ import annotations

from typing import Any

import traitlets

from xwidgets.explain import ActivationMaximization
from xwidgets.explain._class_model import grey
from xwidgets.networks.subject import Subject
from xwidgets.results import ClassModel

from .kind import check_study
from .live_result import LiveResult, Question
from .study import Study


class ClassModels(traitlets.HasTraits):
    """Class models of a study's target as a live result.

    All views of a study share the one of :meth:`of`.

    Args:
        study: with the network, and the class or other target.

    Attributes:
        method: an :class:`xwidgets.ActivationMaximization`; can be set.
        growing: a :class:`LiveResult` whose answer is a :class:`xwidgets.ClassModel`.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     study.class_models.move(iterations=3, seeds=(0, 1))
        ...     study.class_models.growing.wait().pixels.shape
        (2, 3, 64, 64)
    """

    method = traitlets.Instance(ActivationMaximization)

    def __init__(self, study: Study) -> None:
        check_study(study)
        super().__init__(method=ActivationMaximization())
        self._study = study
        self._grey = Subject(study.network, grey(study.network))
        self.growing: LiveResult[Question, ClassModel] = study.live(urgent=True, keep=32)
        study.observe(lambda _: self._ask(), "target")
        study.observe(lambda _: self._renew(), "renewals")
        self.observe(lambda _: self._ask(), "method")
        self._ask()

    @classmethod
    def of(cls, study: Study) -> ClassModels:
        """The class models of a study that all its views share."""
        return study.companion(cls)

    @property
    def subject(self) -> Subject:
        """Grey picture in the network, from which all class models deviate."""
        return self._grey

    def move(self, **parameters: Any) -> None:
        """Change parameters of the method, such as ``penalty=0.1``.

        Raises:
            ValueError: for parameters that it does not have, or invalid values.
        """
        self.method = self.method.changed(**parameters)

    def stop(self) -> None:
        """Stop computing, and keep the result so far."""
        self.growing.stop()

    @traitlets.validate("method")
    def _possible(self, proposal: dict[str, Any]) -> ActivationMaximization:
        method: ActivationMaximization = proposal["value"]
        method.check_parameters()
        if hasattr(self, "_grey"):
            method.check(self._grey, ())
        return method

    def _renew(self) -> None:
        self.growing.forget()
        self._ask()

    def _ask(self) -> None:
        target = self._grey.target(self._study.target)
        self.growing.ask(Question(self._grey, target, self.method))
