"""Settings of a study are saved, restored and repeated by Python."""

import json

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.live import python_of, restore, settings_of

METHODS = [
    (0, xw.Saliency(reduce="signed")),
    (1, xw.Occlusion(window=(4, 5), stride=2, value=(0.1, 0.2, 0.3))),
    (2, xw.PredictionDifference(window=3, sampler=xw.ConstantSampler(0.25), samples=1)),
    (xw.Channel("0", 2), xw.Saliency()),
    (xw.Unit("0", 1, 2, 3), xw.Deconvnet()),
]


def ran(code, net):
    known = {"net": net}
    exec(code, known)
    return known["study"]


@pytest.mark.parametrize(("target", "method"), METHODS)
def test_it_is_asked_again_from_a_file_and_from_python(study, net, other, target, method):
    study.image = other
    study.ask(target, method)
    mask = np.zeros(other.shape[1:], bool)
    mask[1:3] = True
    study.regions.mask, study.regions.fill = mask, "grey"
    study.neurons.selected = [("0", 1), ("0", 3)]
    settings = json.loads(json.dumps(settings_of(study)))
    with (
        xw.Study(net, 1 - other, method=xw.Saliency()) as again,
        ran(python_of(study), net) as made,
    ):
        restore(again, settings)
        for one in (again, made):
            assert torch.equal(one.image, other)
            assert (one.target, one.method) == (study.target, study.method)
            assert (one.regions.mask == mask).all()
            assert one.regions.fill == "grey"
            assert one.neurons.selected == (("0", 1), ("0", 3))


def test_what_was_never_asked_for_is_not_begun(study):
    settings = settings_of(study)
    assert settings["region"] is None
    assert settings["neurons"] == []
    restore(study, settings)
    assert study.made(xw.live.Regions) is None
    assert study.made(xw.live.Neurons) is None


def test_a_method_of_ones_own_is_known_to_its_study(study):
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Brightness(xw.explain.MapMethod):
        """How bright the picture is."""

        name, unit, signed = "brightness", "share of white", False
        gain: float = xw.explain.parameter(1.0, "what it is multiplied with", least=0, most=2)

        def explain(self, subject, target):
            return self.relevance(subject, target, self.gain * subject.pixels.mean(0))

    study.method = Brightness(gain=2.0)
    settings = settings_of(study)
    study.move(gain=0.5)
    restore(study, settings)
    assert study.method == Brightness(gain=2.0)
    assert "Brightness(gain=2.0)" in python_of(study)
    study.method = xw.Saliency()
    with pytest.raises(ValueError, match="unknown kind 'Brightness'"):
        restore(study, settings)


def test_what_no_file_can_hold_is_told(study):
    study.move(sampler=xw.MarginalSampler(torch.rand(4, 3, 16, 16)))
    with pytest.raises(
        ValueError, match=r"MarginalSampler is of your own.*make the study in Python"
    ):
        settings_of(study)


WRONG = {
    "nothing": {},
    "another network": {"network": "street"},
    "no image": {"image": "bird.png"},
    "another size": {"image": xw.images.coded(torch.rand(3, 5, 5))},
    "no class": {"target": {"kind": "Class", "parameters": {"index": 99}}},
    "no target": {"target": 3},
    "no kind": {"method": {"parameters": {}}},
    "no method": {"method": {"kind": "Class", "parameters": {"index": 0}}},
    "a function": {"method": {"kind": "saliency", "parameters": {}}},
    "no parameter": {"method": {"kind": "Saliency", "parameters": {"window": 3}}},
    "a wrong value": {"method": {"kind": "Saliency", "parameters": {"reduce": "most"}}},
    "no neuron": {"neurons": [["0", 99]]},
    "no pair": {"neurons": [["0"]]},
    "no region": {"region": {"mask": xw.images.coded(torch.rand(1, 3, 3)), "fill": "grey"}},
    "no filling": {"region": 4},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_refused_in_a_sentence_and_change_nothing(study, name):
    settings = {**settings_of(study), **WRONG[name]} if WRONG[name] else {}
    before = study.image, study.target, study.method
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        restore(study, settings)
    assert "\n" not in str(caught.value)
    assert (study.image, study.target, study.method) == before
