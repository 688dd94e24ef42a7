"""Faithfulness against loops over images, with modules whose scores are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.evaluate import faithfulness
from xwidgets.evaluate._faithfulness import faithfulness_to
from xwidgets.explain.explanation_module import ExplanationModule, Facts, encoder_of
from xwidgets.explain.explanation_module.features import Features


def module_of(chosen, weights, intercept, target, network="net", layer="1"):
    """y^ is a weighted sum of some features as they are."""
    return ExplanationModule(
        Facts(network, layer, target, f"class {target}", "lasso", {}, {}, {}),
        encoder_of(torch.tensor(chosen), []),
        torch.tensor(weights),
        torch.tensor(intercept),
    )


def features_of(values, scores):
    numbers = np.arange(len(values))
    return Features(values.astype(np.float32), scores, numbers, len(values), "net", "1", {})


def by_hand(values, scores, target, chosen, weights, intercept):
    errors, stays = [], []
    for row, known in zip(values, scores, strict=True):
        found = intercept + sum(w * row[c] for c, w in zip(chosen, weights, strict=True))
        errors.append(abs(found - known[target]))
        changed = [found if one == target else score for one, score in enumerate(known)]
        if len(known) == 1:
            stays.append((found > 0) == (known[0] > 0))
        else:
            stays.append(np.argmax(changed) == np.argmax(known))
    return np.mean(errors), np.mean(stays)


@pytest.mark.parametrize(("classes", "target"), [(4, 2), (2, 0), (1, 0)])
def test_measures_are_means_over_images(classes, target) -> None:
    rng = np.random.default_rng(classes)
    values, scores = rng.random((50, 6)), rng.normal(size=(50, classes)).astype(np.float32)
    chosen, weights, intercept = [1, 4], [1.5, -0.5], 0.25
    module = module_of(chosen, weights, intercept, target)
    found = faithfulness_to(module, features_of(values, scores))
    f_reg, f_cls = by_hand(values, scores, target, chosen, weights, intercept)
    assert found.f_reg == pytest.approx(f_reg, rel=1e-5)
    assert found.f_cls == pytest.approx(f_cls)
    assert 0 < found.f_cls < 1
    assert found.spread == pytest.approx(scores[:, target].std(), rel=1e-5)
    assert found.images == 50


def test_a_perfect_module_changes_nothing() -> None:
    values = np.random.default_rng(0).random((9, 2))
    scores = np.stack([values[:, 0], 1 - values[:, 0]], 1).astype(np.float32)
    found = faithfulness_to(module_of([0], [1.0], 0.0, 0), features_of(values, scores))
    assert found.f_reg == pytest.approx(0, abs=1e-7)
    assert found.f_cls == 1


def test_features_are_those_of_the_network() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
    net = xw.Network(layers, size=(2, 2), name="net")
    images = torch.rand(20, 3, 2, 2)
    module = module_of([0, 3], [2.0, 1.0], -0.5, 1, layer="1")
    found = faithfulness(net, module, images)
    with torch.no_grad():
        scores = layers(images).double().numpy()
        hidden = layers[:3](images).double().numpy()
    f_reg, f_cls = by_hand(hidden, scores, 1, [0, 3], [2.0, 1.0], -0.5)
    assert (found.f_reg, found.f_cls) == (pytest.approx(f_reg, rel=1e-4), pytest.approx(f_cls))
    other = replace(module.facts, network="other")
    elsewhere = ExplanationModule(other, module.encoder, module.weights, module.intercept)
    with pytest.raises(ValueError, match="fitted to network 'other'"):
        faithfulness(net, elsewhere, images)
