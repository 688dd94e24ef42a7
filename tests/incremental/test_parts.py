"""Parts of a batch at the same time: the same numbers, and threads that are left as they were."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, UnitInference, WholeInference
from xwidgets.incremental import parts as parts_module
from xwidgets.incremental.budget import Batches, Budget
from xwidgets.incremental.parts import in_parts, parts

CPU = torch.device("cpu")


@pytest.fixture(params=[2, 3, 8])
def threads(request):
    parts_module._pool.cache_clear()
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_are_in_order_and_each_part_has_cores_of_its_own(threads):
    seen, together = {}, threading.Barrier(parts(CPU))

    def square(numbers):
        together.wait(60)  # so the parts are computed at the same time
        seen[threading.get_ident()] = torch.get_num_threads()
        return numbers**2

    numbers = torch.arange(10)
    assert in_parts(square, numbers).tolist() == (numbers**2).tolist()
    assert len(seen) == min(threads, 4)
    assert threading.get_ident() not in seen
    assert set(seen.values()) == {threads // min(threads, 4)}


def test_threads_of_torch_stay_as_they_were(threads):
    in_parts(torch.square, torch.arange(10))
    assert torch.get_num_threads() == threads
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == threads


def test_one_thread_computes_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seen = []
        in_parts(lambda numbers: seen.append(threading.get_ident()) or numbers, torch.arange(4))
        assert seen == [threading.get_ident()]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_none_is_alone_in_a_part(threads, count):
    sizes = []
    result = in_parts(lambda numbers: sizes.append(len(numbers)) or numbers, torch.arange(count))
    assert result.tolist() == list(range(count))
    assert len(sizes) == 1 or (min(sizes) >= 2 and len(sizes) <= threads)


def test_an_error_comes_when_all_parts_have_ended(threads):
    ended, failed = [], threading.Event()

    def compute(numbers):
        if 0 in numbers:
            failed.set()
            raise MemoryError
        failed.wait(60)
        time.sleep(0.1)
        ended.append(len(numbers))
        return numbers

    with pytest.raises(MemoryError):
        in_parts(compute, torch.arange(12))
    assert sum(ended) == 12 - len(torch.arange(12).tensor_split(min(threads, 4))[0])


def test_what_failed_is_held_no_more(threads):
    held = []

    def compute(numbers):
        boxes = numbers + 1
        held.append(weakref.ref(boxes))
        raise MemoryError

    gc.disable()
    try:
        with pytest.raises(MemoryError):
            in_parts(compute, torch.arange(12))
        assert len(held) == min(threads, 4)
        assert not any(boxes() is not None for boxes in held)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "mode", [torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)]
)
def test_modes_of_a_thread_are_kept(threads, mode):
    def told(numbers):
        modes = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
        return torch.tensor([modes] * len(numbers))

    with mode():
        assert torch.equal(in_parts(told, torch.arange(12)), told(torch.arange(12)))


def test_where_no_thread_can_begin_one_computes_alone(threads):
    def ended(*_):
        raise RuntimeError("cannot schedule new futures after shutdown")

    for again in (False, True):  # without and with threads that have begun
        if again:
            in_parts(torch.square, torch.arange(4))
        with patch.object(ThreadPoolExecutor, "submit", ended):
            assert in_parts(torch.square, torch.arange(4)).tolist() == [0, 1, 4, 9]


def test_threads_that_could_not_all_begin_are_not_waited_for(threads):
    submit, count = ThreadPoolExecutor.submit, iter(range(9))

    def interrupted(self, *call):
        if next(count):
            raise KeyboardInterrupt
        return submit(self, *call)

    here = {*threading.enumerate()}
    with patch.object(ThreadPoolExecutor, "submit", interrupted), pytest.raises(KeyboardInterrupt):
        parts_module._pool.__wrapped__(threads, 1)
    assert torch.get_num_threads() == threads
    for begun in {*threading.enumerate()} - here:
        begun.join(60)
        assert not begun.is_alive()


def test_batches_are_halved_where_a_part_runs_out_of_memory(threads):
    def compute(numbers):
        if len(numbers) > 2:
            raise MemoryError
        return numbers

    batches = Batches(16, "number")
    run = batches.run(lambda numbers: in_parts(compute, numbers), torch.arange(16))
    assert run.tolist() == list(range(16))
    assert batches.size == {2: 4, 3: 4, 8: 8}[threads]


def test_each_part_has_a_batch_within_the_memory():
    budget = Budget(memory=1000.0, batch=100.0, asked=None, device=CPU)
    assert budget.size(10) == 10
    assert budget.size(10, parts=2) == 20
    assert budget.size(10, most=8, parts=2) == 16
    assert budget.size(10, parts=200) == 100


def random_network(dtype):
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3),
        nn.BatchNorm2d(8), nn.SiLU(), nn.Flatten(), nn.Linear(8 * 7 * 7, 5),
    )  # fmt: skip
    return xw.Network(module.eval().to(dtype))


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_windows_in_parts_are_those_of_whole_forwards(threads, mode):
    net, image = random_network(torch.float64), torch.rand(3, 18, 18, dtype=torch.float64)
    corners = torch.cartesian_prod(torch.arange(15), torch.arange(15))
    contents = torch.rand(len(corners), 3, 4, 4, dtype=torch.float64)
    with mode():
        whole = WholeInference(net, image, window=4)
        inference = IncrementalInference(whole)
        assert not inference.note
        assert inference.batch > 2 * parts(CPU)
        outputs = inference.outputs(corners, contents)
        torch.testing.assert_close(
            outputs, whole.outputs(corners, contents), rtol=1e-10, atol=1e-10
        )
    assert not outputs.requires_grad


def test_units_in_parts_are_those_of_one_thread(threads):
    net, image = random_network(torch.float64), torch.rand(3, 18, 18, dtype=torch.float64)
    inference = UnitInference(net, image, "0", net.classify)
    assert not inference.note
    units = torch.arange(0, inference.activations.numel(), 7)
    changes = torch.randn(len(units), dtype=torch.float64)
    outputs = inference.outputs(units, changes)
    torch.set_num_threads(1)
    torch.testing.assert_close(outputs, inference.outputs(units, changes), rtol=1e-10, atol=1e-12)


FORKS = """
import os, torch
from xwidgets.incremental.parts import in_parts
torch.set_num_threads(2)
def total():
    return int(in_parts(lambda x: x + 1, torch.arange(4)).sum())
total()
child = os.fork()
if not child:
    os._exit(total())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_forked_process_has_threads_of_its_own():
    command = [sys.executable, "-c", FORKS]
    done = subprocess.run(command, capture_output=True, timeout=120, text=True, check=True)
    assert done.stdout == "10\n", done.stderr
