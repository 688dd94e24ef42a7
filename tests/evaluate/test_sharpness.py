"""How fast a map changes, and how small an area holds half of it."""

import numpy as np
import pytest

from xwidgets.evaluate import half_area, same_sign, sharpness


def test_sharpness_does_not_depend_on_the_unit_and_falls_with_blurring() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 40))
    blurred = sum(np.roll(noise, (y, x), (0, 1)) for y in range(5) for x in range(5))
    assert sharpness(7 * noise) == pytest.approx(sharpness(noise))
    assert sharpness(blurred) < sharpness(noise) / 2
    assert same_sign(noise) == pytest.approx(0.5, abs=0.03)
    assert same_sign(blurred) > 0.8
    assert same_sign(np.array([[1.0, -1.0], [-1.0, 1.0]])) == 0
    spot = np.zeros((10, 10))
    spot[3, 3:7] = 1
    assert half_area(spot) == 0.02
    assert half_area(np.full((10, 10), -2.0)) == 0.5
    empty = np.zeros((3, 3))
    assert all(np.isnan(measure(empty)) for measure in (sharpness, half_area, same_sign))
