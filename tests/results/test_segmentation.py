"""Segmentation against a random walk whose probabilities are solved for densely."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.box import Box

from .examples import relevance, segmentation


def a_map(values, image=None, **changes):
    values = np.asarray(values, np.float32)
    if image is None:
        image = np.random.default_rng(0).integers(0, 256, (*values.shape, 3), dtype=np.uint8)
    return relevance(values=values, image=image, standard_error=None, **changes)


def seeds_of(values, object_share, background_share):
    """Which pixels are the object's and the background's, told from sorted values."""
    ordered = np.sort(values.ravel())
    inner = [share * (len(ordered) - 1) for share in (background_share, 1 - object_share)]
    low, high = (np.interp(place, np.arange(len(ordered)), ordered) for place in inner)
    return values >= high, values <= low


def walked(image, is_object, is_background, beta):
    """Probabilities of the random walk, one equation a pixel, in float64."""
    colors = image / 255
    height, width = is_object.shape
    scale = beta / (10 * colors.std() * np.sqrt(3))
    system, right = np.zeros((height * width,) * 2), np.zeros(height * width)
    for row in range(height):
        for column in range(width):
            n = row * width + column
            system[n, n] = 1
            if is_object[row, column] or is_background[row, column]:
                right[n] = is_object[row, column]
                continue
            weights = {}
            for y, x in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if 0 <= y < height and 0 <= x < width:
                    distance = ((colors[row, column] - colors[y, x]) ** 2).sum()
                    weights[y * width + x] = np.exp(-scale * distance) + 1e-10
            for neighbour, weight in weights.items():
                system[n, neighbour] = -weight / sum(weights.values())
    return np.linalg.solve(system, right).reshape(height, width)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(2, 8),
    st.integers(2, 9),
    st.integers(0, 1000),
    st.sampled_from([(0.05, 0.3), (0.2, 0.5), (0.4, 0.4)]),
    st.sampled_from([10.0, 130.0]),
)
def test_each_pixel_has_the_probability_that_a_walk_from_it_meets_the_object_first(
    height, width, seed, shares, beta
):
    rng = np.random.default_rng(seed)
    values = rng.permutation(height * width).reshape(height, width).astype(np.float32)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = xw.segment(a_map(values, image), *shares, beta)
    is_object, is_background = seeds_of(values, *shares)
    expected = walked(image, is_object, is_background, beta)
    np.testing.assert_allclose(found.probability, expected, atol=1e-4)
    assert found.probability.dtype == np.float32


def test_an_object_of_one_colour_is_found_from_a_few_of_its_pixels():
    image = np.full((20, 30, 3), (40, 90, 160), np.uint8)
    image[5:15, 8:20] = 200, 60, 20
    values = np.zeros((20, 30))
    values[8:11, 10:13] = 1
    values[0] = values[-1] = -1
    found = xw.segment(a_map(values, image), object_share=0.01, background_share=0.05)
    expected = np.zeros((20, 30), bool)
    expected[5:15, 8:20] = True
    assert np.array_equal(found.mask, expected)
    assert found.box == Box(5, 8, 15, 20)
    assert (found.method, found.label) == ("prediction difference", "grünspecht, 'green'")


@pytest.mark.parametrize(
    ("values", "object_share", "background_share"),
    [
        ([[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]], 0.3, 0.3),  # most are as low as the lowest
        ([[1, 1, 1, 1, 1, 1, 1, 1, 0, 1]], 0.3, 0.5),  # most are as high as the highest
    ],
)
def test_values_that_many_pixels_share_are_on_one_side(values, object_share, background_share):
    found = xw.segment(a_map(values), object_share, background_share)
    np.testing.assert_array_equal(found.probability, np.array(values))


def test_a_picture_of_one_colour_is_divided_by_distance():
    image = np.full((1, 5, 3), 90, np.uint8)
    found = xw.segment(a_map([[4, 3, 2, 1, 0]], image), 0.1, 0.1)
    np.testing.assert_allclose(found.probability, [[1, 0.75, 0.5, 0.25, 0]], atol=1e-3)


def test_the_threshold_decides_how_much_is_in_the_mask():
    found = segmentation()
    sizes = [replace(found, threshold=share).mask.sum() for share in (0.1, 0.5, 0.9, 1.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]
    assert xw.segment(a_map(np.eye(6)), threshold=0.9).threshold == 0.9
    empty = replace(found, probability=np.zeros((5, 7), np.float32))
    assert empty.box is None
    assert "0 % of the picture" in empty.title


def test_it_is_drawn():
    found = segmentation()
    assert found._repr_png_()[1:4] == b"PNG"
    assert repr(found).startswith("<Segmentation 5 x 7: object by saliency for")


@pytest.mark.parametrize(
    ("given", "options", "match"),
    [
        (np.eye(3), {}, "relevance is a ndarray, but must be an xw.Relevance"),
        (a_map(np.zeros((4, 4))), {}, "same value everywhere, so that it tells no object"),
        (relevance(), {}, "not complete; segment it when all"),
        (a_map(np.eye(4), parameters={"measure": "probability"}), {}, 'with measure="drop"'),
        (a_map(np.eye(4)), {"object_share": 0}, "object_share is 0, but must be a number between"),
        (a_map(np.eye(4)), {"background_share": 1.5}, "background_share is 1.5"),
        (a_map(np.eye(4)), {"object_share": 0.5, "background_share": 0.5}, "leave no pixel"),
        (a_map(np.eye(4)), {"beta": -1}, "beta is -1, but must be a number above 0"),
        (a_map(np.eye(4)), {"threshold": 0}, "threshold is 0, but must be a number above 0"),
        (a_map(np.eye(4)), {"threshold": 2}, "threshold is 2"),
    ],
)
def test_what_cannot_be_segmented_is_told_in_a_sentence(given, options, match):
    with pytest.raises(ValueError, match=match) as error:
        xw.segment(given, **options)
    assert "\n" not in str(error.value)


# The box of a map


def test_the_box_of_a_map_is_around_the_largest_region_of_high_values():
    values = np.zeros((9, 9))
    values[1, 1] = 10
    values[4, 3], values[5, 4], values[5, 5] = 2, 3, 2.5  # which touch at corners
    values[8, 0:5] = 1.9
    assert a_map(values).box() == Box(4, 3, 6, 6)
    assert a_map(values).box(0.5) == Box(1, 1, 2, 2)
    assert a_map(values).box(0.15) == Box(8, 0, 9, 5)


def test_a_map_without_positive_values_has_no_box():
    assert a_map(-np.eye(4)).box() is None
    assert a_map(np.full((4, 4), np.nan)).box() is None


@pytest.mark.parametrize("threshold", [0, -0.1, 1.1, float("nan"), "high"])
def test_another_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold is .*, but must be a number above 0 and at m"):
        a_map(np.eye(4)).box(threshold)
