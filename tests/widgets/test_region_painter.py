"""Painting a region: what is drawn, what is asked, what the views are told."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import ipycanvas
import ipywidgets
import numpy as np
import pytest
import torch
from ipycanvas.canvas import _CANVAS_MANAGER, COMMANDS
from PIL import Image

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.results import render
from xwidgets.results.sentences import sentence
from xwidgets.widgets._notebook_page import page_of_state
from xwidgets.widgets.region_painter import WIDTH, drawing, paint, stroke
from xwidgets.widgets.region_scores import RegionScores

from .pages import states


@pytest.fixture
def painter(study: xw.Study) -> Iterator[xw.RegionPainter]:
    yield (painter := xw.RegionPainter(study))
    painter.close()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list]:
    """What canvases are told to draw: lists of a command's name and its arguments."""
    heard: list[list] = []
    names = {number: name for name, number in COMMANDS.items()}

    def note(command: list, buffers: list = []) -> None:  # noqa: B006
        several = command if isinstance(command[0], list) else [command]
        heard.extend([names[one[0]], one[1] if len(one) > 1 else []] for one in several)

    monkeypatch.setattr(_CANVAS_MANAGER, "_send_custom", note)
    return heard


def event(painter: xw.RegionPainter, name: str, x: float = 0, y: float = 0) -> None:
    """A mouse event at (x, y) of the picture, in its pixels."""
    scale = painter._canvas.width / painter._study.picture.shape[1]
    content = {"event": name, "x": x * scale, "y": y * scale}
    painter._canvas._handle_custom_msg(content, [])


def drag(painter: xw.RegionPainter, *points: tuple[float, float]) -> None:
    event(painter, "mouse_down", *points[0])
    for point in points[1:]:
        event(painter, "mouse_move", *point)
    event(painter, "mouse_up", *points[-1])


def slow_stroke(shape, start, end, brush):
    """The pixels whose middle is within half a brush of one of very many points of the line."""
    mask = np.zeros(shape, bool)
    for share in np.linspace(0, 1, 400):
        at = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
        for y in range(shape[0]):
            for x in range(shape[1]):
                mask[y, x] |= (x + 0.5 - at[0]) ** 2 + (y + 0.5 - at[1]) ** 2 <= brush**2 / 4
        if share in (0, 1) and 0 <= at[1] < shape[0] and 0 <= at[0] < shape[1]:
            mask[int(at[1]), int(at[0])] = True
    return mask


LINES = [
    ((2.2, 3.3), (9.1, 6.4), 4), ((5.1, 5.2), (5.1, 5.2), 5), ((0.1, 0.2), (0.3, 8.4), 1),
    ((-3.2, 2.2), (4.1, -2.4), 6), ((10.4, 7.3), (30.0, 7.2), 3), ((6.5, 2.1), (6.4, 7.7), 25),
    ((-9.0, -9.0), (-4.0, -8.0), 3), ((20.0, 20.0), (20.0, 30.0), 5),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "brush"), LINES)
@pytest.mark.parametrize("value", [True, False])
def test_a_stroke_covers_what_is_under_the_brush(start, end, brush, value) -> None:
    mask = np.full((9, 12), not value)
    stroke(mask, start, end, brush, value)
    np.testing.assert_array_equal(mask == value, slow_stroke(mask.shape, start, end, brush))


@pytest.mark.parametrize("scale", [1, 3, 14])
def test_a_region_is_drawn_where_it_is_with_an_outline_on_both_sides(scale) -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:3, 1:5] = mask[2:5, 4:6] = True
    mask[2, 3] = False
    layers = paint(mask, scale)
    (black, veil, white) = (np.zeros((5 * scale, 6 * scale), int) for _ in range(3))
    for drawn, (_, _, rectangles) in zip((black, veil, white), layers, strict=True):
        for x, y, width, height in rectangles:
            drawn[y : y + height, x : x + width] += 1
    large = mask.repeat(scale, 0).repeat(scale, 1)
    np.testing.assert_array_equal(veil, large, "each pixel once")
    assert not (black.astype(bool) & large).any()
    assert not (white.astype(bool) & ~large).any()
    assert [color for color, _, _ in layers] == ["black", render.REGION_COLOR, "white"]
    assert white.any()
    assert black.any()
    if scale == 14:
        edge = large & ~np.pad(large, 1, mode="edge")[:-2, 1:-1]
        assert white[edge].all()
    assert not any(len(rectangles) for _, _, rectangles in paint(np.zeros((3, 3), bool), scale))


