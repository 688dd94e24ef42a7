"""A parameter is defined once: functions, methods, words, controls and results agree."""

import inspect
import json
import re
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.explain import MapMethod, Method, parameter
from xwidgets.networks import Subject

from .grad_cam import GradCAM

OTHERS = {
    "net", "image", "images", "target", "targets", "layer", "source", "top", "neurons", "channel",
    "seconds", "progress", "mask", "module",
}  # fmt: skip
"""Arguments that say what a method is run on, where it has no parameter of that name."""

FRONTS = {
    xw.PredictionDifference: [
        xw.prediction_difference, xw.prediction_difference_each, xw.prediction_difference_steps,
    ],
    xw.Occlusion: [xw.occlusion, xw.occlusion_steps],
    xw.Saliency: [xw.saliency],
    xw.ClassActivationMap: [xw.class_activation_map],
    xw.ExcitationBackprop: [xw.excitation_backprop],
    xw.Deconvnet: [xw.deconvolve],
    xw.NeuronPatches: [xw.neuron_patches],
    xw.UnitDifference: [xw.unit_relevance],
    xw.InputResampling: [xw.rank_neurons, xw.rank_neurons_steps],
    xw.ImageSearch: [xw.search_images, xw.search_images_steps],
    xw.XFeatureMaps: [xw.x_features, xw.x_features_each],
    xw.RegionDifference: [xw.remove_region, xw.remove_region_steps],
    xw.ActivationMaximization: [xw.class_model, xw.class_model_steps],
}  # fmt: skip
PAIRS = [(method, function) for method, functions in FRONTS.items() for function in functions]
pytestmark = pytest.mark.filterwarnings(r"ignore:\d+ images are fewer")
NEEDED = {"removed_layer": "features.28", "images": None, "mask": None, "module": None}
"""Parameters without which their function cannot be called, though the method has a default."""


def every(kind: type) -> set[type]:
    """The classes of the package below a class."""
    below = {cls for sub in kind.__subclasses__() for cls in {sub} | every(sub)}
    return {cls for cls in below if cls.__module__.startswith("xwidgets.")}


def classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(5, 3),
    )  # fmt: skip


@pytest.fixture(scope="module")
def net() -> xw.Network:
    images = torch.rand(24, 3, 12, 12, generator=torch.Generator().manual_seed(2))
    return xw.Network(
        classifier(), size=(12, 12), classes=["ant", "bee", "cat"], name="small",
        examples=lambda: images,
    )  # fmt: skip


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(1))


def examples(net: xw.Network, image: torch.Tensor) -> list[tuple[Method[Any], Any]]:
    """A method of every kind and a target that it explains."""
    target = int(net(net.examples()).argmax(1).mode().values)
    module = xw.fit_explanation(
        net, net.examples(), target, layer="4", hidden=(6, 4), epochs=2, progress=False
    )
    return [
        (xw.PredictionDifference(window=4, samples=2, stride=4), None),
        (xw.Occlusion(window=(3, 5), stride=3), "bee"),
        (xw.Saliency(samples=2, sigma=0.1), xw.Channel(2, 3)),
        (xw.ClassActivationMap(), "cat"),
        (xw.ExcitationBackprop(), 2),
        (xw.Deconvnet(), xw.Channel(2, 1)),
        (xw.NeuronPatches(start="maximum"), xw.Channel("3", 1)),
        (xw.UnitDifference(2, samples=2), 1),
        (xw.InputResampling(samples=4, minimum=0), None),
        (xw.ImageSearch(net.examples(), k=2), xw.Channel(1, 2)),
        (xw.XFeatureMaps(module), target),
        (xw.RegionDifference(np.eye(12, dtype=bool), samples=2), None),
        (xw.ActivationMaximization(iterations=3), "ant"),
    ]


def test_all_methods_are_here(net: xw.Network, image: torch.Tensor) -> None:
    assert every(Method) - {MapMethod} == set(FRONTS)
    assert {type(method) for method, _ in examples(net, image)} == set(FRONTS)
    assert {method.__name__ for method in FRONTS} <= set(xw.__all__)


