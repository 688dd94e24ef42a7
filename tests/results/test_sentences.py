"""Sentences say what constructed maps show, and no more."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xwidgets.results import difference
from xwidgets.results.sentences import advice, found, hatched_share, nothing, sentence, sure

from .examples import (
    ranking,
    relevance,
    removal,
    top_images,
    unit_relevance,
    unscored,
    x_features,
)

SIDE = 9


def of(values, error=None, **changes):
    values = np.asarray(values, np.float32)
    if error is not None:
        error = np.full(values.shape, error, np.float32)
    facts = {"label": "wren", "completed": 1.0, "parameters": {"window": 3}}
    image = np.zeros((*values.shape, 3), np.uint8)
    return relevance(values=values, image=image, standard_error=error, **facts | changes)


def patch(rows, columns, value, values=None):
    values = np.zeros((SIDE, SIDE)) if values is None else values
    values[rows, columns] = value
    return values


PLACES = {
    "upper left": (slice(0, 3), slice(0, 3)),
    "middle left": (slice(3, 6), slice(0, 3)),
    "centre": (slice(3, 6), slice(3, 6)),
    "lower right": (slice(6, 9), slice(6, 9)),
    "upper third": (slice(0, 3), slice(0, 9)),
    "right third": (slice(0, 9), slice(6, 9)),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_patch_is_found_in_its_place(name):
    told = sentence(of(patch(*PLACES[name], 0.4)))
    assert told.startswith(f"Most of what speaks for 'wren' is in the {name}; there the windows ")
    assert "change the score by +0.40 bits" in told


WING = np.zeros((SIDE, SIDE), bool)
WING[2:5, 1:8] = True
PARTS = {"wing": WING, "beak": np.eye(SIDE, dtype=bool), "leg": np.zeros((SIDE, SIDE), bool)}


def test_places_are_named_by_parts_where_these_have_most():
    on_wing = of(patch(slice(2, 5), slice(1, 8), 0.4))
    assert found(on_wing, parts=PARTS).startswith("Most of what speaks for 'wren' is on the wing; ")
    assert "is spread out, strongest in the upper left;" in found(on_wing)
    beside = of(patch(slice(6, 9), slice(0, 3), 0.4))
    assert found(beside, parts=PARTS) == found(beside)


def test_a_peak_is_on_the_smallest_part_that_has_it():
    values = np.full((SIDE, SIDE), 0.1)
    for at, place in (
        ((3, 3), "on the beak"),
        ((2, 7), "on the wing"),
        ((7, 1), "in the lower left"),
    ):
        peaked = values.copy()
        peaked[at] = 0.5
        assert f"spread out, strongest {place};" in found(of(peaked), parts=PARTS)
        plain = of(peaked, signed=False, unit="activation")
        assert found(plain, parts=PARTS).endswith(f"it peaks {place}.")


def test_a_patch_across_the_ninths_is_in_one_place():
    told = sentence(of(patch(slice(2, 5), slice(4, 7), 0.4)))
    assert told.startswith("Most of what speaks for 'wren' is in the centre; ")


def test_both_signs_are_told():
    values = patch(*PLACES["lower right"], -1.25, patch(*PLACES["centre"], 0.4))
    assert sentence(of(values, 0.1)) == (
        "Most of what speaks for 'wren' is in the centre; there the windows change the score "
        "by +0.40 ± 0.1 bits on average; most of what speaks against 'wren' is in the lower "
        "right, at most −1.3 ± 0.1 bits. 78 % of the picture is hatched."
    )


def test_an_even_map_is_spread_out():
    told = sentence(of(patch(1, 7, 1.0, np.full((SIDE, SIDE), 0.9))))
    assert told.startswith("What speaks for 'wren' is spread out, strongest in the upper right; ")


def test_a_map_of_nothing_says_so_and_why():
    small = of(patch(*PLACES["centre"], 0.04), probability=0.9999)
    assert sentence(small) == (
        "On average over the windows, nothing here changes the score by more than 0.05 bits. The "
        "network is sure of 'wren' "
        "(> 99.9 %), so that hiding a part hardly moves its probability; the score before softmax "
        "has more to say."
    )
    assert found(small) == ""
    assert sure(of(np.zeros((3, 3)), probability=0.9)) == ""
    assert sure(of(np.zeros((3, 3)), probability=0.9999, unit="logits")) == ""
    assert "it is not 'wren'" in sure(of(np.zeros((3, 3)), probability=0.0001))
    assert sentence(of(np.zeros((3, 3)), unit="logits")) == (
        "On average over the windows, nothing here changes the score at all."
    )


def test_noise_is_no_proof_of_nothing():
    told = nothing(of(np.full((3, 3), 0.04), 0.1))
    assert told.endswith("as far as is known; the values are not larger than their noise.")
    assert nothing(of(np.full((3, 3), 0.4), 0.3)) == (
        "Nothing here is told from zero: the values are not larger than their noise."
    )
    assert nothing(of(patch(0, 0, np.nan))) == ""


def test_what_to_call_is_told_where_there_is_something():
    evidence = of(np.zeros((3, 3)), parameters={"measure": "evidence"})
    assert advice(evidence) == 'Call xw.prediction_difference(..., measure="difference") for it.'
    assert advice(of(np.zeros((3, 3)), parameters={"measure": "difference"})) == ""
    assert advice(of(np.zeros((3, 3)), method="saliency")) == ""


def test_a_part_of_a_map_is_told_as_a_part():
    values = patch(*PLACES["upper left"], 0.4)
    values[6:] = np.nan
    told = sentence(of(values, completed=0.1))
    assert told.startswith("In the 66.7 % of the picture known so far: Most of what speaks for ")
    assert told.endswith("83 % of that is hatched.")
    assert sentence(of(np.full((3, 3), np.nan))) == "Nothing is computed yet."


def test_shares_are_told_for_regions():
    values = patch(4, 4, 0.5, np.full((SIDE, SIDE), 0.5 / 80))
    told = sentence(of(values, unit="share of the excitation", signed=False, parameters={}))
    assert told == (
        "50 % of the map's mass is in the strongest 1 % of the pixels; most of it is in the centre."
    )


def test_a_share_that_is_not_quite_all_begins_a_sentence():
    values = patch(4, 4, 0.5, np.full((SIDE, SIDE), 1e-5))
    told = sentence(of(values, unit="bits", signed=False))
    assert told == (
        "More than 99 % of the map's total is in the strongest 1 % of the pixels; most of it is in "
        "the centre."
    )
    assert hatched_share(0.999) == "More than 99 % of the picture is hatched."
    assert hatched_share(0.001, whole=False) == "Less than 1 % of that is hatched."


def test_a_probability_that_remains_is_low_where_it_matters():
    values = patch(*PLACES["lower right"], 0.25, np.full((SIDE, SIDE), 0.9))
    told = sentence(of(values, unit="probability", signed=False))
    assert told == "What is left is lowest, 25.0 % on average, with windows over the lower right."
    gone = of(np.zeros((SIDE, SIDE)), unit="probability", signed=False, probability=0.9)
    assert not gone.hatched(effect=0.5).any()  # where nothing is left, the effect is largest
    assert sentence(gone).startswith("What is left is lowest, 0 % on average")


def test_a_gradient_of_zero_is_no_word_on_what_hiding_does():
    flat = of(np.zeros((SIDE, SIDE)), unit="logits per unit of pixel value", parameters={})
    assert sentence(flat) == "The score does not react to tiny changes of a pixel at all."


def test_differences_say_which_side_has_more():
    left = of(patch(*PLACES["centre"], 0.4))
    right = of(patch(*PLACES["upper left"], 0.3), label="tit")
    assert sentence(difference(left, right)).startswith(
        "Most of what is more for wren is in the centre, by up to +0.40 bits; most of"
    )
    assert sentence(difference(left, left)) == "The two maps do not differ at all."


maps = arrays(np.float32, (6, 6), elements=st.floats(-1, 1, width=16) | st.just(np.nan))
errors = arrays(np.float32, (6, 6), elements=st.floats(0, 1, width=16) | st.just(np.nan))


@settings(max_examples=150, deadline=None)
@given(maps, errors, st.sampled_from(["bits", "logits", "probability"]))
def test_no_effect_is_told_that_is_not_above_noise(values, error, unit):
    result = relevance(
        values=values, standard_error=error, unit=unit, label="wren", parameters={"window": 2},
        image=np.zeros((6, 6, 3), np.uint8),
    )  # fmt: skip
    told = sentence(result)
    real = np.where(result.hatched(), np.nan, result.values)
    for words, some in (("speaks for", (real > 0).any()), ("speaks against", (real < 0).any())):
        assert (words in told) == bool(some)
    if "nothing here changes the score by more than" in told:
        assert np.isfinite(values).all()
        assert (np.abs(values) <= 0.05).all()


def test_a_region_is_told_with_what_it_changes():
    probabilities = np.tile([0.0015, 0.998, 0.0005], (6, 1))
    before = np.array([0.0005, 0.9993, 0.0002])
    told = sentence(removal(before=before, probabilities=probabilities, completed=1.0))
    assert re.fullmatch(
        r"Without the painted region the score of 'grünspecht' falls by \S+ bits: from > 99.9 % to "
        r"99.8 %, still sure\.",
        told,
    )
    same = sentence(removal(before=before, probabilities=np.tile(before, (6, 1))))
    assert same == (
        "So far: Without the painted region the score of 'grünspecht' changes by less than 0.05 "
        "bits: from > 99.9 % to > 99.9 %, still sure."
    )
    assert sentence(removal()).startswith("So far: Without the painted region no change of ")
    assert sentence(removal()).endswith("'ant' becomes the likeliest.")
    assert sentence(unscored()) == "Nothing is computed yet."


def test_units_are_told_by_channel():
    values = np.array([[[0.5, 0.25]], [[-1.0, 0.5]], [[np.nan, 0.1]]], np.float32)
    complete = unit_relevance(values=values, standard_error=np.abs(values), completed=1.0)
    told = "channel 0 for 'wren', +0.750 bits; channel 1 against 'wren', −0.500 bits."
    assert sentence(complete) == f"Of features.3, what speaks most is {told}"
    partial = replace(complete, completed=0.5)
    assert sentence(partial).startswith("So far: Of features.3")
    assert "against" not in sentence(replace(complete, values=np.abs(values)))
    silent = replace(complete, values=np.zeros_like(values))
    assert sentence(silent) == "No channel of features.3 changes the score of 'wren'."
    unknown = replace(complete, values=np.full_like(values, np.nan), completed=0.0)
    assert sentence(unknown) == "Nothing is computed yet."


def test_rankings_x_features_and_top_images_are_told():
    importance = np.zeros((6, 7))
    importance[1, 5] = 0.75
    assert sentence(ranking(importance=importance, completed=1.0)) == (
        "Channel 1 of features.3 has the largest output correlation for \"grünspecht, 'green'\", "
        "0.750; 7 of 7 neurons are ranked."
    )
    found_features = x_features(
        2, activations=np.array([1, 2], np.float32), weights=np.array([1.5, -2], np.float32)
    )
    assert sentence(found_features) == (
        "X-feature 1 takes most: −4.00; together the 2 x-features give −2.50 of the score of "
        "\"grünfink, 'green'\", 2.50."
    )
    silent = x_features(2, activations=np.zeros(2, np.float32))
    assert sentence(silent).startswith("No x-feature is active in this picture")
    assert sentence(top_images()) == (
        "Of the 20 searched so far: features.3 channel 4 is strongest in a.png (3.00); the 3 "
        "images shown reach down to 0.500."
    )
    silent = top_images(activations=np.zeros(3, np.float32), searched=30)
    assert sentence(silent) == "features.3 channel 4 is active in no image."
    assert sentence(object()) == ""
