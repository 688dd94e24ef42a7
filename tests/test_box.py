"""Boxes around what is true."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from xwidgets.box import Box


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=7)))
def test_a_box_holds_all_that_is_true_and_none_smaller_does(mask):
    box = Box.around(mask)
    if not mask.any():
        assert box is None
        return
    inside = mask[box.slices]
    assert inside.sum() == mask.sum()
    assert inside.shape == (box.height, box.width)
    assert all(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


@given(st.tuples(*[st.integers(0, 5)] * 4))
def test_a_box_cuts_its_height_and_width_out_of_an_array(numbers):
    top, left, height, width = numbers
    box = Box(top, left, top + height, left + width)
    assert np.zeros((10, 10, 3))[box.slices].shape == (height, width, 3)


SIDES = st.tuples(*[st.integers(0, 5)] * 4)


@given(SIDES, SIDES)
def test_an_overlap_is_that_of_the_pixels(one, other):
    boxes = [Box(top, left, top + h, left + w) for top, left, h, w in (one, other)]
    masks = np.zeros((2, 10, 10), bool)
    for mask, box in zip(masks, boxes, strict=True):
        mask[box.slices] = True
    union = masks.any(0).sum()
    expected = masks.all(0).sum() / union if union else 0
    assert boxes[0].overlap(boxes[1]) == expected
