"""A survey as a view, in Python: what it shows of the rows, and what it does when asked."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import traitlets

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.live import survey_growth
from xwidgets.results import render
from xwidgets.surveys.groups import Groups
from xwidgets.widgets.survey_explorer import GREY, PALETTE, UNKNOWN, columns_of


@pytest.fixture(scope="module")
def birds():
    return [xw.scenes.bird(seed) for seed in range(24)]


@pytest.fixture(scope="module")
def net():
    return xw.network("birds")


@pytest.fixture(scope="module")
def done(birds, net, tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey") / "birds"
    return xw.survey(net, birds, xw.Saliency(), folder, measures=["half_area"], progress=False)


@pytest.fixture
def folder(done, tmp_path):
    """A copy of the survey of its own, in which groups can be named."""
    return shutil.copytree(done.folder, tmp_path / "birds")


@pytest.fixture
def explorer(folder, birds, net):
    explorer = xw.SurveyExplorer(folder, birds, net)
    explorer.growth.wait(60)
    yield explorer
    explorer.close()


def numbers_of(explorer):
    return np.frombuffer(explorer.numbers, np.int32).tolist()


def test_points_and_columns_are_those_of_the_rows(explorer, done):
    rows = done.table().set_index("number").loc[numbers_of(explorer)]
    assert np.frombuffer(explorer.places, np.float32).shape == (48,)
    columns = {column["name"]: column for column in explorer.columns}
    area = np.frombuffer(columns["half_area"]["values"], np.float32)
    assert np.allclose(area, rows["half_area"].to_numpy(float))
    classes = columns["predicted class"]
    codes = np.frombuffer(classes["values"], np.int16)
    assert [classes["names"][code] for code in codes] == rows["predicted_label"].tolist()
    assert explorer.colored_by == "right or wrong"
    assert "24 pictures" in explorer.sentence


def rows(**columns):
    """Rows as of a survey, with these columns."""
    count = len(next(iter(columns.values())))
    nothing = dict.fromkeys(
        ["source", "place", "target", "predicted", "predicted_label", "label", "target_label",
         "probability", "predicted_probability", "correct", "error", "measure_error"],
        [None] * count,
    )  # fmt: skip
    return pd.DataFrame({"number": range(count), **nothing, **columns})


def test_a_column_without_anything_known_is_not_offered():
    assert list(columns_of(rows(label=[None, None]), {})) == []
    assert [column["name"] for column in columns_of(rows(area=[np.nan, 1.0]), {})] == ["area"]


def test_right_and_wrong_and_what_is_not_known():
    [column] = columns_of(rows(correct=pd.array([True, None, False], "boolean")), {})
    assert column["names"] == ["right", "wrong"]
    assert np.frombuffer(column["values"], np.int16).tolist() == [0, -1, 1]


def test_the_most_frequent_names_have_colours_of_their_own():
    labels = [f"class {number}" for number in range(14) for _ in range(14 - number)]
    [column] = columns_of(rows(predicted_label=labels), {})
    assert column["names"] == [f"class {number}" for number in range(14)]
    assert column["colors"] == [*PALETTE, *[UNKNOWN] * 4]


def test_a_picture_in_several_groups_is_in_the_last():
    groups = {"a": [0, 1], "b": [1, 99]}
    [_, column] = columns_of(rows(label=["x"] * 3), groups)
    assert column["name"] == "named group"
    assert np.frombuffer(column["values"], np.int16).tolist() == [0, 1, -1]


def test_selected_pictures_are_shown_with_their_maps(explorer, birds, done):
    explorer.selected = [5, 3, 5]
    assert explorer.selected == [3, 5]
    assert [card["number"] for card in explorer.cards] == [3, 5]
    image = xw.images.picture(birds[3].image)
    expected = render.overlay(image, done.map(3), size=128, signed=False)
    assert explorer.cards[0]["png"] == render.png(expected)
    explorer.selected = list(range(24))
    assert len(explorer.cards) == 12
    explorer.shown = 15
    assert len(explorer.cards) == 15


def test_without_pictures_maps_stand_over_grey(folder, done):
    explorer = xw.SurveyExplorer(folder)
    explorer.growth.wait(60)
    explorer.opened = 3
    assert (explorer.parts["map"]._results[0].image == GREY).all()
    assert np.array_equal(explorer.parts["map"]._results[0].values, done.map(3))
    explorer.close()


def test_a_picture_is_opened_and_closed(explorer, done):
    explorer.opened = 7
    view = explorer.parts["map"]
    assert np.array_equal(view._results[0].values, done.map(7))
    explorer.opened = 8
    assert view.comm is None, "the first is closed"
    explorer.opened = None
    assert explorer.parts == {}


def test_a_study_turns_to_the_picture_that_is_opened(folder, birds, net):
    with xw.Study(net, birds[0].image, method=xw.Saliency()) as study:
        explorer = xw.SurveyExplorer(folder, birds, study)
        explorer.growth.wait(60)
        explorer.opened = 9
        assert (study.image == birds[9].image).all()
        explorer.close()


def test_groups_are_named_and_forgotten(explorer, folder):
    explorer.selected = [1, 2]
    explorer.name("left wings")
    assert explorer.groups == {"left wings": [1, 2]}
    assert json.loads((folder / "groups.json").read_text())["groups"] == {"left wings": [1, 2]}
    assert "named group" in [column["name"] for column in explorer.columns]
    explorer.colored_by = "named group"
    explorer.forget("left wings")
    assert explorer.groups == {}
    assert explorer.colored_by == "right or wrong"
    again = xw.SurveyExplorer(folder)
    again.growth.wait(60)
    assert again.groups == {}
    again.close()


def test_what_cannot_be_done_is_said_in_the_view(explorer, folder):
    explorer.hear_name("wings")
    assert explorer.message == "no pictures are selected; select some that belong together"
    explorer.selected = [1]
    explorer.hear_name("wings")
    assert explorer.message == ""
    (folder / "groups.json").write_text("{")
    explorer.hear_forget("wings")
    assert "correct it" in explorer.message


@pytest.mark.parametrize(
    ("trait", "value"),
    [("selected", [24]), ("selected", [-1]), ("selected", [True]), ("selected", ["1"]),
     ("opened", 24), ("opened", -1), ("opened", True), ("shown", 0), ("zoom", 17),
     ("center", [0.5])],
)  # fmt: skip
def test_traits_take_only_what_there_is(explorer, trait, value):
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


def test_the_sentence_says_when_it_has_ended_early(tmp_path, net, birds):
    images = [birds[number % len(birds)] for number in range(160)]
    xw.survey(
        net, images, xw.Saliency(), tmp_path / "s", measures=["half_area"],
        until={"half_area": 0.5}, progress=False,
    )  # fmt: skip
    explorer = xw.SurveyExplorer(tmp_path / "s")
    explorer.growth.wait(60)
    until(lambda: "ended with a random 64 of them" in explorer.sentence)
    assert b"ended with a random 64 of them" in explorer.to_page().html.encode()
    explorer.close()


def test_before_it_begins_there_is_nothing_to_select(tmp_path):
    explorer = xw.SurveyExplorer(tmp_path / "later")
    until(lambda: "waits" in explorer.sentence)
    with pytest.raises(traitlets.TraitError, match="has not begun"):
        explorer.selected = [1]
    with pytest.raises(ValueError, match="has not begun"):
        explorer.name("wings")
    with pytest.raises(ValueError, match="has not begun"):
        explorer.to_page()
    explorer.close()


def test_other_pictures_are_not_shown_and_that_is_said_for_good(folder, birds, net):
    explorer = xw.SurveyExplorer(folder, birds[1:], net)
    explorer.growth.wait(60)
    explorer.opened = 3
    assert (explorer.parts["map"]._results[0].image == GREY).all()
    explorer.hear_name("wings")
    assert explorer.message.startswith("these are not the pictures of the survey in")
    assert explorer.message.endswith("select some that belong together")
    explorer.close()


class Failing:
    """Pictures of which none can be read from some time on."""

    def __init__(self, birds):
        self.birds, self.failing = [bird.image for bird in birds], False

    def __len__(self):
        return len(self.birds)

    def __getitem__(self, number):
        if self.failing:
            raise RuntimeError("the disk is gone")
        return self.birds[number]


@pytest.mark.parametrize("before", [True, False])
def test_pictures_that_fail_leave_the_maps(birds, net, tmp_path, before):
    images = Failing(birds)
    xw.survey(net, images, xw.Saliency(), tmp_path / "birds", progress=False)
    images.failing = before
    with xw.Study(net, birds[0].image, method=xw.Saliency()) as study:
        explorer = xw.SurveyExplorer(tmp_path / "birds", images, study)
        explorer.growth.wait(60)
        images.failing = True
        explorer.selected, explorer.opened = [3], 3
        assert len(explorer.cards[0]["png"]) > 100
        assert "map" in explorer.parts
        told = "the disk is gone" if before else "picture 3 cannot be read any more; the study"
        assert told in explorer.message
        assert (study.image == birds[0].image).all()
        explorer.close()


def test_a_folder_that_is_gone_leaves_what_is_shown(explorer, folder):
    explorer.selected = [1]
    shutil.rmtree(folder)
    explorer.selected = [1, 2]
    assert explorer.cards[0]["fault"] == ""
    assert "not done" in explorer.cards[1]["fault"]
    explorer.opened = 2
    assert explorer.parts == {}
    assert "not done" in explorer.message


def test_infinite_measures_have_the_colour_of_what_is_not_known():
    [column] = columns_of(rows(area=[1.0, np.inf, 1e300, 2.0]), {})
    values = np.frombuffer(column["values"], np.float32)
    assert np.isnan(values).tolist() == [False, True, True, False]


def test_pictures_without_a_map_can_be_found_by_a_column():
    column, *_ = columns_of(rows(error=["it is no picture", None]), {})
    assert column["name"] == "map or none"
    assert np.frombuffer(column["values"], np.int16).tolist() == [1, 0]


def test_a_finished_survey_is_known_at_once_and_whole_on_its_page(folder):
    explorer = xw.SurveyExplorer(folder)
    explorer.selected, explorer.opened = [3], 5
    page = explorer.to_page()
    assert len(page.parts) == 2
    assert len(page.parts[0].state["numbers"]) == 4 * 24
    explorer.close()


def test_groups_that_others_name_are_there_when_it_is_shown(explorer, folder):
    Groups(folder, 24).put("by another", [4])
    explorer.hear_shown()
    assert explorer.groups == {"by another": [4]}


def test_a_view_is_whole_whenever_it_is_asked_while_the_survey_grows(
    birds, net, tmp_path, monkeypatch
):
    monkeypatch.setattr("xwidgets.explain.data_set._MEMORY", 4e6)
    monkeypatch.setattr(survey_growth, "AT_ONCE", 1)
    done = xw.survey(net, birds, xw.Saliency(), tmp_path / "birds", progress=False)
    explorer = xw.SurveyExplorer(done)
    while explorer.work["state"] == "computing":
        explorer.preview()
        explorer.selected = [*range(24)] if not explorer.selected else []
        with explorer.lock:
            count = len(explorer.numbers) // 4
            assert all(
                len(column["values"]) == count * (2 if "names" in column else 4)
                for column in explorer.columns
            )
            shown = [card["number"] for card in explorer.cards]
            assert set(shown) <= set(explorer.selected)
    explorer.close()


@pytest.mark.parametrize("given", [{"images": []}, {"net": "birds"}])
def test_pictures_and_network_go_together(folder, given):
    with pytest.raises(ValueError, match="give both images and net, or none"):
        xw.SurveyExplorer(folder, **given)


def test_the_preview_has_every_point_in_its_colour(explorer):
    picture = explorer.preview()
    assert picture["text/plain"] == explorer.sentence
    assert "image/png" in picture
    explorer.colored_by = "half_area"
    assert explorer.preview()["image/png"] != picture["image/png"]


def test_a_page_has_what_is_selected_and_opened(explorer):
    explorer.selected, explorer.opened = [2, 4], 4
    page = explorer.to_page()
    assert page.parts[0].state["alive"] is False
    assert len(page.parts) == 2
    assert len(page.parts[0].state["cards"]) == 2