@pytest.mark.parametrize(("method", "function"), PAIRS, ids=lambda one: one.__name__)
def test_a_function_has_the_parameters_of_its_method(method: type, function: Any) -> None:
    known = inspect.signature(method).parameters
    given = inspect.signature(function).parameters
    assert set(known) <= set(given)
    assert set(given) - set(known) <= OTHERS
    assert [name for name in given if name in known] == list(known), "in one order"
    for name, ours in known.items():
        theirs = given[name]
        assert inspect.formatannotation(ours.annotation).strip("'") in (
            inspect.formatannotation(theirs.annotation).strip("'"), "Any",
        ) or name in NEEDED  # fmt: skip
        if theirs.default is not inspect.Parameter.empty:
            assert theirs.default == ours.default, name
        else:
            assert name in NEEDED


@pytest.mark.parametrize("method", FRONTS, ids=lambda one: one.__name__)
def test_every_field_is_a_parameter_that_is_explained(method: Any) -> None:
    assert [field.name for field in fields(method)] == list(method.parameters)
    for name, known in method.parameters.items():
        assert known.line.strip(), name
        assert not known.line.endswith("."), "the stop is added where lines stand below each other"


@pytest.mark.parametrize(("method", "function"), PAIRS, ids=lambda one: one.__name__)
def test_both_are_documented_by_the_same_lines(method: Any, function: Any) -> None:
    for owner in (method, function):
        words = " ".join(inspect.getdoc(owner).split())
        for name, known in method.parameters.items():
            assert words.count(f" {name}: {known.line}.") == 1, (owner.__name__, name)
        assert len(re.findall(r"\bArgs:", words)) == 1


def test_controls_are_those_of_labelled_parameters(net: xw.Network, image: torch.Tensor) -> None:
    subject = Subject(net, image)
    for method, _ in examples(net, image):
        controls = {control.name: control for control in method.controls(subject)}
        labelled = {name: known for name, known in method.parameters.items() if known.label}
        assert list(controls) == list(labelled)
        for name, control in controls.items():
            known, value = labelled[name], getattr(method, name)
            assert (control.label, control.line) == (known.label, known.line)
            if control.kind == "range":
                sides = value if isinstance(value, tuple) else (value,)
                assert all(control.least <= side <= control.most for side in sides)
            elif control.kind == "choice":
                assert value is None or value in control.choices or isinstance(value, int)
            else:
                assert isinstance(value, bool)


def test_whatever_a_control_offers_is_taken(net: xw.Network, image: torch.Tensor) -> None:
    subject = Subject(net, image)
    for method, target in examples(net, image):
        for control in method.controls(subject):
            ends = [control.least, control.most] if control.kind == "range" else []
            whole = float(control.step).is_integer()
            values = {"range": [int(end) if whole else end for end in ends],
                      "choice": control.choices, "switch": [True, False]}[control.kind]  # fmt: skip
            for value in values:
                method.changed(**{control.name: value}).admit(subject, subject.target(target))


def test_a_result_tells_the_parameters(net: xw.Network, image: torch.Tensor) -> None:
    subject = Subject(net, image)
    for method, target in examples(net, image):
        result = method.run(net, image, target)
        told = method.resolved(subject).told()
        json.dumps(told)
        assert set(told) == {name for name, known in method.parameters.items() if known.told}
        saved = getattr(result, "parameters", None)
        if saved is not None:
            kept = {
                name: value
                for name, value in told.items()
                if value is not None and not hasattr(result, name)
            }
            assert kept.items() <= dict(saved).items(), method.name
        if isinstance(result, xw.Relevance):
            chosen = {
                name: value
                for name, value in result.parameters.items()
                if name in method.parameters and getattr(method, name) is None
            }  # by the method, where nothing was asked for
            assert result.method == method.changed(**chosen).name
            assert result.signed == method.signed
            if isinstance(subject.target(target), type(subject.target(None))):
                assert result.unit == method.unit


