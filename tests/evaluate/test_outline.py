"""The outline of an object, and how much of a map lies in a region."""

import numpy as np

from xwidgets.evaluate import outline, times_expected


def test_the_outline_is_what_is_near_the_edge() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5:15, 8:] = True
    band = outline(mask, 2)
    places = np.argwhere(np.ones_like(mask))
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    inside = mask.ravel()
    nearest = np.where(inside, distance[:, ~inside].min(1), distance[:, inside].min(1))
    np.testing.assert_array_equal(band.ravel(), nearest <= 2)
    assert not band[10, 19], "the border of the picture is no edge of the object"
    assert not outline(np.ones((5, 5), bool)).any()
    assert not outline(np.zeros((5, 5), bool)).any()


def test_a_map_that_is_spread_evenly_has_what_is_expected() -> None:
    region = np.zeros((10, 10), bool)
    region[:2] = True
    assert times_expected(np.full((10, 10), -3.0), region) == 1
    assert times_expected(region, region) == 5
    assert times_expected(region, ~region) == 0
    assert np.isnan(times_expected(region, np.zeros_like(region)))
    assert np.isnan(times_expected(np.zeros((10, 10)), region))
