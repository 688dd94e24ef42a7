"""Max pooling with switches, and unpooling, beside torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from xwidgets.lessons import MaxPool


@settings(deadline=None)
@given(st.data())
def test_pooling_and_unpooling_are_those_of_torch(data):
    dimensions, window = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    stride = data.draw(st.integers(1, 3))
    shape = data.draw(st.tuples(*[st.integers(window, 7)] * dimensions))
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    values = random.integers(-3, 4, shape)  # ties too
    pooled = MaxPool(window, stride)(values)
    kernel = (1,) * (2 - dimensions) + (window,) * dimensions
    map_ = torch.tensor(np.atleast_2d(values), dtype=torch.float64, requires_grad=True)
    expected, indices = F.max_pool2d(map_[None, None], kernel, stride, return_indices=True)
    outputs = expected.detach().numpy().reshape(pooled.values.shape)
    np.testing.assert_array_equal(pooled.values, outputs)
    np.testing.assert_array_equal(pooled.switches, indices.numpy().reshape(pooled.switches.shape))
    expected.backward(expected.detach())  # the transpose adds where windows overlap
    unpooled = pooled.unpool()
    np.testing.assert_allclose(unpooled, map_.grad.numpy().reshape(shape), atol=1e-12)
    if stride >= window:
        filled = F.max_unpool2d(expected, indices, kernel, stride, output_size=map_.shape)
        np.testing.assert_array_equal(unpooled, filled.detach().numpy().reshape(shape))


def test_pooling_what_was_unpooled_gives_the_same_outputs_unless_one_is_negative():
    pool = MaxPool(2)
    assert pool(pool([3, 1, 2, 5]).unpool()).values.tolist() == [3, 5]
    assert pool(pool([3, 1, -2, -5]).unpool()).values.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("pool", "values", "sentence"),
    [
        ((0,), [1], "window is 0, but must be a whole number of at least 1"),
        ((2, -1), [1], "stride is -1, but must be a whole number of at least 0"),
        ((3,), [1, 2], r"shape \(2,\), but must be .* at least 3 long"),
        ((1,), np.zeros((1, 1, 1)), r"shape \(1, 1, 1\), but must be \(n,\) or \(H, W\)"),
        ((1,), [1, float("nan")], "values hold NaN or infinity"),
    ],
)
def test_what_cannot_be_pooled_is_refused(pool, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        MaxPool(*pool)(values)
