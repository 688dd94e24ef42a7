"""Worker thread for several tasks, which computes the newest request of each."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar, cast

_IDLE = 1.0  # seconds

Request = TypeVar("Request", bound=Hashable)
Partial = TypeVar("Partial")


class Worker:
    """Background thread in which tasks take turns of one step.

    Args:
        idle: called every second in which there is nothing to do.

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

    def __init__(self, idle: Callable[[], None] = lambda: None) -> None:
        self._idle = idle
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._tasks: list[Task[Any, Any]] = []
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
            steps: takes a request and yields partial results.
            show: takes the newest partial result, and whether it is the last; called at most
                ``rate`` times a second.
            fail: takes the exception that ended a computation.
            rate: of calls of ``show``, in Hz.
            urgent: whether its turns come before those of tasks that are not urgent.
            rests: number of suspended computations that are kept, the newest, and continued when
                their request is made again.
        """
        with self.lock:
            task = Task(self, steps, show, fail, rate, urgent, rests)
            self._tasks.append(task)
        return task

    @property
    def closed(self) -> bool:
        """Whether the worker is closed."""
        return self._closed

    def close(self) -> None:
        """Discard all computations and end the thread, within one step."""
        with self.changed:
            self._closed = True
            for task in self._tasks:
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
                called = self.changed.wait_for(
                    lambda: self._closed or any(task.ready for task in self._tasks), _IDLE
                )
                ready = [task for task in self._tasks if task.ready]
                if self._closed and not ready:
                    break
                if called:
                    task = min(ready, key=lambda task: not task.urgent)
                    self._tasks.remove(task)
                    self._tasks.append(task)
            if called:
                task.turn()
            else:
                try:
                    self._idle()
                except Exception:  # the thread must go on
                    logging.getLogger(__name__).exception("what the worker does when idle failed")
        atexit.unregister(self._end)


class Computation(Generic[Request, Partial]):
    """Computation of a request; its generator is run and closed by the worker's thread alone."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.steps: Iterator[Partial] | None = None  # before the first step
        self.newest: Partial | None = None  # its newest result
        self.due = False  # whether the newest result was not shown yet
        self.shown = -math.inf  # time of the last call of show


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
        self._turning: object = None  # what the thread works on during a turn

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
            self._current = self._begun.pop(request, None) or Computation(request)
            self._begun[request] = self._current
            self._stopped = False
            self._let_rest()
            return self._current.newest

    def leave(self) -> None:
        """Suspend the current computation, without another."""
        with self._changed:
            self._current = None
            self._let_rest()

    def drop(self) -> None:
        """Discard the current and all suspended computations."""
        with self._changed:
            self._current = None
            self._dropped += self._begun.values()
            self._begun.clear()
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
            self._changed.wait_for(lambda: self._turning is not resting)
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
                    or not (self._current or self._dropped or self._turning)
                ),
                timeout,
            )

    @property
    def ready(self) -> bool:
        """Whether a turn has something to do."""
        return bool(self._dropped) or self._at_hand is not None

    def turn(self) -> None:
        """Close discarded computations, run one step of the current one, and show it when due."""
        with self._changed:
            dropped, self._dropped = self._dropped, []
            current = self._at_hand
            self._turning = current or dropped
        dropped.clear()  # here generators end, in this thread and between two steps
        if current is not None:
            try:
                self._step(current)
                self._look(current)
            except Exception as error:
                self._report(current, error)
        with self._changed:
            self._turning = None
            self._changed.notify_all()

    @property
    def _at_hand(self) -> Computation[Request, Partial] | None:
        """Computation that continues, or is to be shown once more before it pauses."""
        current = self._current
        return None if current is None or (self._stopped and not current.due) else current

    def _step(self, current: Computation[Request, Partial]) -> None:
        if current.due and self._stopped:
            return
        if current.steps is None:
            current.steps = self._steps(current.request)
        partial: Any = next(current.steps, _END)
        with self._changed:
            if partial is not _END:
                current.newest, current.due = partial, True
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

    def _report(self, current: Computation[Request, Partial], error: Exception) -> None:
        with self._changed:
            self._forget(current)
            if current is self._current:
                try:
                    self._fail(error)
                except Exception:  # an observer is broken; the thread must go on
                    logging.getLogger(__name__).exception("a failure could not be shown")
                self._finish(current)

    def _forget(self, current: Computation[Request, Partial]) -> None:
        if self._begun.get(current.request) is current:
            del self._begun[current.request]

    def _finish(self, current: Computation[Request, Partial]) -> None:
        if current is self._current:  # otherwise an observer has made a request
            self._current = None

    def _let_rest(self) -> None:
        """Discard the oldest suspended computations beyond the number that is kept."""
        begun = self._begun.values()
        resting = [computation for computation in begun if computation is not self._current]
        for oldest in resting[: max(0, len(resting) - self._rests)]:
            self._dropped.append(self._begun.pop(oldest.request))
        self._changed.notify_all()


_END = object()
