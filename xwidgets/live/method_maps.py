"""Maps of one target by several methods, and what becomes of them with random weights, live."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xwidgets.errors import listed
from xwidgets.evaluate import WeightRandomisation, weight_randomisation_steps
from xwidgets.explain import (
    ClassActivationMap,
    ConstantSampler,
    Deconvnet,
    ExcitationBackprop,
    Method,
    Occlusion,
    PredictionDifference,
    Saliency,
)
from xwidgets.explain.removal.samplers import has_sampler
from xwidgets.results import Relevance

from .following import Following
from .kind import check_study
from .live_result import LiveResult, Question
from .live_results import LiveResults
from .study import Study

METHODS: tuple[Method[Relevance], ...] = (
    Saliency(),
    ExcitationBackprop(),
    Deconvnet(),
    ClassActivationMap(),
    Occlusion(window=8, stride=4),
    PredictionDifference(window=10, stride=5, samples=2),
)
"""A method of each kind, with parameters that are soon complete."""


def methods_for(study: Study) -> list[Method[Relevance]]:
    """Those of :data:`METHODS` that explain the target of a study; maps of pooled classes alone.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     len(METHODS) - len(methods_for(study))  # it does not end in a pooling
        1
    """

    check_study(study)
    subject = study.subject
    target = subject.target(study.target)
    sampler = getattr(study.method, "sampler", None)
    samples = sampler is not None or has_sampler(study.network)

    def explains(method: Method[Relevance]) -> bool:
        try:
            if "sampler" in method.parameters:  # to fit one takes seconds, and refuses no target
                method = method.changed(sampler=ConstantSampler(0.5))
            method.suited(subject).admit(subject, target)
            if isinstance(method, ClassActivationMap):  # which runs the network to find out
                method.complete(subject, [target])
        except ValueError:
            return False
        return samples or "sampler" not in method.parameters

    return [
        method.changed(sampler=sampler) if "sampler" in method.parameters else method
        for method in METHODS
        if explains(method)
    ]


class TimedMap(NamedTuple):
    """Map so far, and the seconds of computation behind it."""

    relevance: Relevance
    seconds: float

    @property
    def completed(self) -> float:
        """Share of the work behind the map."""
        return self.relevance.completed


class MethodMaps(Following):
    """Maps of a study's target by several methods, which follow its image and target.

    Args:
        study: with the image and the target; its own method plays no part.
        methods: each gives a map; those of :func:`methods_for` by default.

    Attributes:
        methods: as given.
        maps: :class:`LiveResults`, for each method one whose answer is a :class:`TimedMap`.
        randomised: the same, whose answers are :class:`xwidgets.evaluate.WeightRandomisation`;
            computed from :meth:`randomise` on.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     compared = MethodMaps(study, [xw.Saliency(), xw.Deconvnet()])
        ...     [live.wait().relevance.method for live in compared.maps]
        ['saliency', 'deconvnet']
    """

    def __init__(self, study: Study, methods: Sequence[Method[Relevance]] | None = None) -> None:
        check_study(study)
        self._study = study
        if methods is None:
            methods = methods_for(study)
        needed = "a list of methods, such as [xw.Saliency()]"
        self.methods: tuple[Method[Relevance], ...] = (*listed("methods", methods, Method, needed),)
        self._randomising = False
        maps: list[LiveResult[Question, TimedMap]] = [
            study.live(_Timed, keep=8, rests=1) for _ in self.methods
        ]
        randomised: list[LiveResult[Question, WeightRandomisation]] = [
            study.live(_randomised, keep=8, rests=0) for _ in self.methods
        ]
        self.maps, self.randomised = LiveResults(maps), LiveResults(randomised)
        self.follow(study, self._ask, ["image", "target"])
        self.follow(study, self._renew, "renewals")
        self._ask()

    def randomise(self) -> None:
        """Compare each map with those of networks whose weights are randomised layer by layer.

        See :func:`xwidgets.evaluate.weight_randomisation`.
        """
        self._randomising = True
        self._ask_each(self.randomised)

    def close(self) -> None:
        """Follow the study no more, and compute nothing."""
        self.unfollow()
        self.maps.close()
        self.randomised.close()

    def _ask(self) -> None:
        self._ask_each(self.maps)
        if self._randomising:
            self._ask_each(self.randomised)

    def _ask_each(self, lives: LiveResults) -> None:
        subject = self._study.subject
        target = subject.target(self._study.target)
        for live, method in zip(lives, self.methods, strict=True):
            live.ask(Question(subject, target, method.suited(subject).resolved(subject)))

    def _renew(self) -> None:
        self.maps.forget()
        self.randomised.forget()
        self._ask()


class _Timed(Iterator[TimedMap]):
    """The map as it grows, with the time that its steps took."""

    def __init__(self, question: Question) -> None:
        self._maps, self._seconds = question.steps(), 0.0

    def __next__(self) -> TimedMap:
        begun = time.perf_counter()
        relevance = next(self._maps)
        self._seconds += time.perf_counter() - begun
        return TimedMap(relevance, self._seconds)

    def rest(self) -> None:
        self._maps.rest()


def _randomised(question: Question) -> Iterator[WeightRandomisation]:
    subject = question.subject
    return weight_randomisation_steps(subject.net, subject.image, question.method, question.target)
