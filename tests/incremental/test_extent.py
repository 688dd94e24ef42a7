"""Extents against cells marked one by one."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.incremental.extent import Extent, Sliding, Span

slidings = st.builds(Sliding, st.integers(1, 7), st.integers(1, 4), st.integers(0, 3))


def touched(cells, sliding, length):
    """The cells of an output that read any of ``cells``."""
    return {
        y
        for y in range(length)
        if any(y * sliding.stride - sliding.padding <= cell
               <= y * sliding.stride - sliding.padding + sliding.reach - 1 for cell in cells)
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 6), st.integers(0, 14), st.lists(slidings, min_size=1, max_size=4))
def test_what_can_change_is_in_the_extent_and_no_box_is_larger_than_needed(window, extra, layers):
    length = window + extra
    span = Span.of_windows(window, length)
    cells = [set(range(place, place + window)) for place in range(extra + 1)]
    for sliding in layers:
        padded = length + 2 * sliding.padding - sliding.reach
        if padded < 0:
            return
        length = padded // sliding.stride + 1
        span = span.through(sliding, length)
        cells = [touched(one, sliding, length) for one in cells]
        assert span.size == max(1, int((span.last - span.first).max()) + 1)
        for first, last, one in zip(span.first.tolist(), span.last.tolist(), cells, strict=True):
            assert one <= set(range(first, last + 1))


def test_the_extent_of_a_window_is_the_window():
    span = Span.of_windows(3, 5)
    assert (span.first.tolist(), span.last.tolist(), span.size) == ([0, 1, 2], [2, 3, 4], 3)


def test_a_box_nearly_as_large_as_the_map_becomes_the_map():
    small, large = Span.of_windows(8, 10), Span.of_windows(10, 10)
    assert not Extent(small, small).settled().whole
    assert Extent(small, large).settled().whole
    assert torch.equal(Extent(small, large).settled().rows.first, torch.zeros(3, dtype=torch.long))
