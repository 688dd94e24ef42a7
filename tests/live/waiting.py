"""Waiting for what a worker does."""

import time
from collections.abc import Callable

from xwidgets.live.live_result import LiveResult


def until(condition: Callable[[], object], patience: float = 20) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.005)


def resting(inquiry: LiveResult) -> bool:
    """Whether the worker has nothing of it in hand, nor takes it up."""
    return not inquiry._task.ready and inquiry._task._turning is None
