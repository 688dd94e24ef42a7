"""Controls made from what methods say of their parameters: what is offered, shared and refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch

import xwidgets as xw
from xwidgets.explain import MapMethod, parameter
from xwidgets.results import Relevance


@dataclass(frozen=True)
class Even(MapMethod):
    name, unit = "even", "brightness"
    gain: int = parameter(2, "an even number.", least=0, most=9, label="Gain")

    def check(self, subject, targets) -> None:
        if self.gain % 2:
            raise ValueError(f"gain is {self.gain}, but must be even")

    def explain(self, subject, target) -> Relevance:
        return self.relevance(subject, target, self.gain * subject.pixels.mean(0))


@pytest.fixture
def pair(net: xw.Network, image: torch.Tensor) -> Iterator[tuple[xw.Study, xw.Study]]:
    fill = xw.ConstantSampler(0.5)
    removal = xw.PredictionDifference(window=4, samples=1, sampler=fill, measure="difference")
    with (
        xw.Study(net, image, method=removal) as left,
        xw.Study(net, image, method=xw.Occlusion(window=4)) as right,
    ):
        yield left, right


def measures(*studies: xw.Study) -> list[str]:
    return [study.method.measure for study in studies]


def test_a_shared_choice_offers_what_both_methods_have(pair) -> None:
    control = xw.ParameterControl("measure", *pair)
    assert control.options == ["difference"]
    assert xw.ParameterControl("measure", pair[1]).options == ["difference", "drop", "probability"]


def test_a_choice_tells_the_units_where_they_differ(pair) -> None:
    control = xw.ParameterControl("measure", pair[1])
    assert control.units == ["logits", "probability", "probability"]
    assert xw.ParameterControl("measure", *pair).units == []  # both have one of them


def test_a_value_that_one_study_refuses_leaves_both_as_they_were(pair) -> None:
    left, right = pair
    control = xw.ParameterControl("measure", left, right)
    right.move(measure="drop")
    assert measures(left, right) == ["difference", "difference"]
    assert control.value == "difference"
    assert "measure is 'drop'" in control.message
    left.move(measure="evidence")
    assert measures(left, right) == ["evidence", "difference"]
    assert "measure is 'evidence'" in control.message
    left.move(measure="difference")
    assert control.message == ""


def test_what_a_method_refuses_is_put_back_with_its_sentence(
    net: xw.Network, image: torch.Tensor
) -> None:
    with xw.Study(net, image, method=Even()) as study:
        control = xw.ParameterControl("gain", study)
        control.value = 3
        assert (control.value, study.method.gain) == (2, 2)
        assert control.message == "gain is 3, but must be even"
        control.value = 4
        assert (control.value, study.method.gain, control.message) == (4, 4, "")


def test_controls_of_one_side_say_which(pair) -> None:
    def said(left: xw.Study, right: xw.Study) -> list[tuple[str, str]]:
        views = xw.Comparison(left, right).children
        return [(one.name, one.side) for one in views if isinstance(one, xw.ParameterControl)]

    left, right = pair
    left.move(measure="evidence")
    assert said(left, right) == [
        ("window", ""), ("measure", "left"), ("value", "right"), ("measure", "right"),
    ]  # fmt: skip
    assert said(left, right.wait()) == [("window", "left"), ("measure", "left")]
    assert said(left, left) == [("window", ""), ("measure", "")]


def test_height_and_width_of_a_rectangle_are_moved_apart(
    net: xw.Network, image: torch.Tensor
) -> None:
    with xw.Study(net, image, method=xw.Occlusion(window=4, stride=2)) as study:
        control = xw.ParameterControl("window", study)
        assert control.sides == list(image.shape[1:])
        control.value = [3, 6]
        assert study.method.window == (3, 6)
        assert study.wait().parameters["window"] == [3, 6]
        control.value = [3, image.shape[2] + 1]
        assert "larger than the image" in control.message
        assert (control.value, study.method.window) == ([3, 6], (3, 6))
        control.value = 5
        assert study.method.window == 5


def test_a_window_that_one_method_takes_square_alone_has_one_side(pair) -> None:
    assert xw.ParameterControl("window", *pair).sides == []
    assert xw.ParameterControl("window", pair[1]).sides
