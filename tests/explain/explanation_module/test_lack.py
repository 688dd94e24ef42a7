"""X-features that mean nothing are told, with what is missing and how to give it."""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.explain.explanation_module.lack import too_few_images

SIDE, COUNT = 4, 40


@pytest.fixture(scope="module")
def net() -> xw.Network:
    """A network that takes a picture for a class by its mean, red for 0 and green for 1."""
    module = nn.Sequential(
        nn.Conv2d(3, 3, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2),
    )  # fmt: skip
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(3)[..., None, None])
        module[4].weight.copy_(torch.eye(3).repeat(2, 1))
        module[4].bias.zero_()
        module[6].weight.copy_(torch.tensor([[1.0, 0, 0, 1, 0, 0], [0, 1.0, 0, 0, 1, 0]]) * 9)
        module[6].bias.zero_()
    return xw.Network(module, size=(SIDE, SIDE), classes=["red", "green"], name="colours")


def pictures(red: int, green: int) -> torch.Tensor:
    images = torch.rand(red + green, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) / 4
    images[:red, 0] += 0.5
    images[red:, 1] += 0.5
    return images


def fit(net: xw.Network, images: torch.Tensor, target: str = "red", **options) -> ExplanationModule:
    options = {"features": 3, "epochs": 2, "hidden": (6, 4), "cache": False} | options
    return xw.fit_explanation(net, images, target, progress=False, **options)


@pytest.mark.parametrize(
    ("red", "green", "sentence"),
    [
        (2, 38, "takes 2 of the 40 images for 'red', too few to tell 3 x-features apart; give at "
                "least 4 more that it takes for 'red' with images="),
        (38, 2, "takes 38 of the 40 images for 'red', and too few for others .* give at least 4 "
                "more of other classes with images="),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["srae", "nn", "cae", "lasso"])
def test_too_few_images_are_told_and_what_to_give(net, red, green, sentence, method) -> None:
    options = {} if method != "lasso" else {"layer": "4"}
    with pytest.warns(UserWarning, match=sentence):
        module = fit(net, pictures(red, green), method=method, **options)
    assert module.lack == too_few_images("colours", "red", red, 40, 3)
    with pytest.warns(UserWarning, match=sentence):
        found = xw.x_features(net, module, pictures(1, 0)[0], stop_at="pixels")
    assert found.lack == module.lack


def test_as_many_as_x_features_are_enough(net, tmp_path) -> None:
    module = fit(net, pictures(3, 37))
    assert module.lack == ""
    assert module.facts.parameters["positive"] == 3
    assert 0 < module.facts.parameters["active"] <= 3
    module.save(tmp_path / "module")
    assert xw.ExplanationModule.load(tmp_path / "module").lack == ""


def test_x_features_that_are_never_active_are_told(net, tmp_path) -> None:
    with pytest.warns(UserWarning, match="no x-feature is active for any of the 20 images of"):
        module = fit(net, pictures(20, 20), learning_rate=30.0, epochs=8, patience=8, seed=DEAD)
    assert not (module.encoder(net_features(net, pictures(20, 0))) > 0).any()
    assert "give more of these with images=, or fit them again with another seed=" in module.lack
    module.save(tmp_path / "module")
    assert xw.ExplanationModule.load(tmp_path / "module").lack == module.lack


def test_a_picture_of_the_class_in_which_all_are_silent_is_not_explained(net) -> None:
    module = fit(net, pictures(20, 20))
    linear = [layer for layer in module.encoder if isinstance(layer, nn.Linear)][-1]
    linear.bias -= 1000
    red, green = pictures(1, 1)
    with pytest.warns(UserWarning, match="no x-feature is active in it, so they do not explain"):
        silent = xw.x_features(net, module, red, stop_at="pixels")
    assert "fit them to pictures like it too, with images=" in silent.lack
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rightly = xw.x_features(net, module, green, stop_at="pixels")
    assert rightly.lack == "", "a module of red has nothing to say of green"


def test_files_of_earlier_builds_do_not_tell_and_have_the_log_penalty(net) -> None:
    module = fit(net, pictures(20, 20), sparsity="kl")
    assert module.facts.sparsity == "kl"
    new = ("positive", "active", "sparsity", "epsilon", "rho")
    known = {name: one for name, one in module.facts.parameters.items() if name not in new}
    earlier = ExplanationModule(
        replace(module.facts, parameters=known), module.encoder, module.weights, module.intercept
    )
    assert (earlier.lack, earlier.facts.sparsity) == ("", "log")
    assert replace(earlier.facts, method="nn").sparsity is None


def net_features(net: xw.Network, images: torch.Tensor) -> torch.Tensor:
    return net.module[:6](images).detach()


DEAD = 0
"""A seed with which steps this large end with x-features that are never active."""
