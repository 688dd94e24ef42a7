"""X-features of two classes side by side: what the browser is told, and on which scale."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from tests.results import examples

from .pages import states

pytestmark = pytest.mark.filterwarnings("ignore:.* images")
OPTIONS = {"features": 3, "epochs": 4, "hidden": (8, 4), "seed": 5, "cache": False}


def pair(**changes: object) -> tuple[xw.XFeatures, xw.XFeatures]:
    """X-features of two classes in one picture."""
    one = examples.x_features(3, seed=1, label="wren", target=2, **changes)
    return one, examples.x_features(4, seed=2, label="tit", target=5, image=one.image, score=-1.5)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def opacity(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3].astype(float)


def test_both_sides_are_told_with_all_their_numbers() -> None:
    sides = pair()
    view = xw.XFeatureComparison(*sides)
    assert not view.alive
    assert view.found == list(sides)
    for told, found in zip(view.sides, sides, strict=True):
        assert (told["label"], told["score"]) == (found.label, found.score)
        assert told["approximation"] == found.approximation
        contributions = [feature["contribution"] for feature in told["features"]]
        assert contributions == found.contributions.tolist()


def test_maps_are_as_strong_as_what_their_x_features_add_to_either_score() -> None:
    """Opacity times strength is what an x-feature adds at a pixel, in one unit for both classes."""
    sides = pair()
    view = xw.XFeatureComparison(*sides)
    adds = [abs(found.maps * found.contributions[:, None, None]) for found in sides]
    largest = max(one.max() for one in adds)
    strengths = []
    for told, added in zip(view.sides, adds, strict=True):
        for feature, expected in zip(told["features"], added, strict=True):
            shown = opacity(feature["map"])
            shown *= feature["strength"] / shown.max()
            np.testing.assert_allclose(shown, expected / largest, atol=0.01)
            strengths.append(feature["strength"])
    assert max(strengths) == pytest.approx(1)
    assert min(strengths) < 0.7


def test_the_sides_are_two_classes_of_one_picture() -> None:
    one, other = pair()
    with pytest.raises(ValueError, match=r"both sides are of 'wren'; give .* different classes"):
        xw.XFeatureComparison(one, one)
    for changed in (examples.x_features(2, target=9, seed=3), pair(network_name="street")[0]):
        with pytest.raises(ValueError, match="different pictures or networks; make both with"):
            xw.XFeatureComparison(other, changed)
    for subject, given in (("birds", other), (one, None), (one, 3), (one, "tit")):
        with pytest.raises(ValueError, match=r"a side .* must be xwidgets\.XFeatures"):
            xw.XFeatureComparison(subject, given)


def test_it_follows_target_and_picture_of_a_study(study: xw.Study, images: torch.Tensor) -> None:
    view = xw.XFeatureComparison(study, images=images, **OPTIONS)

    def told() -> list[str]:
        for fit in view.fits:
            fit.wait()
        return [side["label"] for side in view.sides]

    first, second, third = (name for _, name, _ in study.ranking)
    assert told() == [first, second]
    for found, fit in zip(view.found, view.fits, strict=True):
        expected = xw.x_features(study.network, fit.module, study.image)
        np.testing.assert_array_equal(found.maps, expected.maps)
    study.target = third
    assert told() == [third, first]
    study.image = images[7]
    assert told() == [name for _, name, _ in study.ranking[:2]]
    np.testing.assert_array_equal(view.found[0].image, view.found[1].image)
    assert view.left == view.right == {}
    view.close()


def test_the_other_class_can_be_chosen(study: xw.Study, images: torch.Tensor) -> None:
    first, second, third = (name for _, name, _ in study.ranking)
    view = xw.XFeatureComparison(study, third, images, **OPTIONS)
    for fit in view.fits:
        fit.wait()
    assert [side["label"] for side in view.sides] == [first, third]
    study.target = third  # then it is no other class
    for fit in view.fits:
        fit.wait()
    assert [side["label"] for side in view.sides] == [third, first]
    study.target = second
    for fit in view.fits:
        fit.wait()
    assert [side["label"] for side in view.sides] == [second, third]
    with pytest.raises(ValueError, match="which is the study's target too; give another class"):
        xw.XFeatureComparison(study, second, images, **OPTIONS)
    with pytest.raises(ValueError, match="unknown class 'robin'"):
        xw.XFeatureComparison(study, "robin", images, **OPTIONS)
    with pytest.raises(ValueError, match="must be a class, by index or name"):
        xw.XFeatureComparison(study, xw.Channel("0", 1), images, **OPTIONS)


def test_what_means_nothing_is_not_shown() -> None:
    one, other = pair(lack="only 2 images are of it; give more with images=")
    view = xw.XFeatureComparison(one, other)
    assert view.sides[0]["lack"] == "Only 2 images are of it; give more with images=."
    assert view.sides[0]["features"] == []
    assert len(view.sides[1]["features"]) == 4
    assert view.preview() == {"text/plain": "Only 2 images are of it; give more with images=."}


def test_the_page_and_the_preview_show_both(tmp_path: Path, study: xw.Study, images) -> None:
    view = xw.XFeatureComparison(*pair())
    view.to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert [side["label"] for side in state["sides"]] == ["wren", "tit"]
    assert (state["alive"], state["left"], state["right"]) == (False, {}, {})
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "X-features of two classes in one picture (birds)" in text
    shown = view.preview()
    assert shown["text/plain"].startswith("Why wren and not tit?")
    with Image.open(io.BytesIO(base64.b64decode(shown["image/png"]))) as picture:
        assert picture.width > 4 * 200
    with study._worker.lock:
        waiting = xw.XFeatureComparison(study, images=images, **OPTIONS)
        assert "none were found yet" in waiting.preview()["text/plain"]
        with pytest.raises(ValueError, match=r"not known yet; wait for fit\.wait\(\)"):
            waiting.to_html(tmp_path / "other.html")
    waiting.close()
