"""Maps by several methods beside each other: what the browser is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import xwidgets as xw

from .pages import states

METHODS = [xw.Saliency(), xw.Occlusion(window=4, stride=2)]


@pytest.fixture
def maps(study: xw.Study) -> list[xw.Relevance]:
    return [method.run(study.network, study.image, study.target) for method in METHODS]


def test_it_follows_a_study(study: xw.Study, maps: list[xw.Relevance]) -> None:
    view = xw.MethodComparison(study, METHODS)
    for live in view._live.maps:
        live.wait(60)
    assert [cell["name"] for cell in view.cells] == ["saliency", "occlusion"]
    assert [cell["asks"] for cell in view.cells] == [method.asks for method in METHODS]
    assert view.progress["state"] == "complete"
    assert all(cell["seconds"] > 0 for cell in view.cells)
    finished = xw.MethodComparison(maps)
    assert [cell["frame"] for cell in view.cells] == [cell["frame"] for cell in finished.cells]
    study.image = study.image.flip(-1)
    for live in view._live.maps:
        live.wait(60)
    assert view.cells[0]["frame"] != finished.cells[0]["frame"]
    assert view.photo != finished.photo


def test_maps_agree_as_they_do_and_none_with_itself(maps: list[xw.Relevance]) -> None:
    (first, second) = (cell["agreements"] for cell in xw.MethodComparison(maps).cells)
    expected = pytest.approx(xw.evaluate.agreement(*maps))
    assert first == [None, expected]
    assert second == [expected, None]
    even = replace(maps[0], values=np.zeros_like(maps[0].values))
    assert xw.MethodComparison([even, maps[1]]).cells[0]["agreements"] == [None, None]


def test_the_button_randomises(study: xw.Study) -> None:
    view = xw.MethodComparison(study, METHODS)
    assert view.randomising == {}
    view._dispatch({"type": "randomise"})
    for live in view._live.randomised:
        live.wait(60)
    assert view.randomising["state"] == "complete"
    for cell in view.cells:
        assert cell["layers"] == ["3", "0"]
        assert len(cell["randomised"]) == 2


def test_a_page_shows_finished_maps_and_offers_nothing_to_compute(
    study: xw.Study, tmp_path: Path
) -> None:
    view = xw.MethodComparison(study, METHODS)
    view.to_html(tmp_path / "page.html")
    [state] = states(tmp_path / "page.html")
    assert [cell["progress"]["state"] for cell in state["cells"]] == ["complete"] * 2
    assert state["randomising"]["state"] == "complete"
    maps = view._live.maps
    view.close()
    study.target = (study.target + 1) % 3
    assert [live.question for live in maps] == [None, None]


def test_what_cannot_be_compared_is_refused(study: xw.Study, maps: list[xw.Relevance]) -> None:
    other = replace(maps[0], image=maps[0].image[::-1].copy())
    for subject, methods, sentence in (
        ([], None, "there is no map to compare"),
        ("map", None, "what is compared is a str"),
        ([maps[0], other], None, "maps of different pictures cannot be compared"),
        (study, [], "there is no method to compare"),
        (study, ["saliency"], "method is a str"),
    ):
        with pytest.raises((ValueError, TypeError), match=sentence):
            xw.MethodComparison(subject, methods)
