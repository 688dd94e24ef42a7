"""What the view of class models shows, hears, and writes to a page."""

import io
import re

import numpy as np
import pytest
from PIL import Image

import xwidgets as xw
from tests.results.examples import class_model

from .pages import states


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_it_shows_the_model_that_a_study_has(study):
    view = xw.ClassModelExplorer(study, seeds=(4, 5), iterations=16)
    model = study.class_models.growing.wait()
    expected = xw.class_model(study.network, study.target, 16, seeds=(4, 5))
    np.testing.assert_array_equal([decoded(png) for png in view.pictures], expected.pictures)
    np.testing.assert_array_equal(
        [[decoded(png) for png in of_seed] for of_seed in view.frames], expected.frames
    )
    assert view.frame_steps == model.frame_steps.tolist() == list(range(0, 17, 2))
    np.testing.assert_allclose(view.curves["scores"], expected.scores, rtol=1e-3)
    assert view.classes == ["ant", "bee", "cat"]
    assert view.label == view.classes[study.target] == view.classes[view.target]


def test_choosing_a_class_and_moving_controls_computes_others(study):
    view = xw.ClassModelExplorer(study, seeds=(0,), iterations=4)
    other = (study.target + 1) % 3
    view._dispatch({"type": "choose", "target": other})
    assert study.target == other
    view._dispatch({"type": "move", "name": "penalty", "value": 0.3})
    view._dispatch({"type": "move", "name": "seeds", "value": 2})
    model = study.class_models.growing.wait()
    assert (model.target, model.seeds, model.parameters["penalty"]) == (other, (0, 1), 0.3)
    assert {one["name"]: one["value"] for one in view.controls}["seeds"] == 2


@pytest.mark.parametrize("value", [-1, "much", 900])
def test_a_value_that_is_refused_is_told_and_nothing_changes(study, value):
    view = xw.ClassModelExplorer(study, iterations=4)
    before = study.class_models.method
    view._dispatch({"type": "move", "name": "jitter", "value": value})
    assert "jitter" in view.message
    assert study.class_models.method == before
    view._dispatch({"type": "choose", "target": 7})
    assert "class 7 does not exist" in view.message


def test_a_channel_of_the_study_is_raised(study):
    study.ask(xw.Channel("0", 2), xw.Saliency())
    view = xw.ClassModelExplorer(study, iterations=4)
    model = study.class_models.growing.wait()
    assert model.label == view.label == "0, channel 2"
    assert view.target == -1
    assert view.curves["probabilities"][0] == [None] * 5


def test_a_page_holds_pictures_curves_and_frames_and_no_kernel(tmp_path):
    view = xw.ClassModelExplorer(class_model())
    view.to_html(tmp_path / "page.html")
    [state] = states(tmp_path / "page.html")
    assert state["alive"] is False
    assert len(state["pictures"]) == len(state["frames"]) == 2
    assert state["curves"]["scores"] == [[0, 1, 2, 4], [0, 2, -3, None]]
    assert "Seed 5: It ended early." in state["note"]
    assert view.preview().keys() == {"image/png", "text/plain"}


def test_its_curves_are_written_as_drawings_one_line_a_seed(tmp_path):
    model = class_model()
    view = xw.ClassModelExplorer(model)
    view.to_svg(tmp_path / "scores.svg")
    svg = (tmp_path / "scores.svg").read_text("utf-8")
    assert f"score, in {model.unit}" in svg
    counts = [text.count(",") for text in re.findall(r'points="([^"]+)"', svg)]
    assert counts == [4, 3]
    for seed in model.seeds:
        assert f">seed {seed}</text>" in svg
    view.to_svg(tmp_path / "norms.svg", curve="norms")
    assert "‖x‖²" in (tmp_path / "norms.svg").read_text("utf-8")
    with pytest.raises(ValueError, match="curve is 'score', but must be"):
        view.to_svg(tmp_path / "other.svg", curve="score")
    assert not (tmp_path / "other.svg").exists()


def of_seeds(count, **changes):
    random = np.random.default_rng(0)
    facts = {
        "pixels": np.zeros((count, 3, 5, 7), np.float32), "kept": np.full(count, 3),
        "frames": np.zeros((count, 3, 5, 7, 3), np.uint8), "seeds": tuple(range(count)),
        "notes": ("",) * count, "scores": random.random((count, 4)),
        "norms": random.random((count, 4)), "probabilities": random.random((count, 4)),
    }  # fmt: skip
    return class_model(**facts | changes)


def test_no_two_of_eight_seeds_look_alike(tmp_path):
    xw.ClassModelExplorer(of_seeds(8)).to_svg(tmp_path / "scores.svg")
    lines = re.findall(r"<polyline[^>]*>", (tmp_path / "scores.svg").read_text("utf-8"))
    looks = {(re.search(' stroke="(.*?)"', one)[1], "stroke-dasharray" in one) for one in lines}
    assert len(lines) == len(looks) == 8


def test_a_chart_of_no_values_is_refused(tmp_path):
    nothing = np.full((2, 4), np.nan)
    view = xw.ClassModelExplorer(of_seeds(2, probabilities=nothing, label="0, channel 2"))
    with pytest.raises(ValueError, match="none of the probabilities of 0, channel 2 is a finite"):
        view.to_svg(tmp_path / "chart.svg", "probabilities")
    assert not any(tmp_path.iterdir())
    view.to_svg(tmp_path / "chart.svg", "norms")


def test_there_is_no_page_of_nothing_and_no_view_of_something_else(study, tmp_path):
    study.stop()
    with pytest.raises(ValueError, match=r"shows a study or a class model, not int; make one"):
        xw.ClassModelExplorer(3)
    with pytest.raises(ValueError, match="shown as it is"):
        xw.ClassModelExplorer(class_model(), seeds=(1,))
    view = xw.ClassModelExplorer(study)
    view._model = None
    with pytest.raises(ValueError, match="no picture yet"):
        view.to_html(tmp_path / "page.html")


def test_large_pictures_are_sent_small(study):
    large = class_model(
        pixels=np.zeros((1, 3, 256, 512), np.float32), kept=np.zeros(1, int),
        scores=np.zeros((1, 1)), norms=np.zeros((1, 1)), probabilities=np.zeros((1, 1)),
        frames=np.zeros((1, 1, 256, 512, 3), np.uint8), frame_steps=np.zeros(1, int), seeds=(0,),
        notes=("",),
    )  # fmt: skip
    assert decoded(xw.ClassModelExplorer(large).pictures[0]).shape == (64, 128, 3)
