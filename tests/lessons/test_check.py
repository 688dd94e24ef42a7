"""A check is right about right and wrong, and tells nothing before it is asked."""

import numpy as np
import pytest

from xwidgets.lessons import check


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        (4, 4), (4.0, 4), (np.int64(4), 4), (0.333, 1 / 3), (True, True), ("No ", "no"),
        ((1, 0), [1.0, 0.0]), (np.array([1, 0]), [1, 0]),
    ],
)  # fmt: skip
def test_what_is_right(prediction, truth):
    assert check(prediction, truth, "Because.").startswith("Right: ")


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        (5, 4), (0.33, 1 / 3), (True, False), (1, True), (True, 1), ("yes", "no"), ("4", 4),
        ([1, 0], [1, 0, 0]), ([], [1]), ([0, 1], [1, 0]), (4, [4]),
    ],
)  # fmt: skip
def test_what_is_wrong(prediction, truth):
    answer = check(prediction, truth, "Because.")
    assert answer.startswith("Not quite: you predicted ")
    assert answer.endswith("Because.")


def test_the_truth_is_not_told_before_a_prediction():
    assert "4711" not in check(None, 4711, "It is 4711.")
