"""Orthogonality against correlations summed by hand, and matrices whose measures are known."""

import math
import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.evaluate import orthogonality


def pearson(x, y):
    """The textbook's formula, summed without rounding errors."""
    x, y = ([float(value) for value in values] for values in (x, y))
    if not x or min(x) == max(x) or min(y) == max(y):
        return 0.0
    mx, my = math.fsum(x) / len(x), math.fsum(y) / len(y)
    xy = math.fsum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    xx, yy = (math.fsum((a - m) ** 2 for a in values) for values, m in ((x, mx), (y, my)))
    return xy / math.sqrt(xx * yy)


def determinant(matrix):
    """Leibniz' formula."""
    total = 0.0
    for order in permutations(range(len(matrix))):
        swaps = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
        total += (-1) ** swaps * math.prod(matrix[i][j] for i, j in enumerate(order))
    return total


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.floats(0.3, 1), st.sampled_from([np.float32, np.float64]), st.integers(0, 999),
)  # fmt: skip
def test_correlations_are_over_the_pictures_in_which_both_are_active(
    count, n, shape, chance, dtype, seed
) -> None:
    rng = np.random.default_rng(seed)
    maps = (1e-5 * (rng.random((count, n, *shape)) + 1)).astype(dtype)
    maps[rng.random((count, n)) > chance] = 0
    found = orthogonality(maps)
    active = [[bool(maps[m, a].any()) for a in range(n)] for m in range(count)]
    assert found.silent.tolist() == [sum(not row[a] for row in active) for a in range(n)]
    kept = [a for a in range(n) if found.silent[a] < count]
    expected = np.full((n, n), np.nan)
    for a in kept:
        for b in kept:
            both = [m for m in range(count) if active[m][a] and active[m][b]]
            x, y = ([value for m in both for value in maps[m, c].ravel()] for c in (a, b))
            expected[a, b] = 1 if a == b else pearson(x, y)
    assert found.correlations.dtype == np.float64
    np.testing.assert_allclose(found.correlations, expected, atol=1e-9)
    if not kept:
        assert math.isnan(found.o1)
        assert math.isnan(found.o2)
        return
    p = expected[np.ix_(kept, kept)]
    norm = math.sqrt(math.fsum(value**2 for value in p.ravel()))
    assert found.o1 == pytest.approx(norm - math.sqrt(len(kept)), abs=1e-9)
    if np.linalg.eigvals(p).min() > 1e-6:
        assert found.o2 == pytest.approx(-math.log(determinant(p.tolist())), rel=1e-6, abs=1e-6)


def test_active_maps_are_correlated_as_long_vectors() -> None:
    maps = np.random.default_rng(0).random((3, 4, 5, 6))
    expected = np.corrcoef(
        [np.concatenate([maps[m, a].ravel() for m in range(3)]) for a in range(4)]
    )
    found = orthogonality(maps)
    np.testing.assert_allclose(found.correlations, expected, atol=1e-12)
    assert found.o1 > 0
    assert found.o2 > 0


def test_uncorrelated_maps_are_at_the_optimum() -> None:
    maps = [[[3, 3, 1, 1], [2, 0, 2, 0], [5, 4, 4, 5]]]
    found = orthogonality(maps)
    np.testing.assert_allclose(found.correlations, np.eye(3), atol=1e-15)
    assert found.o1 == pytest.approx(0, abs=1e-12)
    assert found.o2 == pytest.approx(0, abs=1e-12)


def test_one_feature_alone_is_orthogonal() -> None:
    found = orthogonality([[[0, 1, 2], [0, 0, 0]]])
    assert (found.o1, found.o2) == (0, 0)
    assert not np.signbit(found.o2)
    assert found.silent.tolist() == [0, 1]


