"""When differences count as found."""

import numpy as np
import pytest
from scipy import stats

from xwidgets.reproduce.verdicts import mean_and_bound, sign_beyond_bound, sign_of_all


def test_one_difference_of_another_sign_leaves_it_open() -> None:
    assert sign_of_all([0.1, 2.0, 0.3]) == 1
    assert sign_of_all([-0.1, -2.0, -0.3]) == -1
    assert sign_of_all([0.1, -2.0, 0.3]) == 0
    assert sign_of_all([0.1, 0.0]) == sign_of_all([0.0, 0.0]) == sign_of_all([0.1, np.nan]) == 0
    assert sign_of_all([]) == 0


def test_the_bound_is_two_standard_errors() -> None:
    values = np.random.default_rng(0).normal(size=9)
    mean, bound = mean_and_bound(values)
    assert (mean, bound) == pytest.approx((values.mean(), 2 * stats.sem(values)))
    assert np.isnan(mean_and_bound([1.0])[1])


def test_a_mean_within_the_bound_has_no_sign() -> None:
    assert sign_beyond_bound([0.9, 1.0, 1.1]) == 1
    assert sign_beyond_bound([-0.9, -1.0, -1.1]) == -1
    assert sign_beyond_bound([0.9, -1.0, 1.1]) == 0
    assert sign_beyond_bound([1.0, 1.0]) == 1
    assert sign_beyond_bound([1.0]) == sign_beyond_bound([]) == 0
