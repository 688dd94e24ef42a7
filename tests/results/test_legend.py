"""The legend says what colours and hatching mean, in numbers that are the map's."""

import numpy as np
import pytest

from xwidgets.results import render
from xwidgets.results.legend import hatch_words, paragraphs, ramp, scale_texts, with_legend, written
from xwidgets.results.sentences import EVEN, sentence

from .examples import relevance

VALUES = np.array([[-0.5, 0.25], [0.1, 0.02]], np.float32)
IMAGE = np.zeros((2, 2, 3), np.uint8)


def a_map(**changes):
    values = {"values": VALUES, "image": IMAGE, "completed": 1.0, "standard_error": None}
    return relevance(**values | changes)


def test_the_map_stands_above_and_black_letters_on_white_below():
    result = a_map(label="wren")
    picture = with_legend(result, size=300)
    overlay = result.overlay(size=300)
    np.testing.assert_array_equal(picture[:300], overlay)
    below = picture[300:]
    assert (below[:, :5] == 255).all()
    assert (below == 0).all(-1).sum() > 300, "letters"
    assert below.shape[1] == 300


def test_it_is_drawn_and_told_as_a_view_shows_it():
    result = a_map(standard_error=np.full((2, 2), 0.06, np.float32))
    look = {"scale": 4.0, "effect": 0.2, "uncertain": False, "color_map": "orange-purple"}
    picture = with_legend(result, size=300, **look)
    np.testing.assert_array_equal(picture[:300], result.overlay(size=300, **look))
    colors = ramp(result, 300 - 2 * 12, "orange-purple")
    np.testing.assert_array_equal(picture[312 : 312 + len(colors) - 2, 12:148], colors[:-2, :136])
    assert scale_texts(result, 4.0)[0] == ("−4.00", "0 bits", "+4.00")
    title, meaning, told = paragraphs(result, 0.2, False)
    assert (title, meaning) == (result.title, "hatched: within ±0.2 bits")
    assert told.endswith("50 % of the picture is hatched.")
    parts = {"beak": np.array([[True, False], [False, False]])}
    *_, told = paragraphs(result, 0.2, False, parts)
    assert "most of what speaks against \"grünspecht, 'green'\" is on the beak" in told


def test_a_longer_sentence_takes_more_lines_and_none_is_cut():
    short, long = (
        with_legend(a_map(label=label), size=300) for label in ("wren", "a wren of the woods " * 9)
    )
    assert len(long) > len(short) + 60
    assert (long[-8:] == 255).all()


@pytest.mark.parametrize("signed", [True, False])
def test_the_ramp_has_the_colours_of_the_map(signed):
    row = ramp(a_map(signed=signed, values=np.abs(VALUES)), 41)[0]
    shares = np.linspace(-1, 1, 41) if signed else np.linspace(0, 1, 41)
    for share, color in zip(shares, row, strict=True):
        expected = render.colorize(np.array(share), signed=signed)
        np.testing.assert_array_equal(color, np.round(expected))


def test_the_ends_are_the_largest_magnitude_with_what_it_means():
    texts = ("−0.500", "0 bits", "+0.500"), ("against wren", "", "for wren")
    assert scale_texts(a_map(label="wren")) == texts
    numbers, _ = scale_texts(a_map(values=np.abs(VALUES), signed=False, unit="logits"))
    assert numbers == ("0", "logits", "0.500")


def test_shares_are_multiples_of_an_even_spread():
    shares = np.array([[0.7, 0.1], [0.1, 0.1]], np.float32)
    result = a_map(values=shares, signed=False, unit="share of the excitation")
    assert scale_texts(result)[0] == ("0", EVEN, "2.80")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "hatched: within ±0.05 bits"),
        (
            {"standard_error": np.abs(VALUES)},
            "hatched: within ±0.05 bits, or not told from zero (2 standard errors)",
        ),
        (
            {"standard_error": np.full_like(VALUES, np.nan)},
            "hatched: within ±0.05 bits; no standard errors yet",
        ),
        ({"unit": "logits"}, ""),
        ({"unit": "probability", "signed": False, "values": np.abs(VALUES)}, ""),
    ],
)
def test_what_is_hatched_is_said_as_the_views_say_it(changes, words):
    result = a_map(**changes)
    assert hatch_words(result) == words
    assert list(paragraphs(result)) == [result.title, *filter(None, [words]), sentence(result)]


def test_all_signs_of_the_sentences_can_be_written():
    assert written("−0.52 ± 0.1 × “an” even–spread < 5 %") == '-0.52 ± 0.1 x "an" even-spread < 5 %'
    assert written("grün é 漢") == "grun e ?"


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.full((2, 2), np.nan)])
def test_a_map_of_nothing_has_a_legend_too(values):
    assert with_legend(a_map(values=values.astype(np.float32))).shape[1] == 560
