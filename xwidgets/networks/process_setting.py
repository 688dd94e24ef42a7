"""Settings of the whole process that several threads need at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessSetting(Generic[T]):
    """Setting of the whole process that has another value while threads need it.

    Args:
        read: gives its value.
        write: sets it.

    Example:
        >>> import torch
        >>> threads = ProcessSetting(torch.get_num_threads, torch.set_num_threads)
        >>> with threads.held(1):
        ...     torch.get_num_threads()
        1
    """

    def __init__(self, read: Callable[[], T], write: Callable[[T], object]) -> None:
        self._read, self._write = read, write
        self._lock, self._users = Lock(), 0
        self._before: list[T] = []

    @contextmanager
    def held(self, value: T) -> Iterator[None]:
        """Context with a value; what was before is back when the last of several is done."""
        with self._lock:
            if not self._users:
                self._before = [self._read()]
                self._write(value)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._write(self._before.pop())
