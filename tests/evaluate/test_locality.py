"""Locality against sums written out in loops, and histograms whose entropy is known."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.evaluate import locality, mask_parts, part_shares, point_shares, voronoi_parts
from xwidgets.images.scenes import Point


def shares_by_hand(heat, parts, raw):
    """Algorithm 1's last line for one heat map, pixel by pixel."""
    total = math.fsum(heat.ravel().tolist())
    if not total:
        return [math.nan] * len(parts)
    pixels = list(np.ndindex(heat.shape))
    found = [
        math.fsum(float(part[pixel]) * float(heat[pixel]) / total for pixel in pixels)
        for part in parts
    ]
    whole = 1 if raw else math.fsum(found)
    return [share / whole if whole else math.nan for share in found]


def entropy_by_hand(histogram):
    return -math.fsum(p * math.log(p) for p in histogram if p)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6),
    st.booleans(), st.sampled_from([np.float32, np.float64]), st.integers(0, 999),
)  # fmt: skip
def test_shares_are_sums_over_pixels(n, count, height, width, raw, dtype, seed) -> None:
    rng = np.random.default_rng(seed)
    maps = (rng.random((n, height, width)) * 1e-5 * (rng.random((n, 1, 1)) < 0.8)).astype(dtype)
    parts = (rng.random((count, height, width)) * (rng.random((count, 1, 1)) < 0.8)).astype(dtype)
    found = part_shares(maps, parts, raw=raw)
    assert found.dtype == np.float64
    expected = [shares_by_hand(heat, parts, raw) for heat in maps]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_shares_of_a_scene_are_where_the_map_is() -> None:
    scene = xw.scenes.bird(seed=3)
    names = list(scene.masks)
    parts = mask_parts(scene.masks.values())
    alone = parts[names.index("tail")] == 1
    shares = part_shares(np.stack([alone, parts[-1]]), parts)
    np.testing.assert_allclose(shares[0], np.arange(16) == names.index("tail"))
    np.testing.assert_allclose(shares[1], np.arange(16) == 15)
    cells = voronoi_parts(scene.parts.values(), scene.boxes[0], (64, 64))
    [share] = part_shares(alone[None], cells)
    assert share.argmax() == names.index("tail")
    assert part_shares(alone[None], cells, raw=True).sum() < 0.9


def test_what_belongs_to_no_part_has_no_shares() -> None:
    maps, parts = np.array([[[0.0, 1.0]]]), np.array([[[1.0, 0.0]], [[0.0, 0.0]]])
    assert np.isnan(part_shares(maps, parts)).all()
    np.testing.assert_array_equal(part_shares(maps, parts, raw=True), [[0, 0]])


def test_point_shares_are_read_at_the_points() -> None:
    maps = np.array([[[1, 2, 0], [0, 3, 4]], [[0, 0, 0], [0, 0, 0]], [[0, 0, 7], [0, 0, 0]]])
    points = [Point(2, 0, True), Point(1, 1, True), Point(0, 0, False), Point(0, 0, True)]
    nan = math.nan
    expected = [[0, 0.3, nan, 0.1], [nan] * 4, [1, 0, nan, 0]]
    np.testing.assert_allclose(point_shares(maps, points), expected)
    assert point_shares(maps.astype(np.float32), points).dtype == np.float64
    for outside in (Point(3, 0, True), Point(0, 2, True), Point(-1, 0, True)):
        with pytest.raises(ValueError, match="is not in the picture of 2 x 3"):
            point_shares(maps, [outside])
    assert np.isnan(point_shares(maps, [Point(9, 9, False)])).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.booleans(), st.booleans(),
    st.integers(0, 999),
)  # fmt: skip
def test_locality_is_the_entropy_of_the_mean_histogram(count, n, parts, raw, nans, seed) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.random((count, n, parts)) * (rng.random((count, n, parts)) < 0.7)
    shares[rng.random((count, n)) < 0.3] = 0
    zero = ~shares.any(2)
    if not raw:
        shares /= np.where(zero, 1, shares.sum(2))[..., None]
    if nans:
        shares[zero] = np.nan
    before = shares.copy()
    found = locality(shares)
    np.testing.assert_array_equal(shares, before)
    entropies = []
    for feature in range(n):
        rows = [shares[m, feature] for m in range(count) if not zero[m, feature]]
        assert found.silent[feature] == count - len(rows)
        if not rows:
            assert np.isnan(found.entropies[feature])
            assert np.isnan(found.histograms[feature]).all()
            continue
        mean = [math.fsum(row[p] for row in rows) / len(rows) for p in range(parts)]
        histogram = [p / math.fsum(mean) for p in mean]
        np.testing.assert_allclose(found.histograms[feature], histogram, rtol=1e-12)
        entropies.append(entropy_by_hand(histogram))
        assert found.entropies[feature] == pytest.approx(entropies[-1], abs=1e-12)
    if entropies:
        assert found.mean == pytest.approx(math.fsum(entropies) / len(entropies), abs=1e-12)
    else:
        assert math.isnan(found.mean)


