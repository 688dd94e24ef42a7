"""Live dataset search: images in which a study's target, or something else, is strongest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import traitlets

from xwidgets.explain import ImageSearch, search_images_steps
from xwidgets.explain.explanation_module.module import ExplanationModule
from xwidgets.explain.image_search import Goal, Searched
from xwidgets.explain.neuron import neuron_of
from xwidgets.images import Collection
from xwidgets.networks.target import Channel, Class
from xwidgets.results import TopImages

from .kind import check_study
from .live_result import LiveResult
from .study import Study
from .traits import Whole


class SearchQuestion(NamedTuple):
    """What is searched for, and how many images are asked for."""

    searched: Searched
    k: int


class Sought(NamedTuple):
    """What is searched for, in words.

    Attributes:
        kind: ``"target"`` for that of the study; ``"class"``, ``"channel"``, ``"x-feature"``, or
            ``"other"``.
        name: as of :class:`xwidgets.TopImages`.
        number: of the class, channel or x-feature.
        layer: of a channel.
    """

    kind: str
    name: str
    number: int
    layer: str


class DatasetSearch(traitlets.HasTraits):
    """Dataset search for a study's target, or for something else, as a live result.

    All views of a study share the one of :meth:`of`.

    Args:
        study: with the network, and the target.

    Attributes:
        searched: a neuron, class, x-feature or other target, as of :func:`xwidgets.search_images`;
            ``None`` for the study's target. Can be set.
        k: number of images; can be set.
        growing: a :class:`LiveResult` whose answer is an :class:`xwidgets.TopImages`.

    Example:
        >>> import xwidgets as xw
        >>> with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ...     search = study.dataset_search
        ...     search.wait()
        ...     search.searched = (5, 3)
        ...     search.wait()
        <TopImages: 20 for Dune finch (ruby breast) (birds), of 150 images>
        <TopImages: 20 for features.10 channel 3 (birds), of 150 images>
    """

    searched: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)
    k = Whole(20)

    def __init__(self, study: Study) -> None:
        check_study(study)
        super().__init__()
        self._study = study
        self._images: Collection | None = None  # None for the examples
        self._examples: Collection | None = None  # of the network, once they were searched
        self.growing: LiveResult[SearchQuestion, TopImages] = study.live(self._search, keep=32)
        study.observe(lambda _: self._turn(), "target")
        study.observe(lambda _: self._renew(), "renewals")
        self.observe(lambda _: self._ask(), ["searched", "k"])
        self._ask()

    @classmethod
    def of(cls, study: Study) -> DatasetSearch:
        """The dataset search of a study that all its views share."""
        return study.companion(cls)

    @property
    def sought(self) -> Sought:
        """What is searched for, in words."""
        net, searched = self._study.network, self._sought
        layer = ""
        if isinstance(searched, tuple):
            goal = Goal.of(net, searched)
            kind, name, number = "x-feature", goal.label, goal.index
        else:
            target = self._study.subject.target(searched)
            kind, name, number = "other", target.label(net), cast(int, target.index)
            if isinstance(target, Class):
                kind = "class"
            elif isinstance(target, Channel):
                kind, layer = "channel", str(target.layer)
                name = f"{layer} channel {number}"
        return Sought("target" if self.searched is None else kind, name, number, layer)

    def search_in(self, images: object) -> None:
        """Search these images from now on.

        Args:
            images: as of :func:`xwidgets.search_images`; ``None`` for those of the last search, or
                the network's examples.

        Raises:
            ValueError: for an invalid data set, or where there is none.
        """
        if images is not None:
            self._images = Collection(images)
            self.growing.forget()
        elif not self.searches:
            raise ValueError(
                f"{self._study.network.name} has no examples to search; give images=, such as a "
                "folder of photographs"
            )
        self._ask()

    def wait(self, timeout: float | None = None) -> TopImages | None:
        """Wait until the search is complete or stopped; as of :meth:`LiveResult.wait`."""
        return self.growing.wait(timeout)

    def stop(self) -> None:
        """Stop searching, and keep the result so far."""
        self.growing.stop()

    @property
    def searches(self) -> bool:
        """Whether there are images to search."""
        return self._images is not None or self._study.network.examples is not None

    @property
    def _sought(self) -> Searched:
        if self.searched is not None:
            searched: Searched = self.searched
            return searched
        target: Searched = self._study.target
        return target

    @traitlets.validate("searched")
    def _known(self, proposal: dict[str, Any]) -> Searched | None:
        """The same in one form: classes by index, channels as targets."""
        net, searched = self._study.network, proposal["value"]
        if searched is None:
            return None
        if isinstance(searched, tuple | list):
            if searched and isinstance(searched[0], ExplanationModule):
                module, number = searched
                return module, Goal.of(net, (module, number)).index
            layer, channel = neuron_of(net, searched)
            return Channel(layer.name, channel)
        target = self._study.subject.target(searched)
        return target.index if isinstance(target, Class) else target

    @traitlets.validate("k")
    def _some(self, proposal: dict[str, Any]) -> int:
        ImageSearch(k=proposal["value"]).check_parameters()
        k: int = proposal["value"]
        return k

    def _turn(self) -> None:
        if self.searched is None:
            self._ask()

    def _renew(self) -> None:
        self.growing.forget()
        self._ask()

    def _ask(self) -> None:
        if self.searches:
            self.growing.ask(SearchQuestion(self._sought, self.k))

    def _search(self, question: SearchQuestion) -> Iterator[TopImages]:
        network, images = self._study.network, self._images
        if images is None and network.examples is not None:
            images = self._examples = self._examples or Collection(network.examples())
        steps = search_images_steps(network, images, [question.searched], question.k)
        return (top for [top] in steps)
