"""Batches fit the device: as asked for, or as it likes them."""

from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch

from xwidgets.incremental.budget import batch_size, budget

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_what_is_asked_for_counts():
    assert budget(0, CPU) == 0
    assert budget(3e6, CUDA) == 3e6


def test_a_gpu_gives_a_share_of_its_memory_whatever_is_free():
    with patch(
        "torch.cuda.get_device_properties", lambda device: SimpleNamespace(total_memory=80e9)
    ):
        assert budget(None, CUDA) == 10e9
    assert budget(None, CPU) == 48e6


@pytest.mark.parametrize(
    ("memory", "device", "expected"),
    [(0, CPU, 1), (0, CUDA, 1), (95, CPU, 9), (1e3, CPU, 64), (1e3, CUDA, 100)],
)
def test_batches_are_short_on_a_processor(memory, device, expected):
    assert batch_size(memory, 10, device, most=64) == expected
