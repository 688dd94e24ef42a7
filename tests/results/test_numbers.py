"""Numbers are written as the views write them, whose tests read the same cases."""

import json
from pathlib import Path

import pytest

from xwidgets.results import numbers

CASES = json.loads((Path(__file__).parents[1] / "data" / "numbers.json").read_text("utf-8"))


@pytest.mark.parametrize("kind", CASES)
def test_numbers_are_written_in_one_way(kind: str) -> None:
    write = getattr(numbers, kind)
    assert [write(value) for value, _ in CASES[kind]] == [text for _, text in CASES[kind]]


def test_what_json_cannot_hold_is_written_too() -> None:
    values = [float("nan"), float("inf"), float("-inf"), -0.0]
    assert [numbers.number(value) for value in values] == ["–", "∞", "−∞", "0"]


def test_an_error_has_two_digits() -> None:
    assert [numbers.number(value, 2) for value in (0.181, 12.6, 0.5, 250.0)] == [
        "0.18", "13", "0.50", "250",
    ]  # fmt: skip