def test_the_last_step_is_the_result_and_so_is_each_of_several(
    net: xw.Network, image: torch.Tensor
) -> None:
    for method, target in examples(net, image):
        whole = method.run(net, image, target)
        *_, last = method.steps(net, image, target)
        [alone, *_] = method.run_each(net, image, [target])
        for other in (last, alone):
            assert type(other) is type(whole)
            for name, value in vars(whole).items():
                if isinstance(value, np.ndarray):
                    np.testing.assert_allclose(getattr(other, name), value, rtol=1e-4, atol=1e-5)
                elif not name.startswith("_"):
                    assert getattr(other, name) == value or value != value, name


def test_methods_are_values(net: xw.Network, image: torch.Tensor) -> None:
    for method, _ in examples(net, image):
        twin = replace(method)
        assert twin == method
        assert hash(twin) == hash(method)
        with pytest.raises(AttributeError):
            method.seed = 3
        for name, known in method.parameters.items():
            other = replace(method, **{name: 1e6 if name == "memory" else object()}) if (
                name not in ("mask",)
            ) else None  # fmt: skip
            if other is not None:
                assert (other != method) == known.compared, name


def test_arrays_as_parameters_are_compared_by_being_the_same(net: xw.Network) -> None:
    images = net.examples()
    assert xw.ImageSearch(images) == xw.ImageSearch(images)
    assert xw.ImageSearch(images) != xw.ImageSearch(images.clone())
    assert hash(xw.ImageSearch(list(images)))


def test_regions_are_compared_by_their_pixels() -> None:
    one, other = np.eye(4, dtype=bool), np.eye(4, dtype=bool)
    assert xw.RegionDifference(one) == xw.RegionDifference(other)
    other[0, 1] = True
    assert xw.RegionDifference(one) != xw.RegionDifference(other)


def test_what_cannot_be_is_refused_without_computing(net: xw.Network, image: torch.Tensor) -> None:
    calls = []
    handle = net.module.register_forward_hook(lambda *_: calls.append(1))
    try:
        for method, words in (
            (xw.PredictionDifference(window=99), "larger than the image"),
            (xw.PredictionDifference(window=4, stride=5), "stride 5 is larger"),
            (xw.Saliency(reduce="mean"), 'must be "maximum" or "signed"'),
            (xw.Saliency(sigma=0.1), "needs samples > 1"),
            (xw.ExcitationBackprop(stop_at="9"), "unknown layer '9'"),
            (xw.InputResampling(samples=1), "at least 2"),
            (xw.InputResampling(sigma=0), "above 0"),
            (xw.UnitDifference("nowhere"), "unknown layer"),
        ):
            with pytest.raises(ValueError, match=words):
                method.validate(net, image)
    finally:
        handle.remove()
    assert len(calls) <= 9, "at most the scores, and once what lists the layers"


def test_a_parameter_that_there_is_not_is_refused(net: xw.Network, image: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="unknown parameter 'windw'; did you mean 'window'"):
        xw.PredictionDifference().changed(windw=3)
    with pytest.raises(ValueError, match="unknown parameter 'window'"):
        xw.Study(net, image, method=xw.Saliency(), window=3)
    with pytest.raises(ValueError, match="method is a str, but must be a method such as"):
        xw.Study(net, image, method="saliency")


def method_with(**defaults: Any) -> Any:
    """A method of one parameter ``x`` with such a definition."""

    @dataclass(frozen=True)
    class Made(MapMethod):
        """Made for a test."""

        x: float = parameter(defaults.pop("default"), "a number", **defaults)
        name, unit = "made", "nothing"

    return Made


