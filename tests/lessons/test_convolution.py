"""Convolution as a matrix, beside torch and numpy."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from xwidgets.lessons import Convolution1d

numbers = st.integers(-12, 12).map(lambda n: n / 4)


@st.composite
def cases(draw):
    weights = tuple(draw(st.lists(numbers, min_size=1, max_size=7)))
    assume(any(weights))
    padding = draw(st.integers(0, len(weights) - 1))
    shortest = max(1, len(weights) - 2 * padding)
    signal = np.array(draw(st.lists(numbers, min_size=shortest, max_size=16)))
    return Convolution1d(weights, draw(st.integers(1, 6)), padding), signal


def tensor(values):
    return torch.tensor(np.array(values), dtype=torch.float64)[None, None]


@settings(deadline=None)
@given(cases())
def test_outputs_are_those_of_torch_and_of_the_matrix(case):
    convolution, signal = case
    expected = F.conv1d(
        tensor(signal), tensor(convolution.filter), None, convolution.stride, convolution.padding
    )
    outputs = convolution.convolve(signal)
    np.testing.assert_allclose(outputs, expected[0, 0], atol=1e-12)
    assert convolution.outputs(len(signal)) == len(outputs)
    matrix = convolution.matrix(len(signal))
    np.testing.assert_allclose(matrix @ convolution.padded(signal), outputs, atol=1e-12)


@settings(deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
def test_sub_pixel_convolution_is_the_transpose_and_that_of_torch(case, seed):
    convolution, signal = case
    n, f, s, p = len(signal), len(convolution.filter), convolution.stride, convolution.padding
    y = np.random.default_rng(seed).standard_normal(convolution.outputs(n))
    steps = convolution.sub_pixel(y, n)
    np.testing.assert_allclose(steps.signal, convolution.matrix(n).T @ y, atol=1e-12)
    unread = (n + 2 * p - f) % s
    expected = F.conv_transpose1d(tensor(y), tensor(convolution.filter), None, s, p, unread)
    np.testing.assert_allclose(steps.cropped, expected[0, 0], atol=1e-12)
    again = F.conv1d(tensor(steps.bordered), tensor(steps.flipped))
    np.testing.assert_allclose(steps.signal, again[0, 0], atol=1e-12)
    spread = [value for output in y for value in (output, *[0] * (s - 1))]
    assert steps.spread.tolist() == spread[: 1 + (len(y) - 1) * s]


@settings(deadline=None)
@given(cases())
def test_the_transpose_is_the_pseudo_inverse_up_to_c_only_where_the_rows_allow_it(case):
    convolution, signal = case
    n = len(signal)
    matrix, inverse = convolution.matrix(n), convolution.pseudo_inverse(n)
    solved = np.linalg.solve(matrix @ matrix.T, matrix).T
    np.testing.assert_allclose(inverse, solved, atol=1e-7 * np.abs(solved).max())
    factor = (matrix.T * inverse).sum() / (inverse**2).sum()  # the best c with Wᵀ = c W⁺
    proportional = np.allclose(matrix.T, factor * inverse, atol=1e-8)
    scale = convolution.row_scale(n)
    assert (scale is not None) == proportional
    lags = range(convolution.stride, len(convolution.filter), convolution.stride)
    met = [lag for lag in lags if lag // convolution.stride < len(matrix)]
    weights = np.array(convolution.filter)
    assert (scale is not None) == all(weights[lag:] @ weights[:-lag] == 0 for lag in met)
    if scale is not None:
        assert scale == pytest.approx(weights @ weights)


def test_the_example_of_the_lecture_notes():
    edges = Convolution1d((-1, 0, 0, 1), stride=2, padding=2)
    expected = np.zeros((5, 12))
    for row in range(5):
        expected[row, 2 * row], expected[row, 2 * row + 3] = -1, 1
    np.testing.assert_array_equal(edges.matrix(8), expected)
    np.testing.assert_array_equal(edges.gram(8), 2 * np.eye(5))
    np.testing.assert_allclose(edges.pseudo_inverse(8), expected.T / 2, atol=1e-15)


def test_the_filter_of_five_taps_has_four_outputs_and_rows_that_are_not_orthogonal():
    five = Convolution1d((-1, 0, 0, 0, 1), stride=2, padding=2)
    assert five.outputs(8) == 4
    assert five.row_scale(8) is None
    np.testing.assert_array_equal(five.gram(8)[0], [2, 0, -1, 0])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (((),), r"filter is \(\), but must be one finite number or more"),
        (((1, float("nan")),), "filter is .*nan.*, but must be one finite number"),
        (((1, float("inf")),), "must be one finite number"),
        ((("a",),), "filter is .*a.*, but must be one finite number"),
        ((None,), "filter is None, but must be one finite number"),
        (((0, 0),), "filter has zeros only"),
        (((1, 2), 0), "stride is 0, but must be a whole number of at least 1"),
        (((1, 2), 1.5), "stride is 1.5, but must be"),
        (((1, 2), 1, -1), "padding is -1, but must be a whole number from 0 to 1"),
        (((1, 2), 1, 2), "padding is 2, but must be a whole number from 0 to 1"),
        (((1, 2), 1, 0.5), "padding is 0.5, but must be a whole number"),
    ],
)
def test_what_is_no_convolution_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Convolution1d(*arguments)


def test_what_cannot_be_convolved_is_refused():
    convolution = Convolution1d((1, 2, 3), stride=2)
    with pytest.raises(ValueError, match="the filter has 3 weights, but the signal only 2 numbers"):
        convolution.convolve([1, 2])
    with pytest.raises(ValueError, match="length is 0, but must be"):
        convolution.matrix(0)
    with pytest.raises(ValueError, match=r"signal is .*nan.*, but must be one finite number"):
        convolution.convolve([1, float("nan"), 2])
    with pytest.raises(ValueError, match="there are 2 outputs, but a signal of 8 numbers has 3"):
        convolution.sub_pixel([1, 2], 8)


def test_arrays_of_weights_make_an_equal_value():
    assert Convolution1d(np.array([1, 2])) == Convolution1d((1.0, 2.0)) == Convolution1d([1, 2])
    assert hash(Convolution1d([1, 2])) == hash(Convolution1d((1, 2)))
