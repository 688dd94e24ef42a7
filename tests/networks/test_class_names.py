"""Class names in every form in which they are handed out, and what cannot be told by a name."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw

NAMES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "koi")
SHUFFLED = (3, 10, 0, 7, 5, 1, 9, 2, 8, 4, 6)
FORMS = {
    "list": list(NAMES),
    "tuple": NAMES,
    "array": np.array(NAMES),
    "values": {name: 0.5 for name in NAMES}.keys(),
    "by-index": {index: NAMES[index] for index in SHUFFLED},
    "by-index-as-text": {str(index): NAMES[index] for index in SHUFFLED},
    "imagenet_class_index": {str(index): [f"n0{index}", NAMES[index]] for index in SHUFFLED},
    "class_to_idx": {NAMES[index]: index for index in SHUFFLED},
    "numpy_class_to_idx": {NAMES[index]: np.int64(index) for index in SHUFFLED},
}


def network(classes, count=11, name="zoo"):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, count))
    return xw.Network(module, size=(2, 2), classes=classes, name=name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("saved", [False, True], ids=["", "json"])
def test_every_form_names_every_output(form, saved):
    classes = FORMS[form]
    if saved:
        kept = classes if isinstance(classes, dict) else list(classes)
        classes = json.loads(json.dumps(kept, default=int))
    net = network(classes)
    assert net.classes == NAMES
    image = torch.rand(3, 2, 2)
    for index, name in enumerate(NAMES):
        assert net.class_index(name, 11) == index
        assert xw.saliency(net, image, name).target == index
        assert xw.saliency(net, image, index).label == name
    assert {name for _, name, _ in net.top(image, 11)} == set(NAMES)


def test_names_that_are_digits_are_names():
    digits = {str(digit): 9 - digit for digit in range(10)}
    assert network(digits, 10).classes == tuple("9876543210")


BAD = {
    "a-gap": ({0: "ant", 2: "cat"}, "2 names, but none for index 1; give one for each of 0 to 1"),
    "from-one": ({1: "ant", 2: "cat"}, "none for index 0"),
    "same-index": ({"ant": 0, "bee": 0}, "none for index 1"),
    "one-text": ("ant", "classes is a str, but must be a list"),
    "a-set": ({"ant", "bee"}, "classes is a set, but must be a list"),
    "a-number": (3, "classes is a int, but must be a list"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_names_no_outputs_is_refused_in_one_sentence(name):
    classes, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        network(classes, 2)
    assert "\n" not in str(caught.value)


def test_two_classes_of_one_name_are_told_apart_by_index():
    net = network(["crane", "tench", "crane"], 3)
    image = torch.rand(3, 2, 2)
    method = xw.Saliency()
    with xw.Study(net, image, 1, method) as study:
        for call in (
            lambda: net.class_index("crane", 3),
            lambda: xw.saliency(net, image, "crane"),
            lambda: method.run(net, image, "crane"),
            lambda: method.validate(net, image, "crane"),
            lambda: setattr(study, "target", "crane"),
            lambda: xw.Study(net, image, "crane", method),
            lambda: xw.fit_explanation(net, torch.rand(30, 3, 2, 2), "crane", progress=False),
        ):
            with pytest.raises(ValueError, match="'crane': 0, 2; give the index of one") as caught:
                call()
            assert "\n" not in str(caught.value)
        assert study.target == 1
        study.target = 2
        assert study.wait().label == "crane"
    assert xw.saliency(net, image, 2).target == 2
    assert xw.saliency(net, image, "tench").target == 1
