"""Two maps side by side: one scale, their difference, one slider, and a page of all."""

import base64
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.live import Difference
from xwidgets.widgets import ParameterControl

from .pages import states


def make(net: xw.Network, image: torch.Tensor, value: float, **options: object) -> xw.Study:
    options = {"window": 4, "samples": 1} | options
    return xw.Study(net, image, sampler=xw.ConstantSampler(value), **options)


@pytest.fixture
def sides(net: xw.Network, image: torch.Tensor) -> Iterator[tuple[xw.Study, xw.Study]]:
    with make(net, image, 0.5) as left, make(net, image, 0.0) as right:
        yield left, right


def panels(comparison: xw.Comparison) -> list[xw.RelevanceOverlay]:
    return [view for view in comparison.children if isinstance(view, xw.RelevanceOverlay)]


def sliders(comparison: xw.Comparison) -> list[ParameterControl]:
    return [
        view
        for view in comparison.children
        if isinstance(view, ParameterControl) and view.name == "window"
    ]


def shown(view: xw.RelevanceOverlay) -> np.ndarray:
    (frame,) = view.frames
    return np.frombuffer(frame["map"], np.int8).reshape(view.shape) / 127 * frame["scale"]


def settle(*studies: xw.Study) -> None:
    for study in studies:
        study.wait()


def test_the_controls_of_all_maps_take_a_limit_from_the_browser(sides) -> None:
    comparison = xw.Comparison(*sides)
    settle(*sides)
    comparison._controls.set_state({"effect": 0.5, "threshold": 0.0})
    assert comparison._controls.effect == 0.5
    assert comparison._controls.sentence == ""


def test_both_sides_have_one_scale_and_the_difference_its_own(sides) -> None:
    comparison = xw.Comparison(*sides)
    settle(*sides)
    left, right, gap, _ = panels(comparison)
    a, b = (study.relevance.values for study in sides)
    assert left.scale == right.scale == pytest.approx(max(abs(a).max(), abs(b).max()))
    assert gap.scale is None
    assert gap.frames[0]["scale"] == pytest.approx(abs(a - b).max())
    np.testing.assert_allclose(shown(gap), a - b, atol=abs(a - b).max() / 127)
    np.testing.assert_array_equal(comparison.difference.values, a - b)


def test_captions_say_only_what_differs(net: xw.Network, image: torch.Tensor) -> None:
    with make(net, image, 0.5, target=0) as left, make(net, image, 0.5, target=1) as right:
        settle(left, right)
        views = panels(xw.Comparison(left, right))
        assert [view.caption for view in views[:2]] == ["ant", "bee"]
        assert views[2].frames[0]["ends"] == ("more for bee", "more for ant")
        right.target = 0
        settle(right)
        assert [view.caption for view in views[:2]] == ["left", "right"]


def test_one_slider_moves_both_and_moving_back_takes_no_step(sides) -> None:
    comparison = xw.Comparison(*sides)
    settle(*sides)
    first = [study.relevance for study in sides]
    (slider,) = sliders(comparison)
    slider.value = 6
    assert [study.window for study in sides] == [6, 6]
    settle(*sides)
    slider.value = 4
    assert [study.relevance for study in sides] == first
    assert comparison.difference.values.tolist() == (first[0].values - first[1].values).tolist()
    sides[1].window = 5
    assert (slider.value, sides[0].window) == (5, 5)


def test_no_difference_of_two_windows_is_shown_while_the_slider_moves(sides) -> None:
    comparison = xw.Comparison(*sides)
    (slider,) = sliders(comparison)
    settle(*sides)
    slider.value = 6
    settle(*sides)
    wrong = []

    def look(_: object) -> None:
        gap = comparison.difference
        if gap is not None and len({gap.parameters[s]["parameters"]["window"]
                                    for s in ("left", "right")}) > 1:  # fmt: skip
            wrong.append(gap.title)

    comparison._subject.observe(look, "relevance")
    for value in (4, 6, 4, 6):
        slider.value = value
    assert not wrong


def test_unequal_windows_have_a_slider_each(net: xw.Network, image: torch.Tensor) -> None:
    with make(net, image, 0.5, window=3) as left, make(net, image, 0.5, window=6) as right:
        settle(left, right)
        comparison = xw.Comparison(left, right)
        one, other = sliders(comparison)
        one.value = 5
        assert (left.window, right.window) == (5, 6)
        settle(left)
        assert [view.caption for view in panels(comparison)[:2]] == ["window 5", "window 6"]
        assert other.value == 6


