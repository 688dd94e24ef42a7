"""Measures become columns, and their means are of one target."""

from pathlib import Path

import numpy as np
import pytest

from xwidgets.images.collection import Item

from .test_survey import pictures, surveyed


def test_targets_have_their_own_means(tmp_path: Path) -> None:
    alone = surveyed(tmp_path / "alone", targets=[None], measures=["half_area"])
    both = surveyed(tmp_path / "both", targets=[None, "bee"], measures=["half_area"])
    first = both.means()
    np.testing.assert_array_equal(first["half_area"], alone.means()["half_area"])
    bee = both.means(target=1)["half_area"]["mean"]
    assert not np.allclose(bee, first["half_area"]["mean"])
    with pytest.raises(ValueError, match="target"):
        both.means(target=2)


def test_a_measure_that_fails_in_the_middle_is_told_and_the_survey_goes_on(tmp_path: Path) -> None:
    images = pictures(6)
    images[3] *= 0.01

    def brightness(values: np.ndarray, item: Item) -> float:
        if item.image.mean() < 0.1:  # type: ignore[union-attr]
            raise IndexError("too dark")
        return float(item.image.mean())  # type: ignore[union-attr]

    with pytest.warns(UserWarning, match="1 of 6 pictures have no measures"):
        survey = surveyed(tmp_path / "s", images, measures=[brightness])
    table = survey.table()
    assert table["brightness"].isna().tolist() == [False] * 3 + [True] + [False] * 2
    assert "measure 'brightness' fails (IndexError: too dark)" in table["measure_error"][3]
    assert np.isfinite(survey.map(3)).all()
    with pytest.raises(ValueError, match="measure 'brightness' fails"):
        surveyed(tmp_path / "none", images[3:4], measures=[brightness])


def test_measures_are_not_named_like_other_columns(tmp_path: Path) -> None:
    def probability(values: np.ndarray, item: Item) -> float:
        return 0.0

    with pytest.raises(ValueError, match="has no name of its own"):
        surveyed(tmp_path, measures=[probability])


def test_the_table_of_a_survey_that_has_just_begun_has_all_columns(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, measures=["half_area"])
    names = [*survey.table()]
    for batch in survey.done:
        survey.part(batch).unlink()
    assert {*survey.table()} == {*names}
    assert survey.means().empty
