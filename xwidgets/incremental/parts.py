"""Parts of a batch that are computed at the same time, each by some of the cores.

An operation on a few boxes is over before a second core has begun to help, and where another thread
has helpers too, as in every notebook, these sleep between operations. So each core does better with
windows of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from threading import Barrier, Lock

import torch
from torch import Tensor

_MOST = 4  # Python itself runs in one thread at a time
_LEAST = 2  # in a part; so the two of a check see each other
_BEGINNING = Lock()


def parts(device: torch.device) -> int:
    """How many parts of a batch are computed at the same time on a device."""
    return min(torch.get_num_threads(), _MOST) if device.type == "cpu" else 1


def in_parts(compute: Callable[..., Tensor], *lists: Tensor, least: int = _LEAST) -> Tensor:
    """Results ``(n, ...)`` of a function of lists ``(n, ...)``, some parts at the same time.

    Within autocast or inference mode, which other threads do not have, there is one part.

    Args:
        compute: takes a part of each list; it is called in other threads.
        *lists: of which the first one's device decides on the number of parts.
        least: how many a part has at least.

    Example:
        >>> in_parts(torch.add, torch.arange(5), torch.arange(5))
        tensor([0, 2, 4, 6, 8])
    """
    most = parts(lists[0].device)
    count = min(most, len(lists[0]) // least)
    if count < 2 or torch.is_inference_mode_enabled() or torch.is_autocast_enabled("cpu"):
        return compute(*lists)
    pieces = [*zip(*(each.tensor_split(count) for each in lists), strict=True)]
    computed: list[Future[Tensor]] = []
    try:
        with _BEGINNING:
            pool = _pool(most, torch.get_num_threads() // most)
        for piece in pieces:
            computed.append(pool.submit(compute, *piece))
    except RuntimeError:  # no thread can begin, as when the main one has ended
        pass
    try:
        here = [compute(*piece) for piece in pieces[len(computed) :]]
        wait(computed)  # also where one fails: the others need memory no more then
        return torch.cat([*map(Future.result, computed), *here])
    finally:
        computed.clear()  # or else an error holds what failed through this frame


@cache
def _pool(count: int, threads: int) -> ThreadPoolExecutor:
    """Threads of Python, each of which computes with some threads of torch."""
    before, started = torch.get_num_threads(), Barrier(count)

    def begin() -> None:
        torch.get_num_threads()  # or else the first operation takes the number of all threads
        torch.set_num_threads(threads)
        started.wait()

    pool = ThreadPoolExecutor(count, "xwidgets-part", begin)
    try:
        wait([pool.submit(int) for _ in range(count)])
    except BaseException:
        started.abort()
        raise
    finally:
        torch.set_num_threads(before)  # the last number set is that of threads which begin later
    return pool


if hasattr(os, "register_at_fork"):  # or else a forked process waits for threads it has not
    os.register_at_fork(after_in_child=_pool.cache_clear)
