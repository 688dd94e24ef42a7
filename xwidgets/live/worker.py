"""One thread that works on several tasks, of each the newest request, and never shows an older."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar, cast

Request = TypeVar("Request", bound=Hashable)
Partial = TypeVar("Partial")


class Worker:
    """A thread behind the user's back, in which tasks take turns of one step.

    Attributes:
        lock: held while results are shown, whatever the task.

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

    def __init__(self) -> None:
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
        """A kind of computation, of which the newest request counts.

        Args:
            steps: begins the computation of a request; each step is a partial result.
            show: takes a request's newest partial result, and whether it is the last; at most
                ``rate`` times a second.
            fail: takes the exception that ended a computation.
            rate: of showing, in Hz.
            urgent: whether its turns come before those of tasks that are not.
            rests: how many computations that were replaced before their end rest, the newest, so
                that the same request goes on from there.
        """
        with self.lock:
            task = Task(self, steps, show, fail, rate, urgent, rests)
            self._tasks.append(task)
        return task

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def close(self) -> None:
        """Drop everything and end the thread, which takes up to one step."""
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
                self.changed.wait_for(lambda: self._closed or any(t.ready for t in self._tasks))
                ready = [task for task in self._tasks if task.ready]
                if self._closed and not ready:
                    break
                task = min(ready, key=lambda task: not task.urgent)
                self._tasks.remove(task)
                self._tasks.append(task)
            task.turn()
        atexit.unregister(self._end)


class Computation(Generic[Request, Partial]):
    """What was begun for a request; its steps are begun, taken and ended by the worker's thread."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.steps: Iterator[Partial] | None = None  # before the first step
        self.newest: Partial | None = None  # its newest result
        self.due = False  # whether that was not shown yet
        self.shown = -math.inf  # when something was


class Task(Generic[Request, Partial]):
    """A kind of computation of a :class:`Worker`.

    A request replaces the one before; what ran for that one rests, or is dropped, before its next
    step. Results are shown under the worker's lock, after a look whether they still belong to the
    newest request, so that whoever holds the lock while making a request never sees an older result
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
        self._begun: dict[Request, Computation[Request, Partial]] = {}  # it and those that rest
        self._dropped: list[Computation[Request, Partial]] = []  # not yet ended by the thread
        self._turning: object = None  # what the thread has in hand during a turn

    def request(self, request: Request) -> Partial | None:
        """Compute this now, whatever was asked for before.

        Returns:
            Its newest partial result, when it was begun before and goes on from there.

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
        """Compute nothing now; what ran rests."""
        with self._changed:
            self._current = None
            self._let_rest()

    def drop(self) -> None:
        """Forget what waits, runs or rests."""
        with self._changed:
            self._current = None
            self._dropped += self._begun.values()
            self._begun.clear()
            self._changed.notify_all()

    def take(self, request: Request) -> Iterator[Partial]:
        """The steps of a request for whoever calls to compute, from where it rests.

        What rests is taken away, between two steps; its newest result comes first.
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
        """Rest before the next step, keeping what was computed, until :meth:`resume`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Go on after :meth:`stop`."""
        with self._changed:
            self._stopped = False
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do, or it was stopped; False when the time ran out."""
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
        """Whether there is something to do in a turn."""
        return bool(self._dropped) or self._at_hand is not None

    def turn(self) -> None:
        """End what was dropped, go on by one step, and show it when it is time."""
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
        """What is to go on, or to be shown once more before it rests."""
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
                except Exception:  # whoever listens is broken; the thread must go on
                    logging.getLogger(__name__).exception("a failure could not be shown")
                self._finish(current)

    def _forget(self, current: Computation[Request, Partial]) -> None:
        if self._begun.get(current.request) is current:
            del self._begun[current.request]

    def _finish(self, current: Computation[Request, Partial]) -> None:
        if current is self._current:  # or else a listener has made a request
            self._current = None

    def _let_rest(self) -> None:
        """Drop what rests beyond what may."""
        resting = [one for one in self._begun.values() if one is not self._current]
        for oldest in resting[: max(0, len(resting) - self._rests)]:
            self._dropped.append(self._begun.pop(oldest.request))
        self._changed.notify_all()


_END = object()