def test_the_difference_grows_while_both_are_computed(net: xw.Network, image: torch.Tensor) -> None:
    with make(net, image, 0.5, samples=50) as left, make(net, image, 0.1, samples=50) as right:
        seen = []
        with left._worker.lock, right._worker.lock:
            for study in (left, right):
                study._live._task._interval = 0  # the work can be quicker than a few looks
            comparison = xw.Comparison(left, right)
            comparison._subject.observe(lambda change: seen.append(change.new), "relevance")
        settle(left, right)
        shares = [gap.completed for gap in seen]
        assert len(set(shares)) > 2
        assert shares == sorted(shares)
        assert comparison.difference.completed == 1
        assert panels(comparison)[2].progress["state"] == "complete"


def test_stop_in_the_difference_stops_both(net: xw.Network, image: torch.Tensor) -> None:
    with make(net, image, 0.5, samples=999) as left, make(net, image, 0.1, samples=999) as right:
        gap = panels(xw.Comparison(left, right))[2]
        gap._handle_custom_msg({"type": "stop"}, [])
        assert [study.progress.state for study in (left, right)] == ["stopped", "stopped"]
        assert gap.progress["state"] == "stopped"
        gap._handle_custom_msg({"type": "resume"}, [])
        assert gap.progress["state"] == "computing"


def test_other_units_leave_two_standard_maps_and_a_sentence(net, image) -> None:
    with make(net, image, 0.5) as left, make(net, image, 0.5, measure="difference") as right:
        comparison = xw.Comparison(left, right)
        settle(left, right)
        one, other, gap, _ = panels(comparison)
        assert comparison.difference is None
        assert gap.note.startswith("A map in bits and one in logits have no difference; compare")
        assert gap.note.endswith(".")
        scales = [float(abs(study.relevance.values).max()) for study in (left, right)]
        assert [one.scale, other.scale] == pytest.approx(scales)


def test_another_picture_on_one_side_leaves_a_sentence_until_it_is_on_both(sides) -> None:
    left, right = sides
    comparison = xw.Comparison(left, right)
    settle(left, right)
    gap = panels(comparison)[2]
    before = gap.photo
    left.image = left.image.flip(-1)
    settle(left)
    assert comparison.difference is None
    assert gap.note.startswith("Maps of different pictures have no difference")
    assert panels(comparison)[0].photo != before
    right.image = right.image.flip(-1)
    settle(right)
    assert gap.note == ""
    assert comparison.difference is not None
    assert gap.photo == panels(comparison)[0].photo == panels(comparison)[1].photo


def test_finished_maps_can_be_compared_and_with_a_study(sides) -> None:
    left, right = sides
    settle(left, right)
    comparison = xw.Comparison(left.relevance, right.relevance)
    assert not sliders(comparison)
    assert panels(comparison)[2].progress["state"] == "complete"
    mixed = xw.Comparison(left, right.relevance)
    assert len(sliders(mixed)) == 1
    np.testing.assert_array_equal(mixed.difference.values, comparison.difference.values)


def test_a_side_that_is_neither_is_refused(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="a side is a str, but must be"):
        xw.Comparison(study, "birds")


def test_a_failure_of_one_side_is_told_in_the_difference(sides, monkeypatch) -> None:
    left, right = sides
    gap = Difference(left, right)
    settle(left, right)
    good = right.network.probabilities
    monkeypatch.setattr(right.network, "probabilities", lambda x: good(x) if len(x) == 1 else 1 / 0)
    right.window = 6
    with pytest.raises(ZeroDivisionError):
        right.wait()
    assert gap.progress.state == "failed"
    assert "division" in gap.progress.message
    monkeypatch.undo()
    left.window, right.window = 5, 5
    settle(left, right)
    assert gap.progress.state == "complete"


def test_two_threads_never_leave_an_old_difference(net: xw.Network, image: torch.Tensor) -> None:
    with make(net, image, 0.5) as left, make(net, image, 0.1) as right:
        comparison = xw.Comparison(left, right)
        (slider,) = sliders(comparison)
        for value in (3, 5, 7, 4, 6, 8, 3, 7):
            slider.value = value
            time.sleep(0.002)
        settle(left, right)
        expected = left.relevance.values - right.relevance.values
        np.testing.assert_array_equal(comparison.difference.values, expected)
        assert comparison.difference.completed == 1


