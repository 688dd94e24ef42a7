"""The x-features behind a class's score: fitted, found in the picture, and in many others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
import traitlets

from xwidgets.explain import ExplanationModule, Fitting, XFeatureMaps, fit_explanation_steps
from xwidgets.explain._x_features import the_module
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module.features import Features, read_features
from xwidgets.results import XFeatures

from .following import Following
from .live_result import LiveResult, Question
from .study import Study

MANY = 12
"""In how many images an x-feature is looked at: those in which it is most active."""


class Search(NamedTuple):
    """Which x-feature of a module is looked for in the data set."""

    module: ExplanationModule
    number: int


@dataclass(frozen=True)
class Matches:
    """The images in which an x-feature is most active, as far as they are found.

    Attributes:
        found: the x-features of each, the most active first, and ``sources`` where it is from.
        completed: the share of the work that is done.
    """

    found: tuple[XFeatures, ...] = ()
    sources: tuple[str, ...] = ()
    completed: float = 0.0


class Concepts(Following, traitlets.HasTraits):
    """The x-features behind the score of a study's class, as modules for them are fitted.

    Args:
        study: whose class is explained, and in whose picture the x-features are found.
        images: what modules are fitted to, and where x-features are looked for, as
            :func:`xwidgets.fit_explanation` takes it; ``None`` for the network's examples.
        modules: explanation modules that are fitted already, at most one for each class.
        contrastive: of :func:`xwidgets.x_features`.
        options: further arguments of :func:`xwidgets.fit_explanation` for the other classes.

    Attributes:
        fitting: a :class:`LiveResult` whose answer is a :class:`xwidgets.explain.Fitting`.
        found: one whose answer is the :class:`xwidgets.XFeatures` of the study's picture.
        matches: one whose answer are :class:`Matches` of the x-feature ``shown``.
        shown: the number of the x-feature that is looked at in many images; -1 for none.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     concepts = Concepts(study, images, epochs=2)
        ...     concepts.wait().maps.shape
        (5, 64, 64)
    """

    shown = traitlets.Int(-1)

    def __init__(
        self,
        study: Study,
        images: object = None,
        modules: Iterable[ExplanationModule] = (),
        contrastive: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        self._method = XFeatureMaps(contrastive=contrastive)
        self._study = study
        self._modules: dict[int, ExplanationModule] = {}
        for module in modules:
            target = the_module(study.network, module).facts.target
            if target in self._modules:
                raise ValueError(
                    f"there are two modules for {module.facts.label!r}; give one for each class"
                )
            self._modules[target] = module
        self._options = options
        examples = study.network.examples
        if images is None and examples is None and not self._modules:
            raise ValueError(
                f"{study.network.name} has no examples to fit an explanation module to; give "
                "images=, those of the class and others"
            )
        # refuses options that cannot be
        fit_explanation_steps(study.network, study.image[None], study.target, **options)
        self._images = images
        self._features: Features | None = None
        self.fitting: LiveResult[int, Fitting] = study.live(
            self._fit,
            keep=100,
            rests=0,  # what is stopped and left is done, see _ask
        )
        self.found: LiveResult[Question, XFeatures] = study.live(urgent=True, keep=8)
        self.matches: LiveResult[Search, Matches] = study.live(self._search, urgent=True, keep=8)
        self.follow(study, self._ask, "target")
        self.follow(study, self._look, "image")
        self.follow(self.fitting, self._look, "answer")
        self.follow(self.fitting, self._look_for, ["answer", "progress"])
        self.follow(self, self._look_for, "shown")
        self._ask()

    @classmethod
    def maker(cls, study: Study) -> partial[Concepts]:
        """Makes them for a study, of the other arguments."""
        return partial(cls, study)

    @property
    def module(self) -> ExplanationModule | None:
        """The best module so far; ``None`` before the first epoch."""
        fitting = self.fitting.answer
        return fitting.modules[0] if fitting is not None and fitting.modules else None

    @property
    def final(self) -> ExplanationModule | None:
        """The module once it stays as it is; ``None`` while it is fitted."""
        return None if self.fitting.progress.state == "computing" else self.module

    def wait(self, timeout: float | None = None) -> XFeatures | None:
        """Wait until the module is fitted, or that was stopped, and the picture looked at.

        Args:
            timeout: in seconds, for each of the two; ``None`` waits as long as it takes.

        Returns:
            The x-features of the study's picture; ``None`` before the first epoch.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        self.fitting.wait(timeout)
        return self.found.wait(timeout)

    def stop(self) -> None:
        """Stop computing, and keep what is known."""
        for live in (self.fitting, self.found, self.matches):
            live.stop()

    def close(self) -> None:
        """Compute nothing more, and follow the study no more."""
        self.unfollow()
        for live in (self.fitting, self.found, self.matches):
            live.drop()

    def _ask(self) -> None:
        if self.fitting.progress.state == "stopped" and self.module is not None:
            self._modules[self.module.facts.target] = self.module
        self.found.drop()
        self.matches.drop()
        self.fitting.ask(self._study.target)

    def _look(self) -> None:
        if self.module is not None and self.module.facts.target == self._study.target:
            method = self._method.changed(module=self.module)
            self.found.ask(replace(self._study.question, method=method))

    def _look_for(self) -> None:
        """Look for the x-feature in many images, once the module is what it stays."""
        search = Search(self.final, self.shown) if self.final is not None else None
        if search is None or not 0 <= self.shown < len(search.module.weights):
            self.matches.drop()
        elif search != self.matches.question:
            self.matches.ask(search)

    def _data(self) -> DataSet:
        if self._images is None and self._study.network.examples is not None:
            self._images = self._study.network.examples()
        if self._images is None:
            raise ValueError("there are no images to look in; give some with images=")
        return DataSet(self._study.network, self._images)

    def _fit(self, target: int) -> Iterator[Fitting]:
        known = self._modules.get(target)
        if known is not None:
            yield Fitting(completed=1.0, build=lambda: (known,))
            return
        self._data()
        yield from fit_explanation_steps(
            self._study.network, self._images, [target], **self._options
        )

    def _search(self, search: Search) -> Iterator[Matches]:
        net, data = self._study.network, self._data()
        layer = net.layer(search.module.facts.layer)
        if self._features is None or self._features.layer != layer.name:
            cache = self._options.get("cache", True)
            for looked, features in read_features(net, data, layer, cache):
                yield Matches(completed=looked / len(data) / 2)
                if features is not None:
                    self._features = features
        assert self._features is not None
        values = torch.from_numpy(self._features.values).to(search.module.weights)
        activations = search.module.encoder(values)[:, search.number]
        best = activations.argsort(descending=True, stable=True)[:MANY]
        numbers = [int(self._features.numbers[n]) for n in best.tolist() if activations[n] > 0]
        found: list[XFeatures] = []
        method = self._method.changed(module=search.module)
        for done, number in enumerate(numbers, 1):
            found.append(method.run(net, data.image(number), search.module.facts.target))
            sources = tuple(map(data.source, numbers[:done]))
            yield Matches(tuple(found), sources, 0.5 + done / len(numbers) / 2)
        yield Matches(tuple(found), tuple(map(data.source, numbers)), 1.0)
