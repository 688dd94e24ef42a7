"""What is left of one map when another is taken away."""

import numpy as np
import pytest

import xwidgets as xw
from xwidgets import Relevance, difference
from xwidgets.results import common_settings, contrast, ends

from .examples import relevance


def test_values_and_errors_are_those_of_the_formula():
    left = relevance(completed=1.0, note="left is run whole.")
    right = relevance(completed=0.5, parameters={"seed": 1}, note="right too.")
    rng = np.random.default_rng(1)
    object.__setattr__(right, "values", rng.standard_normal((5, 7)).astype(np.float32))
    right.values[4, 4] = np.nan
    right.standard_error[2, 2] = np.nan
    found = difference(left, right)
    assert found.values.dtype == found.standard_error.dtype == np.float32
    for row in range(5):
        for column in range(7):
            one, other = float(left.values[row, column]), float(right.values[row, column])
            np.testing.assert_allclose(found.values[row, column], one - other, rtol=1e-5)
            a, b = (float(side.standard_error[row, column]) for side in (left, right))
            expected = (a * a + b * b) ** 0.5
            np.testing.assert_allclose(found.standard_error[row, column], expected, rtol=1e-5)
    assert np.isnan(found.values[0, :3]).all()
    assert np.isnan(found.values[4, 4])
    assert np.isnan(found.standard_error[2, 2])
    assert found.completed == 0.5
    assert found.note == "left is run whole. right too."


def test_errors_of_the_same_samples_do_not_add_up():
    net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
    options = {"samples": 2, "stride": 8, "window": 8}
    first, second = xw.prediction_difference_each(net, scene.image, [0, 1], **options)
    other = xw.prediction_difference(net, scene.image, 1, seed=5, **options)
    marginal = xw.MarginalSampler(net.examples()[:8])
    third = xw.prediction_difference(net, scene.image, 1, sampler=marginal, **options)
    assert difference(first, second).standard_error is None
    assert difference(first, other).standard_error is not None
    assert difference(first, third).standard_error is not None


def test_turning_it_round_turns_the_sign():
    left, right = relevance(), relevance(values=np.ones((5, 7), np.float32))
    np.testing.assert_array_equal(difference(left, right).values, -difference(right, left).values)


@pytest.mark.parametrize("side", [0, 1])
def test_one_standard_error_is_not_enough(side):
    sides = [relevance(), relevance()]
    sides[side] = relevance(standard_error=None)
    assert difference(*sides).standard_error is None


def test_only_what_differs_is_named():
    left = relevance(label="wren", completed=1.0)
    assert difference(left, left).title == left.title
    other = relevance(label="robin", completed=1.0)
    assert "for 'wren minus robin' (birds), in bits" in difference(left, other).title
    other = relevance(label="wren", network_name="street", completed=1.0)
    assert difference(left, other).network_name == "birds minus street"
    other = relevance(label="wren", parameters={**left.parameters, "window": 4}, completed=1.0)
    assert difference(left, other).method == "prediction difference, window 10 minus window 4"
    other = relevance(label="wren", method="occlusion", parameters={"window": 4})
    assert difference(left, other).method == "prediction difference minus occlusion"


def test_samplers_are_named_by_kind_or_by_what_they_are_made_of():
    def sampled(sampler):
        return relevance(parameters={"sampler": sampler})

    kinds = contrast(sampled("Marginal(100 images)"), sampled("Constant(value=0.5)"))
    assert kinds == ("Marginal", "Constant")
    sizes = contrast(sampled("Marginal(100 images)"), sampled("Marginal(200 images)"))
    assert sizes == ("Marginal(100 images)", "Marginal(200 images)")


def test_settings_in_common_are_those_of_every_map_and_every_side():
    one, other, third = (
        relevance(parameters=parameters)
        for parameters in (
            {"window": 4, "sampler": "Constant(value=0.5)", "samples": 2, "top": None},
            {"window": 8, "sampler": "Constant(value=0.5)", "samples": 2, "top": None},
            {"window": 4, "sampler": "Constant(value=0.5)"},
        )
    )
    assert common_settings([one]) == "window 4, Constant(value=0.5), samples 2"
    assert common_settings([one, other]) == "Constant(value=0.5), samples 2"
    assert common_settings([one, third]) == "window 4, Constant(value=0.5)"
    gap = difference(one, other)
    assert common_settings([gap]) == "Constant(value=0.5), samples 2"
    assert common_settings([difference(gap, third)]) == "Constant(value=0.5)"
    assert common_settings([]) == ""


def test_its_ends_say_what_they_mean():
    wren, robin = relevance(label="wren"), relevance(label="robin")
    assert ends(wren) == ("against wren", "for wren")
    assert ends(difference(wren, wren)) == ("less for wren", "more for wren")
    assert ends(difference(wren, robin)) == ("more for robin", "more for wren")


def test_it_survives_a_file(tmp_path):
    found = difference(relevance(), relevance(label="robin"))
    found.save(tmp_path / "gap.npz")
    again = Relevance.load(tmp_path / "gap.npz")
    assert (again.title, ends(again)) == (found.title, ends(found))
    assert again.parameters["right"]["label"] == "robin"


def test_other_pictures_and_units_are_refused():
    with pytest.raises(ValueError, match="different pictures have no difference; compare"):
        difference(relevance(), relevance(image=np.zeros((5, 7, 3), np.uint8)))
    with pytest.raises(ValueError, match="in bits and one in logits have no difference; compare"):
        difference(relevance(), relevance(unit="logits"))
    with pytest.raises(ValueError, match="a side is a int, but must be"):
        difference(relevance(), 3)
