"""A survey that is killed goes on where it was: nothing lost, nothing twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import xwidgets as xw

from .test_neurons import assert_same_activations

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as by Unix")

PROGRAM = """
import sys
import xwidgets as xw
from tests.surveys.test_survey import network, pictures
method, workers = xw.Occlusion(window=4, stride=1), int(sys.argv[2]) or None
xw.survey(
    network(), pictures(150), method, sys.argv[1], layers=[1, 2], workers=workers, progress=False
)
"""


def begun(folder: Path, workers: int) -> "subprocess.Popen[str]":
    """A process that computes a survey, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(folder), str(workers)],
        cwd=Path(xw.__file__).parents[1], start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def done(folder: Path) -> set[int]:
    """Batches that are done, of a survey that may not have begun."""
    return xw.open_survey(folder).done if (folder / "survey.json").exists() else set()


def killed_behind(folder: Path, workers: int, count: int) -> None:
    """Kill a survey and its workers when it has done some batches more."""
    before, process = len(done(folder)), begun(folder, workers)
    while len(done(folder)) < before + count and process.poll() is None:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.05))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> xw.Survey:
    folder = tmp_path_factory.mktemp("whole")
    assert begun(folder, 0).wait(200) == 0
    return xw.open_survey(folder)


@pytest.mark.parametrize(("workers", "counts"), [(0, [0, 2]), (2, [2])])
def test_whatever_is_killed_it_goes_on_to_the_same_end(
    tmp_path: Path, whole: xw.Survey, workers: int, counts: list[int]
) -> None:
    for count in counts:
        killed_behind(tmp_path / "s", workers, count)
    process = begun(tmp_path / "s", workers)
    told, _ = process.communicate(timeout=200)
    assert process.returncode == 0, told
    assert_same_activations(whole, xw.open_survey(tmp_path / "s"))
    assert len(whole.done) > 5


def test_a_worker_that_is_killed_is_told_and_nothing_is_lost(
    tmp_path: Path, whole: xw.Survey
) -> None:
    folder = tmp_path / "s"
    process = begun(folder, 2)
    while len(done(folder)) < 2 and process.poll() is None:
        time.sleep(0.002)
    os.kill(random.choice(workers_of(process.pid)), signal.SIGKILL)
    told, _ = process.communicate(timeout=200)
    assert process.returncode == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith("OSError: a worker ended before its batch was done (")
    assert "what is done is kept" in last
    kept = done(folder)
    assert 2 <= len(kept) < len(whole.done)
    process = begun(folder, 0)
    told, _ = process.communicate(timeout=200)
    assert process.returncode == 0, told
    assert_same_activations(whole, xw.open_survey(folder))


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
import xwidgets as xw
from tests.surveys.test_survey import network, pictures
def slow(values, item):
    time.sleep(500 * (item.image[0, 0, 0] == 1).item())
    return 0.0
images = pictures(150)
images[70:, 0, 0, 0] = 1
xw.survey(network(), images, xw.Saliency(), sys.argv[1], measures=[slow], workers=2, progress=False)
"""
"""A survey whose workers are stuck from the third batch on."""


def test_an_interrupt_does_not_wait_for_batches_under_way(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SLOW, str(tmp_path / "s")],
        cwd=Path(xw.__file__).parents[1], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(done(tmp_path / "s")) < 2 and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=100)
    assert told.splitlines()[-1] == "KeyboardInterrupt"
    assert len(done(tmp_path / "s")) >= 2


def workers_of(parent: int) -> list[int]:
    """Processes of loky that a process has begun."""
    children = subprocess.run(
        ["ps", "--ppid", str(parent), "-o", "pid=,args="], capture_output=True, text=True
    ).stdout.splitlines()
    return [int(line.split()[0]) for line in children if "popen_loky" in line]
