"""Budgets: what is asked for, or a share of what is free; batches fit them, and are halved."""

from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.errors import memory_ran_out
from xwidgets.incremental.budget import Batches, Budget

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_what_is_asked_for_counts():
    assert Budget.of(3e6, CUDA).memory == 0.85 * 3e6  # not all that is taken are tensors
    assert Budget.of(3e6, CUDA).beside(1e6).memory == 0.85 * 3e6 - 1e6
    assert Budget.of(0, CPU).beside(1e12).memory == torch.inf


def test_a_quarter_of_what_is_free_is_the_default():
    with patch("xwidgets.incremental.budget.free_memory", lambda device: 1e9):
        assert (Budget.of(None, CPU).memory, Budget.of(None, CPU).batch) == (0.85 * 250e6, 48e6)
        with patch(
            "torch.cuda.get_device_properties", lambda device: SimpleNamespace(total_memory=80e9)
        ):
            assert (Budget.of(None, CUDA).memory, Budget.of(None, CUDA).batch) == (
                0.85 * 250e6,
                10e9,
            )


@pytest.mark.parametrize(("free", "size"), [(80e9, 10), (48e9, 10), (40e9, 8)])
def test_a_gpus_batch_follows_what_is_free_only_where_a_quarter_is_less(free, size):
    with (
        patch("xwidgets.incremental.budget.free_memory", lambda device: free),
        patch("torch.cuda.get_device_properties", lambda _: SimpleNamespace(total_memory=80e9)),
    ):
        assert Budget.of(None, CUDA).size(1e9) == size


@pytest.mark.parametrize(
    ("memory", "device", "expected"),
    [(0, CPU, 1), (0, CUDA, 1), (95, CPU, 8), (1e3, CPU, 64), (1e3, CUDA, 85)],
)
def test_batches_are_short_on_a_processor(memory, device, expected):
    assert Budget.of(memory, device).size(10, most=64) == expected


def test_a_processors_batch_is_no_larger_for_more_memory():
    assert Budget.of(1e12, CPU).batch == Budget.of(None, CPU).batch == 48e6
    assert Budget.of(1e12, CUDA).batch == 1e12


@pytest.mark.parametrize(("cores", "size"), [(1, 3), (3, 11), (9, 14)])
def test_more_whole_images_go_at_once_on_more_cores_but_not_beyond_what_was_asked_for(cores, size):
    net, image = xw.network("birds"), torch.zeros(3, 224, 224)
    need = 4 * 4 * 16 * 224 * 224  # its first maps have 16 channels of four bytes a number
    with patch("xwidgets.incremental.parts.torch.get_num_threads", lambda: cores):
        assert Budget.of(None, CPU).image_size(net, image, "window") == size
        asked = Budget.of(8.5 * 2 * need / 0.85, CPU)
        assert asked.image_size(net, image, "window") == min(8, size)


def test_two_thirds_of_the_memory_are_left_for_gaps_between_boxes():
    assert Budget.of(3e6 / 0.85, CPU).box_size(1e5, most=100) == 10
    assert Budget.of(3e6 / 0.85, CUDA).box_size(1e5, most=100) == 30


@given(st.floats(1, 1e12), st.floats(0, 1e12), st.integers(1, 10**9))
def test_a_batch_never_needs_more_than_is_left(memory, held, need):
    size = Budget.of(memory, CUDA).beside(held).size(need)
    assert size == 1 or size * need <= memory - held


def test_what_is_held_is_told_where_too_little_was_asked_for():
    budget = Budget.of(100, CPU).beside(65)
    budget.admit(20, "one image", "window")
    with pytest.raises(ValueError, match=r"takes 44 bytes, .* beside it 77 bytes; .* 120 bytes"):
        budget.admit(37, "one image", "window")
    Budget.of(120, CPU).beside(65).admit(37, "one image", "window")
    Budget.of(0, CPU).admit(1e30, "one image", "window")
    with patch("xwidgets.incremental.budget.free_memory", lambda device: 10.0):
        Budget.of(None, CPU).admit(1e30, "one image", "window")  # it may fit all the same


MESSAGES = [
    RuntimeError("could not create a primitive"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    MemoryError("std::bad_alloc"),
]


class Scarce:
    """Squares of numbers, with memory for a few at a time; writes down how many it was given."""

    def __init__(self, most, error):
        self.most, self.error, self.seen = most, error, []

    def __call__(self, numbers, others):
        self.seen.append(len(numbers))
        if len(numbers) > self.most:
            raise self.error
        return numbers**2 + others


@pytest.mark.parametrize("error", MESSAGES, ids=str)
@settings(deadline=None)
@given(count=st.integers(1, 40), size=st.integers(1, 64), most=st.integers(1, 64))
def test_where_memory_runs_out_batches_are_halved_and_nothing_is_lost(error, count, size, most):
    numbers, batches, scarce = torch.arange(count), Batches(size, "window"), Scarce(most, error)
    assert torch.equal(batches.run(scarce, numbers, -numbers), numbers**2 - numbers)
    done = [given for given in scarce.seen if given <= most]
    assert sum(done) == count
    assert len(scarce.seen) - len(done) <= 6
    if min(count, size) > most:
        assert most / 2 - 1 < batches.size <= most
        assert f"memory ran out, so that windows are run {batches.size} at" in batches.note
    else:
        assert (batches.size, batches.note) == (size, "")


@pytest.mark.parametrize("error", MESSAGES, ids=str)
def test_where_not_even_one_fits_a_sentence_tells(error):
    with pytest.raises(MemoryError, match="memory ran out with a single window; free some"):
        Batches(8, "window").run(Scarce(0, error), torch.arange(5), torch.arange(5))


def test_other_errors_are_raised():
    with pytest.raises(RuntimeError, match="shapes"):
        Batches(8, "window").run(Scarce(0, RuntimeError("shapes")), torch.ones(3), torch.ones(3))


@pytest.mark.parametrize(("error", "ran_out"), [
    (MemoryError(), True),
    (RuntimeError("could not create a primitive"), True),  # oneDNN
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
    (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
    (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    (ValueError("out of memory"), False),
], ids=str)  # fmt: skip
def test_an_error_tells_that_memory_ran_out(error, ran_out):
    assert memory_ran_out(error) == ran_out
