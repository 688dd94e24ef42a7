"""Studies: an image in a network, a target and a method, with the worker that computes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pkgutil import resolve_name
from typing import Any, TypeVar, cast
from weakref import WeakSet

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.aliases import FormerName
from xwidgets.errors import of_kind, unknown
from xwidgets.explain import Method, PredictionDifference
from xwidgets.images import photo
from xwidgets.networks import Network
from xwidgets.networks._network import image_for
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Class, Resolved, Target
from xwidgets.results import Relevance

from .companions import COMPANIONS
from .following import weakly
from .live_result import LiveResult, Progress, Question, share_of
from .traits import Whole
from .worker import Worker

Companion = TypeVar("Companion")
Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


class Study(traitlets.HasTraits):
    """Image in a network, target and method that linked views share, and the live result.

    The current question is the explanation of :attr:`target` in :attr:`image` by :attr:`method`.
    Setting one of them starts a new computation at once, in a thread of the study's own. Results
    are cached: for a question that was asked before, the result is complete, or continues from
    where it was. Views observe :attr:`relevance` or :attr:`result`, and :attr:`progress`.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1]; or a picture, as :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer.
        method: such as ``xw.Saliency()``; by default an :class:`xwidgets.PredictionDifference`,
            with smaller windows where 10 pixels are too large for the image.
        **parameters: of the method, such as ``window=8``, in place of its own.

    Attributes:
        image: can be set; the target becomes the top class of the new image.
        target: class index, or part of a layer; can be set, also to a class name.
        method: can be set; ``study.move(window=8)`` changes parameters of it.
        window: of the method, in pixels; can be set. ``None`` for a method without windows.
        result: of the method so far; ``None`` before the first step.
        relevance: the result where it is an :class:`xwidgets.Relevance`; else ``None``.
        progress: a :class:`Progress`.
        renewals: how often the weights were found to have changed, so that results were discarded.
        network: the classifier, an :class:`xwidgets.Network`.
        subject: the image in the network, with its logits.
        class_models: the network's :class:`xwidgets.live.ClassModels`, computed from the first
            access on.
        history: the :class:`xwidgets.live.History` of what it was asked, from the first access on.
        dataset_search: an :class:`xwidgets.live.DatasetSearch` for the target in the network's
            examples or other images, which searches from the first access on.
        neurons: the network's :class:`xwidgets.live.Neurons`, ranked from the first access on.
        regions: an :class:`xwidgets.live.Regions`, the picture without a region.
        x_features: makes an :class:`xwidgets.live.XFeatureFit` of its other arguments, the fit of
            the x-features behind the score of the study's class.

    Raises:
        ValueError: for invalid arguments, parameters, classes or images.

    Example:
        >>> import xwidgets as xw
        >>> with Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        ...     study.wait().completed
        1.0
    """

    # traits whose kind takes None ask no validator about it
    image: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)
    target: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)
    method: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)
    window: traitlets.TraitType[Any, Any] = traitlets.TraitType(None)
    result = traitlets.Any(read_only=True)
    relevance = traitlets.Instance(Relevance, allow_none=True, read_only=True)
    progress = traitlets.Instance(Progress, args=("computing",), read_only=True)
    renewals = Whole(0, read_only=True)

    concepts = FormerName("x_features")

    def __init__(
        self,
        net: Network,
        image: object,
        target: Target = None,
        method: Method[Any] | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self.network = net
        self.subject = self._staged = looked_at(net, image)
        self._weights = net.state
        self._aim: tuple[tuple[object, ...], Resolved] = (None, None, None), Class(0)
        if parameters.get("window", ...) is None:
            del parameters["window"]
        chosen = PredictionDifference() if method is None else a_method(method)
        chosen = chosen.changed(**parameters)
        suits = method is None and "window" not in parameters
        with self.hold_trait_notifications():  # they are checked together
            self.method = chosen.suited(self.subject) if suits else chosen
            self.target, self.image = self.subject.target(target), self.subject.image
        self._worker = Worker(self, Study._notice)
        self._lives: WeakSet[LiveResult[Any, Any]] = WeakSet()
        self._companions: dict[Callable[[Study], Any], Any] = {}
        # nothing of these holds the study, so that it is gone as soon as nobody does; companions
        # hold it, and go with it when garbage is collected
        self._live: LiveResult[Question, Any] = self.live(
            partial(Question.steps, ended=weakly(self._compare))
        )
        self._live.observe(weakly(self._follow), ["answer", "progress"])
        self.observe(weakly(self._turn_to), "image")
        self.observe(weakly(self._ask), ["target", "method"])
        self.observe(weakly(self._turn_window), "window")
        self._ask()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a trait while no result is being shown, as it may be of another."""
        with (
            self._worker.lock if self.has_trait(name) and "_worker" in vars(self) else nullcontext()
        ):
            super().__setattr__(name, value)

    def live(
        self,
        steps: Callable[[Asked], Iterator[Answer]] = Question.steps,  # type: ignore[assignment]
        share: Callable[[Answer], float] = share_of,
        urgent: bool = False,
        keep: int = 200,
        rests: int = 2,
    ) -> LiveResult[Asked, Answer]:
        """Live result that this study's worker computes; arguments as of :class:`LiveResult`."""
        live = LiveResult(self._worker, steps, share, urgent, keep, rests)
        self._lives.add(live)
        return live

    def companion(self, kind: Callable[[Study], Companion]) -> Companion:
        """Companion of this kind that all views of the study share, made at first use."""
        with self._worker.lock:
            if kind not in self._companions:
                self._companions[kind] = kind(self)
            companion: Companion = self._companions[kind]
            return companion

    def made(self, kind: Callable[[Study], Companion]) -> Companion | None:
        """Companion of this kind where a view has asked for it; else ``None``."""
        with self._worker.lock:
            companion: Companion | None = self._companions.get(kind)
            return companion

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by the study's thread while it shows results; who draws several holds it too."""
        return self._worker.lock

    @property
    def picture(self) -> NDArray[np.uint8]:
        """Image as an 8-bit picture ``(H, W, 3)``."""
        return self.subject.picture

    @property
    def question(self) -> Question:
        """Current question."""
        method = self.method.resolved(self.subject)
        return Question(self.subject, self._resolved(), method)

    @property
    def ranking(self) -> list[tuple[int, str, float]]:
        """Index, name and probability of all classes, the most probable first."""
        return self.network.ranked(self.subject.logits)

    @property
    def largest_window(self) -> int:
        """Side of the largest window, in pixels, that the method takes on this image.

        Raises:
            ValueError: when the method has no windows.
        """
        for control in self.method.controls(self.subject):
            if control.name == "window":
                return int(control.most)
        raise ValueError(f"{self.method.name} has no windows; set study.method to one that has")

    def ask(self, target: Target, method: Method[Any]) -> None:
        """Set target and method together, where neither fits the current value of the other.

        Raises:
            ValueError: for a method that does not explain such a target.
        """
        resolved = self.subject.target(target)
        a_method(method).admit(self.subject, resolved)
        with self.hold_trait_notifications():
            self.target, self.method = resolved, method

    def move(self, **parameters: Any) -> None:
        """Change parameters of the method, such as ``window=8``.

        Raises:
            ValueError: for parameters that the method does not have, or invalid values.
        """
        self.method = self.method.changed(**parameters)

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until the result is complete or its computation was stopped.

        When the weights have changed since, it is computed again.

        Args:
            timeout: in seconds; ``None`` waits as long as it takes.

        Returns:
            The result; partial when the time ran out, ``None`` before the first step.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        self._refresh()
        return self._live.wait(timeout)

    def at(self, window: int | None = None, **parameters: Any) -> Any:
        """Complete result with other parameters, from the cache or computed now.

        The computation for the views is suspended meanwhile.

        Args:
            window: of the method, in pixels; ``None`` for the current one.
            **parameters: others of the method.

        Raises:
            ValueError: for invalid parameters, or a result that is not cached when the study is
                closed.
        """
        if window is not None:
            parameters["window"] = window
        self._refresh()
        question = self.question
        method = question.method.changed(**parameters).resolved(question.subject)
        method.admit(question.subject, question.target)
        return self._live.at(replace(question, method=method))

    def complete(self, parameter: str = "window") -> list[Any]:
        """Complete results for the current question, and for other values of one parameter.

        Sorted by the values where these are numbers, else in the order of completion.
        """
        self._refresh()
        question, known = self.question, self._live.known()
        if parameter != "window" and parameter not in question.method.parameters:
            raise unknown("parameter", parameter, question.method.parameters)
        mine = {
            getattr(asked.method, parameter, 0): result
            for asked, result in known.items()
            if asked == replace(question, method=asked.method.like(question.method, parameter))
        }
        numbers = all(isinstance(value, int | float) for value in mine)
        return [mine[value] for value in (sorted(mine) if numbers else mine)]

    def stop(self) -> None:
        """Stop computing within one step, and keep the result so far."""
        self._live.stop()

    def resume(self) -> None:
        """Continue after :meth:`stop`."""
        self._live.resume()

    def turn_to(self, picture: NDArray[np.uint8]) -> None:
        """Set the image to an 8-bit picture ``(H, W, 3)``, such as that of a result.

        Raises:
            ValueError: for a network whose channels are not those of a picture: 1, 3 or 4.
        """
        self.image = photo(picture, self.network.channels or 3)

    def watched(self, viewers: int) -> None:
        """Tell that the number of views of the result on screen changed by ``viewers``.

        While there is none, the processor is left to other work.
        """
        self._live.watched(viewers)

    def close(self) -> None:
        """Stop for good and end the thread, within one step; results so far stay."""
        with self._worker.lock:
            for live in list(self._lives):
                live.stop()
            self._worker.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._worker.join()

    def __getattr__(self, name: str) -> Any:
        if name not in COMPANIONS:
            raise AttributeError(f"a study has no attribute {name!r}")
        return resolve_name(COMPANIONS[name])(self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *COMPANIONS]

    @traitlets.validate("image")
    def _possible_image(self, proposal: dict[str, Any]) -> Tensor:
        if proposal["value"] is not self.subject.image:
            subject = looked_at(self.network, proposal["value"])
            self.method.suited(subject).admit(subject, self._target_on(subject))
            self._staged = subject
        return self._staged.image

    @traitlets.validate("target")
    def _possible_target(self, proposal: dict[str, Any]) -> int | Resolved:
        target = self.subject.target(proposal["value"])
        self.method.admit(self.subject, target)
        return target.index if isinstance(target, Class) else target

    @traitlets.validate("method")
    def _possible_method(self, proposal: dict[str, Any]) -> Method[Any]:
        method = a_method(proposal["value"])
        method.admit(self.subject, self._resolved())
        return method

    @traitlets.validate("window")
    def _possible_window(self, proposal: dict[str, Any]) -> int | None:
        window: int | None = proposal["value"]
        if window != window_of(self.method):
            method = self.method.changed(window=window)
            method.admit(self.subject, self._resolved())
        return window

    def _resolved(self) -> Resolved:
        """Target of the subject; looked up again when one of the two or the weights are others."""
        aim = self.subject, self.target, self._weights
        if any(now is not before for now, before in zip(aim, self._aim[0], strict=True)):
            self._aim = aim, self.subject.target(self.target)
        return self._aim[1]

    def _target_on(self, subject: Subject) -> Resolved:
        """Target on another image: its top class, or the same part of a layer."""
        return subject.target(None if isinstance(self.target, int) else self.target)

    def _turn_to(self, _: object) -> None:
        with self._worker.lock:
            self._live.abandon()
            self.subject = self._staged
            self.method = self.method.suited(self.subject)
            self.target = self._target_on(self.subject)
            self._ask()

    def _turn_window(self, _: object) -> None:
        if self.window != window_of(self.method):
            self.method = self.method.changed(window=self.window)

    def _ask(self, _: object = None) -> None:
        with self._worker.lock:
            self.window = window_of(self.method)
            state = self.network.state
            if self._weights != state:
                self._live.forget()
                self._renew(state)
            self._live.ask(self.question)

    def _compare(self, state: Hashable) -> None:
        """Discard other results when one is complete that is of newer weights."""
        with self._worker.lock:
            if self._weights != state:
                self._live.outdate()
                self._renew(state)

    def _renew(self, state: Hashable) -> None:
        """Write down of which weights results are from now on, and tell companions."""
        self._weights = state
        self.set_trait("renewals", self.renewals + 1)

    def _refresh(self) -> None:
        """Ask again when the weights have changed since."""
        with self._worker.lock:
            if not self._worker.closed and self._weights != self.network.state:
                self._ask()

    def _notice(self) -> None:
        """Refresh what is on screen, unless it is being computed, and then restarts itself."""
        with self._worker.lock:
            if self._live.viewed and self._live.progress.state in ("complete", "failed"):
                self._refresh()

    def _follow(self, _: object) -> None:
        if self._live.question == self.question:  # or else a trait was just set, and asks anew soon
            result = self._live.answer
            self.set_trait("result", result)
            self.set_trait("relevance", result if isinstance(result, Relevance) else None)
            self.set_trait("progress", self._live.progress)


def looked_at(net: Network, image: object) -> Subject:
    """Subject with a copy of an image, checked to have finite logits.

    Raises:
        ValueError: for an image that the network cannot take.
    """
    subject = Subject(net, image_for(net, image).clone())
    finite(net, subject.logits)
    return subject


def a_method(method: object) -> Method[Any]:
    """Check that ``method`` is a method with valid parameters, and return it.

    Raises:
        ValueError: when it is not.
    """
    of_kind("method", method, Method, "a method such as xw.Saliency() or xw.Occlusion(window=8)")
    checked = cast(Method[Any], method)
    checked.check_parameters()
    return checked


def window_of(method: Method[Any]) -> int | None:
    """Side of a method's windows in pixels; ``None`` for one without, or with rectangles."""
    window = getattr(method, "window", None)
    return window if isinstance(window, int) else None
