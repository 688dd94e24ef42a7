"""What the gallery of top images shows, hears, and writes to a page."""

import io

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from PIL import Image

import xwidgets as xw
from tests.results.examples import top_images
from xwidgets.box import Box

from .pages import states


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(30, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_it_shows_what_a_study_finds(study, images):
    view = xw.TopImagesGallery(study, ("0", 2), images, k=5)
    study.dataset_search.wait()
    [top] = xw.search_images(study.network, images, [("0", 2)], 20, cache=False, progress=False)
    [shown] = view.tops
    assert [one["source"] for one in shown["images"]] == list(top.sources)
    assert [one["activation"] for one in shown["images"]] == top.activations.tolist()
    for one, image, box, crop in zip(
        shown["images"], top.images, top.fields, top.crops, strict=True
    ):
        np.testing.assert_array_equal(decoded(one["picture"]), image)
        np.testing.assert_array_equal(decoded(one["patch"]), crop)
        assert one["box"] == list(box)
    assert (shown["searched"], shown["total"], shown["unit"]) == (30, 30, "activation")
    assert (view.k, view.most) == (5, 20)
    assert view.choice == {"kind": "channel", "name": "0 channel 2", "number": 2, "layer": "0"}
    assert view.layers == [{"name": "0", "convolution": 1, "channels": 4}]
    assert view.work["state"] == "complete"


def test_other_images_of_equal_activations_are_drawn_anew(study, images):
    with torch.no_grad():
        study.network.module[0].weight[1] = 0
        study.network.module[0].bias[1] = 0
    view = xw.TopImagesGallery(study, ("0", 1), images, k=3)
    study.dataset_search.wait()
    study.dataset_search.search_in(1 - images)
    found = study.dataset_search.wait()
    [shown] = view.tops
    for one, image in zip(shown["images"], found.images, strict=True):
        assert one["activation"] == 0
        np.testing.assert_array_equal(decoded(one["picture"]), image)


def test_what_cannot_be_searched_leaves_the_study_and_no_widget(study, images):
    xw.TopImagesGallery(study, ("0", 2), images)
    before, search = set(_instances), study.dataset_search
    with pytest.raises(ValueError, match="gone"):
        xw.TopImagesGallery(study, ("0", 1), "gone")
    with pytest.raises(ValueError, match="channel 99 does not exist"):
        xw.TopImagesGallery(study, ("0", 99), images)
    assert set(_instances) == before
    assert search.searched == xw.Channel("0", 2)


def test_without_a_wish_it_follows_the_study_s_target(study, images):
    view = xw.TopImagesGallery(study, images=images)
    for target in (2, 1):
        study.target = target
        study.dataset_search.wait()
        [shown] = view.tops
        assert shown["name"] == view.choice["name"] == view.target == view.classes[target]
        assert view.choice["kind"] == "target"
        assert shown["unit"] == "logits"
        assert all(one["box"] == [] and one["patch"] == b"" for one in shown["images"])


def test_what_is_searched_for_is_chosen_in_the_view(study, images):
    view = xw.TopImagesGallery(study, images=images)
    wishes = {
        ("class", 1, ""): "bee",
        ("channel", 3, "0"): "0 channel 3",
        ("target", 0, ""): study.network.class_name(study.target),
    }
    for (kind, number, layer), name in wishes.items():
        view._dispatch({"type": "search", "kind": kind, "number": number, "layer": layer})
        assert study.dataset_search.wait().name == name
        assert (view.tops[0]["name"], view.choice["kind"]) == (name, kind)


def test_a_wish_that_cannot_be_met_is_told_and_nothing_changes(study, images):
    view = xw.TopImagesGallery(study, ("0", 1), images)
    for wish in ({"kind": "channel", "number": 9, "layer": "0"}, {"kind": "class", "number": 7}):
        view._dispatch({"type": "search", **wish})
        assert str(wish["number"]) in view.message
        assert study.dataset_search.wait().name == view.choice["name"] == "0 channel 1"
    view._dispatch({"type": "search", "kind": "class", "number": 1})
    assert view.message == ""


def test_x_features_of_given_modules_can_be_chosen():
    net = xw.network("birds")
    scenes, _ = xw.scenes.draw("birds", range(120))
    module = xw.fit_explanation(net, scenes, target=3, epochs=1, cache=False, progress=False)
    with xw.Study(net, scenes[0]) as study:
        view = xw.TopImagesGallery(study, images=scenes, modules=[module])
        assert view.features == [f"{n} of Briar finch (hooked beak)" for n in range(5)]
        view._dispatch({"type": "search", "kind": "x-feature", "number": 4})
        assert study.dataset_search.wait().label == "x-feature 4 of Briar finch (hooked beak)"
        assert (view.choice["kind"], view.choice["number"]) == ("x-feature", 4)
        other = xw.TopImagesGallery(study, (module, 2))
        assert other.features == view.features
        assert other.choice["number"] == view.choice["number"] == 2


def test_an_image_becomes_that_of_the_study(study, images):
    view = xw.TopImagesGallery(study, ("0", 1), images)
    top = study.dataset_search.wait()
    view._dispatch({"type": "look", "source": top.sources[2]})
    np.testing.assert_array_equal(study.picture, top.images[2])
    assert view.looked == top.sources[2]
    view._dispatch({"type": "look", "source": "nowhere"})
    assert view.looked == top.sources[2]
    study.image = images[0]
    assert view.looked == ""


def test_more_images_than_are_kept_are_searched_for(study, images):
    view = xw.TopImagesGallery(study, ("0", 1), images, k=25)
    assert len(study.dataset_search.wait().images) == view.most == view.k == 25
    study.dataset_search.k = 28
    assert len(study.dataset_search.wait().images) == view.most == 28
    assert view.k == 25


def test_a_page_holds_the_images_and_no_kernel(study, images, tmp_path):
    view = xw.TopImagesGallery(study, ("0", 1), images, k=3)
    study.dataset_search.growing.drop()
    with pytest.raises(ValueError, match=r"no image is found yet; wait for study\.dataset_search"):
        view.to_html(tmp_path / "page.html")
    assert "none is found yet" in view.preview()["text/plain"]
    study.dataset_search.search_in(images)
    study.dataset_search.wait()
    view.to_html(tmp_path / "page.html")
    [state] = states(tmp_path / "page.html")
    assert (state["alive"], state["work"], state["looked"]) == (False, {}, "")
    assert (state["k"], len(state["tops"][0]["images"])) == (3, 20)


def test_results_are_shown_and_previewed_without_a_study(tmp_path):
    pictures = {"images": np.zeros((3, 4, 4, 3), np.uint8), "fields": (Box(0, 0, 4, 4),) * 3}
    one, other = top_images(), top_images(layer="", label="wren", **pictures)
    view = xw.TopImagesGallery([one, other])
    assert [top["name"] for top in view.tops] == ["features.3 channel 4", "wren"]
    assert [top["unit"] for top in view.tops] == ["activation", "logits"]
    assert (view.k, view.most, view.alive) == (3, 3, False)
    assert view.tops[0]["skipped"] == ["broken.png"]
    shown = view.preview()
    assert "features.3 channel 4" in shown["text/plain"]
    assert "ü/b.png (2.00)" in shown["text/plain"]
    view.to_html(tmp_path / "page.html")
    [state] = states(tmp_path / "page.html")
    assert len(state["tops"]) == 2
    assert xw.TopImagesGallery(one).tops[0] == view.tops[0]


def test_there_is_no_gallery_of_something_else(study):
    for subject in (3, "birds", [3], xw.network("birds")):
        with pytest.raises(ValueError, match=r"shows a study or top images, not .*; make them"):
            xw.TopImagesGallery(subject)
    with pytest.raises(ValueError, match="no top images to show"):
        xw.TopImagesGallery([])
    with pytest.raises(ValueError, match="shown as they are"):
        xw.TopImagesGallery(top_images(), ("0", 1))
    with pytest.raises(ValueError, match="no examples to search; give images="):
        xw.TopImagesGallery(study)
    with pytest.raises(ValueError, match="channel 9"):
        xw.TopImagesGallery(study, ("0", 9))


def test_large_images_are_sent_small_and_their_boxes_too():
    images = np.zeros((1, 256, 512, 3), np.uint8)
    box = Box(64, 128, 192, 256)
    large = top_images(
        images=images, fields=(box,), sources=("a",), activations=np.ones(1, np.float32)
    )
    [shown] = xw.TopImagesGallery(large).tops[0]["images"]
    assert decoded(shown["picture"]).shape == (64, 128, 3)
    assert decoded(shown["patch"]).shape == (128, 128, 3)
    assert shown["box"] == [16, 32, 48, 64]
