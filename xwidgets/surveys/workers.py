"""Workers of surveys: this process, processes of its own by loky, or a Dask cluster.

Workers get the plan once, as bytes: processes from a file, a cluster over its network. What they
return is written by the process that asked, so only a few batches are under way at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from xwidgets.errors import WrongType, at_least, one_line, shown
from xwidgets.extras import needed
from xwidgets.files import whole

from .folder import EXTRA
from .plan import Batch, Plan

AHEAD = 2
"""Batches that are under way for each worker."""

IDLE = 60
"""Seconds after which a process without work ends, such as one whose parent was killed."""


def check_workers(workers: object) -> None:
    """Check that workers are ``None``, a number of processes, or a Dask client.

    Raises:
        ValueError: when they are not.
    """
    if workers is None or _is_client(workers):
        return
    if isinstance(workers, bool) or not isinstance(workers, int):
        raise WrongType(
            f"workers is {shown(workers)}, but must be None for this process, a number of "
            "processes, or a dask.distributed.Client"
        )
    at_least("workers", workers, 1)


def batches(plan: Plan, numbers: Sequence[int], workers: object) -> Generator[Batch]:
    """Yield batches of a plan as they are done, in any order.

    Args:
        plan: of a survey.
        numbers: of the batches.
        workers: as of :func:`check_workers`.

    Raises:
        ValueError: for a plan that cannot be sent to workers, or a cluster without any.
        OSError: when a worker ends before its batch is done.
    """
    if workers is None:
        yield from map(plan.batch, numbers)
        return
    pool = _cluster if _is_client(workers) else _processes
    running: set[Future[Batch]] = set()
    try:
        with pool(_packed(plan), workers) as (submit, count):
            waiting = iter(numbers)
            while True:
                running |= set(map(submit, islice(waiting, AHEAD * count - len(running))))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
    except _losses(workers) as error:
        raise OSError(
            f"a worker ended before its batch was done ({type(error).__name__}), as when memory is "
            "short; what is done is kept, so call it again, with fewer workers, and it goes on"
        ) from error
    finally:
        for future in running:
            future.cancel()


Submit = Callable[[int], "Future[Batch]"]
"""Hand a batch, by its number, to a worker."""


@contextmanager
def _processes(packed: bytes, count: Any) -> Iterator[tuple[Submit, int]]:
    """Context of processes on this machine."""
    loky = needed("loky", EXTRA)
    with TemporaryDirectory() as folder:
        path = Path(folder, "plan")
        with whole(path) as part:
            part.write_bytes(packed)
        executor = loky.ProcessPoolExecutor(count, timeout=IDLE)
        try:
            yield partial(executor.submit, _batch, path), count
        finally:
            executor.shutdown(kill_workers=True)  # at once, also where batches take hours


@contextmanager
def _cluster(packed: bytes, client: Any) -> Iterator[tuple[Submit, int]]:
    """Context of the workers of a Dask cluster."""
    count = sum(client.nthreads().values())
    if not count:
        raise ValueError("the Dask cluster has no workers; wait until it has, or add some")
    everywhere = client.scatter(packed, broadcast=True)
    yield partial(client.get_executor(pure=False).submit, _batch, everywhere), count


def _losses(workers: object) -> tuple[type[Exception], ...]:
    """Errors that tell that a worker is gone."""
    losses = BrokenExecutor, CancelledError
    if not _is_client(workers):
        return losses
    distributed = sys.modules["distributed"]
    return *losses, distributed.KilledWorker, distributed.comm.CommClosedError


def _packed(plan: Plan) -> bytes:
    try:
        return cast(bytes, needed("cloudpickle", EXTRA).dumps(plan))
    except Exception as error:  # of many kinds
        raise ValueError(
            f"the network, pictures or method cannot be sent to workers ({one_line(error)}); "
            "leave out workers to compute in this process"
        ) from error


@lru_cache(maxsize=1)
def _unpacked(packed: bytes | Path) -> Plan:
    """Plan in a worker, which keeps it from batch to batch."""
    data = packed.read_bytes() if isinstance(packed, Path) else packed
    return cast(Plan, needed("cloudpickle", EXTRA).loads(data))


def _batch(packed: bytes | Path, number: int) -> Batch:
    """Compute a batch in a worker."""
    return _unpacked(packed).batch(number)


def _is_client(workers: object) -> bool:
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(workers, distributed.Client)
