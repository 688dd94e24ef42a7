"""What is looked at: an image in a network, a target, a method, and the worker that answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from pkgutil import resolve_name
from typing import Any, TypeVar, cast
from weakref import WeakSet

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import of_kind, unknown
from xwidgets.explain import Method, PredictionDifference
from xwidgets.images import one_image, photo
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Class, Resolved, Target
from xwidgets.results import Relevance

from .companions import COMPANIONS
from .live_result import LiveResult, Progress, Question, share_of
from .worker import Worker

Companion = TypeVar("Companion")
Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


class Study(traitlets.HasTraits):
    """One image in one network: the subject that linked views share, and the worker behind it.

    The question at hand is which :attr:`method` explains which :attr:`target` of which
    :attr:`image`. Setting one of them asks anew at once, and the result is computed in a thread of
    the study's own. Results are kept, so that coming back to a question takes no time: its result
    is complete, or goes on from where it was. Views observe :attr:`relevance` or :attr:`result`,
    and :attr:`progress`.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1].
        target: class index or name, ``None`` for the class with the highest score; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer.
        method: what explains it, such as ``xw.Saliency()``; by default an
            :class:`xwidgets.PredictionDifference`, whose windows are smaller where 10 pixels are
            too large for the image.
        **parameters: of the method, such as ``window=8``, in place of those that it has.

    Attributes:
        image: set it to look at another one; the target becomes its top class.
        target: class index, or part of a layer. Set it, or a class name, to ask anew.
        method: set it to ask anew; ``study.move(window=8)`` changes parameters of it.
        window: that of the method, in pixels, which can be set too; ``None`` where it has none.
        result: of the method so far; ``None`` before the first step.
        relevance: the same where it is a map, an :class:`xwidgets.Relevance`; else ``None``.
        progress: a :class:`Progress`.
        subject: the image in the network, with what it says.
        neurons: the network's :class:`xwidgets.widgets.Neurons`, ranked from the first time that
            they are asked for.
        regions: an :class:`xwidgets.widgets.Regions`, the picture without a region.
        concepts: makes :class:`xwidgets.widgets.Concepts` of its other arguments, the x-features
            behind the score of the study's class.

    Raises:
        ValueError: for arguments, parameters, classes or images that cannot be, in one sentence.

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
        if parameters.get("window", ...) is None:
            del parameters["window"]
        given = PredictionDifference() if method is None else a_method(method)
        given = given.changed(**parameters)
        suits = method is None and "window" not in parameters
        with self.hold_trait_notifications():  # they are checked together
            self.method = given.suited(self.subject) if suits else given
            self.target, self.image = self.subject.target(target), self.subject.image
        self._weights = net.state
        self._worker = Worker()
        self._lives: WeakSet[LiveResult[Any, Any]] = WeakSet()
        self._companions: dict[Callable[[Study], Any], Any] = {}
        self._live: LiveResult[Question, Any] = self.live()
        self._live.observe(self._follow, ["answer", "progress"])
        self.observe(self._turn_to, "image")
        self.observe(self._ask, ["target", "method"])
        self.observe(self._turn_window, "window")
        self._ask()

    def live(
        self,
        steps: Callable[[Asked], Iterator[Answer]] = Question.steps,  # type: ignore[assignment]
        share: Callable[[Answer], float] = share_of,
        urgent: bool = False,
        keep: int = 200,
        rests: int = 2,
    ) -> LiveResult[Asked, Answer]:
        """A further result that this study's worker computes; arguments as of that class."""
        live = LiveResult(self._worker, steps, share, urgent, keep, rests)
        self._lives.add(live)
        return live

    def companion(self, kind: Callable[[Study], Companion]) -> Companion:
        """What stands beside the study once, for all its views; made when first asked for."""
        with self._worker.lock:
            if kind not in self._companions:
                self._companions[kind] = kind(self)
            companion: Companion = self._companions[kind]
            return companion

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The image to look at, 8-bit ``(H, W, 3)``."""
        return self.subject.picture

    @property
    def question(self) -> Question:
        """What is being answered."""
        method = self.method.resolved(self.subject)
        return Question(self.subject, self.subject.target(self.target), method)

    @property
    def ranking(self) -> list[tuple[int, str, float]]:
        """All classes, the most probable first: index, name, probability."""
        return self.network.ranked(self.subject.logits)

    @property
    def largest_window(self) -> int:
        """The largest window size that can be asked for, in pixels.

        Raises:
            ValueError: when the method has no windows.
        """
        for control in self.method.controls(self.subject):
            if control.name == "window":
                return int(control.most)
        raise ValueError(f"{self.method.name} has no windows; set study.method to one that has")

    def ask(self, target: Target, method: Method[Any]) -> None:
        """Set target and method together, as where neither goes with what the other was.

        Raises:
            ValueError: for a method that does not explain such a target.
        """
        resolved = self.subject.target(target)
        a_method(method).admit(self.subject, resolved)
        with self.hold_trait_notifications():
            self.target, self.method = resolved, method

    def move(self, **parameters: Any) -> None:
        """Ask anew with other parameters of the method, such as ``window=8``.

        Raises:
            ValueError: for parameters that the method does not have, or values that cannot be.
        """
        self.method = self.method.changed(**parameters)

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until the result is complete or its computation was stopped.

        Args:
            timeout: in seconds; ``None`` waits as long as it takes.

        Returns:
            The result; partial when the time ran out, ``None`` before the first step.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        return self._live.wait(timeout)

    def at(self, window: int | None = None, **parameters: Any) -> Any:
        """The complete result with other parameters, computed now unless it is there already.

        What is computed for the views rests meanwhile.

        Args:
            window: of the method, in pixels; ``None`` for the one it has.
            **parameters: others of the method.

        Raises:
            ValueError: for parameters that cannot be, or a result that is not there when the study
                is closed.
        """
        if window is not None:
            parameters["window"] = window
        question = self.question
        method = question.method.changed(**parameters).resolved(question.subject)
        method.admit(question.subject, question.target)
        return self._live.at(replace(question, method=method))

    def complete(self, parameter: str = "window") -> list[Any]:
        """The complete results for the question at hand, and for other values of one parameter.

        They come by the values where these are numbers, else as they were completed.
        """
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
        """Stop computing the result within one step, and keep it so far."""
        self._live.stop()

    def resume(self) -> None:
        """Go on after :meth:`stop`."""
        self._live.resume()

    def turn_to(self, picture: NDArray[np.uint8]) -> None:
        """Make an 8-bit picture ``(H, W, 3)``, as results hold one, the study's image."""
        image = photo(picture)
        self.image = image.mean(0, keepdim=True) if self.network.channels == 1 else image

    def watched(self, viewers: int) -> None:
        """Tell that the number of views of the result on screen changed by ``viewers``.

        While there is none, the processor is left to other work.
        """
        self._live.watched(viewers)

    def close(self) -> None:
        """Stop for good and end the thread, which takes up to one step; what is found stays."""
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
        method.admit(self.subject, self.subject.target(self.target))
        return method

    @traitlets.validate("window")
    def _possible_window(self, proposal: dict[str, Any]) -> int | None:
        window: int | None = proposal["value"]
        if window != window_of(self.method):
            method = self.method.changed(window=window)
            method.admit(self.subject, self.subject.target(self.target))
        return window

    def _target_on(self, subject: Subject) -> Resolved:
        """The top class of another image, or the same part of a layer."""
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
            if self._weights != self.network.state:
                self._live.forget()
                self._weights = self.network.state
            self._live.ask(self.question)

    def _follow(self, _: object) -> None:
        if self._live.question == self.question:  # or else a trait was just set, and asks anew soon
            result = self._live.answer
            self.set_trait("result", result)
            self.set_trait("relevance", result if isinstance(result, Relevance) else None)
            self.set_trait("progress", self._live.progress)


def looked_at(net: Network, image: object) -> Subject:
    """A copy of an image in a network that can take it.

    Raises:
        ValueError: for an image that it cannot take.
    """
    subject = Subject(net, one_image(image, a_network(net).channels).detach().clone())
    finite(net, subject.logits)
    return subject


def a_method(method: object) -> Method[Any]:
    """``method``, when it is one.

    Raises:
        ValueError: when it is not.
    """
    of_kind("method", method, Method, "a method such as xw.Saliency() or xw.Occlusion(window=8)")
    found = cast(Method[Any], method)
    found.check_parameters()
    return found


def window_of(method: Method[Any]) -> int | None:
    """The side of a method's windows in pixels; ``None`` for one without, or with rectangles."""
    window = getattr(method, "window", None)
    return window if isinstance(window, int) else None
