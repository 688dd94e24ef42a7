"""One thread that computes the newest request, and never shows an older one."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Request = TypeVar("Request")
Partial = TypeVar("Partial")


class Worker(Generic[Request, Partial]):
    """Runs growing computations behind the user's back, the newest request only.

    A request replaces whatever waits or runs; what ran is dropped before its next step. Results are
    shown under :attr:`lock`, after a look whether they still belong to the newest request, so that
    whoever holds the lock while making a request never sees an older result afterwards.

    Args:
        steps: begins the computation of a request; each step is a partial result.
        show: takes a request's newest partial result, and whether it is the last; at most ``rate``
            times a second.
        fail: takes the exception that ended a computation.
        rate: of showing, in Hz.

    Attributes:
        lock: held while ``show`` and ``fail`` run.

    Example:
        >>> import queue
        >>> shown: queue.Queue[int] = queue.Queue()
        >>> worker = Worker(lambda n: iter(range(n)), lambda part, last: shown.put(part), print)
        >>> worker.request(3)
        >>> worker.wait()
        True
        >>> shown.queue[-1]
        2
        >>> worker.close()
    """

    def __init__(
        self,
        steps: Callable[[Request], Iterator[Partial]],
        show: Callable[[Partial, bool], None],
        fail: Callable[[Exception], None],
        rate: float = 10.0,
    ) -> None:
        self.lock = threading.RLock()
        self._steps, self._show, self._fail = steps, show, fail
        self._interval = 1 / rate
        self._changed = threading.Condition(self.lock)
        self._waiting: list[Request] = []
        self._generation = 0
        self._busy = False
        self._stopped = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="xwidgets-worker", daemon=True)
        self._thread.start()
        atexit.register(self._end)  # a thread inside torch must not outlive the interpreter

    def request(self, request: Request) -> None:
        """Compute this now, whatever was asked for before.

        Raises:
            RuntimeError: when the worker is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("this worker is closed; make a new one")
            self._generation += 1
            self._waiting = [request]
            self._stopped = False
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

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
                lambda: self._stopped or self._closed or not (self._busy or self._waiting), timeout
            )

    def close(self) -> None:
        """Drop everything and end the thread, which takes up to one step."""
        with self._changed:
            self._closed = True
            self.drop()

    def join(self) -> None:
        """Wait until the thread of a closed worker has ended."""
        self._thread.join()

    def _end(self) -> None:
        self.close()
        self.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    break
                request, generation = self._waiting.pop(), self._generation
                self._busy = True
            try:
                self._compute(request, generation)
            except Exception as error:
                self._report(error, generation)
        atexit.unregister(self._end)

    def _report(self, error: Exception, generation: int) -> None:
        with self.lock:
            if generation == self._generation:
                try:
                    self._fail(error)
                except Exception:  # whoever listens is broken; the thread must go on
                    logging.getLogger(__name__).exception("a failure could not be shown")

    def _compute(self, request: Request, generation: int) -> None:
        shown = -self._interval
        unshown: list[Partial] = []
        steps = self._steps(request)
        for partial in steps:
            unshown = [partial]
            with self._changed:
                if self._stopped and generation == self._generation:
                    self._show(unshown.pop(), False)
                    self._changed.wait_for(
                        lambda: not self._stopped or generation != self._generation
                    )
                if generation != self._generation:
                    return
                if unshown and time.monotonic() - shown >= self._interval:
                    self._show(unshown.pop(), False)
                    shown = time.monotonic()
        with self.lock:
            if generation == self._generation:
                self._show(partial, True)
