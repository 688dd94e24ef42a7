"""Layouts: to the boxes of a map and back, and where movements take channels from."""

from itertools import product

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from xwidgets.incremental.layout import Layout, arrangements


@st.composite
def layouts(draw):
    channels = draw(st.lists(st.integers(1, 3), max_size=3))
    axes = list(range(1, len(channels) + 3))
    places = draw(st.none() | st.permutations(axes).map(lambda order: tuple(order[:2])))
    return Layout(tuple(channels), places)


@settings(max_examples=100, deadline=None)
@given(layouts(), st.integers(1, 4), st.integers(1, 4))
def test_a_value_is_its_map_cell_by_cell(layout, height, width):
    sizes = list(layout.channels)
    if layout.places:
        for axis, side in sorted(zip(layout.places, (height, width), strict=True)):
            sizes.insert(axis - 1, side)
    value = torch.rand(5, *sizes)
    boxes = layout.map(value)
    assert torch.equal(layout.value(boxes), value)
    for cell in product(*map(range, sizes)):
        at = dict(enumerate(cell, start=1))
        row, column = (at.pop(axis) for axis in layout.places) if layout.places else (0, 0)
        channel = 0
        for axis, size in zip(at, layout.channels, strict=True):
            channel = channel * size + at[axis]
        assert torch.equal(boxes[:, channel, row, column], value[(slice(None), *cell)])


def shuffled(x):
    n, _, *size = x.shape
    return x.view(n, 2, 3, *size).transpose(1, 2).contiguous().view(n, 6, *size)


MOVEMENTS = {
    "slice": (lambda x: x[:, 1:4], [[1, 2, 3]]),
    "steps": (lambda x: x[:, ::2], [[0, 2, 4]]),
    "narrow": (lambda x: x.narrow(1, 2, 3), [[2, 3, 4]]),
    "chunk": (lambda x: x.chunk(2, 1), [[0, 1, 2], [3, 4, 5]]),
    "chunk of another size": (lambda x: x.chunk(4, -3), [[0, 1], [2, 3], [4, 5]]),
    "split": (lambda x: x.split([1, 2, 3], 1), [[0], [1, 2], [3, 4, 5]]),
    "shuffle": (shuffled, [[0, 3, 1, 4, 2, 5]]),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 3), [[0, 2, 4, 1, 3, 5]]),
    "index": (lambda x: x[:, [4, 4, 0]], [[4, 4, 0]]),
    "flip": (lambda x: x.flip(1), [[5, 4, 3, 2, 1, 0]]),
    "roll": (lambda x: x.roll(1, 1), [[5, 0, 1, 2, 3, 4]]),
    "repeat": (lambda x: x.repeat(1, 2, 1, 1), [[*range(6), *range(6)]]),
    "unbind": (lambda x: x.unbind(1), [[0], [1], [2], [3], [4], [5]]),
}


def test_movements_of_channels():
    x, usual = torch.rand(1, 6, 4, 5), Layout((6,), (2, 3))
    for move, expected in MOVEMENTS.values():
        results = arrangements(move, usual, x)
        assert [taken.tolist() for _, taken in results] == expected
        made = move(x) if isinstance(move(x), tuple | list) else [move(x)]
        for (layout, taken), result in zip(results, made, strict=True):
            assert torch.equal(layout.map(result), x[:, taken])


def test_channels_in_front_and_behind():
    x = torch.rand(1, 6, 4, 5)
    [(last, taken)] = arrangements(lambda x: x.permute(0, 2, 3, 1), Layout.usual(x.shape), x)
    assert (last, taken.tolist()) == (Layout((6,), (1, 2)), [0, 1, 2, 3, 4, 5])
    [(first, _)] = arrangements(lambda x: x.movedim(-1, 1), last, x.permute(0, 2, 3, 1))
    assert first.is_usual
    [(turned, _)] = arrangements(lambda x: x.mT, first, x)
    assert turned == Layout((6,), (3, 2))


def test_what_moves_places_is_no_arrangement_of_channels():
    x, usual = torch.rand(1, 6, 4, 4), Layout((6,), (2, 3))
    moves = [
        lambda x: x.flip(3), lambda x: x[:, :, 1:], lambda x: x.flatten(2), lambda x: x[:, :0],
        lambda x: F.pixel_shuffle(x[:, :4], 2), lambda x: x.roll(1, 2), lambda x: x[:, :, 0],
        lambda x: x.flatten().view(1, 8, 4, 3), lambda x: x.repeat(2, 1, 1, 1),
    ]  # fmt: skip
    assert [arrangements(move, usual, x) for move in moves] == [None] * len(moves)


def test_a_map_of_one_place_lies_where_maps_do():
    x = torch.rand(1, 6, 1, 1)
    [(flat, _)] = arrangements(lambda x: x.flatten(1), Layout.usual(x.shape), x)
    assert flat == Layout((6,))
    [(last, _)] = arrangements(lambda x: x.permute(0, 2, 3, 1), Layout.usual(x.shape), x)
    assert last == Layout((6,), (1, 2))
    [(again, _)] = arrangements(lambda x: x[:, :, None, None], flat, x.flatten(1))
    assert again.is_usual


def test_constants_that_are_the_same_everywhere():
    last, base = Layout((3,), (1, 2)), torch.rand(1, 4, 5, 3)
    factor = last.same_everywhere(torch.tensor([1.0, 2, 3]), base)
    assert factor.flatten().tolist() == [1, 2, 3]
    assert last.same_everywhere(torch.rand(4, 5, 1), base) is None
    assert last.same_everywhere(torch.rand(7), base) is None
    assert last.same_everywhere(torch.tensor(2.0), base).item() == 2