def test_painting_removes_what_was_painted_and_shows_it(study, painter) -> None:
    painter.tools.brush = 4
    drag(painter, (3.0, 3.0), (8.0, 3.0), (8.0, 9.0))
    expected = np.zeros((16, 16), bool)
    stroke(expected, (3, 3), (8, 3), 4, True)
    stroke(expected, (8, 3), (8, 9), 4, True)
    np.testing.assert_array_equal(study.regions.mask, expected)
    removal = study.regions.removal.wait()
    assert study.regions.fills == ("grey",), "there are no images for another filling"
    alone = xw.remove_region(study.network, study.image, expected, xw.ConstantSampler(0.5), 1)
    np.testing.assert_array_equal(removal.probabilities, alone.probabilities)
    rows = {row["name"]: row for row in painter.scores.rows}
    for index, name in enumerate(("ant", "bee", "cat")):
        assert rows[name]["before"] == pytest.approx(alone.before[index])
        assert rows[name]["after"] == pytest.approx(alone.after[index])
        assert rows[name]["evidence"] == pytest.approx(alone.evidence[index])
        assert rows[name]["error"] is None, "one sample does not tell"
    best = [max(row["before"], row["after"]) for row in painter.scores.rows]
    assert best == sorted(best, reverse=True)
    assert painter.scores.progress["state"] == "complete"
    assert painter.tools.pixels == painter.scores.pixels == expected.sum()
    json.dumps(painter.scores.rows, allow_nan=False)


def test_a_move_without_the_button_paints_nothing(study, painter) -> None:
    event(painter, "mouse_move", 5, 5)
    event(painter, "mouse_up", 5, 5)
    assert not study.regions.mask.any()
    event(painter, "mouse_down", 5, 5)
    assert not study.regions.mask.any(), "nothing is asked before the stroke ends"
    event(painter, "mouse_out", 99, 5)
    assert study.regions.mask.any()
    before = study.regions.mask
    event(painter, "mouse_move", 1, 12)
    event(painter, "mouse_up", 1, 12)
    assert study.regions.mask is before, "outside of the canvas the stroke had ended"


def test_a_finger_paints_too(study, painter) -> None:
    scale = painter._canvas.width / 16
    for name, touches in (
        ("touch_start", [{"x": 4 * scale, "y": 4 * scale}]),
        ("touch_move", [{"x": 9 * scale, "y": 4 * scale}]),
        ("touch_end", []),
    ):
        painter._canvas._handle_custom_msg({"event": name, "touches": touches}, [])
    assert study.regions.mask[4, 4:9].all()


def test_the_eraser_takes_out_and_clear_takes_all(study, painter) -> None:
    painter.tools.brush = 3
    drag(painter, (2.5, 8.5), (13.5, 8.5))
    full = study.regions.mask.sum()
    painter.tools.erase = True
    drag(painter, (8.5, 8.5))
    assert 0 < study.regions.mask.sum() < full
    assert not study.regions.mask[8, 8]
    painter.tools._handle_custom_msg({"type": "clear"}, [])
    assert not study.regions.mask.any()
    assert study.regions.removal.question is None
    assert [row["after"] for row in painter.scores.rows] == [None] * 3
    assert painter.scores.contents == []


def test_a_rectangle_by_numbers(study, painter) -> None:
    rectangle = {"type": "rectangle", "top": 2, "left": 3, "height": 4, "width": 5}
    painter.tools._handle_custom_msg(rectangle, [])
    expected = np.zeros((16, 16), bool)
    expected[2:6, 3:8] = True
    np.testing.assert_array_equal(study.regions.mask, expected)
    painter.tools.erase = True
    painter.tools._handle_custom_msg(rectangle | {"width": 1}, [])
    expected[2:6, 3] = False
    np.testing.assert_array_equal(study.regions.mask, expected)
    np.testing.assert_array_equal(painter._mask, expected)


def birds() -> tuple[xw.scenes.Scene, xw.Network]:
    return xw.scenes.bird(seed=3), xw.network("birds")


