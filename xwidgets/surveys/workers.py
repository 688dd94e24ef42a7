"""Workers of surveys: this process, processes of its own, or a Dask cluster, through joblib.

Workers get the plan once, as bytes in an array: joblib lets processes share the memory of arrays,
and Dask keeps them on its workers. What they return is written by the process that asked.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import joblib
import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import WrongType, at_least, one_line, shown
from xwidgets.extras import needed

from .folder import EXTRA
from .plan import Batch, Plan


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
        ValueError: for a plan that cannot be sent to workers.
        OSError: when a worker ends before its batch is done.
    """
    if workers is None:
        yield from map(plan.batch, numbers)
        return
    packed = _Packed.of(plan)
    cluster: AbstractContextManager[Any] = nullcontext()
    options: dict[str, Any] = {"n_jobs": workers, "backend": "loky"}
    if _is_client(workers):
        cluster, options = joblib.parallel_config("dask", client=workers), {"n_jobs": -1}
    with cluster:
        run = joblib.Parallel(**options, return_as="generator_unordered", batch_size=1)
        computed = run(joblib.delayed(_batch)(packed, number) for number in numbers)
        try:
            for batch in computed:
                if not isinstance(batch, Batch):  # as of a cluster that is gone
                    raise OSError(_LOST.format(shown(batch)))
                yield batch
        except BrokenExecutor as error:
            raise OSError(_LOST.format(type(error).__name__)) from error
        finally:
            with warnings.catch_warnings(action="ignore"):  # of tasks that are cancelled
                computed.close()


_LOST = (
    "a worker ended before its batch was done ({}), as when memory is short; what is done is kept, "
    "so call it again, with fewer workers, and it goes on"
)


@dataclass(frozen=True, eq=False)
class _Packed:
    """Plan as bytes; equal to another one of equal bytes.

    Attributes:
        data: the bytes.
        digest: of them.
    """

    data: NDArray[np.uint8]
    digest: bytes

    @classmethod
    def of(cls, plan: Plan) -> _Packed:
        try:
            data = needed("cloudpickle", EXTRA).dumps(plan)
        except Exception as error:  # of many kinds
            raise ValueError(
                f"the network, pictures or method cannot be sent to workers ({one_line(error)}); "
                "leave out workers to compute in this process"
            ) from error
        return cls(np.frombuffer(data, np.uint8), sha256(data).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Packed) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __sizeof__(self) -> int:
        return self.data.nbytes  # Dask keeps large arguments on its workers


@lru_cache(maxsize=1)
def _unpacked(packed: _Packed) -> Plan:
    return cast(Plan, needed("cloudpickle", EXTRA).loads(packed.data))


def _batch(packed: _Packed, number: int) -> Batch:
    """Compute a batch in a worker."""
    return _unpacked(packed).batch(number)


def _is_client(workers: object) -> bool:
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(workers, distributed.Client)
