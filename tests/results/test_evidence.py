"""log2 odds against plain arithmetic and autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.results.evidence import flat, log_odds, log_odds_slope, told_flat

arguments = given(st.floats(0, 1), st.integers(1, 10**7), st.integers(1, 1000))


@settings(max_examples=50, deadline=None)
@arguments
def test_log_odds_are_finite_and_those_of_the_laplace_correction(probability, size, classes):
    value = log_odds(np.array(probability), size, classes).item()
    k = 2 if classes == 1 else classes
    numerator, denominator = probability * size + 1, size + k - probability * size - 1
    assert value == pytest.approx(np.log2(numerator) - np.log2(denominator), abs=1e-6)


@settings(max_examples=50, deadline=None)
@arguments
def test_their_slope_is_the_gradient(probability, size, classes):
    p = torch.tensor(probability, dtype=torch.float64, requires_grad=True)
    corrected = (p * size + 1) / (size + max(classes, 2))
    torch.logit(corrected).div(np.log(2)).backward()
    slope = log_odds_slope(np.array(probability), size, classes)
    np.testing.assert_allclose(slope, p.grad, rtol=1e-6)


@pytest.mark.parametrize("size", [50, 10_000, 1_200_000])
@pytest.mark.parametrize("classes", [1, 2, 20, 1000])
def test_evidence_is_flat_where_the_correction_hides_most_of_a_change(size, classes):
    odds = np.linspace(-25, 25, 400)  # natural log odds without correction

    def evidence(shift):
        return log_odds(1 / (1 + np.exp(-(odds + shift))), size, classes) * np.log(2)

    kept = (evidence(1e-4) - evidence(-1e-4)) / 2e-4  # of a change of the log odds
    clear = np.abs(kept - 0.5) > 1e-3
    found = flat(1 / (1 + np.exp(-odds)), size, classes)
    np.testing.assert_array_equal(found[clear], kept[clear] < 0.5)
    assert found[clear].any()
    assert not found[clear].all() or size < classes


@pytest.mark.parametrize("size", [50, 10_000, 1_200_000])
def test_two_classes_are_flat_beyond_one_image_of_the_training_set(size):
    near = np.array([0.9, 1.1]) / size
    assert flat(near, size, 2).tolist() == [True, False]
    assert flat(1 - near, size, 2).tolist() == [True, False]
    assert flat(np.array([0.0, 1.0]), size, 2).all()


def test_flat_evidence_is_told_with_its_end():
    assert "for 'wren' is flat" in told_flat("wren", 0.9999999)
    assert "so near 1 that" in told_flat("wren", 0.9999999)
    assert "so near 0 that" in told_flat("wren", 1e-9)
