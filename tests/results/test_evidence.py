"""log2 odds against plain arithmetic and autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.results.evidence import log_odds, log_odds_slope

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
