"""Places that are strong in common are a plain count, and that of a mark is found."""

from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.shortcut import FAMILIES, birds, by_neurons, fitted, surveyed
from xwidgets.surveys.common_places import common_places, strong_places, windows

from . import test_survey as small
from .test_resuming import Fussy
from .test_stopping import numbered, stopped
from .test_survey import pictures


def slow_windows(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Windows again, pixel by pixel."""
    sides = [next(side for side in range(1, 999) if 8 * side >= length) for length in size]
    starts = []
    for side, length in zip(sides, size, strict=True):
        step = side // 2 or 1
        last = length - side
        starts.append(sorted({first for first in range(last) if first % step == 0} | {last}))
    return [
        (row, column, row + sides[0], column + sides[1])
        for row in starts[0]
        for column in starts[1]
    ]


def slow_strong(values: np.ndarray) -> list[bool]:
    """Strong places of one map."""
    sums = []
    for top, left, bottom, right in slow_windows(values.shape):
        sums.append(
            sum(abs(float(values[r, c])) for r in range(top, bottom) for c in range(left, right))
        )
    count = max(1, len(sums) // 50)
    if len(sums) <= count:
        return [False] * len(sums)
    limit = sorted(sums, reverse=True)[count]
    return [total > limit for total in sums]


SIZES = st.tuples(st.integers(1, 34), st.integers(1, 34))


@given(SIZES)
def test_windows_cover_the_map(size: tuple[int, int]) -> None:
    boxes = windows(size)
    assert [tuple(box) for box in boxes] == slow_windows(size)
    covered = np.zeros(size, bool)
    for box in boxes:
        assert box.is_in(size)
        covered[box.slices] = True
    assert covered.all()


@settings(max_examples=30)
@given(st.data())
def test_strong_places_are_a_plain_sum(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    whole = st.integers(-3, 3).map(float)  # sums are exact, and many are equal
    maps = data.draw(arrays.arrays(np.float32, (2, *size), elements=whole))
    expected = [slow_strong(values) for values in maps]
    assert strong_places(maps).tolist() == expected


def test_a_map_of_one_value_or_none_has_no_strong_place() -> None:
    for value in (0.1, 0.0, np.nan):
        assert not strong_places(np.full((1, 64, 64), value, np.float32)).any()


def slow_table(
    strong: np.ndarray, size: tuple[int, int], classes: list[Any]
) -> list[dict[str, Any]]:
    """Table again, a class and a place at a time."""
    known = [number for number, name in enumerate(classes) if name is not None]
    names = sorted({classes[number] for number in known})
    rows = []
    for name in names:
        own = [number for number in known if classes[number] == name]
        rest = [number for number in known if classes[number] != name]
        best: tuple[int, dict[str, Any]] | None = None
        for place, box in enumerate(slow_windows(size)):
            k, total = (int(strong[chosen, place].sum()) for chosen in (own, known))
            share, others = k / len(own), (total - k) / len(rest)
            difference = k * len(rest) - (total - k) * len(own)
            if best is None or difference > best[0]:
                chance = sum(
                    comb(total, j) * comb(len(known) - total, len(own) - j)
                    for j in range(k, min(len(own), total) + 1)
                ) / comb(len(known), len(own))
                p = min(1.0, chance * strong.shape[1] * len(names))
                best = difference, {
                    "class": name, "count": len(own), "top": box[0], "left": box[1],
                    "bottom": box[2], "right": box[3], "share": share, "share_of_others": others,
                    "p": p, "unusual": p < 0.01 and share - others > 0.5,
                }  # fmt: skip
        assert best is not None
        rows.append(best[1])
    return rows


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(6, 40), st.floats(0.02, 0.9))
def test_the_table_is_a_plain_count(seed: int, count: int, share: float) -> None:
    random = np.random.default_rng(seed)
    classes = random.choice(np.array(["ant", "bee", None], dtype=object), count)
    classes[:2] = ["ant", "bee"]
    strong = random.random((count, len(windows((3, 5))))) < share
    strong[classes == "ant", 4] |= random.random() < 0.5
    table = common_places(strong, (3, 5), pd.Series(classes, name="class", dtype=object))
    expected = pd.DataFrame(slow_table(strong, (3, 5), [*classes]))
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-8, atol=1e-13)


def test_classes_by_lot_are_seldom_unusual_by_chance() -> None:
    """P is at most as often below a number as that says, for 200 assignments of classes by lot."""
    random = np.random.default_rng(0)
    strong = random.random((60, 225)) < 0.02
    strong[:, :9] |= random.random((60, 9)) < 0.5  # as where subjects lie in the centre
    least = [
        common_places(
            strong, (64, 64), pd.Series(random.permutation(list("ab" * 30)), name="class")
        )["p"].min()
        for _ in range(200)
    ]
    assert np.mean(np.array(least) < 0.1) <= 0.1 + 3 * (0.1 * 0.9 / 200) ** 0.5


def test_a_single_class_has_nothing_to_stand_out_from() -> None:
    strong = np.ones((30, len(windows((8, 8)))), bool)
    table = common_places(strong, (8, 8), pd.Series(["bee"] * 30, name="label"))
    assert table["unusual"].tolist() == [False]
    assert table["share_of_others"].isna().all()


def test_it_reads_the_maps_that_are_done(tmp_path: Path) -> None:
    images = pictures(70)
    images[3] *= 0.01
    with pytest.warns(UserWarning, match="1 of 70"):
        survey = small.surveyed(tmp_path / "s", images, Fussy(), [0, None])
    survey.part(1).unlink()
    rows = survey.table()
    for target in (0, 1):
        own = rows[(rows["place"] == target) & rows["error"].isna()]
        maps = np.array([survey.map(number, target) for number in own["number"]])
        strong = np.array([slow_strong(values) for values in maps])
        expected = slow_table(strong, survey.facts.size, own["predicted_label"].tolist())
        told = survey.common_places(target=target)
        assert told.rename(columns={"predicted_label": "class"})["share"].tolist() == pytest.approx(
            [row["share"] for row in expected]
        )
        assert told["count"].sum() == len(own) == 70 - 32 - 1
    with pytest.raises(ValueError, match="unknown column 'species'"):
        survey.common_places("species")
    with pytest.raises(ValueError, match="target 2 does not exist"):
        survey.common_places(target=2)


def test_it_reads_a_random_sample(tmp_path: Path) -> None:
    survey = stopped(tmp_path / "s", numbered(), 0.03)
    assert survey.common_places()["count"].sum() == len(survey.table())


def test_a_mark_that_a_network_goes_by_is_found_and_none_where_there_is_none(
    tmp_path: Path,
) -> None:
    drawn = birds(seed=0, count=200)
    for name, images in (("clean", drawn.images), ("marked", drawn.marked)):
        survey = surveyed(fitted(images, drawn.labels), images, tmp_path / name)
        table = survey.common_places()
        unusual = table[table["unusual"]]
        if name == "clean":
            assert unusual.empty
            assert not by_neurons(survey).found
            continue
        [row] = unusual.to_dict("records")
        assert row["predicted_label"] == FAMILIES[drawn.family]
        middle = (row["top"] + row["bottom"]) / 2, (row["left"] + row["right"]) / 2
        assert middle == pytest.approx(np.array(drawn.corner) + 2.5, abs=6)
        assert by_neurons(survey)[::2] == (FAMILIES[drawn.family], True)