def test_the_newest_stroke_wins_and_what_is_known_comes_at_once() -> None:
    scene, net = birds()
    with xw.Study(net, scene.image) as study:
        study.stop()
        view = RegionScores(study)
        seen: list[int] = []
        view.observe(lambda _: seen.append(view.pixels), "rows")
        study.regions.mask = scene.masks["breast"]
        study.regions.mask = scene.masks["beak"]
        last = study.regions.removal.wait()
        np.testing.assert_array_equal(last.mask, scene.masks["beak"])
        assert view.pixels == scene.masks["beak"].sum()
        assert last.completed == 1
        assert (view.scored, view.samples) == (20, 20)
        assert len(view.contents) == 6
        assert all(row["error"] >= 0 for row in view.rows)
        expected = xw.remove_region(net, scene.image, scene.masks["beak"])
        np.testing.assert_allclose(last.probabilities, expected.probabilities)
        study.regions.fill = "marginal"
        other = study.regions.removal.wait()
        assert "Marginal" in other.parameters["sampler"]
        study.regions.fill = "conditional"
        assert study.regions.removal.answer is last


def test_the_study_closes_over_a_region_that_is_computed() -> None:
    scene, net = birds()
    study = xw.Study(net, scene.image)
    study.regions.samples = 3000
    study.regions.mask = scene.masks["breast"]
    until(lambda: study.regions.removal.answer is not None)
    study.close()
    assert study.regions.removal.progress.state == "stopped"
    study._worker.join()
    study.regions.mask = scene.masks["beak"]
    assert "closed" in study.regions.removal.progress.message


def test_another_image_clears_the_region(study, painter, commands) -> None:
    drag(painter, (8, 8), (9, 9))
    before = study.regions.removal.wait()
    region = study.regions.mask
    commands.clear()
    first = study.image
    other = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(5))
    study.image = other
    assert not study.regions.mask.any()
    assert not painter._mask.any()
    assert study.regions.removal.answer is None
    assert painter.scores.rows[0]["before"] == pytest.approx(study.ranking[0][2])
    assert "putImageData" in [name for name, _ in commands]
    drag(painter, (8, 8), (9, 9))
    removal = study.regions.removal.wait()
    np.testing.assert_array_equal(removal.image, study.picture)
    study.image, study.regions.mask = first, region
    assert study.regions.removal.answer is before, "what is known of a picture is kept"


def test_the_canvas_is_sharp_on_any_screen(painter) -> None:
    assert painter._canvas.width >= 2 * WIDTH
    assert painter._canvas.width % 16 == 0, "a pixel is a whole number of units"
    assert painter._canvas.height == painter._canvas.width


def test_a_page_that_opens_gets_the_picture_and_the_region(study, painter, commands) -> None:
    study.regions.mask = np.eye(16, dtype=bool)
    commands.clear()
    painter._canvas._handle_custom_msg({"event": "client_ready"}, [])
    names = [name for name, _ in commands]
    assert names.count("putImageData") == 1
    assert names.count("fillRects") == 3


def test_after_an_error_canvases_draw_again(painter, commands) -> None:
    with pytest.raises(ZeroDivisionError), drawing():
        raise ZeroDivisionError
    assert not _CANVAS_MANAGER._caching
    commands.clear()
    ipycanvas.Canvas().fill_rect(0, 0, 1)
    assert "fillRect" in [name for name, _ in commands]


def test_a_closed_painter_follows_nothing(study) -> None:
    painter = xw.RegionPainter(study)
    painter.close()
    study.regions.mask = np.eye(16, dtype=bool)
    study.regions.removal.wait()
    assert not painter._mask.any()
    assert painter.tools.pixels == 0
    assert painter.scores.scored == 0


def test_two_painters_of_a_study_share_its_region(study, painter) -> None:
    other = xw.RegionPainter(study)
    drag(painter, (8, 8), (9, 9))
    np.testing.assert_array_equal(other._mask, study.regions.mask)
    other.close()


@pytest.mark.parametrize("mask", [np.eye(15, dtype=bool), np.eye(16), np.ones(16, bool), None])
def test_what_is_no_region_is_refused_and_nothing_changes(study, mask) -> None:
    before = study.regions.mask
    with pytest.raises(ValueError, match=r"^mask (is|holds) .* must be (a )?(bool|\(16, 16\))"):
        study.regions.mask = mask
    assert study.regions.mask is before


