"""One thread that works on several tasks, of each the newest request, and never shows an older."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Request = TypeVar("Request")
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
    ) -> Task[Request, Partial]:
        """A kind of computation, of which the newest request counts.

        Args:
            steps: begins the computation of a request; each step is a partial result.
            show: takes a request's newest partial result, and whether it is the last; at most
                ``rate`` times a second.
            fail: takes the exception that ended a computation.
            rate: of showing, in Hz.
            urgent: whether its turns come before those of tasks that are not.
        """
        with self.lock:
            task = Task(self, steps, show, fail, rate, urgent)
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


class Task(Generic[Request, Partial]):
    """A kind of computation of a :class:`Worker`.

    A request replaces whatever waits or runs; what ran is dropped before its next step. Results are
    shown under the worker's lock, after a look whether they still belong to the newest request, so
    that whoever holds the lock while making a request never sees an older result afterwards.
    """

    def __init__(
        self,
        worker: Worker,
        steps: Callable[[Request], Iterator[Partial]],
        show: Callable[[Partial, bool], None],
        fail: Callable[[Exception], None],
        rate: float,
        urgent: bool,
    ) -> None:
        self.urgent = urgent
        self._worker, self._changed = worker, worker.changed
        self._steps, self._show, self._fail = steps, show, fail
        self._interval = 1 / rate
        self._waiting: list[Request] = []
        self._stopped = False
        self._generation = 0  # of the newest request
        self._begun = 0  # the generation of what runs
        self._busy = False  # whether something runs
        self._running: Iterator[Partial] = iter(())
        self._newest: Any = None  # its newest result
        self._due = False  # whether that was not shown yet
        self._shown = 0.0  # when something was

    def request(self, request: Request) -> None:
        """Compute this now, whatever was asked for before.

        Raises:
            RuntimeError: when the worker is closed.
        """
        with self._changed:
            if self._worker.closed:
                raise RuntimeError("this worker is closed; make a new one")
            self._generation += 1
            self._waiting = [request]
            self._stopped = False
            self._changed.notify_all()

    def drop(self) -> None:
        """Forget what waits or runs."""
        with self._changed:
            self._generation += 1
            self._waiting = []
            self._changed.notify_all()

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
                lambda: self._stopped or self._worker.closed or not (self._busy or self._waiting),
                timeout,
            )

    @property
    def ready(self) -> bool:
        """Whether there is something to do in a turn."""
        if self._busy:
            return not self._stopped or self._due or self._begun != self._generation
        return bool(self._waiting)

    def turn(self) -> None:
        """Begin what waits, or go on with what runs by one step, and show it when it is time."""
        with self._changed:
            if self._busy and self._begun != self._generation:
                self._finish()
                return
            if not (self._busy or self._waiting):  # it was dropped before its turn came
                return
            waiting, self._waiting = self._waiting, []
            self._busy, self._begun = True, self._generation
        try:
            if waiting:
                self._running, self._shown = self._steps(waiting[0]), -math.inf
            if not (self._due and self._stopped):
                self._step()
            self._look()
        except Exception as error:
            self._report(error)
            self._finish()

    def _step(self) -> None:
        partial = next(self._running, _END)
        with self._changed:
            if partial is not _END:
                self._newest, self._due = partial, True
            elif self._begun == self._generation:
                self._show(self._newest, True)
                self._finish()

    def _look(self) -> None:
        with self._changed:
            now = time.monotonic()
            current = self._due and self._begun == self._generation
            if current and (self._stopped or now - self._shown >= self._interval):
                self._due, self._shown = False, now
                self._show(self._newest, False)

    def _finish(self) -> None:
        with self._changed:
            self._running, self._newest, self._due, self._busy = iter(()), None, False, False
            self._changed.notify_all()

    def _report(self, error: Exception) -> None:
        with self._changed:
            if self._begun == self._generation:
                try:
                    self._fail(error)
                except Exception:  # whoever listens is broken; the thread must go on
                    logging.getLogger(__name__).exception("a failure could not be shown")


_END = object()
