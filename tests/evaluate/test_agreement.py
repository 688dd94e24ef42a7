"""Rank correlation of two maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import xwidgets as xw
from xwidgets.evaluate import agreement

VALUES = arrays(np.float32, (3, 4), elements=st.integers(-4, 4).map(float))


def relevance(values: np.ndarray, signed: bool = True) -> xw.Relevance:
    return xw.Relevance(
        values=np.asarray(values, np.float32), image=np.zeros((*np.shape(values), 3), np.uint8),
        unit="bits", method="method", network_name="net", target=0, label="wren", parameters={},
        signed=signed,
    )  # fmt: skip


def ranks(values: np.ndarray) -> np.ndarray:
    """Mean rank of each value among equal ones, one after the other."""
    flat = values.ravel()
    return np.array([(flat < v).sum() + ((flat == v).sum() - 1) / 2 for v in flat], np.float64)


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Pearson's r of the ranks, by its definition."""
    a, b = ranks(left) - ranks(left).mean(), ranks(right) - ranks(right).mean()
    size = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / size) if size else float("nan")


@given(VALUES, VALUES, st.booleans(), st.booleans())
def test_it_is_the_correlation_of_ranks(
    left: np.ndarray, right: np.ndarray, first: bool, second: bool
) -> None:
    both = first and second
    expected = rank_correlation(*((left, right) if both else (np.abs(left), np.abs(right))))
    correlation = agreement(relevance(left, first), relevance(right, second))
    assert correlation == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_places_that_are_not_known_are_left_out() -> None:
    left, right = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3) ** 3
    left[0, 0], right[1, 2] = np.nan, np.nan
    assert agreement(relevance(left), relevance(right)) == pytest.approx(1)
    assert np.isnan(agreement(relevance(left), relevance(np.full((2, 3), np.nan))))


def test_maps_of_other_sizes_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"the maps are \(2, 3\) and \(3, 2\); compare maps of one"
    ):
        agreement(relevance(np.zeros((2, 3))), relevance(np.zeros((3, 2))))
