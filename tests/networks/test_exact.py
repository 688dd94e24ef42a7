"""Convolutions without TF32; the setting exists without a GPU too."""

from threading import Barrier, Thread

import pytest
import torch
from torch.backends import cudnn

from xwidgets.networks.exact import exact_products

GPU = torch.device("cuda")


@pytest.mark.parametrize("before", [True, False])
def test_the_setting_is_as_it_was_also_after_an_exception(before, monkeypatch):
    monkeypatch.setattr(cudnn, "allow_tf32", before)
    with exact_products(GPU):
        assert not cudnn.allow_tf32
        with exact_products(GPU):
            assert not cudnn.allow_tf32
        assert not cudnn.allow_tf32
    assert cudnn.allow_tf32 is before
    with pytest.raises(RuntimeError, match="lost"), exact_products(GPU):
        raise RuntimeError("lost")
    assert cudnn.allow_tf32 is before


def test_a_processor_needs_no_setting():
    before = cudnn.allow_tf32
    with exact_products(torch.device("cpu")):
        assert cudnn.allow_tf32 is before


def test_of_two_threads_the_last_one_puts_it_back():
    before, inside, left = cudnn.allow_tf32, Barrier(2), Barrier(2)
    seen = []

    def first():
        with exact_products(GPU):
            inside.wait(10)
        left.wait(10)

    def second():
        with exact_products(GPU):
            inside.wait(10)
            left.wait(10)
            seen.append(cudnn.allow_tf32)

    threads = [Thread(target=one) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [False]
    assert cudnn.allow_tf32 is before


def test_a_precision_that_was_chosen_the_newer_way_is_kept():
    if not hasattr(cudnn, "conv"):
        pytest.skip("this torch has only the older way")
    before = cudnn.conv.fp32_precision
    try:
        cudnn.conv.fp32_precision = "ieee"
        with exact_products(GPU):
            assert cudnn.conv.fp32_precision == "ieee"
        assert cudnn.conv.fp32_precision == "ieee"
    finally:
        cudnn.conv.fp32_precision = before
    assert isinstance(cudnn.allow_tf32, bool)
