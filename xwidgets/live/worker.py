"""Worker thread for several tasks, which computes the newest request of each."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar, cast

from xwidgets.suspendable import Suspendable

_IDLE = 1.0  # seconds

Request = TypeVar("Request", bound=Hashable)
Partial = TypeVar("Partial")
Owner = TypeVar("Owner")


class Worker:
    """Background thread in which tasks take turns of one step.

    The worker holds its owner and its tasks weakly, and while it computes a step it holds nothing
    of the task but that step: a task that nobody holds ends, and without its owner the worker ends.

    Args:
        owner: whom it works for; ``None`` for a worker that goes on until it is closed.
        idle: called with the owner every second in which there is nothing to do.

    Attributes:
        lock: held while results of any task are shown.

    Example:
        >>> import queue
        >>> shown: queue.Queue[int] = queue.Queue()
        >>> worker = Worker()
        >>> task = worker.task(lambda n: iter(range(n)), lambda part, last: shown.put(part), print)
        >>> task.request(3)
        >>> task.wait()
        True
        >>> shown.queue[-1]
        2
        >>> worker.close()
    """

    def __init__(
        self, owner: Owner | None = None, idle: Callable[[Owner], None] = lambda _: None
    ) -> None:
        self._owner = None if owner is None else weakref.ref(owner)
        self._idle: Callable[[Any], None] = idle
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._tasks: list[weakref.ref[Task[Any, Any]]] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="xwidgets-worker", daemon=True)
        self._thread.start()
        atexit.register(self._end)  # a thread inside torch must not outlive the interpreter

    def task(
        self,
        steps: Callable[[Request], Iterator[Partial]],
        show: Callable[[Partial, bool], None],
        fail: Callable[[Exception], None],
        rate: float = 10.0,
        urgent: bool = False,
        rests: int = 0,
    ) -> Task[Request, Partial]:
        """Task of this worker: one kind of computation, for its newest request.

        Args:
            steps: takes a request and yields partial results, in a generator that holds no owner.
            show: takes the newest partial result, and whether it is the last; called at most
                ``rate`` times a second.
            fail: takes the exception that ended a computation; a ``RuntimeError`` in place of one
                that would end a program, such as ``SystemExit``.
            rate: of calls of ``show``, in Hz.
            urgent: whether its turns come before those of tasks that are not urgent.
            rests: number of suspended computations that are kept, the newest, and continued when
                their request is made again.
        """
        with self.lock:
            task = Task(self, steps, show, fail, rate, urgent, rests)
            self._tasks.append(weakref.ref(task))
        return task

    @property
    def closed(self) -> bool:
        """Whether the worker is closed."""
        return self._closed

    def close(self) -> None:
        """Discard all computations and end the thread, within one step."""
        with self.changed:
            self._closed = True
            for task in self._alive():
                task.drop()
            self.changed.notify_all()

    def join(self) -> None:
        """Wait until the thread of a closed worker has ended."""
        self._thread.join()

    def _end(self) -> None:
        self.close()
        self.join()

    def _run(self) -> None:
        while True:
            with self.changed:
                turn = self._begin()
                if turn is None and self._closed:
                    break
                idle = turn is None and not self.changed.wait(_IDLE)
            if turn is not None:
                turn.compute()
                turn.end()
            elif idle:
                self._rest()
        atexit.unregister(self._end)

    def _begin(self) -> Turn | None:
        """Turn of the task that waits longest, the urgent ones first; ``None`` for none."""
        if self._owner is not None and self._owner() is None:
            self.close()
        ready = [task for task in self._alive() if task.ready]
        if not ready:
            return None
        task = min(ready, key=lambda task: not task.urgent)
        last = weakref.ref(task)
        self._tasks = [held for held in self._tasks if held() not in (None, task)] + [last]
        return task.begin()

    def _rest(self) -> None:
        owner = self if self._owner is None else self._owner()
        if owner is not None:
            try:
                self._idle(owner)
            except BaseException:  # the thread must go on
                logging.getLogger(__name__).exception("what the worker does when idle failed")

    def _alive(self) -> list[Task[Any, Any]]:
        return [task for held in self._tasks if (task := held()) is not None]


class Computation(Generic[Request, Partial]):
    """Computation of a request; its generator is run by the worker's thread alone.

    Args:
        request: what is computed.
        begin: takes the request and yields partial results.
    """

    def __init__(self, request: Request, begin: Callable[[Request], Iterator[Partial]]) -> None:
        self.request = request
        self.steps: Iterator[Partial] | None = None  # before the first step
        self.newest: Partial | None = None  # its newest result
        self.due = False  # whether the newest result was not shown yet
        self.shown = -math.inf  # time of the last call of show
        self._begin: Callable[[Request], Iterator[Partial]] | None = begin

    def step(self) -> Partial | object:
        """Compute a step; ``_END`` after the last one."""
        if self._begin is not None:
            self.steps, self._begin = self._begin(self.request), None
        assert self.steps is not None
        return next(self.steps, _END)

    def rest(self) -> None:
        """Free what the next step makes again."""
        if isinstance(self.steps, Suspendable):
            self.steps.rest()


class Turn:
    """Turn of a task: what it closes, rests and computes, without a hold on the task meanwhile."""

    def __init__(
        self,
        task: Task[Any, Any],
        computation: Computation[Any, Any] | None,
        computes: bool,
        dropped: list[Computation[Any, Any]],
        resting: list[Computation[Any, Any]],
    ) -> None:
        self._task = weakref.ref(task)
        self.computation = computation
        self.computes, self._dropped, self._resting = computes, dropped, resting
        self.outcome: Any = None  # of the step
        self.error: BaseException | None = None

    def compute(self) -> None:
        """Close discarded computations, rest suspended ones, and run a step of the current one."""
        self._dropped.clear()  # here generators end, in this thread and between two steps
        for suspended in self._resting:
            try:
                suspended.rest()
            except BaseException:  # the thread must go on
                logging.getLogger(__name__).exception("a suspended computation could not rest")
        if self.computation is not None and self.computes:
            try:
                self.outcome = self.computation.step()
            except BaseException as error:  # a network that exits must not end the thread
                self.error = error

    def touches(self, computation: Computation[Any, Any]) -> bool:
        """Whether the thread may be within this computation."""
        return computation is self.computation or computation in self._resting

    def end(self) -> None:
        """Show what was computed, when it is due."""
        task = self._task()
        if task is not None:
            task.end(self)


class Task(Generic[Request, Partial]):
    """Task of a :class:`Worker`: one kind of computation, for its newest request.

    A request replaces the one before, whose computation is suspended, or discarded, before its next
    step. Results are shown under the worker's lock, after a check that they belong to the newest
    request; so a caller that holds the lock while making a request never sees an older result
    afterwards.
    """

    def __init__(
        self,
        worker: Worker,
        steps: Callable[[Request], Iterator[Partial]],
        show: Callable[[Partial, bool], None],
        fail: Callable[[Exception], None],
        rate: float,
        urgent: bool,
        rests: int,
    ) -> None:
        self.urgent = urgent
        self._worker, self._changed = worker, worker.changed
        self._steps, self._show, self._fail = steps, show, fail
        self._interval = 1 / rate
        self._rests = rests
        self._stopped = False
        self._current: Computation[Request, Partial] | None = None  # of the newest request
        self._begun: dict[Request, Computation[Request, Partial]] = {}  # current and suspended
        self._dropped: list[Computation[Request, Partial]] = []  # not yet ended by the thread
        self._resting: list[Computation[Request, Partial]] = []  # suspended since the last turn
        self._turning: Turn | None = None  # what the thread works on

    def request(self, request: Request) -> Partial | None:
        """Compute this request now, in place of the one before.

        Returns:
            Its newest partial result, when its computation is continued; else ``None``.

        Raises:
            RuntimeError: when the worker is closed.
        """
        with self._changed:
            if self._worker.closed:
                raise RuntimeError("this worker is closed; make a new one")
            current = self._begun.pop(request, None) or Computation(request, self._steps)
            self._begun[request] = current
            self._stopped = False
            self._turn_to(current)
            return current.newest

    def leave(self) -> None:
        """Suspend the current computation, without another."""
        with self._changed:
            self._turn_to(None)

    def drop(self) -> None:
        """Discard the current and all suspended computations."""
        with self._changed:
            self._current = None
            self._dropped += self._begun.values()
            self._begun.clear()
            self._resting.clear()
            self._changed.notify_all()

    def take(self, request: Request) -> Iterator[Partial]:
        """Steps of a request for the calling thread, continued where the task suspended it.

        A suspended computation is taken from the task; its newest result comes first.
        """
        with self._changed:
            resting = self._begun.get(request)
            if resting is None or resting.steps is None or resting is self._current:
                return self._steps(request)
            del self._begun[request]
            self._resting = [other for other in self._resting if other is not resting]
            self._changed.wait_for(
                lambda: self._turning is None or not self._turning.touches(resting)
            )
            known = () if resting.newest is None else (resting.newest,)
            return chain(known, resting.steps)

    def stop(self) -> None:
        """Pause before the next step, until :meth:`resume`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Continue after :meth:`stop`."""
        with self._changed:
            self._stopped = False
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do, or the task is stopped; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(
                lambda: (
                    self._stopped
                    or self._worker.closed
                    or not (self._current or self._dropped or self._resting or self._turning)
                ),
                timeout,
            )

    @property
    def ready(self) -> bool:
        """Whether a turn has something to do."""
        return bool(self._dropped or self._resting) or self._at_hand is not None

    def begin(self) -> Turn:
        """Turn of the worker's thread; :meth:`end` ends it."""
        dropped, self._dropped = self._dropped, []
        resting, self._resting = self._resting, []
        current = self._at_hand
        computes = current is not None and not (current.due and self._stopped)
        self._turning = Turn(self, current, computes, dropped, resting)
        return self._turning

    def end(self, turn: Turn) -> None:
        """Take over what was computed in a turn, and show it when it is due."""
        current = turn.computation
        if current is not None and turn.error is not None:
            self._report(current, turn.error)
        elif current is not None:
            try:
                if turn.computes:
                    self._keep(current, turn.outcome)
                self._look(current)
            except BaseException as error:
                self._report(current, error)
        with self._changed:
            self._turning = None
            self._changed.notify_all()

    @property
    def _at_hand(self) -> Computation[Request, Partial] | None:
        """Computation that continues, or is to be shown once more before it pauses."""
        current = self._current
        return None if current is None or (self._stopped and not current.due) else current

    def _keep(self, current: Computation[Request, Partial], outcome: Any) -> None:
        with self._changed:
            if outcome is not _END:
                current.newest, current.due = outcome, True
            elif current is self._current:
                self._forget(current)
                self._show(cast(Partial, current.newest), True)
                self._finish(current)

    def _look(self, current: Computation[Request, Partial]) -> None:
        with self._changed:
            now = time.monotonic()
            due = current.due and current is self._current
            if due and (self._stopped or now - current.shown >= self._interval):
                current.due, current.shown = False, now
                self._show(cast(Partial, current.newest), False)

    def _report(self, current: Computation[Request, Partial], error: BaseException) -> None:
        with self._changed:
            self._forget(current)
            if current is self._current:
                try:
                    self._fail(reported(error))
                except BaseException:  # an observer is broken; the thread must go on
                    logging.getLogger(__name__).exception("a failure could not be shown")
                self._finish(current)

    def _forget(self, current: Computation[Request, Partial]) -> None:
        if self._begun.get(current.request) is current:
            del self._begun[current.request]

    def _finish(self, current: Computation[Request, Partial]) -> None:
        if current is self._current:  # otherwise an observer has made a request
            self._current = None

    def _turn_to(self, current: Computation[Request, Partial] | None) -> None:
        """Suspend the others, and discard the oldest of them beyond the number that is kept."""
        before, self._current = self._current, current
        suspended = [other for other in self._begun.values() if other is not current]
        kept = max(0, len(suspended) - self._rests)
        for oldest in suspended[:kept]:
            self._dropped.append(self._begun.pop(oldest.request))
        fresh = [*self._resting, before]
        self._resting = [other for other in suspended[kept:] if other in fresh]
        self._changed.notify_all()


_END = object()


def reported(error: BaseException) -> Exception:
    """``error``, or one that can be raised elsewhere where it would end a program.

    Example:
        >>> reported(SystemExit(3))
        RuntimeError('SystemExit(3) was raised while it was computed; ...')
    """
    if isinstance(error, Exception):
        return error
    told = RuntimeError(
        f"{error!r} was raised while it was computed; a network or method must not end the program"
    )
    told.__cause__ = error
    return told