def test_one_part_is_0_and_p_parts_are_log_p() -> None:
    scene = xw.scenes.bird(seed=3)
    parts = mask_parts(scene.masks.values())
    visible = [part == 1 for part in parts if (part == 1).any()]
    maps = np.stack([visible[0], sum(part / part.sum() for part in visible)])
    found = locality([part_shares(maps, parts), part_shares(maps * 5, parts)])
    assert found.entropies[0] == 0
    assert not np.signbit(found.entropies[0])
    assert found.entropies[1] == pytest.approx(math.log(len(visible)))
    assert found.silent.tolist() == [0, 0]


def test_pictures_count_alike_unless_their_shares_do_not() -> None:
    shares = np.array([[[0.5, 0.5, 0.0]], [[0.0, 0.0, 1.0]], [[np.nan] * 3]])
    found = locality(shares)
    np.testing.assert_allclose(found.histograms, [[0.25, 0.25, 0.5]])
    assert found.silent.tolist() == [1]
    raw = locality(shares * [[[1]], [[0.25]], [[1]]])
    np.testing.assert_allclose(raw.histograms, [[0.4, 0.4, 0.2]])


def test_counts_of_a_study_are_taken() -> None:
    found = locality([[[4, 0, 4], [0, 3, 0], [0, 0, 0]]])
    np.testing.assert_allclose(found.entropies, [math.log(2), 0, math.nan])
    assert found.mean == pytest.approx(math.log(2) / 2)
    assert found.silent.tolist() == [0, 0, 1]
    with pytest.raises(FrozenInstanceError):
        found.silent = None  # type: ignore[misc]


MAPS = np.ones((2, 3, 4))
PARTS = np.ones((5, 3, 4))


@pytest.mark.parametrize(
    ("maps", "parts", "sentence"),
    [
        (MAPS[0], PARTS, r"the maps have the shape \(3, 4\), but must be \(n, H, W\)"),
        (MAPS[None], PARTS, r"but must be \(n, H, W\)"),
        (MAPS[:0], PARTS, r"the maps have the shape \(0, 3, 4\)"),
        (MAPS, PARTS[0], r"the parts have the shape \(3, 4\), but must be \(P \+ 1, H, W\)"),
        (MAPS[:, :1], PARTS, r"the maps are \(1, 4\), the parts \(3, 4\)"),
        (MAPS.swapaxes(1, 2), PARTS, r"the maps are \(4, 3\), the parts \(3, 4\)"),
        (-MAPS, PARTS, "the maps must be finite and not negative, but range from -1 to -1"),
        (MAPS, PARTS * np.nan, "the parts must be finite"),
        (MAPS * np.inf, PARTS, "the maps must be finite"),
        (np.where(np.eye(3, 4), np.nan, MAPS), PARTS, "the maps must be finite"),
    ],
)
def test_maps_and_parts_that_do_not_fit_are_refused(maps, parts, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        part_shares(maps, parts)


@pytest.mark.parametrize("maps", [MAPS[0], MAPS[None], -MAPS, MAPS * np.nan])
def test_maps_to_read_at_points_are_checked_too(maps) -> None:
    with pytest.raises(ValueError, match="the maps"):
        point_shares(maps, [Point(0, 0, True)])


@pytest.mark.parametrize(
    "shares",
    [[0.5, 0.5], [[0.5, 0.5]], [[[0.5, np.nan]]], [[[0.5, -0.1]]], [[[0.5, np.inf]]], [[[]]]],
)
def test_shares_that_are_none_are_refused(shares) -> None:
    with pytest.raises(ValueError, match="the shares"):
        locality(shares)