def test_equal_and_dependent_maps_are_singular() -> None:
    maps = np.random.default_rng(0).random((2, 3, 40)).astype(np.float32)
    maps[:, 2] = 3 * maps[:, 0]
    found = orthogonality(maps)
    assert found.o2 == math.inf
    pair = found.correlations[0, 1]
    assert found.correlations[0, 2] == pytest.approx(1)
    assert found.o1 == pytest.approx(math.sqrt(3 + 2 * (2 * pair**2 + 1)) - math.sqrt(3))
    mixed = maps.astype(np.float64)
    mixed[:, 2] = mixed[:, 0] + 2 * mixed[:, 1]
    assert orthogonality(mixed).o2 == math.inf
    mixed[:, 2] += 0.01 * np.random.default_rng(1).random((2, 40))
    assert 5 < orthogonality(mixed).o2 < 20


def contradiction():
    """Three x-features, of which two are active in each picture: 1 ~ 2, 2 ~ 3, but 1 against 3."""
    up, down, none = [0, 1], [1, 0], [0, 0]
    return np.array([[up, up, none], [none, up, up], [up, none, down]])


def test_what_is_not_positive_definite_is_infinite() -> None:
    found = orthogonality(contradiction())
    np.testing.assert_allclose(found.correlations, [[1, 1, -1], [1, 1, 1], [-1, 1, 1]])
    assert found.o2 == math.inf
    twice = np.zeros((6, 6, 2))  # whose determinant is positive
    twice[:3, :3] = twice[3:, 3:] = contradiction()
    found = orthogonality(twice)
    assert determinant(found.correlations.tolist()) == pytest.approx(16)
    assert found.o2 == math.inf
    assert found.o1 == pytest.approx(math.sqrt(18) - math.sqrt(6))


def test_silent_maps_take_no_part() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((5, 4, 3, 3))
    maps[:, 1] = 0  # never active
    maps[:3, 2] = 0
    maps[3:, 3] = 0  # never with the one before
    found = orthogonality(maps)
    assert found.silent.tolist() == [0, 5, 3, 2]
    assert np.isnan(found.correlations[1]).all()
    assert np.isnan(found.correlations[:, 1]).all()
    p = found.correlations[np.ix_([0, 2, 3], [0, 2, 3])]
    assert p[1, 2] == p[2, 1] == 0
    assert p[0, 1] == p[1, 0] == pytest.approx(pearson(maps[3:, 0].ravel(), maps[3:, 2].ravel()))
    assert found.o1 == pytest.approx(np.sqrt((p**2).sum()) - np.sqrt(3))
    assert found.o2 == pytest.approx(-math.log(determinant(p.tolist())))


def test_constant_maps_are_uncorrelated() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((3, 3, 7, 7))
    maps[:, 1] = 0.1
    maps[0, 2] = 0.3  # only in the picture in which the last is active
    maps = np.concatenate([maps, np.zeros((3, 1, 7, 7))], 1)
    maps[0, 3] = rng.random((7, 7))
    found = orthogonality(maps).correlations
    np.testing.assert_array_equal(found[1], [0, 1, 0, 0])
    assert found[2, 3] == 0
    assert found[0, 2] != 0
    assert found[0, 3] != 0


def test_counts_of_a_study_are_taken() -> None:
    counts = np.array([[[9, 1, 0, 2], [0, 7, 1, 2], [1, 1, 8, 0]]])
    found = orthogonality(counts)
    np.testing.assert_allclose(found.correlations, np.corrcoef(counts[0]))


def test_memory_is_a_small_multiple_of_the_maps() -> None:
    maps = np.random.default_rng(0).random((20, 10, 64, 64), dtype=np.float32)
    orthogonality(maps[:1])
    tracemalloc.start()
    orthogonality(maps)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * maps.nbytes


@pytest.mark.parametrize(
    ("maps", "sentence"),
    [
        (np.ones((2, 3)), r"the maps have the shape \(2, 3\), but must be \(N, n, \.\.\.\)"),
        (np.ones((0, 3, 4)), r"have the shape \(0, 3, 4\)"),
        (-np.ones((1, 1, 4)), "finite and not negative, but range from -1 to -1"),
        (np.array([[[1, np.nan]]]), "finite and not negative"),
        (np.array([[[1, np.inf]]]), "finite and not negative"),
    ],
)
def test_what_are_no_maps_is_refused(maps, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        orthogonality(maps)
