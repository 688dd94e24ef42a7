"""Measures of maps: their columns, class means with standard errors, and what is wrong with one."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xwidgets as xw
from xwidgets.images.collection import Item
from xwidgets.surveys.measures import NAMED

from .test_survey import pictures, surveyed

SCENES = [xw.scenes.bird(seed) for seed in range(6)]


def brightness(values: np.ndarray, item: Item) -> float:
    return float(item.image.mean())


def ends(values: np.ndarray, item: Item) -> dict[str, float]:
    return {"least": values.min(), "most": values.max()}


def worded(values: np.ndarray, item: Item) -> str:
    return "much"


def test_each_measure_is_a_column(tmp_path: Path) -> None:
    net = xw.network("birds")
    measures = ["part_shares", "part_means", "half_area", ends, brightness]
    survey = surveyed(tmp_path, SCENES, xw.Saliency("signed"), [None, 3], net, measures=measures)
    table = survey.table()
    for number, scene in enumerate(SCENES):
        for place in (0, 1):
            values, row = survey.map(number, place), table.iloc[2 * number + place]
            total = np.abs(values).sum()
            owners = sum(mask.astype(int) for mask in scene.masks.values())
            for part, mask in scene.masks.items():
                share = (np.abs(values) * mask / np.maximum(owners, 1)).sum() / total
                assert row[f"part_shares {part}"] == pytest.approx(share, abs=1e-6)
                mean = np.mean(values[mask]) if mask.any() else np.nan
                assert row[f"part_means {part}"] == pytest.approx(mean, rel=1e-4, nan_ok=True)
            context = np.abs(values)[owners == 0].sum() / total
            assert row["part_shares context"] == pytest.approx(context, abs=1e-6)
            assert row["half_area"] == pytest.approx(xw.evaluate.half_area(values))
            assert (row["ends least"], row["ends most"]) == (values.min(), values.max())
            assert row["brightness"] == pytest.approx(float(scene.image.mean()))


def test_a_map_that_is_all_on_the_subject_is_concentrated_there() -> None:
    scene = SCENES[0]
    bird = np.any([*scene.masks.values()], 0)
    item = Item(scene.image, scene=scene)
    expected = bird.size / bird.sum()
    measure = NAMED["subject_concentration"]
    assert measure(bird.astype(np.float32), item) == pytest.approx(expected)


def test_class_means_have_standard_errors(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, pictures(60), measures=["half_area"])
    means, table = survey.means(), survey.table()
    assert len(means) > 2
    for label, row in means["half_area"].iterrows():
        values = table.loc[table["predicted_label"] == label, "half_area"].to_numpy(float)
        assert row["count"] == len(values)
        assert row["mean"] == pytest.approx(values.mean())
        error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
        assert row["sem"] == pytest.approx(error, nan_ok=True)
    with pytest.raises(ValueError, match="unknown column 'lable'; did you mean 'label'"):
        survey.means(by="lable")


def test_pictures_without_a_map_have_no_measures(tmp_path: Path) -> None:
    images = [*pictures(3), np.full((3, 12, 12), np.nan)]
    with pytest.warns(UserWarning, match="1 of 4"):
        table = surveyed(tmp_path, images, measures=["sharpness"]).table()
    assert table["sharpness"].isna().tolist() == [False] * 3 + [True]
    assert pd.isna(table["probability"][3])


@pytest.mark.parametrize(
    ("measures", "sentence"),
    [
        ("half_area", "measures is 'half_area', but must be a list of names or functions"),
        (["half_aera"], "unknown measure 'half_aera'; did you mean 'half_area'"),
        ([3], "measure 3 must be a name, or a function of a map"),
        ([lambda values, item: 1.0], "has no name of its own; define it by def"),
        (["half_area", "half_area"], "measure 'half_area' has no name of its own"),
        (["part_means"], "the picture is no drawn scene, so its parts are not known"),
        ([worded], "measure 'worded' returns 'much', but must return a number, or numbers by name"),
    ],
)
def test_what_is_no_measure_is_told(tmp_path: Path, measures: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        surveyed(tmp_path / "s", measures=measures)
    assert not (tmp_path / "s").exists()


def test_scenes_of_another_size_are_told(tmp_path: Path) -> None:
    scenes = [xw.scenes.bird(seed, size=32) for seed in range(2)]
    with pytest.raises(ValueError, match="the scene is not of the size 64 x 64 of its map; draw"):
        surveyed(tmp_path / "s", scenes, net=xw.network("birds"), measures=["part_shares"])


def test_columns_are_the_same_for_all_pictures(tmp_path: Path) -> None:
    def varying(values: np.ndarray, item: Item) -> dict[str, float]:
        return {f"{float(item.image[0, 0, 0]):.3f}": 1.0}

    with pytest.warns(UserWarning, match="36 of 37 pictures have no measures"):
        table = surveyed(tmp_path, measures=[varying]).table()
    assert "but those of the first ('varying 0." in table["measure_error"][1]


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
