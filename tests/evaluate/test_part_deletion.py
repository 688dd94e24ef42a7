"""Part deletion against the truth computed by hand, and the baselines."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw


@pytest.fixture
def net() -> xw.Network:
    torch.manual_seed(0)
    return xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 20)), size=(64, 64))


def test_effects_are_the_lost_log_odds(net: xw.Network) -> None:
    scene = xw.scenes.bird(seed=3)
    found = xw.evaluate.part_deletion(net, scene, np.zeros((64, 64)))

    def bits(image: torch.Tensor) -> float:
        p = net(image[None]).double().softmax(1)[0, scene.label].item()
        p = (p * 1_200_000 + 1) / (1_200_000 + 20)
        return math.log2(p / (1 - p))

    for part, effect in zip(found.parts, found.effects, strict=True):
        lost = bits(scene.image) - bits(scene.without(part).image)
        assert effect == pytest.approx(lost, abs=1e-4)
    assert set(found.parts) <= set(scene.removable)
    assert "beak" in found.parts


def test_relevance_is_the_mean_over_the_part(net: xw.Network) -> None:
    scene = xw.scenes.bird(seed=3)
    values = np.random.default_rng(0).standard_normal((64, 64))
    found = xw.evaluate.part_deletion(net, scene, values)
    for part, relevance in zip(found.parts, found.relevance, strict=True):
        assert relevance == pytest.approx(values[scene.masks[part]].mean())


def test_a_hit_is_the_most_relevant_part_being_the_one_that_matters_most() -> None:
    effects = np.array([0.1, 2.0, -1.0])
    parts = ("beak", "tail", "crown")
    assert xw.evaluate.PartDeletion(parts, effects, np.array([0.0, 0.2, 0.1])).hit
    assert not xw.evaluate.PartDeletion(parts, effects, np.array([0.3, 0.2, 0.1])).hit


def test_a_map_of_another_size_is_refused(net: xw.Network) -> None:
    with pytest.raises(ValueError, match=r"explain scene\.image itself"):
        xw.evaluate.part_deletion(net, xw.scenes.bird(seed=3), np.zeros((32, 32)))


def test_a_scene_without_removable_parts_is_refused(net: xw.Network) -> None:
    empty = xw.scenes.street(seed=3, person=False)
    with pytest.raises(ValueError, match="no visible part"):
        xw.evaluate.part_deletion(net, empty, np.zeros((64, 64)))


def test_edges_are_found_and_random_maps_are_random() -> None:
    image = torch.zeros(3, 16, 16)
    image[:, :, 8:] = 1
    edges = xw.evaluate.edge_map(image)
    assert edges[:, 7:9].min() > 0
    assert edges[:, :6].max() == 0
    one, other = (xw.evaluate.random_map(image, seed) for seed in (0, 1))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, xw.evaluate.random_map(image, 0))
