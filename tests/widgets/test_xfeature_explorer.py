"""The x-feature explorer's state: what the browser is told, what is kept of what it says."""

import base64
import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.results.names import Names

from .pages import states

pytestmark = pytest.mark.filterwarnings(r"ignore:\d+ images are fewer than the 784 features")
OPTIONS = {"features": 3, "epochs": 4, "hidden": (8, 4), "seed": 5, "cache": False}


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def explorer(study: xw.Study, images: torch.Tensor) -> xw.XFeatureExplorer:
    explorer = xw.XFeatureExplorer(study, images, **OPTIONS)
    explorer.fit.wait()
    return explorer


@pytest.fixture
def found(explorer: xw.XFeatureExplorer) -> xw.XFeatures:
    return explorer.fit.found.answer


def other_class(study: xw.Study, images: torch.Tensor) -> int:
    return next(one for one in study.network(images).argmax(1).tolist() if one != study.target)


def pixels(png: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(png))
    return np.asarray(picture.convert("RGBA") if picture.mode == "P" else picture)


def test_the_view_is_told_what_was_found(
    explorer: xw.XFeatureExplorer, found: xw.XFeatures, study: xw.Study
) -> None:
    assert (explorer.label, explorer.network) == (found.label, found.network_name)
    assert (explorer.method, explorer.layer) == ("SRAE", found.layer)
    assert explorer.remark == found.note
    assert "of the plain excitation arrived" in explorer.remark
    assert explorer.score == found.score
    assert explorer.approximation == found.approximation
    assert [one["label"] for one in explorer.rivals] == [label for label, _ in found.rivals]
    np.testing.assert_array_equal(pixels(explorer.photo), study.picture)
    for number, feature in enumerate(explorer.features):
        assert feature["index"] == number
        assert feature["contribution"] == found.contributions[number]
        assert feature["activation"] * feature["weight"] == pytest.approx(feature["contribution"])
        if found.maps[number].any():
            opacity = pixels(feature["map"])[..., 3].astype(float)
            share = found.maps[number] / found.maps[number].max()
            np.testing.assert_allclose(opacity / opacity.max(), share, atol=0.01)
        else:
            assert feature["map"] == b""
    assert explorer.names == explorer.votes == [""] * 3
    assert explorer.training == explorer.work == {}