def test_a_page_holds_all_windows_of_both_on_common_scales(sides, tmp_path: Path) -> None:
    comparison = xw.Comparison(*sides)
    (slider,) = sliders(comparison)
    for value in (6, 3, 4):
        slider.value = value
        settle(*sides)
    slider.value = 6
    comparison.to_html(tmp_path / "page.html", title="samplers")
    _, left, right, gap, controls = states(tmp_path / "page.html")
    assert "<title>samplers</title>" in (tmp_path / "page.html").read_text("utf-8")
    for state in (left, right, gap, controls):
        assert len(state["frames"]) == 3
        assert state["index"] == 2
        assert state["progress"]["state"] == "complete"
        assert state["scale"] is None
    for place, window in enumerate((3, 4, 6)):
        maps = [study.at(window).values for study in sides]
        codes = [
            np.frombuffer(base64.b64decode(state["frames"][place]["map"]["base64"]), np.int8)
            for state in (left, right, gap)
        ]
        scale = left["frames"][place]["scale"]
        assert scale == right["frames"][place]["scale"] == pytest.approx(np.abs(maps).max())
        for values, seen in zip(maps, codes, strict=False):
            np.testing.assert_allclose(seen / 127 * scale, values.ravel(), atol=scale / 200)
        own = gap["frames"][place]["scale"]
        expected = (maps[0] - maps[1]).ravel()
        np.testing.assert_allclose(codes[2] / 127 * own, expected, atol=own / 200)
        assert controls["frames"][place]["name"] == f"{window} × {window} pixels"
        assert "map" not in controls["frames"][place]


def test_a_notebook_without_widgets_gets_a_png_and_words(sides) -> None:
    comparison = xw.Comparison(*sides)
    settle(*sides)
    bundle, metadata = comparison._repr_mimebundle_()
    preview = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert preview.size == (3 * 448 + 2 * 16, 448)
    assert "ConstantSampler(value=0.5) minus ConstantSampler(value=0.0)" in bundle["text/plain"]
    assert metadata == {"image/png": {"alt": bundle["text/plain"]}}
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_standard_errors_are_sent_with_a_scale_of_their_own(study: xw.Study) -> None:
    result = study.wait()
    assert "error" not in xw.RelevanceOverlay(result).frames[0]
    error = np.linspace(0, 2, result.values.size, dtype=np.float32).reshape(result.values.shape)
    error[3, 3] = np.nan
    known = replace(result, standard_error=error)
    (frame,) = xw.RelevanceOverlay(known).frames
    codes = np.frombuffer(frame["error"], np.uint8).reshape(error.shape)
    assert codes[3, 3] == 255
    assert frame["error_scale"] == 2.0
    certain = ~np.isnan(error)
    np.testing.assert_allclose(codes[certain] / 254 * 2, error[certain], atol=2 / 254)
    controls = panels(xw.Comparison(result, known))[3]
    assert controls.frames[0]["error_scale"] == 2.0


def test_a_closed_comparison_follows_nothing(sides) -> None:
    comparison = xw.Comparison(*sides)
    settle(*sides)
    views = panels(comparison)
    comparison.close()
    before = [view.frames for view in views]
    left, right = sides
    left.window = 7
    settle(*sides)
    assert right.window != 7
    right.window = 5
    settle(*sides)
    assert left.window == 7
    assert [view.frames for view in views] == before


def test_a_window_that_only_one_side_can_take_becomes_the_largest_of_both(
    net: xw.Network, image: torch.Tensor
) -> None:
    sampler = xw.ConditionalSampler.fit(torch.rand(8, *image.shape), window=6, patches=400)
    with (
        xw.Study(net, image, window=4, sampler=sampler, samples=1) as left,
        xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1) as right,
    ):
        comparison = xw.Comparison(left, right)
        right.window = 12
        assert (left.window, right.window, sliders(comparison)[0].value) == (6, 6, 6)


def test_a_comparison_goes_on_with_a_method_of_another_kind(sides, tmp_path: Path) -> None:
    left, right = sides
    comparison = xw.Comparison(left, right)
    settle(left, right)
    left.method = xw.Saliency()
    settle(left)
    names = [(c.name, c.side) for c in comparison.children if isinstance(c, ParameterControl)]
    assert names == [("reduce", "left"), ("window", "right"), ("measure", "right")]
    assert panels(comparison)[2].note.startswith("A map in logits per unit of pixel value and one")
    comparison.to_html(tmp_path / "page.html")
    left.method = xw.Occlusion(window=5, measure="drop")
    right.move(window=5)
    names = [(c.name, c.side) for c in comparison.children if isinstance(c, ParameterControl)]
    assert ("value", "left") in names
    assert ("measure", "right") in names
    settle(left, right)
    right.move(measure="difference")
    left.move(measure="difference")
    settle(left, right)
    assert comparison.difference is not None
