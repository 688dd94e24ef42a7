"""Live results: answers to questions, computed in a background thread, that grow as traits."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import traitlets

if TYPE_CHECKING:
    from xwidgets.explain import Method
    from xwidgets.explain.run import SteadyRun
    from xwidgets.networks.subject import Subject
    from xwidgets.networks.target import Resolved

    from .worker import Worker

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


CLOSED = "this study is closed; make a new one with xw.Study(net, image)"


@dataclass(frozen=True)
class Question:
    """Image in a network, target and method whose result is asked for.

    Attributes:
        subject: the image in the network.
        target: of the subject, as of :meth:`Subject.target`.
        method: explains the target.
    """

    subject: Subject
    target: Resolved
    method: Method[Any]

    def run(self) -> SteadyRun[Any]:
        """Start the computation, which follows the weights."""
        return self.method.on(self.subject, [self.target], follows=True)

    def steps(self, ended: Callable[[Hashable], None] | None = None) -> Growth:
        """Yield the result as it grows; ``ended`` is told of which weights the last one is."""
        return Growth(self.run, ended)


class Growth(Iterator[Any]):
    """Results of a run as they grow, one a step.

    Args:
        begin: starts the run, at the first step.
        ended: is told of which weights the last result is, a :attr:`Network.state`.
    """

    def __init__(
        self,
        begin: Callable[[], SteadyRun[Any]],
        ended: Callable[[Hashable], None] | None = None,
    ) -> None:
        self._begin, self._ended = begin, ended
        self._run: SteadyRun[Any] | None = None
        self._steps: Iterator[None] = iter(())

    def __next__(self) -> Any:
        if self._run is None:
            self._run = self._begin()
            self._steps = self._run.steps()
        try:
            next(self._steps)
        except BaseException as error:
            ended, self._ended = self._ended, None
            if isinstance(error, StopIteration) and ended is not None:
                ended(self._run.state)
            raise
        return self._run.results()[0]

    def rest(self) -> None:
        """Free what the next step makes again."""
        if self._run is not None:
            self._run.rest()


def share_of(result: Any) -> float:
    """Share of the work behind a result; 0 for a result without ``completed``."""
    share: float = getattr(result, "completed", 0.0)
    return share


@dataclass(frozen=True)
class Progress:
    """Progress of the work on a question.

    Attributes:
        state: ``"computing"``, ``"stopped"``, ``"complete"`` or ``"failed"``.
        share: 0 to 1.
        seconds_left: estimated from the speed so far; ``None`` before that is known.
        message: of the error, when it failed; else "".
        first_look: seconds until something is known of every pixel of a map, 0 from then on;
            ``None`` before that can be estimated, and for what is no map.
        readable: whether a map that grows can be read already, see
            :attr:`xwidgets.Relevance.readable`.
    """

    state: str
    share: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    first_look: float | None = None
    readable: bool = False


def progress_of(answer: Any, state: str, share: float, left: float | None = None) -> Progress:
    """Progress of an answer that grows, with what a map among them tells of itself.

    The first sweep of windows over a picture covers ever more of it at an even pace, so the first
    look is due when the covered share has grown to 1.

    Example:
        >>> from types import SimpleNamespace
        >>> half = SimpleNamespace(covered=0.5, readable=False)
        >>> progress_of(half, "computing", share=0.1, left=90.0).first_look
        10.0
    """
    covered = getattr(answer, "covered", None)
    look = None
    if covered == 1:
        look = 0.0
    elif covered and left is not None and share < 1:
        look = share * (1 / covered - 1) * left / (1 - share)
    readable = bool(getattr(answer, "readable", False))
    return Progress(state, share, left, first_look=look, readable=readable)


class LiveResult(traitlets.HasTraits, Generic[Asked, Answer]):
    """Answer to the newest question of one kind, which grows; answers are cached.

    When a question is asked again, its complete answer is there at once; a partial one is there as
    it was, and its computation continues.

    Args:
        worker: computes the answers.
        steps: takes a question and yields better and better answers. By default, a
            :class:`Question` is answered by its method.
        share: takes an answer and returns the share of the work behind it, 0 to 1; by default its
            ``completed``.
        urgent: whether its steps come before those of other live results.
        keep: number of complete answers that are cached, the newest.
        rests: number of suspended computations that are kept, the newest; each holds its result,
            and what it does not free at rest.

    Attributes:
        question: the newest; ``None`` before the first.
        answer: to the question, so far; ``None`` before the first step.
        progress: a :class:`Progress`; ``"complete"`` before the first question.
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
        """Replace the question, and start or resume the computation of its answer."""
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
                share = 0.0 if known is None else self._share(known)
                progress = progress_of(known, "computing", share)
            self._clock = Clock(progress.share)
            self.set_trait("answer", known)
            self.set_trait("progress", progress)

    def drop(self) -> None:
        """Clear the question, and discard partial answers."""
        with self._worker.lock:
            self._task.drop()
            self.question = None
            self.set_trait("answer", None)
            self.set_trait("progress", Progress("complete"))

    def abandon(self) -> None:
        """Discard partial answers, and keep complete ones."""
        with self._worker.lock:
            self._task.drop()

    def forget(self) -> None:
        """Discard all answers, as when the network has changed."""
        with self._worker.lock:
            self._task.drop()
            self._known.clear()

    def outdate(self) -> None:
        """Discard complete answers, and keep partial ones."""
        with self._worker.lock:
            self._known.clear()

    @property
    def viewed(self) -> bool:
        """Whether a view is on screen."""
        return self._viewers > 0

    def known(self) -> dict[Asked, Answer]:
        """Complete answers, by question."""
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
        """Complete answer to a question, from the cache or computed now in the calling thread.

        A suspended computation of it is continued; that of the current question is suspended
        meanwhile.

        Raises:
            ValueError: when it is not cached and the study is closed, within a step.
        """
        if question == self.question and not self._worker.closed:
            self.resume()
            self.wait()
        if question not in self._known:
            if self._worker.closed:
                raise ValueError(CLOSED)
            self._task.stop()
            try:
                for answer in self._task.take(question):  # noqa: B007 the last is complete
                    if self._worker.closed:
                        raise ValueError(CLOSED)
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
        """Continue after :meth:`stop`."""
        with self._worker.lock:
            if self.progress.state == "stopped" and not self._worker.closed:
                self.set_trait("progress", replace(self.progress, state="computing"))
                self._go_on()

    def watched(self, viewers: int) -> None:
        """Change the number of views on screen by ``viewers``.

        Without any view, as while its cell is run again, the computation is suspended until one
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
            self.set_trait("progress", progress_of(answer, self.progress.state, share, left))

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.set_trait("progress", Progress("failed", message=str(error) or repr(error)))


class Clock:
    """Estimate of the remaining time from the pace since it was made, at ``share`` of the work."""

    def __init__(self, share: float) -> None:
        self._share, self._time = share, time.monotonic()

    def seconds_left(self, share: float) -> float | None:
        """Seconds until the share is 1; ``None`` before any progress."""
        if share <= self._share:
            return None
        return (1 - share) * (time.monotonic() - self._time) / (share - self._share)
