"""P(part | pixel) against Algorithm 1 written out in loops, and scipy's nearest neighbours."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.evaluate import mask_parts, voronoi_parts
from xwidgets.images.scenes import Point


def algorithm_1(points, box, size):
    """Pixel by pixel, with exact squared distances."""
    cells = {number: {} for number in range(len(points))}
    parts = np.zeros((len(points) + 1, *size))
    for i in range(size[0]):
        for j in range(size[1]):
            if not (box.top <= i < box.bottom and box.left <= j < box.right):
                parts[-1, i, j] = 1
                continue
            squares = {
                number: (i - point.y) ** 2 + (j - point.x) ** 2
                for number, point in enumerate(points)
                if point.visible
            }
            number = min(squares, key=squares.get)  # of equals the first
            cells[number][i, j] = math.sqrt(squares[number])
    for number, cell in cells.items():
        for (i, j), distance in cell.items():
            normalized = 0 if len(cell) == 1 else distance / max(cell.values())
            parts[number, i, j] = 1 - normalized
    return parts


@st.composite
def pictures(draw):
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    place = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1), st.booleans())
    points = [Point(*each) for each in draw(st.lists(place, max_size=6))]
    seen = Point(draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1)), True)
    points.insert(draw(st.integers(0, len(points))), seen)
    return points, Box(top, left, bottom, right), (height, width)


@settings(max_examples=300, deadline=None)
@given(pictures())
def test_voronoi_parts_are_algorithm_1(picture) -> None:
    found = voronoi_parts(*picture)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, algorithm_1(*picture), atol=1e-7)


def test_cells_are_those_of_the_nearest_points() -> None:
    scene = xw.scenes.bird(seed=3)
    points, [box] = scene.parts.values(), scene.boxes
    visible = [number for number, point in enumerate(points) if point.visible]
    assert 0 < len(visible) < len(points)
    tree = KDTree([point[:2] for point in points if point.visible])
    found = voronoi_parts(points, box, (64, 64))
    assert found.shape == (16, 64, 64)
    for i, j in np.ndindex(64, 64):
        [owners] = found[:, i, j].nonzero()
        if not (box.top <= i < box.bottom and box.left <= j < box.right):
            assert owners.tolist() == [15]
        elif len(owners):  # the farthest pixel of a cell has none
            [owner] = owners
            distance = math.dist((j, i), tree.data[visible.index(owner)])
            assert distance == tree.query((j, i))[0]
    assert (found.sum(0) == 0).sum() >= 1


def test_a_part_without_a_cell_has_no_pixels() -> None:
    twice = [Point(0, 0, True), Point(0, 0, True), Point(9, -9, False)]
    found = voronoi_parts(twice, Box(0, 0, 1, 3), (1, 3))
    np.testing.assert_array_equal(found[0], [[1, 0.5, 0]])
    assert not found[1:].any()


def test_a_cell_of_one_pixel_is_its_part() -> None:
    found = voronoi_parts([Point(1, 0, True), Point(3, 0, True)], Box(0, 0, 1, 2), (1, 4))
    np.testing.assert_array_equal(found[0], [[0, 1, 0, 0]])
    beyond = voronoi_parts([Point(3, 0, True)], Box(0, 0, 1, 1), (1, 4))
    np.testing.assert_array_equal(beyond, [[[1, 0, 0, 0]], [[0, 1, 1, 1]]])


@pytest.mark.parametrize(
    ("points", "box", "sentence"),
    [
        ([Point(0, 0, False)], Box(0, 0, 2, 2), "no part is visible"),
        ([], Box(0, 0, 2, 2), "no part is visible"),
        ([Point(4, 0, True)], Box(0, 0, 2, 2), r"x=4, y=0.* is not in the picture of 3 x 4"),
        ([Point(0, 3, True)], Box(0, 0, 2, 2), r"x=0, y=3.* is not in the picture of 3 x 4"),
        ([Point(0, -1, True)], Box(0, 0, 2, 2), "is not in the picture of 3 x 4"),
        ([Point(0, 0, True)], Box(-1, 0, 2, 2), "is empty or reaches out of the picture of 3 x 4"),
        ([Point(0, 0, True)], Box(0, -1, 2, 2), "reaches out"),
        ([Point(0, 0, True)], Box(0, 0, 4, 2), "reaches out"),
        ([Point(0, 0, True)], Box(0, 0, 2, 5), "reaches out"),
        ([Point(0, 0, True)], Box(2, 0, 2, 2), "is empty"),
        ([Point(0, 0, True)], Box(0, 2, 2, 2), "is empty"),
    ],
)
def test_points_and_boxes_elsewhere_are_refused(points, box, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        voronoi_parts(points, box, (3, 4))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_mask_parts_share_pixels_equally(count, height, width, seed) -> None:
    masks = np.random.default_rng(seed).random((count, height, width)) < 0.4
    found = mask_parts(list(masks))
    assert found.dtype == np.float32
    assert found.shape == (count + 1, height, width)
    for i, j in np.ndindex(height, width):
        owners = [number for number in range(count) if masks[number, i, j]] or [count]
        share = [Fraction(number in owners, len(owners)) for number in range(count + 1)]
        np.testing.assert_array_equal(found[:, i, j], np.array(share, np.float32))


def test_masks_of_a_scene_are_taken() -> None:
    scene = xw.scenes.bird(seed=3)
    found = mask_parts(scene.masks.values())
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)
    outside = ~np.any(list(scene.masks.values()), axis=0)
    np.testing.assert_array_equal(found[-1], outside)


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [
        ([], "give at least one"),
        ([np.zeros((2, 3), bool), np.zeros((2, 1), bool)], r"\[\(2, 1\), \(2, 3\)\]"),
        ([np.zeros((2, 3), bool), np.zeros((1, 3), bool)], r"all \(H, W\)"),
        ([np.zeros(3, bool)], r"all \(H, W\)"),
        ([np.zeros((2, 3))], "masks are bool, not float64"),
        ([np.zeros((2, 3), bool), np.zeros((2, 3), np.uint8)], "masks are bool, not uint8"),
    ],
)
def test_masks_that_are_none_are_refused(masks, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mask_parts(masks)
