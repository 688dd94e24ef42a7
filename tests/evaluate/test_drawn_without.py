"""The true effect of a part: drawing the scene again without it."""

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.evaluate import drawn_without, part_deletion


@pytest.fixture(scope="module")
def net():
    return xw.network("birds")


def test_it_is_what_the_network_says_of_the_scene_without_the_part(net):
    scene = xw.scenes.bird(seed=3)
    removal = drawn_without(net, scene, "breast")
    without = scene.without("breast").image
    for image, told in ((scene.image, removal.before), (without, removal.after)):
        expected = torch.softmax(net.logits(image[None]).double(), 1)[0]
        np.testing.assert_allclose(told, expected, atol=1e-6)
    assert (removal.mask == scene.masks["breast"]).all()
    outside = ~removal.mask
    assert (removal.samples[0][outside] == removal.image[outside]).all()
    assert removal.completed == 1
    assert np.isnan(removal.evidence_error).all()  # it is no estimate


def test_its_evidence_is_the_effect_that_maps_are_compared_with(net):
    scene = xw.scenes.bird(seed=4)
    effects = part_deletion(net, scene, np.zeros((64, 64)))
    for part, effect in zip(effects.parts, effects.effects, strict=True):
        evidence = drawn_without(net, scene, part).evidence[scene.label]
        assert evidence == pytest.approx(effect, abs=1e-4)


def test_other_parts_and_pictures_are_refused(net):
    scene = xw.scenes.bird(seed=3)
    with pytest.raises(ValueError, match="the part 'hat' cannot be removed"):
        drawn_without(net, scene, "hat")
    with pytest.raises(ValueError, match=r"scene is a Tensor, but must be a drawn scene"):
        drawn_without(net, scene.image, "beak")
