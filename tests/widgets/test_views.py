"""The views' state: what the browser is told."""

import base64
import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.results import render

from .pages import states


def test_the_overlay_follows_the_study(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    result = study.wait()
    (frame,) = view.frames
    codes = np.frombuffer(frame["map"], np.int8).reshape(view.shape)
    np.testing.assert_allclose(
        codes / 127 * frame["scale"], result.values, atol=frame["scale"] / 127
    )
    assert frame["window"] == 4
    assert view.progress["state"] == "complete"
    study.window = 5
    study.wait()
    assert view.frames[0]["window"] == 5


def test_what_is_worth_knowing_about_a_result_goes_with_it(study: xw.Study) -> None:
    result = replace(study.wait(), note="small is run whole for every window: it branches")
    assert xw.RelevanceOverlay(result).frames[0]["remark"] == result.note


def test_a_map_says_how_far_it_is_whatever_the_work(study: xw.Study) -> None:
    whole = study.wait()
    part = replace(whole, completed=0.002, parameters={"window": 5})
    assert [one["completed"] for one in xw.RelevanceOverlay([part, whole]).frames] == [0.002, 1]
    gap = xw.Comparison(whole, part).children[2]
    assert gap.frames[0]["completed"] == 0.002


def test_maps_are_called_by_the_one_parameter_in_which_they_differ(study: xw.Study) -> None:
    def called(*results: xw.Relevance) -> tuple[str, list[str]]:
        shown = xw.RelevanceOverlay(results).frames
        [slider] = {frame["slider"] for frame in shown}
        return slider, [frame["name"] for frame in shown]

    one = study.wait()
    wide = replace(one, parameters={**one.parameters, "window": 7})
    other = replace(one, parameters={**one.parameters, "measure": "difference"})
    bee = replace(wide, label="another")
    assert called(one) == ("Window", ["4 × 4 pixels"])
    assert called(one, wide) == ("Window", ["4 × 4 pixels", "7 × 7 pixels"])
    assert called(one, other) == ("Measure", ["evidence", "difference"])
    assert called(wide, other) == ("Map", [wide.title, other.title]), "in two parameters"
    assert called(one, bee) == ("Map", [one.title, bee.title]), "in the class too"


def test_the_photo_is_sent_once(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    changes: list[str] = []
    view.observe(lambda change: changes.append(change["name"]))
    study.window = 6
    study.wait()
    assert "frames" in changes
    assert not {"photo", "shape", "color_maps"} & set(changes)


def test_an_overlay_shows_results_from_files(study: xw.Study, tmp_path: Path) -> None:
    study.wait().save(tmp_path / "a.npz")
    view = xw.RelevanceOverlay(xw.Relevance.load(tmp_path / "a.npz"))
    assert view.frames[0]["title"] == study.relevance.title
    with pytest.raises(ValueError, match="cannot compute windows"):
        view.to_html(tmp_path / "a.html", windows=[3])
    with pytest.raises(ValueError, match="no result"):
        xw.RelevanceOverlay([])


def test_what_is_no_relevance_is_refused(study: xw.Study) -> None:
    units = xw.unit_relevance(study.network, study.image, "1", images=torch.rand(4, 3, 16, 16))
    for wrong, name in (
        (study.network, "Network"), (units, "UnitRelevance"), ([study.wait(), 3], "int"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"what is shown is a {name}, but must be an xw.Study"):
            xw.RelevanceOverlay(wrong)


def test_one_size_alone_is_refused(study: xw.Study, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"windows is a int, but must be .* \[4, 8, 12\]"):
        xw.RelevanceOverlay(study).to_html(tmp_path / "page.html", windows=4)


def test_a_slider_without_a_study_is_refused(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="was given nothing; make a study"):
        xw.WindowSlider()
    with pytest.raises(ValueError, match="was given Study and Relevance; make a study"):
        xw.WindowSlider(study, study.wait())


def test_buttons_stop_and_resume(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    study.wait()
    study.move(samples=3000)
    study.window = 7
    view._handle_custom_msg({"type": "stop"}, [])
    assert study.progress.state == "stopped"
    view._handle_custom_msg({"type": "resume"}, [])
    assert study.progress.state == "computing"


def test_a_notebook_without_widgets_gets_a_png_and_words(study: xw.Study) -> None:
    study.wait()
    data, _ = xw.RelevanceOverlay(study)._repr_mimebundle_()
    assert base64.b64decode(data["image/png"])[1:4] == b"PNG"
    assert "prediction difference" in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_slider_and_the_study_move_together(study: xw.Study) -> None:
    slider = xw.WindowSlider(study)
    assert (slider.min, slider.max) == (1, 16)
    slider.value = 7
    assert study.window == 7
    study.window = 3
    assert slider.value == 3
    with pytest.raises(ValueError, match="1 to 16"):
        slider.value = 99
    assert (slider.value, study.window) == (3, 3)


def test_the_chooser_and_the_study_move_together(study: xw.Study) -> None:
    chooser = xw.ClassChooser(study, k=1)
    offered = [index for _, index in chooser.options]
    other = next(index for index in range(3) if index not in offered)
    study.target = other
    assert chooser.value == other
    assert study.target == other
    chooser.value = offered[0]
    assert study.target == offered[0]


def test_the_chooser_takes_what_it_offers_alone(study: xw.Study) -> None:
    chooser = xw.ClassChooser(study, k=3)
    assert chooser._on_line == [chooser.model_id]
    chooser.index = 2
    assert study.target == chooser.value == chooser.options[2][1]
    for name, wrong in (("index", 3), ("index", -1), ("value", 7), ("value", "wren")):
        with pytest.raises(ValueError, match=r"does not exist|unknown class"):
            setattr(chooser, name, wrong)
        assert study.target == chooser.value == chooser.options[chooser.index][1]
    study.ask(xw.Channel("0", 1), xw.Saliency())
    assert chooser.index == 0
    assert chooser.part == chooser.options[0][0] == chooser.value.label(study.network)


def test_a_page_holds_every_window_and_asks_nobody(study: xw.Study, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    xw.RelevanceOverlay(study).to_html(path, windows=[3, 4, 6], title="a </script> & title")
    page = path.read_text("utf-8")
    (state,) = states(path)
    assert [frame["window"] for frame in state["frames"]] == [3, 4, 6]
    assert state["index"] == 1
    for window, frame in zip((3, 4, 6), state["frames"], strict=True):
        codes = np.frombuffer(base64.b64decode(frame["map"]["base64"]), np.int8)
        expected = study.at(window).values
        np.testing.assert_array_equal(
            codes.reshape(expected.shape), render.quantize(expected, frame["scale"])
        )
    assert "<title>a &lt;/script&gt; &amp; title</title>" in page
    assert "<h1>a &lt;/script&gt; &amp; title</h1>" in page
    assert not re.search(r"(src|href)=|https?://", page)


@pytest.mark.parametrize(("windows", "index"), [([2, 6], 1), ([3, 6, 2], 0)])
def test_a_page_begins_at_the_window_nearest_to_the_studys(
    study: xw.Study, tmp_path: Path, windows: list[int], index: int
) -> None:
    study.window = 4 if index == 0 else 5
    xw.RelevanceOverlay(study).to_html(tmp_path / "page.html", windows=windows)
    (state,) = states(tmp_path / "page.html")
    assert state["index"] == index


def test_a_page_of_what_are_no_numbers_begins_at_the_first(study: xw.Study, tmp_path: Path) -> None:
    xw.RelevanceOverlay(study).to_html(tmp_path / "page.html", measure=["difference"])
    (state,) = states(tmp_path / "page.html")
    assert state["index"] == 0


def lines(page: Path) -> list[str]:
    """What stands above the views on a page."""
    header = re.search(r"<header>(.*?)</header>", page.read_text("utf-8"), re.DOTALL).group(1)
    return [html.unescape(line) for line in re.findall(r"<(?:h1|p)>(.*?)</", header)]


def test_a_page_says_what_is_shown_above_it(study: xw.Study, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    xw.RelevanceOverlay(study).to_html(path, windows=[3, 4], title="one's own")
    title, shown, settings = lines(path)
    assert (title, shown) == ("one's own", study.relevance.title)
    assert settings.startswith("ConstantSampler(value=0.5), samples 1, stride 1, seed 0")
    result = replace(study.relevance, parameters={"window": 4, "seed": 0})
    xw.RelevanceOverlay(result).to_html(path)
    assert lines(path) == [result.title, "window 4, seed 0"]
    other = replace(result, label="bee", parameters={"window": 3, "seed": 0})
    xw.RelevanceOverlay([result, other]).to_html(path)
    assert lines(path) == [f"{result.title}; {other.title}", "seed 0"]
    comparison = xw.Comparison(result, other)
    comparison.to_html(path)
    assert lines(path) == [comparison.difference.title, "seed 0"]
    xw.RelevanceGrid([[result, result.image]]).to_html(path)
    assert lines(path) == ["1 × 2 maps: prediction difference", "window 4, seed 0"]
    xw.RelevanceGrid([[result.image]]).to_html(path)
    assert lines(path) == ["1 × 1 maps: pictures"]


def test_a_page_by_default_holds_what_was_looked_at(study: xw.Study, tmp_path: Path) -> None:
    study.wait()
    study.window = 5
    xw.Explorer(study).to_html(tmp_path / "page.html")
    panes, overlay, classes = states(tmp_path / "page.html")
    assert [frame["window"] for frame in overlay["frames"]] == [4, 5]
    assert panes["parts"] == {"map": "anywidget:1", "classes": "anywidget:2"}
    assert not panes["alive"]
    assert not classes["alive"]


# The object in the overlay


def objects(view: xw.RelevanceOverlay) -> list[bytes | None]:
    return [frame.get("object") for frame in view.frames]


def test_the_object_is_that_of_the_segmented_map(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    result = study.wait()
    assert objects(view) == [None]
    view.outline = True
    codes = np.frombuffer(objects(view)[0], np.uint8).reshape(result.values.shape)
    np.testing.assert_allclose(codes / 255, xw.segment(result).probability, atol=0.5 / 255)
    study.window = 7
    other = study.wait()
    codes = np.frombuffer(objects(view)[0], np.uint8).reshape(other.values.shape)
    np.testing.assert_allclose(codes / 255, xw.segment(other).probability, atol=0.5 / 255)
    view.outline = False
    assert objects(view) == [None]


def test_of_a_blank_or_partial_map_no_object_is_drawn(study: xw.Study) -> None:
    result = study.wait()
    blank = replace(result, values=np.zeros_like(result.values))
    part = replace(result, completed=0.5)
    view = xw.RelevanceOverlay([blank, part, result])
    view.outline = True
    assert [found is not None for found in objects(view)] == [False, False, True]
    assert "same value everywhere" in view.frames[0]["no_object"]
    assert "no_object" not in view.frames[1]


def test_a_page_has_the_object_where_it_is_outlined(study: xw.Study, tmp_path: Path) -> None:
    view = xw.RelevanceOverlay(study.wait())
    for outline in (False, True):
        view.outline = outline
        view.to_html(tmp_path / "page.html")
        (state,) = states(tmp_path / "page.html")
        assert ("object" in state["frames"][0], state["segments"]) == (outline, False)
