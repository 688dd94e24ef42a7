"""The pixels of the largest magnitude."""

import numpy as np
import pytest

from xwidgets.evaluate import top_pixels


def test_top_pixels_are_the_largest_by_magnitude() -> None:
    values = np.random.default_rng(0).normal(size=(20, 30))
    mask = top_pixels(values)
    assert mask.sum() == 30
    assert np.abs(values[mask]).min() >= np.abs(values[~mask]).max()
    assert top_pixels(np.zeros((4, 5))).sum() == 1
    assert top_pixels(values, 1.0).all()
    with pytest.raises(ValueError, match="share is 0"):
        top_pixels(values, 0)
    with pytest.raises(ValueError, match="not known"):
        top_pixels(np.array([[np.nan, 1.0]]))
