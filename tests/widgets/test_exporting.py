"""Pictures that views write say what colours and hatching mean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xwidgets as xw
from tests.results.examples import relevance
from xwidgets.results.legend import with_legend
from xwidgets.results.sentences import relevance as sentence
from xwidgets.widgets.exporting import Exporting

VALUES = np.array([[2.0, 0.5], [0.01, -1.0]], np.float32)
MAP = relevance(values=VALUES, image=np.zeros((2, 2, 3), np.uint8), standard_error=None)


def written(view: Exporting, path: Path, **choices: bool) -> np.ndarray:
    view.to_png(path, **choices)
    return np.asarray(Image.open(path).convert("RGB"))


def test_an_overlay_has_its_legend_as_it_is_shown(tmp_path: Path) -> None:
    view = xw.RelevanceOverlay(MAP)
    np.testing.assert_array_equal(written(view, tmp_path / "map.png"), with_legend(MAP, scale=2.0))
    view.effect, view.color_map, view.scale = 0.6, "magenta-green", 3.0
    look = {"scale": 3.0, "effect": 0.6, "color_map": "magenta-green"}
    shown = written(view, tmp_path / "map.png")
    np.testing.assert_array_equal(shown, with_legend(MAP, **look))
    bare = written(view, tmp_path / "map.png", legend=False)
    np.testing.assert_array_equal(bare, MAP.overlay(**look))


def test_compared_maps_have_a_legend_each(tmp_path: Path) -> None:
    other = replace(MAP, values=VALUES / 2, parameters={"window": 4})
    comparison = xw.Comparison(MAP, other)
    left, middle, right = (
        with_legend(result, 448, scale)
        for result, scale in ((MAP, 2.0), (other, 2.0), (comparison.difference, 1.0))
    )
    sheet = written(comparison, tmp_path / "pair.png")
    for at, panel in enumerate((left, middle, right)):
        shown = sheet[: len(panel), at * (448 + 16) : at * (448 + 16) + 448]
        np.testing.assert_array_equal(shown, panel)
    assert written(comparison, tmp_path / "pair.png", legend=False).shape == (448, 3 * 448 + 32, 3)
    told = comparison.preview()["text/plain"]
    assert all(f"{one.title}. " in told for one in (MAP, other, comparison.difference))


def test_compared_maps_are_written_as_their_controls_say(tmp_path: Path) -> None:
    noise = np.array([[0.1, 0.4], [0.001, 0.1]], np.float32)
    left = replace(MAP, standard_error=noise)
    right = replace(MAP, values=VALUES / 2, parameters={"window": 4})
    comparison = xw.Comparison(left, right)
    for view in comparison.children:
        view.color_map, view.threshold, view.hide_uncertain = "magenta-green", 0.3, False
    comparison.parts["gap"].scale = 4.0
    look = {"uncertain": False, "color_map": "magenta-green"}
    looks = [look | {"scale": 2.0, "effect": 0.6}] * 2 + [look | {"scale": 4.0, "effect": 1.2}]
    results = [left, right, comparison.difference]
    sheet = written(comparison, tmp_path / "pair.png")
    bare = written(comparison, tmp_path / "pair.png", legend=False)
    told = comparison.preview()["text/plain"].splitlines()[1:]
    for at, (result, look) in enumerate(zip(results, looks, strict=True)):
        columns = slice(at * (448 + 16), at * (448 + 16) + 448)
        np.testing.assert_array_equal(bare[:, columns], result.overlay(448, **look))
        panel = with_legend(result, 448, **look)
        np.testing.assert_array_equal(sheet[: len(panel), columns], panel)
        words = sentence(result, look["effect"], look["uncertain"])
        assert told[at] == f"{result.title}. {words}"


def test_maps_of_several_methods_have_a_legend_each(tmp_path: Path) -> None:
    maps = [replace(MAP, method=name) for name in ("one", "two", "three", "four")]
    view = xw.MethodComparison(maps)
    sheet = written(view, tmp_path / "methods.png")
    panels = [with_legend(one, 448) for one in maps]
    np.testing.assert_array_equal(sheet[: len(panels[1]), 464 : 464 + 448], panels[1])
    height = max(map(len, panels[:3]))
    np.testing.assert_array_equal(sheet[height + 16 :, :448], panels[3])
    assert (sheet[height + 16 :, 464:] == 255).all()
    view.color_map = "orange-purple"
    legended = with_legend(maps[1], 448, color_map="orange-purple")
    sheet = written(view, tmp_path / "methods.png")
    np.testing.assert_array_equal(sheet[: len(legended), 464 : 464 + 448], legended)
    bare = written(view, tmp_path / "methods.png", legend=False)
    small = maps[1].overlay(224, color_map="orange-purple")
    np.testing.assert_array_equal(bare[:224, 240 : 240 + 224], small)
    told = view.preview()["text/plain"].splitlines()
    assert [line.split(" for ")[0] for line in told[1:]] == ["one", "two", "three", "four"]


def test_an_explorer_writes_its_map(study: xw.Study, tmp_path: Path) -> None:
    explorer = xw.Explorer(study)
    study.wait()
    shown = written(explorer, tmp_path / "map.png")
    expected = written(explorer.overlay, tmp_path / "map.png")
    np.testing.assert_array_equal(shown, expected)


def test_a_picture_is_not_written_before_there_is_a_map(tmp_path: Path) -> None:
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    with xw.Study(net, image, method=xw.Occlusion(stride=4)) as study:
        study.stop()
        with study._worker.lock:
            study.window = 9  # whose map has no step yet
            study.stop()
            for view in (
                xw.RelevanceOverlay(study),
                xw.Explorer(study),
                xw.MethodComparison(study),
            ):
                for legend in (True, False):
                    with pytest.raises(ValueError, match="no map yet; wait for study"):
                        view.to_png(tmp_path / "early.png", legend=legend)
        assert not [*tmp_path.iterdir()]
        study.resume()
        study.wait(60)
        xw.RelevanceOverlay(study).to_png(tmp_path / "map.png")
        assert [path.name for path in tmp_path.iterdir()] == ["map.png"]
