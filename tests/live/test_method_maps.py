"""Maps by several methods in a study's worker."""

import numpy as np
import pytest
import torch

import xwidgets as xw
from xwidgets.live import LiveResult, LiveResults, MethodMaps

METHODS = [xw.Saliency(), xw.Occlusion(window=4, stride=2)]


def answers(lives: LiveResults) -> list[object]:
    return [live.wait(60) for live in lives]


def test_every_method_gives_its_own_map_and_time(study: xw.Study) -> None:
    compared = MethodMaps(study, METHODS)
    for method, timed in zip(METHODS, answers(compared.maps), strict=True):
        expected = method.run(study.network, study.image, study.target)
        np.testing.assert_array_equal(timed.relevance.values, expected.values)
        assert timed.seconds > 0
    assert compared.maps.progress.state == "complete"


def test_they_follow_the_target_the_image_and_the_weights(study: xw.Study) -> None:
    compared = MethodMaps(study, METHODS)
    other = (study.target + 1) % 3
    study.target = other
    assert {timed.relevance.target for timed in answers(compared.maps)} == {other}
    study.image = study.image.flip(-1)
    flipped, _ = answers(compared.maps)
    np.testing.assert_array_equal(flipped.relevance.image, study.picture)
    with torch.no_grad():
        study.network.module[0].weight.mul_(2)
    study.wait()  # which finds out
    doubled, _ = answers(compared.maps)
    expected = METHODS[0].run(study.network, study.image, study.target)
    np.testing.assert_array_equal(doubled.relevance.values, expected.values)


def test_weights_are_randomised_when_asked_for_and_from_then_on(study: xw.Study) -> None:
    compared = MethodMaps(study, METHODS)
    answers(compared.maps)
    assert [live.question for live in compared.randomised] == [None, None]
    compared.randomise()
    first = answers(compared.randomised)
    for method, result in zip(METHODS, first, strict=True):
        again = xw.evaluate.weight_randomisation(study.network, study.image, method, study.target)
        assert result.agreements == pytest.approx(again.agreements, nan_ok=True)
    study.target = (study.target + 1) % 3
    assert [result.relevance.target for result in answers(compared.randomised)] == [
        study.target
    ] * 2


def test_a_method_that_fails_leaves_the_others(study: xw.Study) -> None:
    class Failing(xw.Saliency):
        def explain(self, subject, target):  # type: ignore[no-untyped-def]
            raise RuntimeError("no gradient here")

    compared = MethodMaps(study, [Failing(), METHODS[1]])
    failing, other = compared.maps
    assert other.wait(60).relevance.method == "occlusion"
    with pytest.raises(RuntimeError, match="no gradient here"):
        failing.wait(60)
    told = compared.maps.progress
    assert (told.state, told.share, told.message) == ("failed", 1, "no gradient here")


def test_closed_ones_ask_nothing_more(study: xw.Study) -> None:
    compared = MethodMaps(study, METHODS)
    answers(compared.maps)
    compared.close()
    study.target = (study.target + 1) % 3
    assert all(live.question is None for live in compared.maps)


def test_together_they_are_as_far_as_the_mean(study: xw.Study) -> None:
    parts: list[LiveResult[str, float]] = [study.live(iter, lambda share: share) for _ in range(2)]
    both = LiveResults(parts)
    for part, shares in zip(parts, ((0.5,), (1.0,)), strict=True):
        part.ask(shares)
        part.wait(60)
    assert both.progress.state == "complete"
    both.stop()
    both.resume()
    assert [part.answer for part in both] == [0.5, 1.0]


def test_by_default_there_is_a_method_of_each_kind_that_explains_the_target(
    study: xw.Study, image: torch.Tensor
) -> None:
    few = ["Saliency", "ExcitationBackprop", "Deconvnet", "Occlusion"]  # no examples to sample from
    *others, last = MethodMaps(study).methods
    assert [type(method).__name__ for method in others] == few
    assert last.sampler == study.method.sampler
    study.method = xw.Saliency()
    assert [type(method).__name__ for method in MethodMaps(study).methods] == few
    study.network.examples = lambda: image[None].repeat(40, 1, 1, 1)
    kinds = [type(method).__name__ for method in MethodMaps(study).methods]
    assert kinds == [*few, "PredictionDifference"]
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(4, 3),
    )  # fmt: skip
    with xw.Study(xw.Network(module, size=(16, 16)), image, method=xw.Saliency()) as pooled:
        kinds = [type(method).__name__ for method in MethodMaps(pooled).methods]
    assert "ClassActivationMap" in kinds
    with xw.Study(study.network, image, xw.Channel(1, 2), xw.Saliency()) as channel:
        assert "ClassActivationMap" not in [
            type(method).__name__ for method in MethodMaps(channel).methods
        ]
