"""The x-features of a study: what is fitted, found, looked for, kept and refused."""

import threading

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.explain import data_set
from xwidgets.live.x_feature_fit import MANY, XFeatureFit

pytestmark = pytest.mark.filterwarnings(r"ignore:.* images")
OPTIONS = {"features": 2, "epochs": 3, "hidden": (8, 4), "seed": 5, "cache": False}


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def fit(study: xw.Study, images: torch.Tensor) -> XFeatureFit:
    return study.x_features(images, **OPTIONS)


def fitted(study: xw.Study, images: torch.Tensor, target: int) -> xw.ExplanationModule:
    return xw.fit_explanation(study.network, images, target, progress=False, **OPTIONS)


def classes(study: xw.Study, images: torch.Tensor) -> list[int]:
    """Those that some image is of, the study's first."""
    found = study.network(images).argmax(1).unique().tolist()
    assert study.target in found
    assert len(found) > 1
    return sorted(found, key=lambda one: one != study.target)


def test_what_is_fitted_and_found_is_what_the_functions_find(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    features = fit.wait()
    module = fitted(study, images, study.target)
    assert fit.module.fingerprint == module.fingerprint == features.module
    assert fit.fitting.progress.state == "complete"
    expected = xw.x_features(study.network, module, study.image)
    np.testing.assert_array_equal(features.maps, expected.maps)
    np.testing.assert_array_equal(features.activations, expected.activations)


def test_modules_are_shown_while_they_are_fitted(study: xw.Study, images: torch.Tensor) -> None:
    shown: list[xw.XFeatures | None] = []
    with study._worker.lock:
        fit = study.x_features(images, **OPTIONS | {"epochs": 20, "learning_rate": 1e-4})
        fit.fitting._task._interval = 0  # a fit can be quicker than two looks
        fit.found.observe(lambda change: shown.append(change.new), "answer")
    last = fit.wait()
    seen = [found.module for found in shown if found is not None]
    assert len(set(seen)) > 1
    assert seen[-1] == last.module


def test_another_class_is_fitted_anew_and_a_known_one_at_once(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    first = fit.wait().module
    mine, other, *_ = classes(study, images)
    study.target = other
    assert fit.wait().target == other
    assert fit.module.fingerprint == fitted(study, images, other).fingerprint
    study.target = mine
    assert fit.fitting.progress.state == "complete", "at once"
    assert fit.wait().module == first


def test_another_class_than_the_study_s_keeps_the_study_s_picture(
    study: xw.Study, images: torch.Tensor
) -> None:
    mine, other, *_ = classes(study, images)
    fit = study.x_features(images, target=other, **OPTIONS)
    assert fit.wait().target == fit.explained == other
    study.target = other
    assert fit.fitting.progress.state == "complete", "nothing changed"
    study.target = mine
    before = fit.wait()
    study.image = images[9]
    after = fit.wait()
    assert (after.module, after.target) == (before.module, other)
    np.testing.assert_array_equal(after.image, study.picture)
    fit.target = None
    assert fit.wait().target == study.target


def test_changed_weights_are_fitted_anew(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    before = fit.wait()
    with torch.no_grad():
        study.network.module[0].weight.mul_(1.5)
    study.wait()  # which finds out
    after = fit.wait()
    expected = fitted(study, images, study.target)
    assert before.module != after.module == expected.fingerprint


@pytest.mark.parametrize("began", [False, True])
def test_a_fit_is_of_the_weights_that_it_began_with(
    study: xw.Study, monkeypatch: pytest.MonkeyPatch, began: bool
) -> None:
    monkeypatch.setattr(data_set, "batch_size", lambda net, count: 16)
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    expected = fitted(study, images, study.target)
    steps = xw.fit_explanation_steps(study.network, images, study.target, **OPTIONS)
    if began:
        assert 0 < next(steps).completed < 0.3, "only a part was read"
    with torch.no_grad():
        study.network.module[0].weight.mul_(1.5)
    *_, last = steps
    assert (last.modules[0].fingerprint == expected.fingerprint) == began


def test_another_picture_is_looked_at_by_the_same_module(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    before = fit.wait()
    study.image = next(
        image for image in images if study.network.top(image, 1)[0][0] == before.target
    )
    after = fit.wait()
    assert after.module == before.module
    assert not np.array_equal(after.image, before.image)


def test_a_module_that_is_given_is_not_fitted_again(study: xw.Study, images: torch.Tensor) -> None:
    module = fitted(study, images, study.target)
    with study._worker.lock:
        fit = study.x_features(images, [module], epochs=1)
    assert fit.wait().module == module.fingerprint
    assert fit.fitting.answer.epoch == 0


def test_matches_are_the_images_in_which_an_x_feature_is_most_active(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    fit.wait()
    for number in range(2):
        fit.shown = number
        matches = fit.matches.wait()
        every = [xw.x_features(study.network, fit.module, image) for image in images]
        activations = np.array([found.activations[number] for found in every])
        best = [n for n in np.argsort(-activations, kind="stable")[:MANY] if activations[n] > 0]
        assert matches.completed == 1
        assert len(matches.found) == len(matches.sources) == len(best)
        for found, expected in zip(matches.found, best, strict=True):
            np.testing.assert_allclose(
                found.activations, every[expected].activations, rtol=1e-4, atol=1e-6
            )
            np.testing.assert_array_equal(found.image, every[expected].image)


def test_nothing_is_looked_for_once_no_x_feature_is_shown(fit: XFeatureFit) -> None:
    fit.wait()
    fit.shown = 1
    fit.matches.wait()
    fit.shown = -1
    assert fit.matches.answer is None
    assert fit.matches.question is None


def test_stopping_keeps_the_best_so_far(study: xw.Study, images: torch.Tensor) -> None:
    endless = OPTIONS | {"epochs": 10_000, "patience": 10_000}
    fit = study.x_features(images, **endless)
    begun = threading.Event()
    fit.found.observe(lambda change: change.new is not None and begun.set(), "answer")
    assert begun.wait(20)
    fit.fitting.stop()
    features = fit.found.wait()
    assert fit.fitting.progress.state == "stopped"
    assert features.module == fit.module.fingerprint
    fit.shown = 0
    assert fit.matches.wait().completed == 1, "what was stopped can be looked at"


@pytest.fixture
def far(study: xw.Study, images: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Images that are all of one class, and another class."""
    labels = study.network(images).argmax(1)
    mine, other, *_ = classes(study, images)
    return images[labels == mine], other


def test_a_class_without_positives_says_so_and_the_study_goes_on(
    study: xw.Study, far: tuple[torch.Tensor, int]
) -> None:
    images, other = far
    fit = study.x_features(images, **OPTIONS)
    first = fit.wait()
    mine = study.target
    study.target = other
    with pytest.raises(ValueError, match=f"none of the {len(images)} images"):
        fit.wait()
    assert fit.fitting.progress.state == "failed"
    assert "give some that it does" in fit.fitting.progress.message
    study.target = mine
    assert fit.wait().module == first.module


def test_no_images_to_fit_to_are_refused_at_once(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="has no examples to fit an explanation module to"):
        study.x_features()


def test_options_that_cannot_be_are_refused_at_once(study: xw.Study, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"unknown option 'epoch'.*epochs"):
        study.x_features(images, epoch=3)
    with pytest.raises(ValueError, match="unknown method"):
        study.x_features(images, method="srea")


def test_a_closed_study_computes_nothing_more(
    study: xw.Study, images: torch.Tensor, fit: XFeatureFit
) -> None:
    fit.wait()
    _, other, *_ = classes(study, images)
    study.close()
    study.target = other
    assert fit.fitting.progress.state == "failed"
    assert "closed" in fit.fitting.progress.message
