"""What is looked at: one network, one image, and the relevance of its pixels as it grows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.explain import Sampler, prediction_difference_steps
from xwidgets.explain.prediction_difference import Measure
from xwidgets.explain.samplers import own_sampler
from xwidgets.images import one_image, picture
from xwidgets.networks import Network
from xwidgets.results import Relevance

from .worker import Worker


@dataclass(frozen=True)
class Question:
    """What a relevance map answers: which class, seen through windows of which size."""

    target: int
    window: int


@dataclass(frozen=True)
class Progress:
    """How far the work on a question is.

    Attributes:
        state: ``"computing"``, ``"stopped"``, ``"complete"`` or ``"failed"``.
        share: 0 to 1.
        seconds_left: at the speed so far; ``None`` before that is known.
        message: what went wrong, when it failed.
    """

    state: str
    share: float = 0.0
    seconds_left: float | None = None
    message: str = ""


class Study(traitlets.HasTraits):
    """One image in one network: the subject that linked views share, and the worker behind it.

    The relevance map of the question at hand is computed in a thread of the study's own. Setting
    :attr:`window` or :attr:`target` asks a new question at once; a map that is complete is kept, so
    that coming back to it takes no time. Views observe :attr:`relevance` and :attr:`progress`.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1].
        target: class index or name; ``None`` for the class with the highest score.
        window: the first window size, in pixels.
        sampler, samples, stride, seed, measure, training_size, memory: of
            :func:`xwidgets.prediction_difference`.

    Attributes:
        window: size of the windows that are removed, in pixels. Set it to ask anew.
        target: class index. Set it, or a class name, to ask anew.
        relevance: the map so far, a :class:`xwidgets.Relevance`; ``None`` before the first step.
        progress: a :class:`Progress`.
        ranking: all classes, the most probable first: index, name, probability.
        largest_window: the largest window size that can be asked for.

    Raises:
        ValueError: for arguments, windows or classes that cannot be, in one sentence.

    Example:
        >>> import xwidgets as xw
        >>> with Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        ...     study.wait().completed
        1.0
    """

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
        window: int = 10,
        sampler: Sampler | None = None,
        samples: int = 20,
        stride: int = 1,
        seed: int = 0,
        measure: Measure = "evidence",
        training_size: int | None = None,
        memory: float = 48e6,
    ) -> None:
        super().__init__()
        self.network = net
        self.image: Tensor = one_image(image, net.channels).detach().clone()
        self._options: dict[str, Any] = {
            "sampler": sampler or own_sampler(net),
            "samples": samples,
            "stride": stride,
            "seed": seed,
            "measure": measure,
            "training_size": training_size,
            "memory": memory,
        }
        count = net(self.image[None]).shape[1]
        self.ranking = net.top(self.image, k=count)
        best = self.ranking[0][0]
        first = Question(best if target is None else net.class_index(target, count), window)
        self.largest_window = self._options["sampler"].largest(self.image)
        self._steps(first)  # refuses what cannot be
        self.window, self.target = first.window, first.target
        self._complete: dict[Question, Relevance] = {}
        self._viewers = 0
        self._waits = 0
        self._error: Exception | None = None
        self._worker: Worker[Question, Relevance] = Worker(self._steps, self._show, self._fail)
        self.observe(self._ask, ["window", "target"])
        self._ask()

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The image to look at, 8-bit ``(H, W, 3)``."""
        return picture(self.image)

    @property
    def question(self) -> Question:
        """What is being answered."""
        return Question(self.target, self.window)

    def wait(self, timeout: float | None = None) -> Relevance | None:
        """Wait until the map is complete or its computation was stopped.

        Args:
            timeout: in seconds; ``None`` waits as long as it takes.

        Returns:
            The map; partial when the time ran out, ``None`` before the first step.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        with self._worker.lock:
            self._waits += 1
            if self.progress.state == "computing":
                self._worker.resume()
        self._worker.wait(timeout)
        self._waits -= 1
        if self._error is not None:
            raise self._error
        return self.relevance

    def at(self, window: int) -> Relevance:
        """The complete map for a window size, computed now unless it is there already.

        What is computed for the views rests meanwhile.
        """
        question = Question(self.target, window)
        if question == self.question:
            self.resume()
            self.wait()
        elif question not in self._complete:
            self._worker.stop()
            try:
                self._complete[question] = deque(self._steps(question), maxlen=1).pop()
            finally:
                if self.progress.state == "computing":
                    self._worker.resume()
        return self._complete[question]

    def complete(self) -> list[Relevance]:
        """The complete maps for the class at hand, by window size."""
        with self._worker.lock:
            known = [question for question in self._complete if question.target == self.target]
            return [self._complete[key] for key in sorted(known, key=lambda key: key.window)]

    def stop(self) -> None:
        """Stop computing within one batch, and keep the map so far."""
        with self._worker.lock:
            if self.progress.state == "computing":
                self._worker.stop()
                self.set_trait("progress", replace(self.progress, state="stopped"))

    def resume(self) -> None:
        """Go on after :meth:`stop`."""
        with self._worker.lock:
            if self.progress.state == "stopped" and not self._worker.closed:
                self._clock = Clock(self.progress.share)
                self.set_trait("progress", replace(self.progress, state="computing"))
                self._worker.resume()

    def watched(self, viewers: int) -> None:
        """Tell that the number of views on screen changed by ``viewers``.

        When the last one goes, as when its cell is run again, the work rests until one comes back.
        """
        with self._worker.lock:
            self._viewers = max(0, self._viewers + viewers)
            if self.progress.state != "computing":
                return
            if self._viewers == 0 and not self._waits:
                self._worker.stop()
            elif viewers > 0:
                self._worker.resume()

    def close(self) -> None:
        """Stop for good and end the thread, which takes up to one batch; the maps stay."""
        with self._worker.lock:
            self.stop()
            self._worker.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._worker.join()

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

    def _ask(self, _: object = None) -> None:
        with self._worker.lock:
            self._error = None
            self._clock = Clock(0.0)
            known = self._complete.get(self.question)
            self.set_trait("relevance", known)
            if known is None:
                if self._worker.closed:
                    message = "this study is closed; make a new one with xw.Study(net, image)"
                    self.set_trait("progress", Progress("failed", message=message))
                else:
                    self.set_trait("progress", Progress("computing"))
                    self._worker.request(self.question)
            else:
                self.set_trait("progress", Progress("complete", 1.0))
                self._worker.drop()

    def _steps(self, question: Question) -> Iterator[Relevance]:
        return prediction_difference_steps(
            self.network, self.image, question.target, question.window, **self._options
        )

    def _show(self, result: Relevance, last: bool) -> None:
        answered = Question(result.target, result.parameters["window"])
        if last:
            self._complete[answered] = result
        if answered != self.question:  # a trait was just set, and asks anew in a moment
            return
        self.set_trait("relevance", result)
        share = result.completed
        if last:
            self.set_trait("progress", Progress("complete", 1.0))
        else:
            state, left = self.progress.state, self._clock.seconds_left(share)
            self.set_trait("progress", Progress(state, share, left))

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.set_trait("progress", Progress("failed", message=str(error) or repr(error)))


class Clock:
    """Guesses how long the rest takes from the pace since it was made, at ``share`` of the work."""

    def __init__(self, share: float) -> None:
        self._share, self._time = share, time.monotonic()

    def seconds_left(self, share: float) -> float | None:
        """Seconds until the share is 1; ``None`` before anything was done."""
        if share <= self._share:
            return None
        return (1 - share) * (time.monotonic() - self._time) / (share - self._share)
