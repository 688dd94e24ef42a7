"""What is looked at: one network, one image, and what is found out about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.explain import ExplanationModule, Sampler, prediction_difference_steps
from xwidgets.explain.nodes import Measure
from xwidgets.explain.samplers import own_sampler
from xwidgets.images import one_image, photo, picture
from xwidgets.networks import Network
from xwidgets.results import Relevance

from .concepts import Concepts
from .inquiry import Inquiry, Progress
from .neurons import Neurons
from .regions import Regions
from .worker import Worker


class Question(NamedTuple):
    """What a relevance map answers: which class of an image, seen through windows of which size."""

    image: Tensor
    target: int
    window: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and self[1:] == other[1:] and self.image is other.image

    def __hash__(self) -> int:
        return hash((id(self.image), *self[1:]))


class Study(traitlets.HasTraits):
    """One image in one network: the subject that linked views share, and the worker behind it.

    The relevance map of the question at hand is computed in a thread of the study's own. Setting
    :attr:`window`, :attr:`target` or :attr:`image` asks a new question at once; maps are kept, so
    that coming back to one takes no time: it is complete, or goes on from where it was. Views
    observe :attr:`relevance` and :attr:`progress`; those of the network's neurons observe
    :attr:`neurons`, those of x-features what :meth:`concepts` returns.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1].
        target: class index or name; ``None`` for the class with the highest score.
        window: the first window size, in pixels; ``None`` for 10, or less where that is too large.
        sampler, samples, stride, seed, measure, training_size, memory: of
            :func:`xwidgets.prediction_difference`.

    Attributes:
        image: set it to look at another one; the target becomes its top class.
        window: size of the windows that are removed, in pixels. Set it to ask anew.
        target: class index. Set it, or a class name, to ask anew.
        relevance: the map so far, a :class:`xwidgets.Relevance`; ``None`` before the first step.
        progress: a :class:`Progress`.
        ranking: all classes, the most probable first: index, name, probability.
        largest_window: the largest window size that can be asked for.

    Raises:
        ValueError: for arguments, windows, classes or images that cannot be, in one sentence.

    Example:
        >>> import xwidgets as xw
        >>> with Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        ...     study.wait().completed
        1.0
    """

    image = traitlets.Any()
    window = traitlets.Int()
    target = traitlets.Union([traitlets.Int(), traitlets.Unicode()])
    relevance = traitlets.Instance(Relevance, allow_none=True, read_only=True)
    progress = traitlets.Instance(Progress, args=("computing",), read_only=True)

    def __init__(
        self,
        net: Network,
        image: object,
        target: int | str | None = None,
        *,
        window: int | None = None,
        sampler: Sampler | None = None,
        samples: int = 20,
        stride: int = 1,
        seed: int = 0,
        measure: Measure = "evidence",
        training_size: int | None = None,
        memory: float | None = None,
    ) -> None:
        super().__init__()
        self.network = net
        self._options: dict[str, Any] = {
            "sampler": own_sampler(net) if sampler is None else sampler,
            "samples": samples,
            "stride": stride,
            "seed": seed,
            "measure": measure,
            "training_size": training_size,
            "memory": memory,
        }
        self.image = image
        index = self.ranking[0][0] if target is None else net.class_index(target, len(self.ranking))
        window = min(10, self.largest_window) if window is None else window
        first = Question(one_image(self.image), index, window)
        self._steps(first)  # refuses what cannot be
        self.window, self.target = first.window, first.target
        self._worker = Worker()
        self._concepts: WeakSet[Concepts] = WeakSet()
        self._map: Inquiry[Question, Relevance] = Inquiry(
            self._worker, self._steps, lambda result: result.completed
        )
        self._map.observe(self._follow, ["answer", "progress"])
        self.observe(self._ask, ["window", "target"])
        self.observe(self._turn_to, "image")
        self._ask()

    def concepts(
        self,
        images: object = None,
        modules: Iterable[ExplanationModule] = (),
        contrastive: bool = True,
        **options: Any,
    ) -> Concepts:
        """The x-features behind the score of the study's class, whichever it is.

        Args:
            images: what modules are fitted to, as :func:`xwidgets.fit_explanation` takes it;
                ``None`` for the network's examples.
            modules: explanation modules that are fitted already.
            contrastive: of :func:`xwidgets.x_features`.
            options: further arguments of :func:`xwidgets.fit_explanation`.

        Raises:
            ValueError: when there is nothing to fit a module to.
        """
        concepts = Concepts(self, self._worker, images, modules, contrastive, **options)
        self._concepts.add(concepts)
        return concepts

    @cached_property
    def neurons(self) -> Neurons:
        """The neurons behind the prediction, ranked from the first time they are asked for."""
        return Neurons(self, self._worker)

    @cached_property
    def regions(self) -> Regions:
        """The picture without a region, and what the network says then."""
        return Regions(self, self._worker, self._options["sampler"])

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The image to look at, 8-bit ``(H, W, 3)``."""
        return picture(self.image)

    @property
    def question(self) -> Question:
        """What is being answered."""
        return Question(self.image, self.target, self.window)

    def wait(self, timeout: float | None = None) -> Relevance | None:
        """Wait until the map is complete or its computation was stopped.

        Args:
            timeout: in seconds; ``None`` waits as long as it takes.

        Returns:
            The map; partial when the time ran out, ``None`` before the first step.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        return self._map.wait(timeout)

    def at(self, window: int) -> Relevance:
        """The complete map for a window size, computed now unless it is there already.

        What is computed for the views rests meanwhile.

        Raises:
            ValueError: for a size that cannot be, or is not there when the study is closed.
        """
        return self._map.at(self.question._replace(window=window))

    def complete(self) -> list[Relevance]:
        """The complete maps for the class at hand, by window size."""
        known = self._map.known()
        mine = [
            question
            for question in known
            if question.image is self.image and question.target == self.target
        ]
        return [known[question] for question in sorted(mine, key=lambda one: one.window)]

    def stop(self) -> None:
        """Stop computing the map within one batch, and keep it so far."""
        self._map.stop()

    def resume(self) -> None:
        """Go on after :meth:`stop`."""
        self._map.resume()

    def heard(self, message: dict[str, Any]) -> None:
        """Do what a view of the map asks for in a message."""
        self._map.heard(message)

    def turn_to(self, picture: NDArray[np.uint8]) -> None:
        """Make an 8-bit picture ``(H, W, 3)``, as results hold one, the study's image."""
        image = photo(picture)
        self.image = image.mean(0, keepdim=True) if self.network.channels == 1 else image

    def rest(self) -> None:
        """Leave the processor to other work while no view of the map is on screen."""
        self._map.watched(0)

    def close(self) -> None:
        """Stop for good and end the thread, which takes up to one step; what is found stays."""
        with self._worker.lock:
            self.stop()
            if "neurons" in self.__dict__:
                self.neurons.stop()
            if "regions" in self.__dict__:
                self.regions.stop()
            for concepts in self._concepts:
                concepts.stop()
            self._worker.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._worker.join()

    @traitlets.validate("image")
    def _possible_image(self, proposal: dict[str, Any]) -> Tensor:
        image = one_image(proposal["value"], self.network.channels).detach().clone()
        self._measure(image)  # refuses one that the network cannot take
        return image

    @traitlets.validate("target")
    def _known_target(self, proposal: dict[str, Any]) -> int:
        return self.network.class_index(proposal["value"], len(self.ranking))

    @traitlets.validate("window")
    def _possible_window(self, proposal: dict[str, Any]) -> int:
        window: int = proposal["value"]
        if not 1 <= window <= self.largest_window:
            raise ValueError(
                f"window {window} is not possible here: 1 to {self.largest_window} pixels are, "
                "for this image and sampler"
            )
        return window

    def _measure(self, image: Tensor) -> None:
        """Find out what there is to choose from for an image."""
        count = self.network(image[None]).shape[1]
        self.ranking = self.network.top(image, k=count)
        self.largest_window = self._options["sampler"].largest(image)

    def _turn_to(self, _: object) -> None:
        with self._worker.lock:
            self._map.forget()
            self.window = min(self.window, self.largest_window)
            self.target = self.ranking[0][0]
            self._ask()

    def _ask(self, _: object = None) -> None:
        self._map.ask(self.question)

    def _steps(self, question: Question) -> Iterator[Relevance]:
        return prediction_difference_steps(
            self.network, question.image, question.target, question.window, **self._options
        )

    def _follow(self, _: object) -> None:
        if self._map.question == self.question:  # or else a trait was just set, and asks anew soon
            self.set_trait("relevance", self._map.answer)
            self.set_trait("progress", self._map.progress)
