"""A survey on a Dask cluster has the same numbers as one in a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.images.collection import Item

from .test_neurons import assert_same_activations
from .test_survey import assert_same, pictures, surveyed

dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_cluster_changes_no_bit(tmp_path: Path, cluster: object) -> None:
    options = {"method": xw.Occlusion(4, 4), "targets": ["bee", None], "layers": ["3"]}
    alone = surveyed(tmp_path / "alone", **options)
    with distributed.Client(cluster) as client:
        assert_same_activations(alone, surveyed(tmp_path / "cluster", workers=client, **options))


def doom(values: np.ndarray, item: Item) -> float:
    """End the worker where it is asked to."""
    if "DOOMED" in os.environ and item.image[0, 0, 0] == 1:  # type: ignore[index]
        os._exit(1)
    return 0.0


def test_a_worker_that_is_lost_is_told_and_nothing_else_is(tmp_path: Path) -> None:
    images = pictures(150)
    images[60, 0, 0, 0] = 1
    alone = surveyed(tmp_path / "alone", images, measures=[doom])
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(lambda: os.environ.update(DOOMED="1"))
        with pytest.raises(OSError, match=r"a worker ended before its batch was done \(KilledWork"):
            surveyed(tmp_path / "s", images, measures=[doom], workers=client)
        assert xw.open_survey(tmp_path / "s").progress < 1
    assert_same(alone, surveyed(tmp_path / "s", images, measures=[doom]))


def test_a_cluster_without_workers_is_told(tmp_path: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=0, dashboard_address=None, silence_logs=50, processes=False
        ) as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(ValueError, match="the Dask cluster has no workers; wait until it has"),
    ):
        surveyed(tmp_path, workers=client)


def kill_scheduler(values: np.ndarray, item: Item) -> float:
    """Kill the scheduler, where one is named, when it comes to a picture that asks for it."""
    if "SCHEDULER" in os.environ and item.image[0, 0, 0] == 1:  # type: ignore[index]
        os.kill(int(os.environ["SCHEDULER"]), signal.SIGKILL)
    return 0.0


@contextmanager
def process(tool: str, *options: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Context of a scheduler or worker in a process of its own."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{tool}", "--no-dashboard", *options]
    with subprocess.Popen(
        command, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_a_scheduler_that_is_killed_is_told_and_the_survey_goes_on(tmp_path: Path) -> None:
    images = pictures(150)
    images[60, 0, 0, 0] = 1
    file = f"--scheduler-file={tmp_path / 'scheduler.json'}"
    alone = surveyed(tmp_path / "alone", images, measures=[kill_scheduler])
    with (
        process("scheduler", file, "--port=0") as scheduler,
        process("worker", file, "--nthreads=1", "--no-nanny", SCHEDULER=str(scheduler.pid)),
    ):
        until(lambda: (tmp_path / "scheduler.json").exists(), patience=60)
        with distributed.Client(scheduler_file=str(tmp_path / "scheduler.json")) as client:
            client.wait_for_workers(1, timeout=60)
            with pytest.raises(OSError, match="a worker ended before its batch was done"):
                surveyed(tmp_path / "s", images, measures=[kill_scheduler], workers=client)
    assert xw.open_survey(tmp_path / "s").progress < 1
    assert_same(alone, surveyed(tmp_path / "s", images, measures=[kill_scheduler]))
