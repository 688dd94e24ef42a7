"""Live fit of the x-features of a study's class, with their maps in its and other pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
import traitlets

from xwidgets.errors import listed
from xwidgets.explain import ExplanationModule, Fitting, XFeatureMaps, fit_explanation_steps
from xwidgets.explain._x_features import the_module
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module.features import Features, read_features
from xwidgets.networks import Network
from xwidgets.results import XFeatures

from .following import Following, weakly
from .kind import check_study
from .live_result import LiveResult, Question
from .study import Study
from .traits import Whole

MANY = 12
"""Number of images in which an x-feature is shown: those in which it is most active."""


class MatchQuestion(NamedTuple):
    """X-feature of a module whose most active images are asked for, by its number."""

    module: ExplanationModule
    number: int


@dataclass(frozen=True)
class Matches:
    """Images in which an x-feature is most active, as far as they are computed.

    Attributes:
        found: x-features of each image, the most active first.
        sources: file of each image, or its number in the data set.
        completed: share of the work that is done.
    """

    found: tuple[XFeatures, ...] = ()
    sources: tuple[str, ...] = ()
    completed: float = 0.0


class XFeatureFit(Following, traitlets.HasTraits):
    """Fit of the x-features behind the score of a class, as live results.

    Args:
        study: with the class to explain, and the picture of the maps.
        images: that modules are fitted to and x-features are searched in, as of
            :func:`xwidgets.fit_explanation`; ``None`` for the network's examples.
        modules: fitted explanation modules, at most one for each class.
        contrastive: of :func:`xwidgets.x_features`.
        target: index of another class than the study's; ``None`` for the study's. Can be set.
        options: further arguments of :func:`xwidgets.fit_explanation` for the other classes.

    Attributes:
        fitting: a :class:`LiveResult` whose answer is a :class:`xwidgets.explain.Fitting`.
        found: one whose answer is the :class:`xwidgets.XFeatures` of the study's picture.
        matches: one whose answer is the :class:`Matches` of the x-feature ``shown``.
        shown: number of the x-feature that is searched in the images; -1 for none.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     fit = XFeatureFit(study, images, epochs=2)
        ...     fit.wait().maps.shape
        (5, 64, 64)
    """

    shown = Whole(-1)
    target = Whole(None, allow_none=True)

    def __init__(
        self,
        study: Study,
        images: object = None,
        modules: Iterable[ExplanationModule] = (),
        contrastive: bool | None = None,
        target: int | None = None,
        **options: Any,
    ) -> None:
        check_study(study)
        if target is not None:
            target = study.network.target_index(target, study.subject.logits)
        super().__init__(target=target)
        self._method = XFeatureMaps(contrastive=contrastive)
        self._method.check_parameters()
        self._study = study
        self._given: dict[int, ExplanationModule] = {}
        for module in listed("modules", modules, object, "a list of ExplanationModules"):
            explained = the_module(study.network, module).facts.target
            if explained in self._given:
                raise ValueError(
                    f"there are two modules for {module.facts.label!r}; give one for each class"
                )
            self._given[explained] = module
        self._modules = dict(self._given)
        self._options = options
        examples = study.network.examples
        if images is None and examples is None and not self._given:
            raise ValueError(
                f"{study.network.name} has no examples to fit an explanation module to; give "
                "images=, those of the class and others"
            )
        # raises for invalid options
        fit_explanation_steps(study.network, study.image[None], self.explained, **options)
        self._images = images
        self._features: Features | None = None
        self.fitting: LiveResult[int, Fitting] = study.live(
            self._fit,
            keep=100,
            rests=0,  # a stopped fit is complete, see _ask
        )
        self.found: LiveResult[Question, XFeatures] = study.live(urgent=True, keep=8)
        self.matches: LiveResult[MatchQuestion, Matches] = study.live(
            self._search, urgent=True, keep=8
        )
        self.follow(study, self._follow_target, "target")
        self.follow(self, self._follow_target, "target")
        self.follow(study, self._look, "image")
        self.follow(study, self._renew, "renewals")
        self.follow(self.fitting, self._look, "answer")
        self.follow(self.fitting, self._look_for, ["answer", "progress"])
        self.follow(self, self._look_for, "shown")
        self._ask()

    @classmethod
    def maker(cls, study: Study) -> partial[XFeatureFit]:
        """Function of the other arguments that makes the fit for a study."""
        return partial(cls, study)

    @property
    def explained(self) -> Any:
        """Class that is explained: the study's, unless there is a target."""
        return self._study.target if self.target is None else self.target

    @property
    def module(self) -> ExplanationModule | None:
        """Best module so far; ``None`` before the first epoch."""
        fitting = self.fitting.answer
        return fitting.modules[0] if fitting is not None and fitting.modules else None

    @property
    def final(self) -> ExplanationModule | None:
        """Module once its fit is complete or stopped; ``None`` before."""
        return None if self.fitting.progress.state == "computing" else self.module

    def wait(self, timeout: float | None = None) -> XFeatures | None:
        """Wait until the fit is complete or stopped, and the x-features of the picture computed.

        Args:
            timeout: in seconds, for each of the two; ``None`` waits as long as it takes.

        Returns:
            X-features of the study's picture; ``None`` before the first epoch.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        self.fitting.wait(timeout)
        return self.found.wait(timeout)

    def stop(self) -> None:
        """Stop computing, and keep the results so far."""
        for live in (self.fitting, self.found, self.matches):
            live.stop()

    def close(self) -> None:
        """Discard all computations, and hold the study no more; what is known of it stays."""
        self.unfollow()
        for live in (self.fitting, self.found, self.matches):
            live.drop()
        vars(self).pop("_study", None)

    def _ask(self) -> None:
        if self.fitting.progress.state == "stopped" and self.module is not None:
            self._modules[self.module.facts.target] = self.module
        self.found.drop()
        self.matches.drop()
        self.fitting.ask(self.explained)

    def _follow_target(self) -> None:
        if self.explained != self.fitting.question:
            self._ask()

    def _renew(self) -> None:
        """Fit again; modules that were given stay."""
        self._modules, self._features = dict(self._given), None
        for live in (self.fitting, self.found, self.matches):
            live.forget()
        self._ask()

    def _look(self) -> None:
        if self.module is not None and self.module.facts.target == self.explained:
            method = self._method.changed(module=self.module)
            subject = self._study.subject
            self.found.ask(Question(subject, subject.target(self.explained), method))

    def _look_for(self) -> None:
        """Search for the shown x-feature in the images, once the module is final."""
        module = self.final
        if module is None or not 0 <= self.shown < len(module.weights):
            self.matches.drop()
            return
        question = MatchQuestion(module, self.shown)
        if question != self.matches.question:
            self.matches.ask(question)

    def _data(self) -> DataSet:
        if self._images is None and self._study.network.examples is not None:
            self._images = self._study.network.examples()
        if self._images is None:
            raise ValueError("there are no images to look in; give some with images=")
        return DataSet(self._study.network, self._images)

    def _fit(self, target: int) -> Iterator[Fitting]:
        known = self._modules.get(target)
        if known is not None:
            return iter([Fitting(completed=1.0, build=lambda: (known,))])
        self._data()
        return fit_explanation_steps(self._study.network, self._images, [target], **self._options)

    def _search(self, question: MatchQuestion) -> Iterator[Matches]:
        layer = self._study.network.layer(question.module.facts.layer)
        known = self._features is not None and self._features.layer == layer.name
        return _matches(
            question,
            self._study.network.frozen(),
            self._data(),
            self._method,
            self._features if known else None,
            self._options.get("cache", True),
            weakly(self._keep),
        )

    def _keep(self, features: Features) -> None:
        self._features = features


def _matches(
    question: MatchQuestion,
    net: Network,
    data: DataSet,
    method: XFeatureMaps,
    features: Features | None,
    cache: Any,
    keep: Callable[[Features], None],
) -> Iterator[Matches]:
    """Images in which an x-feature is most active, after reading the features if need be."""
    if features is None:
        layer = net.layer(question.module.facts.layer)
        for count, read in read_features(net, data, layer, cache):
            yield Matches(completed=count / len(data) / 2)
            features = read
        assert features is not None
        keep(features)
    values = torch.from_numpy(features.values).to(question.module.weights)
    activations = question.module.encoder(values)[:, question.number]
    best = activations.argsort(descending=True, stable=True)[:MANY]
    numbers = [int(features.numbers[n]) for n in best.tolist() if activations[n] > 0]
    results: list[XFeatures] = []
    method = method.changed(module=question.module)
    for done, number in enumerate(numbers, 1):
        results.append(method.run(net, data.image(number), question.module.facts.target))
        sources = tuple(map(data.source, numbers[:done]))
        yield Matches(tuple(results), sources, 0.5 + done / len(numbers) / 2)
    yield Matches(tuple(results), tuple(map(data.source, numbers)), 1.0)
