"""The order of neurons against one written with sorted(), and the sequence it makes."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.results import METRICS

from .examples import ranking


def ordered(one):
    """(layer, channel, value, rank) of all that are ranked, by layer and rank."""
    found = []
    values = one.importance[METRICS.index(one.metric)].tolist()
    for place, name in enumerate(one.layers):
        mine = [
            at for at in range(len(values))
            if one.layer[at] == place
            and not (one.metric == "activation_precision" and one.activation[at] < one.minimum)
        ]  # fmt: skip
        mine.sort(key=lambda at: (math.isnan(values[at]), -values[at] if values[at] == values[at]
                                  else 0, one.channel[at]))  # fmt: skip
        found += [(name, int(one.channel[at]), values[at], rank)
                  for rank, at in enumerate(mine, 1)]  # fmt: skip
    return found


_values = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, 0.5, math.inf, -math.inf, math.nan])


@st.composite
def rankings(draw):
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    count = sum(sizes)
    return ranking(
        layer=np.repeat(np.arange(len(sizes)), sizes),
        layers=tuple(f"features.{place}" for place in range(len(sizes))),
        convolutions=(None,) * len(sizes),
        importance=[[draw(_values) for _ in range(count)] for _ in METRICS],
        activation=[draw(st.sampled_from([0.0, 0.1, 0.25, 0.5])) for _ in range(count)],
        metric=draw(st.sampled_from(METRICS)),
        minimum=draw(st.sampled_from([0, 0.1, 0.3])),
        top=draw(st.integers(1, 7)),
    )


@settings(max_examples=200, deadline=None)
@given(rankings())
def test_the_order_is_that_of_sorted(one):
    wanted = ordered(one)
    best = [entry for entry in wanted if entry[3] <= one.top]
    assert one.neurons == [(name, channel) for name, channel, _, _ in best]
    frame = one.frame()
    assert list(frame.columns) == ["layer", "channel", "value", "rank"]
    for column, values in zip(frame, zip(*best, strict=True), strict=False):
        if column == "value":
            np.testing.assert_array_equal(frame[column], values)
        else:
            assert frame[column].tolist() == list(values)
    ranks = {(one.layers[place], int(channel)): rank for place, channel, rank in
             zip(one.layer, one.channel, one.ranks.tolist(), strict=True)}  # fmt: skip
    known = {(name, channel): rank for name, channel, _, rank in wanted}
    assert {neuron: rank for neuron, rank in ranks.items() if rank} == known
    assert one.remaining == {
        name: sum(entry[0] == name for entry in wanted) for name in one.layers
    }  # fmt: skip
    assert one.kept.sum() == len(wanted)


def test_it_is_a_sequence_of_its_best_neurons():
    one = ranking(top=2)
    assert len(one) == 4
    assert list(one) == one.neurons == [one[place] for place in range(4)]
    assert one[-1] == one.neurons[3]
    assert one.neurons[0] in one
    with pytest.raises(IndexError):
        one[4]
    assert all(type(name) is str and type(channel) is int for name, channel in one)


def test_the_best_have_the_largest_numbers_and_those_without_any_come_last():
    one = ranking(
        layer=[0] * 7, layers=("a",), convolutions=(1,),
        importance=[[1, math.nan, 2, 1, math.inf, -math.inf, math.nan]] * 6, top=9,
    )  # fmt: skip
    assert [channel for _, channel in one] == [4, 2, 0, 3, 5, 1, 6]
    assert one.ranks.tolist() == [3, 6, 2, 4, 1, 5, 7]
    assert len(one.by(top=3)) == 3


def test_the_least_activation_counts_for_the_precision_alone():
    activation = [0.1, 0.0999, 0.5, 0, 0, 0, 0.05]
    one = ranking(activation=activation, metric="activation_precision")
    assert one.kept.tolist() == [True, False, True, False, False, False, False]
    assert one.remaining == {"features.0": 2, "features.3": 0}
    assert one.ranks[[1, 3, 4, 5, 6]].tolist() == [0] * 5
    assert {name for name, _ in one} == {"features.0"}
    assert one.by(minimum=0.05).remaining == {"features.0": 3, "features.3": 1}
    assert one.by(minimum=0).remaining == {"features.0": 4, "features.3": 3}
    for metric in METRICS[1:]:
        assert one.by(metric, minimum=100).remaining == {"features.0": 4, "features.3": 3}


def test_ranking_otherwise_changes_only_that():
    one = ranking()
    first = one.neurons
    for metric in METRICS:
        other = one.by(metric, top=3, minimum=0)
        assert (other.metric, other.top, other.minimum) == (metric, 3, 0)
        assert other.neurons == [entry[:2] for entry in ordered(other) if entry[3] <= 3]
        assert other.values is not one.values
        np.testing.assert_array_equal(other.values, one.importance[METRICS.index(metric)])
        for item in dataclasses.fields(one):
            if item.name not in ("metric", "top", "minimum"):
                assert getattr(other, item.name) is getattr(one, item.name)
    assert len({tuple(one.by(metric).neurons) for metric in METRICS}) > 1
    same = one.by()
    assert (same.metric, same.top, same.minimum) == (one.metric, one.top, one.minimum)
    assert one.neurons == first
    assert one.by("weight_sum").by("output_correlation").neurons == first


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"metric": "precision"}, "unknown metric 'precision'; did you mean 'activation_pre"),
        ({"metric": "x"}, "unknown metric 'x'; known: activation_precision, output_corr"),
        ({"top": 0}, "top is 0, but must be a whole number of at least 1"),
        ({"top": 1.5}, "top is 1.5"),
        ({"minimum": -0.01}, "minimum is -0.01, but must be a number of at least 0"),
        ({"minimum": "0.1"}, "minimum is '0.1', but must be a number"),
        ({"minimum": math.nan}, "minimum is nan"),
        (
            {"minimum": 0.51},
            "no neuron is as active as minimum = 0.51: the largest mean magnitude is 0.500; give "
            "a smaller minimum",
        ),
    ],
)
def test_what_cannot_be_ranked_by_is_refused_in_a_sentence(options, match):
    one = ranking(metric="activation_precision", activation=[0, 0.5, 0, 0.25, 0.5, 0, 0])
    with pytest.raises(ValueError, match=match) as caught:
        one.by(**options)
    assert "\n" not in str(caught.value)
    assert one.by(minimum=0.5).neurons == [("features.0", 1), ("features.3", 0)]


def test_the_title_says_what_it_is_and_how_far():
    title = "neurons by output correlation for \"grünspecht, 'green'\" (birds)"
    assert ranking().title == title
    assert ranking(completed=0.123).title == title + ", 12.3 % computed"
    assert repr(ranking()) == f"<Ranking of 7 {title}>"
    assert "features.3" in ranking()._repr_html_()
    assert "output correlation" in ranking()._repr_html_()
