"""Workers compute elsewhere, a few batches ahead; those that are lost are told."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch

from xwidgets.images.collection import Item
from xwidgets.surveys import workers
from xwidgets.surveys.plan import one_thread

from .test_survey import pictures, surveyed


def process(values: np.ndarray, item: Item) -> float:
    """Number of the process that computes."""
    return os.getpid()


def test_one_worker_is_another_process(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, pictures(40), measures=[process], workers=1)
    assert survey.table()["process"].nunique() == 1
    assert survey.table()["process"][0] != os.getpid()


def test_only_a_few_batches_are_computed_ahead_of_the_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []

    @contextmanager
    def threads(packed: bytes, count: int) -> Iterator[tuple[workers.Submit, int]]:
        with ThreadPoolExecutor(count) as executor:
            yield partial(executor.submit, begin), count

    def begin(number: int) -> int:
        begun.append(number)
        return number

    monkeypatch.setattr(workers, "_processes", threads)
    monkeypatch.setattr(workers, "_packed", lambda plan: b"")
    batches = workers.batches(None, range(40), 3)  # type: ignore[arg-type]
    most = 0
    for written, _ in enumerate(batches, 1):
        most = max(most, len(begun) - written)
    assert sorted(begun) == [*range(40)]
    assert 0 < most <= 3 * workers.AHEAD


def test_one_thread_is_one_until_the_last_is_done() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    seen = []

    def other() -> None:
        with one_thread():
            seen.append(torch.get_num_threads())

    try:
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert torch.get_num_threads() == 1
        beside = Thread(target=other)
        beside.start()
        beside.join()
        second.__exit__(None, None, None)
        assert seen == [1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
