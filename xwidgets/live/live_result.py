"""A question, and the result that answers it, which grows behind the user's back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import traitlets

from xwidgets.explain import Method
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Resolved

from .worker import Worker

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


CLOSED = "this study is closed; make a new one with xw.Study(net, image)"


@dataclass(frozen=True)
class Question:
    """Which target of which image in which network is explained, and by which method.

    Attributes:
        subject: the image in the network.
        target: of it, as :meth:`Subject.target` returns one.
        method: explains it.
    """

    subject: Subject
    target: Resolved
    method: Method[Any]

    def steps(self) -> Iterator[Any]:
        """The answer as it grows."""
        run = self.method.on(self.subject, [self.target])
        for _ in run.steps():
            yield run.results()[0]


def share_of(result: Any) -> float:
    """How much of the work is behind a result, as far as it tells."""
    share: float = getattr(result, "completed", 0.0)
    return share


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


class LiveResult(traitlets.HasTraits, Generic[Asked, Answer]):
    """A kind of question of which the newest is answered; answers are kept.

    A complete answer is there at once when its question is asked again; one that was begun is there
    as far as it was, and goes on from there.

    Args:
        worker: computes the answers.
        steps: begins the answer to a question; each step is a better one. By default, a
            :class:`Question` is answered by its method.
        share: how much of the work is behind an answer, 0 to 1; by default what a result tells.
        urgent: whether it comes before other work.
        keep: how many complete answers are kept, the newest.
        rests: how many that were only begun are kept, the newest; each holds what it computes with.

    Attributes:
        question: the newest; ``None`` before one was asked.
        answer: to it, so far; ``None`` before the first step.
        progress: a :class:`Progress`; ``"complete"`` before a question was asked.
    """

    answer = traitlets.Any(read_only=True)
    progress = traitlets.Instance(Progress, args=("complete",), read_only=True)

    def __init__(
        self,
        worker: Worker,
        steps: Callable[[Asked], Iterator[Answer]] = Question.steps,  # type: ignore[assignment]
        share: Callable[[Answer], float] = share_of,
        urgent: bool = False,
        keep: int = 200,
        rests: int = 2,
    ) -> None:
        super().__init__()
        self.question: Asked | None = None
        self._worker, self._share = worker, share
        self._task = worker.task(steps, self._show, self._fail, urgent=urgent, rests=rests)
        self._known: dict[Asked, Answer] = {}
        self._keep = keep
        self._clock = Clock(0.0)
        self._error: Exception | None = None
        self._viewers = 0
        self._waits = 0

    def ask(self, question: Asked) -> None:
        """Answer this from now on."""
        with self._worker.lock:
            self.question, self._error = question, None
            known = self._known.get(question)
            if known is not None:
                self._task.leave()
                progress = Progress("complete", 1.0)
            elif self._worker.closed:
                self._error = ValueError(CLOSED)
                progress = Progress("failed", message=CLOSED)
            else:
                known = self._task.request(question)
                progress = Progress("computing", 0.0 if known is None else self._share(known))
            self._clock = Clock(progress.share)
            self.set_trait("answer", known)
            self.set_trait("progress", progress)

    def drop(self) -> None:
        """Ask nothing more, and forget what was only begun."""
        with self._worker.lock:
            self._task.drop()
            self.question = None
            self.set_trait("answer", None)
            self.set_trait("progress", Progress("complete"))

    def abandon(self) -> None:
        """Forget what was only begun, and keep complete answers."""
        with self._worker.lock:
            self._task.drop()

    def forget(self) -> None:
        """Forget all answers, as they are of something else now."""
        with self._worker.lock:
            self._task.drop()
            self._known.clear()

    def known(self) -> dict[Asked, Answer]:
        """The complete answers by question."""
        with self._worker.lock:
            return dict(self._known)

    def wait(self, timeout: float | None = None) -> Answer | None:
        """Wait until the answer is complete, or its computation was stopped.

        Args:
            timeout: in seconds; ``None`` waits as long as it takes.

        Returns:
            The answer; partial when the time ran out, ``None`` before the first step.

        Raises:
            Exception: what ended the computation, when it failed.
        """
        with self._worker.lock:
            self._waits += 1
            if self.progress.state == "computing":
                self._go_on()
        try:
            self._task.wait(timeout)
        finally:
            with self._worker.lock:
                self._waits -= 1
        if self._error is not None:
            raise self._error
        answer: Answer | None = self.answer
        return answer

    def at(self, question: Asked) -> Answer:
        """The complete answer to a question, computed now, from where it rests, unless it is known.

        What is computed for the views rests meanwhile.

        Raises:
            ValueError: when it is not known and the study is closed.
        """
        if question == self.question and not self._worker.closed:
            self.resume()
            self.wait()
        if question not in self._known:
            if self._worker.closed:
                raise ValueError(CLOSED)
            self._task.stop()
            try:
                answer = deque(self._task.take(question), maxlen=1).pop()
                with self._worker.lock:
                    self._keep_answer(question, answer)
                return answer
            finally:
                with self._worker.lock:
                    if self.progress.state == "computing":
                        self._go_on()
        return self._known[question]

    def stop(self) -> None:
        """Stop computing within one step, and keep the answer so far."""
        with self._worker.lock:
            if self.progress.state == "computing":
                self._task.stop()
                self.set_trait("progress", replace(self.progress, state="stopped"))

    def resume(self) -> None:
        """Go on after :meth:`stop`."""
        with self._worker.lock:
            if self.progress.state == "stopped" and not self._worker.closed:
                self.set_trait("progress", replace(self.progress, state="computing"))
                self._go_on()

    def watched(self, viewers: int) -> None:
        """Tell that the number of views on screen changed by ``viewers``.

        When there is none, as when the last one's cell is run again, the work rests until one
        comes back.
        """
        with self._worker.lock:
            self._viewers = max(0, self._viewers + viewers)
            if self.progress.state != "computing":
                return
            if self._viewers == 0 and not self._waits:
                self._task.stop()
            elif viewers > 0:
                self._go_on()

    def _go_on(self) -> None:
        self._clock = Clock(self.progress.share)
        self._task.resume()

    def _keep_answer(self, question: Asked, answer: Answer) -> None:
        self._known[question] = answer
        while len(self._known) > self._keep:
            del self._known[next(iter(self._known))]

    def _show(self, answer: Answer, last: bool) -> None:
        if last and self.question is not None:
            self._keep_answer(self.question, answer)
        self.set_trait("answer", answer)
        if last:
            self.set_trait("progress", Progress("complete", 1.0))
        else:
            share = self._share(answer)
            left = self._clock.seconds_left(share)
            self.set_trait("progress", Progress(self.progress.state, share, left))

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
