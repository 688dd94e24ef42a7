"""Maps are compared by where they are strong, and like maps are laid out beside each other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.surveys.likeness import FEWEST, Layout, reduced


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), side=st.integers(1, 9),
    seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_vectors_are_means_over_fields_of_unit_length(height, width, side, seed):
    maps = np.random.default_rng(seed).normal(size=(3, height, width))
    down, across = (
        np.linspace(0, length, min(side, length) + 1).round() for length in (height, width)
    )
    for vector, values in zip(reduced(maps, side), maps, strict=True):
        fields = [
            np.mean([
                values[y, x]
                for y in range(height) if top <= y < bottom
                for x in range(width) if left <= x < right
            ])
            for top, bottom in pairwise(down)
            for left, right in pairwise(across)
        ]  # fmt: skip
        assert np.allclose(vector, np.array(fields) / np.sqrt(np.sum(np.square(fields))), atol=1e-6)


def test_maps_that_are_zero_or_unknown_are_like_no_other():
    maps = np.ones((3, 8, 8))
    maps[1] = 0
    maps[2, 3, 3] = np.nan
    assert np.isnan(reduced(maps)).all(axis=1).tolist() == [False, True, True]


def heaps(count, seed=0, number=4):
    """Vectors of maps from several heaps, with the heap of each."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(number, 16, 16))
    heap = rng.integers(0, number, count)
    return reduced(centers[heap] + 0.5 * rng.normal(size=(count, 16, 16))), heap


def lay(layout):
    for _ in layout.steps():
        pass


def of_the_same_heap(places, heap):
    """Share of the five nearest points of each that are of its heap."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    nearest = distances.argsort(axis=1)[:, 1:6]
    return (heap[nearest] == heap[:, None]).mean()


def test_like_maps_are_neighbours_also_those_that_came_later():
    vectors, heap = heaps(160)
    layout = Layout()
    for begin in range(0, 160, 20):
        layout.add(vectors[begin : begin + 20])
        if layout.is_due:
            lay(layout)
        assert len(layout.places) == begin + 20
        if begin > 40:
            assert of_the_same_heap(layout.places, heap[: begin + 20]) > 0.95
    lay(layout)
    assert of_the_same_heap(layout.places, heap) > 0.95
    assert not layout.is_behind


def test_points_stay_where_they_are_until_there_are_twice_as_many():
    vectors, _ = heaps(70)
    layout = Layout()
    layout.add(vectors[:30])
    lay(layout)
    before = layout.places.copy()
    layout.add(vectors[30:59])
    assert layout.is_behind
    assert not layout.is_due
    assert np.array_equal(layout.places[:30], before)
    layout.add(vectors[59:])
    assert layout.is_due


def test_places_change_step_by_step():
    layout = Layout()
    layout.add(heaps(60)[0])
    seen = []
    for _ in layout.steps():
        seen.append(layout.places.copy())
    assert len(seen) > 5
    assert all(len(places) == 60 for places in seen[1:])
    assert not np.array_equal(seen[1], seen[-1])


def test_the_same_maps_are_laid_out_in_the_same_way():
    vectors, _ = heaps(40)
    first, second = Layout(), Layout()
    for layout in (first, second):
        layout.add(vectors)
        lay(layout)
    assert np.array_equal(first.places, second.places)


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1, FEWEST])
def test_few_maps_are_not_laid_out(count):
    layout = Layout()
    layout.add(heaps(count)[0])
    assert layout.is_due == layout.is_behind == (count >= FEWEST)


@pytest.mark.parametrize("count", [FEWEST, 32, 299, 300, 1000])
@pytest.mark.parametrize("number", [1, 8])
def test_points_lie_apart(count, number):
    layout = Layout()
    layout.add(heaps(count, number=number)[0])
    lay(layout)
    distances = np.linalg.norm(layout.places[:, None] - layout.places[None], axis=2)
    assert np.median(distances[np.triu_indices(count, 1)]) > 1


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (1, 2)])
def test_maps_that_are_all_the_same_have_places(size):
    layout = Layout()
    layout.add(reduced(np.ones((20, *size))))
    lay(layout)
    assert layout.places.shape == (20, 2)
    assert np.isfinite(layout.places).all()
