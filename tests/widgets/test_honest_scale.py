"""Colours of the overlay: one scale for maps looked at together, and no colour for noise."""

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from tests.results.examples import relevance
from xwidgets.live.live_result import progress_of
from xwidgets.results import sentences

from .pages import states


def of(values, **changes):
    values = np.array(values, np.float32)
    image = np.zeros((*values.shape, 3), np.uint8)
    facts = {"label": "wren", "completed": 1.0, "standard_error": None}
    return relevance(values=values, image=image, **facts | changes)


STRONG = of([[2.0, 0.5], [0.01, -1.0]], parameters={"window": 8, "measure": "evidence"})
WEAK = of([[0.2, 0.1], [0.01, -0.1]], parameters={"window": 4, "measure": "evidence"})


def test_a_study_keeps_one_scale_while_its_window_moves(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    largest = 0.0
    for window in (4, 9, 2, 4):
        study.window = window
        result = study.wait()
        largest = max(largest, float(np.abs(result.values).max()))
        [frame] = view.frames
        assert frame["end"] == pytest.approx(largest)
        assert frame["scale"] == pytest.approx(np.abs(result.values).max())


def test_a_study_that_turns_to_another_class_has_another_scale(study: xw.Study) -> None:
    view = xw.RelevanceOverlay(study)
    for target in ("ant", "bee"):
        study.target = target
        study.wait()
        assert view.frames[0]["end"] == view.frames[0]["scale"]


def test_all_maps_of_a_page_have_one_scale(study: xw.Study, tmp_path: Path) -> None:
    xw.RelevanceOverlay(study).to_html(tmp_path / "page.html", windows=[3, 4, 6])
    [state] = states(tmp_path / "page.html")
    ends = {frame["end"] for frame in state["frames"]}
    assert ends == {max(frame["scale"] for frame in state["frames"])}
    assert state["scale_locked"]
    assert (state["offer"], state["segments"]) == ("", False)


def test_maps_in_other_units_have_scales_of_their_own() -> None:
    view = xw.RelevanceOverlay([STRONG, WEAK, replace(WEAK, unit="logits")])
    assert [frame["end"] for frame in view.frames] == pytest.approx([2, 2, 0.2])
    assert "end" not in xw.RelevanceOverlay(STRONG).frames[0]


def colors(view: xw.RelevanceOverlay) -> np.ndarray:
    data = view.preview()["image/png"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_preview_is_coloured_on_the_scale_of_the_view() -> None:
    view = xw.RelevanceOverlay([STRONG, WEAK])
    view.index = 1
    np.testing.assert_array_equal(colors(view), WEAK.overlay(scale=2.0))
    view.scale_locked = False
    np.testing.assert_array_equal(colors(view), WEAK.overlay())
    view.scale = 5.0
    np.testing.assert_array_equal(colors(view), WEAK.overlay(scale=5.0))
    view.effect = 0.15
    np.testing.assert_array_equal(colors(view), WEAK.overlay(scale=5.0, effect=0.15))
    view.threshold = 0.5
    np.testing.assert_array_equal(colors(view), WEAK.overlay(scale=5.0, effect=2.5))


def test_what_is_too_small_or_noise_is_not_coloured_in_a_picture() -> None:
    noisy = replace(STRONG, standard_error=np.full((2, 2), 0.3, np.float32))
    plain, picture = STRONG.overlay(size=20, effect=0), noisy.overlay(size=20)
    grey = (picture == picture[..., :1]).all(-1)
    assert not (plain == plain[..., :1]).all(-1)[:10].any()
    assert not grey[:10, :10].any(), "2 bits"
    assert grey[:10, 10:].all(), "half a bit, within two errors"
    assert grey[10:, :10].all(), "a hundredth of a bit"
    assert not grey[10:, 10:].any(), "minus one bit"


def test_the_sentence_goes_with_the_map_and_with_what_is_too_small() -> None:
    view = xw.RelevanceOverlay([STRONG, WEAK])
    assert view.sentence == sentences.relevance(STRONG)
    view.index = 1
    assert view.sentence == sentences.relevance(WEAK)
    assert view.preview()["text/plain"] == f"{WEAK.title}. {view.sentence}"
    assert [frame["sentence"] for frame in view.frames] == [
        sentences.found(STRONG), sentences.found(WEAK),
    ]  # fmt: skip
    view.effect = 0.3
    assert view.sentence == (
        "On average over the windows, nothing here changes the score by more than 0.3 bits."
    )
    assert view.frames[1]["sentence"] == ""
    assert view.frames[0]["sentence"] == sentences.found(STRONG, 0.3)


def test_a_sure_class_offers_the_score_before_softmax(net: xw.Network, image: torch.Tensor) -> None:
    with torch.no_grad():
        net.module[-1].bias[0] += 100
    method = xw.Occlusion(window=4, measure="drop")
    with xw.Study(net, image, "ant", method) as study:
        view = xw.RelevanceOverlay(study)
        result = study.wait()
        assert result.probability > 0.999
        [frame] = view.frames
        assert frame["sure"].startswith("The network is sure of 'ant' (")
        assert view.sentence.startswith("On average over the windows, nothing here changes")
        assert view.offer == "Show the score before softmax"
        view._handle_custom_msg({"type": "before_softmax"}, [])
        assert study.method == replace(method, measure="difference")
        assert study.wait().unit == "logits"
        assert view.offer == ""
        assert view.frames[0]["sure"] == ""
        study.method = xw.Saliency()
        study.wait()
        assert view.offer == ""


def test_a_finished_map_says_what_to_call() -> None:
    [frame] = xw.RelevanceOverlay(replace(WEAK, probability=0.9999)).frames
    assert frame["advice"] == 'Call xw.prediction_difference(..., measure="difference") for it.'


def test_results_know_the_probability_of_their_class(study: xw.Study, tmp_path: Path) -> None:
    result = study.wait()
    [probability] = [p for index, _, p in study.ranking if index == result.target]
    assert result.probability == pytest.approx(probability)
    result.save(tmp_path / "map.npz")
    assert xw.Relevance.load(tmp_path / "map.npz").probability == result.probability
    channel = xw.occlusion(study.network, study.image, xw.Channel("0", 1), window=8)
    assert channel.probability is None


def test_shares_are_told_as_multiples_of_an_even_spread() -> None:
    share = of(np.full((2, 2), 0.25), unit="share of the excitation", signed=False)
    [frame] = xw.RelevanceOverlay(share).frames
    assert frame["scale"] * frame["factor"] == 1
    assert frame["told"] == "× an even spread"
    assert "factor" not in xw.RelevanceOverlay(STRONG).frames[0]


@pytest.mark.parametrize(
    ("values", "error", "readable"),
    [
        ([[1, np.nan]], None, False),
        ([[1, 2]], None, True),
        ([[1, 2]], [[np.nan, np.nan]], True),
        ([[1, 2]], [[0.3, 0.3]], True),
        ([[1, 2]], [[0.5, 0.5]], False),
    ],
)
def test_a_map_is_readable_when_all_is_known_and_little_is_noise(
    values: list, error: list | None, readable: bool
) -> None:
    error = None if error is None else np.array(error, np.float32)
    assert of(values, standard_error=error).readable == readable


def test_progress_tells_when_there_is_something_to_look_at() -> None:
    quarter = of([[1, np.nan], [np.nan, np.nan]])
    told = progress_of(quarter, "computing", share=0.01, left=99.0)
    assert told.first_look == pytest.approx(3.0), "the other three quarters at the same pace"
    assert not told.readable
    told = progress_of(of([[1, 1]]), "computing", share=0.04, left=99.0)
    assert (told.first_look, told.readable) == (0, True)
    assert progress_of(object(), "computing", 0.5, 2.0).first_look is None
    assert progress_of(quarter, "computing", 0.5).first_look is None


def test_an_overlay_names_the_parts_of_its_scene(study: xw.Study) -> None:
    scene = xw.scenes.bird(seed=3)
    values = np.where(scene.masks["breast"], 0.4, 0.0).astype(np.float32)
    [breast] = [of(values, parameters={"window": 4})]
    view = xw.RelevanceOverlay(replace(breast, image=xw.images.picture(scene.image)))
    assert " is in the " in view.sentence
    view.scene = scene
    assert view.sentence.startswith("Most of what speaks for 'wren' is on the breast; ")
    assert view.frames[0]["sentence"] in view.sentence
    view.scene = xw.scenes.bird(seed=4)
    assert " is in the " in view.sentence, "of another picture"
    with pytest.raises(ValueError, match="scene is a Tensor, but must be a drawn scene"):
        view.scene = scene.image
    assert view.scene.record.seed == 4


def test_an_explorer_tells_its_map_which_scene_it_is_of() -> None:
    scenes = [xw.scenes.bird(seed=seed) for seed in (3, 4)]
    with xw.Study(xw.network("birds"), scenes[0].image, method=xw.Saliency()) as study:
        explorer = xw.Explorer(study, scenes)
        assert explorer.overlay.scene is scenes[0]
        study.image = scenes[1].image
        assert explorer.overlay.scene is scenes[1]