@pytest.mark.parametrize(
    ("definition", "good", "bad", "words"),
    [
        ({"default": 1, "least": 0, "most": 9}, (0, 9), 10, "at most 9"),
        ({"default": 1, "least": 0, "most": 9}, (3,), 0.5, "whole number of at least 0"),
        ({"default": 1}, (-3,), 1.5, "without a fraction"),
        ({"default": 1.0}, (-3.5, 2), float("inf"), "finite"),
        ({"default": 1.0}, (0.0,), "a", "must be a number"),
        ({"default": 1.0, "above": 0}, (0.1,), 0, "above 0"),
        ({"default": 1.0, "least": 0, "most": 2}, (0, 2), 2.1, "from 0 to 2"),
        ({"default": None, "least": 1}, (None, 4), 0, "at least 1"),
        ({"default": "a", "choices": ("a", "b", "c")}, ("b",), "d", '"a", "b" or "c"'),
    ],
)
def test_a_definition_says_which_values_there_are(
    definition: dict[str, Any], good: tuple[Any, ...], bad: Any, words: str
) -> None:
    made = method_with(**definition)
    for value in (definition["default"], *good):
        made(value).check_parameters()
    with pytest.raises(ValueError, match=words):
        made(bad).check_parameters()


def test_definitions_that_cannot_be_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="'Gain' has no ends; give least and most, or span"):
        parameter(1.0, "how much", label="Gain")
    with pytest.raises(TypeError, match=r"Bare\.gain is no parameter; define it with"):

        class Bare(MapMethod):
            """With a plain field."""

            gain: float = 1.0

    with pytest.raises(TypeError, match=r"Hiding\.steps hides what every method has"):

        class Hiding(MapMethod):
            """With a parameter called as a function of all methods."""

            steps: int = parameter(1, "how many")


def test_what_a_newcomer_forgets_is_said_in_a_sentence(
    net: xw.Network, image: torch.Tensor
) -> None:
    class Undecorated(MapMethod):
        """Without the decorator."""

        gain: float = parameter(1.0, "how much")

    @dataclass
    class Changing(MapMethod):
        """A mutable dataclass."""

    @dataclass(frozen=True)
    class Nameless(MapMethod):
        """Without name, unit and explain."""

    @dataclass(frozen=True)
    class Bare(MapMethod):
        """Returns a tensor in place of a result."""

        name, unit = "bare", "nothing"

        def explain(self, subject: Subject, target: Any) -> Any:
            return subject.pixels

    @dataclass(frozen=True)
    class Colourful(MapMethod):
        """Returns a map with a channel axis."""

        name, unit = "colourful", "nothing"

        def explain(self, subject: Subject, target: Any) -> Any:
            return self.relevance(subject, target, subject.pixels)

    for method, words in (
        (Undecorated(), "write @dataclass"),
        (Changing(), "write @dataclass"),
        (Nameless(), "Nameless explains nothing; define explain"),
        (Bare(), r"Bare\.explain returns a Tensor, but must return a result"),
        (Colourful(), r"the values are \(3, 12, 12\), but must be a map"),
        (xw.UnitDifference("6"), "no images"),
        (GradCAM("7"), r"puts out \(3,\); choose one that puts out maps"),
    ):
        with pytest.raises((ValueError, NotImplementedError), match=words):
            method.run(net if words != "no images" else bare(net), image)
    with pytest.raises(ValueError, match="does not lead to where the signal starts"):
        GradCAM("4").run(net, image, xw.Channel("0", 1))
    with pytest.raises(ValueError, match="write @dataclass"):
        xw.Study(net, image, method=Undecorated())


def bare(net: xw.Network) -> xw.Network:
    """The network without examples."""
    return xw.Network(net.module, size=net.size, name="bare")


def test_a_part_of_a_layer_has_its_own_unit_and_keeps_its_layer(
    net: xw.Network, image: torch.Tensor
) -> None:
    found = xw.Saliency().run(net, image, xw.Channel(2, 3))
    assert found.unit == "activation per unit of pixel value"
    assert found.parameters["layer"] == "3"
    stopped = xw.ExcitationBackprop(stop_at="2").run(net, image, xw.Channel(2, 3))
    assert (stopped.parameters["stop_at"], stopped.parameters["layer"]) == ("2", "3")