def test_x_features_that_mean_nothing_are_not_shown_as_if_they_did(
    study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    top = study.network(images).argmax(1)
    few = torch.cat([images[top == study.target][:2], images[top != study.target]])
    explorer = xw.XFeatureExplorer(study, few, **OPTIONS)
    explorer.fit.wait()
    assert explorer.lack.startswith(
        f"Network {study.network.name} takes 2 of the {len(few)} images for"
    )
    assert explorer.lack.endswith("with features=.")
    assert "at least 4 more that it takes for" in explorer.lack
    assert explorer.features == []
    assert explorer.preview() == {"text/plain": explorer.lack}
    explorer.to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert state["lack"] == explorer.lack
    assert state["features"] == []
    study.target = int(top[top != study.target][0])
    explorer.fit.wait()
    assert explorer.lack == ""
    assert len(explorer.features) == 3


def test_results_without_a_study_are_shown_named_and_exported(
    found: xw.XFeatures, tmp_path: Path
) -> None:
    found.save(tmp_path / "found.npz")
    view = xw.XFeatureExplorer(xw.XFeatures.load(tmp_path / "found.npz"), names=tmp_path / "names")
    assert not view.alive
    view.names = ["a </script> b", "", ""]
    view.votes = ["", "distrust", ""]
    again = xw.XFeatureExplorer(found, names=tmp_path / "names")
    assert (again.names, again.votes) == (view.names, view.votes)
    view.to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert state["opinion"]["names"] == ["a </script> b", "", ""]
    assert state["opinion"]["history"] == state["suggestions"] == []
    assert len(state["features"]) == 3
    assert "a </script>" not in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize("subject", ["bird.png", 3, None, []])
def test_only_studies_and_x_features_are_shown(subject: object) -> None:
    with pytest.raises(ValueError, match=r"shows a study or x-features, not .*xw\.x_features"):
        xw.XFeatureExplorer(subject)


def test_training_is_shown_while_it_goes_on_and_its_failure_said(
    study: xw.Study, images: torch.Tensor
) -> None:
    endless = OPTIONS | {"epochs": 10_000, "patience": 10_000}
    explorer = xw.XFeatureExplorer(study, images, **endless)
    begun = threading.Event()
    explorer.observe(lambda change: change.new and begun.set(), "features")
    assert begun.wait(20)
    assert explorer.training["state"] == "computing"
    assert explorer.training["epoch"] > 0
    assert explorer.training["error"] > 0
    explorer._handle_custom_msg({"type": "stop", "of": "training"}, [])
    assert explorer.training["state"] == "stopped"

    far = xw.XFeatureExplorer(study, images, **OPTIONS)
    missing = {*range(3)} - {*study.network(images).argmax(1).tolist()}
    for target in missing:
        study.target = target
        with pytest.raises(ValueError, match="none of the 60 images"):
            far.fit.wait()
        assert far.training["state"] == "failed"
        assert "none of the 60 images" in far.training["message"]


def test_names_given_while_it_is_fitted_are_those_of_the_module_that_stays(
    study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    endless = OPTIONS | {"epochs": 10_000, "patience": 10_000}
    explorer = xw.XFeatureExplorer(study, images, names=path, **endless)
    begun = threading.Event()
    explorer.observe(lambda change: change.new and begun.set(), "features")
    assert begun.wait(20)
    explorer.names = ["wing", "", ""]
    assert not path.exists(), "the module still changes"
    explorer.fit.fitting.stop()
    found = explorer.fit.found.wait()
    assert Names.load(path).of(found).names == ["wing", "", ""]


def test_names_and_votes_stay_with_their_class(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor
) -> None:
    mine = study.target
    explorer.names, explorer.votes = ["wing", "", "beak"], ["trust", "distrust", ""]
    study.target = other_class(study, images)
    explorer.fit.wait()
    assert explorer.names == explorer.votes == [""] * 3
    assert explorer.opinion["history"] == []
    assert explorer.suggestions == ["beak", "wing"]
    study.target = mine
    explorer.fit.wait()
    assert explorer.names == ["wing", "", "beak"]
    assert explorer.votes == ["trust", "distrust", ""]


def test_a_file_of_names_is_read_when_the_module_is_fitted_again(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    explorer.names = ["<b>wing</b>", "", "Flügel"]
    explorer.save_names(tmp_path / "names.json")
    assert "Flügel" in (tmp_path / "names.json").read_text("utf-8"), "people can read it"
    again = xw.XFeatureExplorer(study, images, names=tmp_path / "names.json", **OPTIONS)
    again.fit.wait()
    assert again.names == ["<b>wing</b>", "", "Flügel"]


def test_loading_names_can_be_undone(explorer: xw.XFeatureExplorer, tmp_path: Path) -> None:
    explorer.names, explorer.votes = ["wing", "", ""], ["trust", "", ""]
    explorer.save_names(tmp_path / "names.json")
    explorer.names, explorer.votes = ["beak", "tail", ""], ["", "", "distrust"]
    explorer.load_names(tmp_path / "names.json")
    assert (explorer.names, explorer.votes) == (["wing", "", ""], ["trust", "", ""])
    last = explorer.opinion["history"][-1]
    assert last == {"names": ["beak", "tail", ""], "votes": ["", "", "distrust"]}


def test_names_of_another_module_are_refused_and_nothing_is_lost(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    explorer.names = ["wing", "", ""]
    explorer.save_names(path)
    before = path.read_text("utf-8")
    other = xw.XFeatureExplorer(study, images, **OPTIONS | {"seed": 6})
    other.fit.wait()
    other.names = ["mine", "", ""]
    with pytest.raises(ValueError, match="these names are of another module"):
        other.load_names(path)
    assert other.names == ["mine", "", ""]
    assert other.opinion["history"] == []

    opened = xw.XFeatureExplorer(study, images, names=path, **OPTIONS | {"seed": 6})
    opened.fit.wait()
    assert "these names are of another module" in opened.message
    assert opened.names == [""] * 3
    assert path.read_text("utf-8") == before


def test_a_file_without_names_is_refused(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    for text in ("", "[]", "{}", '{"modules": {"a": {}}}', json.dumps({"modules": {"a": 3}})):
        path.write_text(text)
        with pytest.raises(ValueError, match="holds no names of x-features"):
            explorer.load_names(path)
        with pytest.raises(ValueError, match="holds no names of x-features"):
            xw.XFeatureExplorer(study, images, names=path, **OPTIONS)
    with pytest.raises(ValueError, match="check the path"):
        explorer.load_names(tmp_path / "missing.json")


def test_names_that_cannot_be_written_are_kept_and_it_is_said(
    found: xw.XFeatures, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(ValueError, match=r"there is no folder .* to write names to"):
        xw.XFeatureExplorer(found, names=folder / "names.json")
    folder.mkdir()
    view = xw.XFeatureExplorer(found, names=folder / "names.json")
    folder.rmdir()
    view.names = ["wing", "", ""]
    assert "names are not kept" in view.message
    assert "save_names" in view.message
    assert view.names == ["wing", "", ""]
    view.save_names(tmp_path / "names.json")
    assert Names.load(tmp_path / "names.json").of(found).names == ["wing", "", ""]


def test_a_notebook_without_widgets_gets_a_png_and_words(
    study: xw.Study, images: torch.Tensor
) -> None:
    explorer = xw.XFeatureExplorer(study, images, **OPTIONS)
    found = explorer.fit.wait()
    data, _ = explorer._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == found.png()
    assert data["text/plain"].startswith(f"{found.title}. ")
    assert (
        "none were found yet"
        in xw.XFeatureExplorer(
            xw.Study(study.network, images[0], sampler=xw.ConstantSampler(0.5)), images, **OPTIONS
        ).preview()["text/plain"]
    )


def test_heat_maps_can_be_made_without_contrast(study: xw.Study, images: torch.Tensor) -> None:
    explorer = xw.XFeatureExplorer(study, images, contrastive=False, **OPTIONS)
    found = explorer.fit.wait()
    expected = xw.x_features(study.network, explorer.fit.module, study.image, contrastive=False)
    np.testing.assert_array_equal(found.maps, expected.maps)
    explorer.shown = int(found.activations.argmax())
    assert not explorer.fit.matches.wait().found[0].parameters["contrastive"]


def test_an_x_feature_that_there_is_not_is_not_looked_for(explorer: xw.XFeatureExplorer) -> None:
    explorer.shown = 99
    assert explorer.fit.matches.question is None
    assert explorer.work == {}


def test_two_explorers_write_to_one_file(
    study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    one = xw.XFeatureExplorer(study, images, names=path, **OPTIONS)
    two = xw.XFeatureExplorer(study, images, names=path, method="nn", **OPTIONS)
    found = [explorer.fit.wait() for explorer in (one, two)]
    one.names = ["wing", "", ""]
    two.names = ["beak", "", ""]
    one.votes = ["trust", "", ""]
    assert one.suggestions == ["beak", "wing"]
    known = Names.load(path)
    assert [known.of(features).names[0] for features in found] == ["wing", "beak"]
    assert known.of(found[0]).votes[0] == "trust"


def test_a_file_that_was_damaged_meanwhile_is_not_overwritten(
    found: xw.XFeatures, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    view = xw.XFeatureExplorer(found, names=path)
    view.names = ["wing", "", ""]
    path.write_text("my notes")
    view.names = ["beak", "", ""]
    assert "names are not kept" in view.message
    assert path.read_text() == "my notes"
    path.unlink()
    view.votes = ["trust", "", ""]
    assert view.message == ""
    assert Names.load(path).of(found).names == ["beak", "", ""]


def said(explorer: xw.XFeatureExplorer, **changes: object) -> None:
    """What the page sends after a press or a name."""
    explorer.set_state({"opinion": explorer.opinion | changes})


def test_what_the_page_says_of_another_class_is_not_taken_for_this_one(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    mine = study.target
    said(explorer, names=["wing", "", ""])
    late = explorer.opinion | {"votes": ["trust", "", ""]}
    study.target = other_class(study, images)
    found = explorer.fit.wait()
    said(explorer, names=["", "beak", ""])
    explorer.set_state({"opinion": late})
    assert (explorer.names, explorer.votes) == (["", "beak", ""], ["", "", ""])
    assert explorer._known.of(found).names == ["", "beak", ""]
    study.target = mine
    assert explorer.names == ["wing", "", ""]


def test_an_opinion_of_too_few_or_with_other_votes_is_refused(
    explorer: xw.XFeatureExplorer,
) -> None:
    for name, value in (("names", ["a"]), ("votes", ["trust"]), ("votes", ["maybe", "", ""])):
        with pytest.raises(ValueError, match=r"there are 3 x-features; give 3 names"):
            setattr(explorer, name, value)
    assert explorer.names == explorer.votes == [""] * 3


def begun(explorer: xw.XFeatureExplorer) -> None:
    """Wait for the first epoch."""
    first = threading.Event()
    explorer.observe(lambda change: change.new and first.set(), "features")
    assert explorer.features or first.wait(20)


def test_names_given_while_it_is_fitted_win_over_the_file_and_undo_keeps_its_others(
    study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    first = xw.XFeatureExplorer(study, images, names=path, **OPTIONS)
    first.fit.wait()
    first.names = ["a", "b", "c"]
    again = xw.XFeatureExplorer(study, images, names=path, **OPTIONS | {"epochs": 4})
    with study._worker.lock:
        again._settled, again._found = False, None
        again.opinion = again.opinion | {
            "names": ["", "typed", ""], "votes": [""] * 3,
            "history": [{"names": [""] * 3, "votes": [""] * 3}],
        }  # fmt: skip
    found = again.fit.wait()
    again._follow_found(again.fit)
    assert again.names == ["a", "typed", "c"]
    assert again.opinion["history"] == [{"names": ["a", "b", "c"], "votes": [""] * 3}]
    assert Names.load(path).of(found).names == ["a", "typed", "c"]


def test_what_was_fitted_until_it_was_stopped_is_there_when_the_class_comes_back(
    study: xw.Study, images: torch.Tensor
) -> None:
    endless = OPTIONS | {"epochs": 10_000, "patience": 10_000}
    explorer = xw.XFeatureExplorer(study, images, **endless)
    begun(explorer)
    explorer.fit.fitting.stop()
    found = explorer.fit.found.wait()
    explorer.names = ["wing", "", ""]
    mine = study.target
    study.target = other_class(study, images)
    begun(explorer)
    study.target = mine
    assert explorer.fit.wait().module == found.module
    assert explorer.names == ["wing", "", ""]
    assert explorer.message == ""


def test_an_x_feature_stays_in_many_images_when_known_classes_alternate(
    study: xw.Study, images: torch.Tensor
) -> None:
    classes = [study.target, other_class(study, images)]
    modules = [
        xw.fit_explanation(study.network, images, one, progress=False, **OPTIONS) for one in classes
    ]
    explorer = xw.XFeatureExplorer(study, images, modules=modules)
    explorer.shown = 0
    for one in (0, 1, 0, 1, 0):
        study.target = classes[one]
        explorer.fit.wait()
        explorer.fit.matches.wait()
        assert explorer.fit.matches.question.module is modules[one]
        assert len(explorer.images) == len(explorer.fit.matches.answer.found)


def test_a_module_of_an_early_layer_is_shown_too(study: xw.Study, images: torch.Tensor) -> None:
    explorer = xw.XFeatureExplorer(study, images, layer="0", **OPTIONS)
    assert explorer.fit.wait().parameters["stop_at"] == "pixels"
    assert len(explorer.features) == 3


def test_modules_that_cannot_be_are_refused(
    study: xw.Study, images: torch.Tensor, found: xw.XFeatures
) -> None:
    module = xw.fit_explanation(study.network, images, study.target, progress=False, **OPTIONS)
    with pytest.raises(ValueError, match="must be an explanation module"):
        xw.XFeatureExplorer(study, images, modules=[3])
    with pytest.raises(ValueError, match="there are two modules for"):
        xw.XFeatureExplorer(study, images, modules=[module, module])
    with pytest.raises(ValueError, match="x-features are shown as they are"):
        xw.XFeatureExplorer(found, images)
    with pytest.raises(ValueError, match="x-features are shown as they are"):
        xw.XFeatureExplorer(found, epochs=3)


def test_without_images_there_is_nothing_to_look_in(study: xw.Study, images: torch.Tensor) -> None:
    module = xw.fit_explanation(study.network, images, study.target, progress=False, **OPTIONS)
    explorer = xw.XFeatureExplorer(study, modules=module)
    explorer.fit.wait()
    explorer.shown = 0
    with pytest.raises(ValueError, match="give some with images="):
        explorer.fit.matches.wait()
    assert explorer.work["state"] == "failed"


def test_a_closed_explorer_computes_nothing_more(
    explorer: xw.XFeatureExplorer, study: xw.Study, images: torch.Tensor
) -> None:
    explorer.close()
    study.target = other_class(study, images)
    assert explorer.fit.fitting.question is None
    assert explorer.fit.fitting.progress.state == "complete"


def test_one_of_many_images_becomes_the_picture(
    explorer: xw.XFeatureExplorer, study: xw.Study
) -> None:
    explorer.shown = 0
    matches = explorer.fit.matches.wait()
    assert len(explorer.images) == len(matches.found) > 1
    assert [one["activation"] for one in explorer.images] == [
        one.activations[0] for one in matches.found
    ]
    explorer._handle_custom_msg({"type": "look", "source": matches.sources[1]}, [])
    np.testing.assert_array_equal(study.picture, matches.found[1].image)
    explorer._handle_custom_msg({"type": "look", "source": "no such image"}, [])
    np.testing.assert_array_equal(study.picture, matches.found[1].image)


def test_nothing_is_exported_or_named_before_there_is_something(
    study: xw.Study, images: torch.Tensor, tmp_path: Path
) -> None:
    with study._worker.lock:
        explorer = xw.XFeatureExplorer(study, images, **OPTIONS)
        with pytest.raises(ValueError, match=r"no x-features yet; wait"):
            explorer.to_html(tmp_path / "page.html")
        with pytest.raises(ValueError, match="not fitted yet"):
            explorer.load_names(tmp_path / "names.json")
    assert not (tmp_path / "page.html").exists()


def test_views_of_two_methods_share_a_study(study: xw.Study, images: torch.Tensor) -> None:
    one = xw.XFeatureExplorer(study, images, **OPTIONS)
    two = xw.XFeatureExplorer(study, images, method="nn", **OPTIONS)
    assert one.fit.wait().module != two.fit.wait().module
    assert (one.method, two.method) == ("SRAE", "NN")


def test_the_fit_has_its_former_name_too(explorer: xw.XFeatureExplorer) -> None:
    with pytest.warns(DeprecationWarning, match=r"\.concepts is called .*\.fit now"):
        assert explorer.concepts is explorer.fit
