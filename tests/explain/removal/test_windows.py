"""Windows against plain loops: where they sit, the order they are visited in, their means."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from xwidgets.explain.removal.windows import WindowGrid, check_windows


@st.composite
def grids(draw):
    """Height and width of an image, a window, a stride."""
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    if draw(st.booleans()):
        side = draw(st.integers(1, min(height, width)))
        return height, width, side, draw(st.integers(1, side))
    window = draw(st.integers(1, height)), draw(st.integers(1, width))
    return height, width, window, draw(st.integers(1, min(window)))


def sides(window):
    return window if isinstance(window, tuple) else (window, window)


@settings(max_examples=100, deadline=None)
@given(grids())
def test_windows_are_a_stride_apart_and_the_last_ends_at_the_border(shape):
    height, width, window, stride = shape
    h, w = sides(window)
    expected = [
        (y, x)
        for y in range(height - h + 1)
        for x in range(width - w + 1)
        if y % stride == 0 or y == height - h
        if x % stride == 0 or x == width - w
    ]
    grid = WindowGrid(*shape)
    assert [tuple(corner) for corner in grid.corners.tolist()] == expected
    assert (grid.window, len(grid)) == ((h, w), len(expected))


@settings(max_examples=100, deadline=None)
@given(grids(), st.integers(1, 4), st.integers(0, 2**31))
def test_every_sweep_visits_every_window_once_and_the_first_part_covers(shape, samples, seed):
    height, width, window, _ = shape
    h, w = sides(window)
    grid = WindowGrid(*shape)
    sweeps = [(sample, windows.tolist()) for sample, windows in grid.sweeps(samples, seed)]
    covered = np.zeros((height, width), bool)
    for y, x in grid.corners[sweeps[0][1]].tolist():
        covered[y : y + h, x : x + w] = True
    assert covered.all()
    for sample in range(samples):
        visited = [window for number, windows in sweeps if number == sample for window in windows]
        assert sorted(visited) == list(range(len(grid)))
    assert [number for number, _ in sweeps] == sorted(number for number, _ in sweeps)


def ordered(shape, seed):
    """Rows and columns of the windows of a grid, in an order."""
    rows, columns = shape
    grid = WindowGrid(rows, columns, window=1, stride=1)
    order = grid.order(torch.Generator().manual_seed(seed))
    return np.divmod(order.numpy(), columns)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.integers(0, 2**31))
def test_any_first_part_of_an_order_is_spread_over_the_picture(level, seed):
    rows, columns = ordered((16, 16), seed)
    blocks, side = 2**level, 16 // 2**level
    for start in range(0, 256, blocks**2):  # as many windows in turn as there are blocks
        part = slice(start, start + blocks**2)
        met = set(zip(rows[part] // side, columns[part] // side, strict=True))
        assert len(met) == blocks**2


def unevenness(windows):
    """Variance of the numbers of 500 windows of 55 x 55 in 25 blocks, of that by chance."""
    rows, columns = np.divmod(windows[:500], 55)
    counts = np.bincount(rows // 11 * 5 + columns // 11, minlength=25)
    by_chance = 20 * (1 - 1 / 25) * (1 - 500 / 55**2)  # hypergeometric
    return np.var(counts) / by_chance


def test_the_first_part_of_an_order_is_spread_more_evenly_than_by_chance():
    grid = WindowGrid(55, 55, window=1, stride=1)
    orders = [grid.order(torch.Generator().manual_seed(seed)).numpy() for seed in range(20)]
    assert np.mean([unevenness(order) for order in orders]) < 0.25
    random = np.random.default_rng(0)
    assert np.mean([unevenness(random.permutation(55**2)) for _ in range(20)]) > 0.5


def test_every_sweep_has_an_order_of_its_own_and_so_has_every_seed():
    grid = WindowGrid(64, 64, window=10, stride=1)
    sweeps = {
        (seed, sample): windows.tolist()
        for seed in (0, 1)
        for sample, windows in [*grid.sweeps(3, seed)][1:]
    }
    assert len(sweeps) == len(set(map(tuple, sweeps.values()))) == 6
    covering, first = (windows for _, windows in [*grid.sweeps(1, 0)])
    assert not set(covering.tolist()) & set(first.tolist())
    for windows in sweeps.values():
        assert unevenness(np.array(windows)) < 0.5


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**31))
def test_an_order_has_every_window_once(height, width, seed):
    rows, columns = ordered((height, width), seed)
    assert sorted(rows * width + columns) == list(range(height * width))


def test_chance_decides_which_window_is_first():
    firsts = [(rows[0], columns[0]) for rows, columns in (ordered((4, 4), s) for s in range(1600))]
    counts = np.unique(firsts, axis=0, return_counts=True)[1]
    assert len(counts) == 16
    assert chisquare(counts).pvalue > 1e-4


@settings(max_examples=60, deadline=None)
@given(grids(), st.data())
def test_a_pixel_gets_the_mean_of_the_known_windows_it_lies_in(shape, data):
    height, width, window, _ = shape
    h, w = sides(window)
    grid = WindowGrid(*shape)
    number = st.floats(-100, 100) | st.just(float("nan"))
    values = data.draw(st.lists(number, min_size=len(grid), max_size=len(grid)))
    spread = grid.spread(torch.tensor(values, dtype=torch.float64)).numpy()
    for row, column in np.ndindex(height, width):
        over = [
            value
            for value, (y, x) in zip(values, grid.corners.tolist(), strict=True)
            if y <= row < y + h and x <= column < x + w and not np.isnan(value)
        ]
        expected = np.mean(over) if over else np.nan
        assert spread[row, column] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(grids(), st.data())
def test_a_pixel_is_told_how_many_windows_cover_it(shape, data):
    height, width, window, _ = shape
    h, w = sides(window)
    grid = WindowGrid(*shape)
    chosen = data.draw(st.lists(st.booleans(), min_size=len(grid), max_size=len(grid)))
    expected = np.zeros((height, width))
    for here, (y, x) in zip(chosen, grid.corners.tolist(), strict=True):
        expected[y : y + h, x : x + w] += here
    np.testing.assert_array_equal(grid.covering(torch.tensor(chosen)).numpy(), expected)
    assert grid.covering(torch.ones(len(grid), dtype=torch.bool)).min() >= 1


@settings(max_examples=60, deadline=None)
@given(grids())
def test_the_first_part_of_a_sweep_is_small(shape):
    height, width, window, stride = shape
    h, w = sides(window)
    _, first = next(WindowGrid(*shape).sweeps(1, 0))

    def enough(length, side):  # steps of the longest multiple of the stride that leaves no gap
        step = side // stride * stride
        return 1 + -(-(length - side) // step)

    assert len(first) <= enough(height, h) * enough(width, w)


def test_windows_at_the_border_cover_the_picture_last():
    grid = WindowGrid(20, 30, 5, 1)
    _, first = next(grid.sweeps(1, 0))
    rows, columns = grid.corners[first].T
    at_border = ((rows == 0) | (rows == 15) | (columns == 0) | (columns == 25)).tolist()
    assert at_border == sorted(at_border)
    assert 0 < sum(at_border) < len(first)
    assert sorted(first.tolist()) == sorted(grid.cover.tolist())


def test_one_side_is_a_square():
    assert torch.equal(WindowGrid(9, 7, 3, 2).corners, WindowGrid(9, 7, (3, 3), 2).corners)
    values = torch.rand(16, generator=torch.Generator().manual_seed(0))
    spreads = [WindowGrid(9, 7, window, 2).spread(values[:12]) for window in (3, (3, 3))]
    assert torch.equal(*spreads)


@pytest.mark.parametrize(
    ("window", "stride", "words"),
    [
        (9, 1, "window 9 is larger than the image of 8 x 10 pixels; use a window of at most 8"),
        ((9, 1), 1, r"window \(9, 1\) is larger .* at most \(8, 10\)"),
        ((1, 11), 1, r"window \(1, 11\) is larger .* at most \(8, 10\)"),
        (3, 4, "stride 4 is larger than window 3 .* at most 3"),
        ((5, 3), 4, r"stride 4 is larger than window \(5, 3\) .* at most 3"),
    ],
)
def test_windows_that_leave_the_image_or_pixels_unseen_are_refused(window, stride, words):
    with pytest.raises(ValueError, match=words):
        check_windows(window, stride, (8, 10))


def test_windows_that_just_fit_are_not():
    for window, stride in [(8, 8), ((8, 10), 8), ((1, 10), 1)]:
        check_windows(window, stride, (8, 10))


def test_sums_of_values_of_many_orders_keep_their_digits() -> None:
    grid = WindowGrid(30, 20, (8, 5), 3)
    values = 10 ** torch.linspace(-20, 20, len(grid), dtype=torch.float64)
    total = grid.total(values)
    for row, column in ((0, 0), (9, 3), (15, 19), (29, 19)):
        inside = [
            value
            for value, (top, left) in zip(values.tolist(), grid.corners.tolist(), strict=True)
            if top <= row < top + 8 and left <= column < left + 5
        ]
        assert float(total[row, column]) == pytest.approx(sum(inside), rel=1e-12, abs=0)
