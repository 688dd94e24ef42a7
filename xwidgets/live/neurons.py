"""Live results for the neurons behind a prediction: their ranking, patches and top images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple, get_args

import traitlets

from xwidgets.explain import InputResampling, NeuronPatches, search_images_steps
from xwidgets.explain.deconvnet import Start
from xwidgets.explain.neuron import neuron_of
from xwidgets.images import Collection
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Channel
from xwidgets.results import NeuronPatch, Ranking, TopImages

from .kind import check_study
from .live_result import LiveResult, Question
from .study import Study
from .traits import Number

Neuron = tuple[str, int]
LIMIT = 65
"""Number of selected neurons that are explained, the last ones: 5 of each of 13 layers."""


class PatchQuestion(NamedTuple):
    """Image, neurons and method whose patches are asked for."""

    subject: Subject
    neurons: tuple[Neuron, ...]
    method: NeuronPatches


class Neurons(traitlets.HasTraits):
    """Ranking, patches and top images of the neurons of a study's network, as live results.

    All views of a study share the one of :meth:`of`.

    Args:
        study: with the image and the class.

    Attributes:
        selected: pairs of a layer and a channel; set them to get their patches.
        start, threshold: of :func:`xwidgets.neuron_patches`; can be set.
        ranking: a :class:`LiveResult` whose answer is a :class:`xwidgets.Ranking`.
        patches: one whose answer is a :class:`xwidgets.NeuronPatch` for each selected neuron that
            computed so far.
        matches: one whose answer is a :class:`xwidgets.TopImages` for each.
        images: data set that is searched for top images; ``None`` for the network's examples.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     neurons = Neurons.of(study)
        ...     neurons.selected = [(5, 3), (5, 7)]
        ...     [patch.channel for patch in neurons.patches.wait()]
        [3, 7]
    """

    selected = traitlets.Tuple()
    start = traitlets.Enum(get_args(Start), "maximum")
    threshold = Number(0.0, min=0, max=0.99)

    def __init__(self, study: Study) -> None:
        check_study(study)
        super().__init__()
        self._study = study
        self._method = InputResampling()
        self.images: Collection | None = None
        self._examples: Collection | None = None  # of the network, once they were searched
        self._searching = False
        self.ranking: LiveResult[Question, Ranking] = study.live(_ranked, urgent=True, keep=32)
        self.patches: LiveResult[PatchQuestion, tuple[NeuronPatch, ...]] = study.live(
            self._look, urgent=True, keep=8
        )
        self.matches: LiveResult[tuple[Neuron, ...], list[TopImages]] = study.live(
            self._search, lambda tops: tops[0].completed, keep=8
        )
        study.observe(lambda _: self._ask(), "target")
        study.observe(lambda _: self._turn_to(), "image")
        study.observe(lambda _: self._renew(), "renewals")
        self.observe(lambda _: self._select(), ["selected", "start", "threshold"])
        self._ask()

    @classmethod
    def of(cls, study: Study) -> Neurons:
        """The neurons of a study that all its views share."""
        return study.companion(cls)

    @property
    def shown(self) -> tuple[Neuron, ...]:
        """Selected neurons that are explained: at most the last :data:`LIMIT`."""
        neurons: tuple[Neuron, ...] = self.selected[-LIMIT:]
        return neurons

    def patches_of(self, neurons: Iterable[Neuron]) -> tuple[NeuronPatch, ...]:
        """Patches of some neurons, from the cache or computed now."""
        return self.patches.at(self._patch_question(tuple(neurons)))

    def stop(self) -> None:
        """Stop computing, and keep the results so far."""
        for live in (self.ranking, self.patches, self.matches):
            live.stop()

    def rank(self, **options: Any) -> None:
        """Rank again, with these arguments of :func:`xwidgets.rank_neurons`.

        Raises:
            ValueError: as that does.
        """
        method = InputResampling().changed(**options)
        if method != self._method:
            question = self._study.question
            method.admit(question.subject, question.target)
            self._method = method
            self._ask()

    def search_in(self, images: object) -> None:
        """Search these images for top images from now on.

        Args:
            images: as of :func:`xwidgets.search_images`; ``None`` for those of the last search, or
                the network's examples.
        """
        if images is not None:
            self.images = Collection(images)
            self.matches.forget()
        self._searching = self.images is not None or self._study.network.examples is not None
        self._select()

    @traitlets.validate("selected")
    def _known(self, proposal: dict[str, Any]) -> tuple[Neuron, ...]:
        neurons = [neuron_of(self._study.network, neuron) for neuron in proposal["value"]]
        return tuple((layer.name, channel) for layer, channel in neurons)

    def _turn_to(self) -> None:
        self.ranking.abandon()
        self.patches.abandon()
        self._ask()
        self._select()

    def _renew(self) -> None:
        for live in (self.ranking, self.patches, self.matches):
            live.forget()
        self._ask()
        self._select()

    def _ask(self) -> None:
        self.ranking.ask(replace(self._study.question, method=self._method))

    def _select(self) -> None:
        self.patches.ask(self._patch_question(self.shown))
        if self.shown and self._searching:
            self.matches.ask(self.shown)
        else:
            self.matches.drop()

    def _patch_question(self, neurons: tuple[Neuron, ...]) -> PatchQuestion:
        return PatchQuestion(
            self._study.subject, neurons, NeuronPatches(self.start, self.threshold)
        )

    def _look(self, question: PatchQuestion) -> Iterator[tuple[NeuronPatch, ...]]:
        known = {
            (patch.layer, patch.channel): patch
            for other, patches in self.patches.known().items()
            if (other.subject, other.method) == (question.subject, question.method)
            for patch in patches
        }
        return _looked_at(question, known)

    def _search(self, neurons: tuple[Neuron, ...]) -> Iterator[list[TopImages]]:
        network, images = self._study.network, self.images
        if images is None and network.examples is not None:
            images = self._examples = self._examples or Collection(network.examples())
        return search_images_steps(network, images, neurons)


def _ranked(question: Question) -> Iterator[Ranking]:
    yield from question.steps()
    # torch imports this at its first way back, which would hold up the first patch
    import_module("torch.fx.experimental.symbolic_shapes")


def _looked_at(
    question: PatchQuestion, known: dict[Neuron, NeuronPatch]
) -> Iterator[tuple[NeuronPatch, ...]]:
    """Patches that are known, and those that are missing, a few a step."""
    missing = [neuron for neuron in reversed(question.neurons) if neuron not in known]
    yield tuple(known[neuron] for neuron in question.neurons if neuron in known)
    batch = missing[:1]  # the one that was selected last comes first
    while batch:
        channels = [Channel(*neuron) for neuron in batch]
        for patch in question.method.complete(question.subject, channels):
            known[patch.layer, patch.channel] = patch
        yield tuple(known[neuron] for neuron in question.neurons if neuron in known)
        missing = missing[len(batch) :]
        batch = missing[:8]