def test_what_else_cannot_be_is_refused(study) -> None:
    with pytest.raises(ValueError, match="unknown fill 'conditional'"):
        study.regions.fill = "conditional"
    with pytest.raises(ValueError, match=r"must be an xw\.Study"):
        xw.RegionPainter(study.network)


def test_the_region_of_a_study_cannot_be_changed_behind_its_back(study) -> None:
    mask = np.eye(16, dtype=bool)
    study.regions.mask = mask
    mask[:] = False
    assert study.regions.mask.sum() == 16
    with pytest.raises(ValueError, match="read-only"):
        study.regions.mask[0] = True


def test_a_notebook_without_widgets_gets_a_png_and_words(study, painter) -> None:
    data, _ = painter._repr_mimebundle_()
    assert "no region of it was removed" in data["text/plain"]
    study.regions.mask = np.eye(16, dtype=bool)
    removal = study.regions.removal.wait()
    data, _ = painter._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == removal.png()
    assert data["text/plain"].startswith(f"{removal.title}. Without the painted region ")
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_page_shows_the_region_the_scores_and_the_samples(study, painter, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no region is removed"):
        painter.to_html(tmp_path / "page.html")
    mask = np.zeros((16, 16), bool)
    mask[2:6, 3:8] = True
    study.regions.mask = mask
    painter.to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert state["rows"] == painter.scores.rows
    shown = np.asarray(Image.open(BytesIO(base64.b64decode(state["marked"]["base64"]))))
    np.testing.assert_array_equal(shown, render.marked(study.picture, mask))
    assert len(state["contents"]) == 1
    assert state["progress"]["state"] == "complete"


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def test_the_picture_and_its_region_are_state_beside_the_canvas(study, painter) -> None:
    mask = np.zeros((16, 16), bool)
    np.testing.assert_array_equal(opened(painter.scores.marked), render.marked(study.picture, mask))
    drag(painter, (8, 8), (9, 9))
    assert study.regions.mask.any()
    shown = render.marked(study.picture, study.regions.mask)
    np.testing.assert_array_equal(opened(painter.scores.marked), shown)
    study.image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(5))
    np.testing.assert_array_equal(opened(painter.scores.marked), render.marked(study.picture, mask))


def test_a_saved_notebook_has_the_picture_its_region_and_what_changes(study, painter) -> None:
    study.regions.mask = np.eye(16, dtype=bool)
    removal = study.regions.removal.wait()
    page = page_of_state(painter.model_id, ipywidgets.Widget.get_manager_state()["state"])
    (part,) = page.parts
    shown = opened(base64.b64decode(part.state["marked"]["base64"]))
    np.testing.assert_array_equal(shown, render.marked(study.picture, np.eye(16, dtype=bool)))
    assert part.state["sentence"] == sentence(removal)
    assert len(part.state["rows"]) == len(painter.scores.rows) > 0


def test_a_host_of_anywidgets_alone_takes_tools_and_scores(study, painter) -> None:
    group = xw.Group({"tools": painter.tools, "scores": painter.scores}, "row")
    painter.tools._dispatch({"type": "rectangle", "top": 2, "left": 3, "height": 4, "width": 5})
    mask = np.zeros((16, 16), bool)
    mask[2:6, 3:8] = True
    study.regions.removal.wait()
    _, part = group.to_page().parts
    shown = opened(part.state["marked"])
    np.testing.assert_array_equal(shown, render.marked(study.picture, mask))


def test_a_loaded_result_is_shown_like_a_computed_one(study, tmp_path: Path) -> None:
    mask = np.zeros((16, 16), bool)
    mask[9, 13:] = True
    study.regions.mask = mask
    live = RegionScores(study)
    study.regions.removal.wait().save(tmp_path / "removal")
    loaded = RegionScores(xw.RegionRemoval.load(tmp_path / "removal"))
    assert loaded.rows == live.rows
    assert loaded.contents == live.contents
    crop = np.asarray(Image.open(BytesIO(loaded.crop)))
    np.testing.assert_array_equal(crop, study.picture)
