"""Division of samples against plain loops, and its rule: a window's own samples decide nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.explain.removal.division import further_samples, interleaved
from xwidgets.explain.removal.windows import WindowGrid

from .divided import divided_by_hand


@st.composite
def noisy_windows(draw):
    """A grid of windows and the variances of two values of each, over many orders or 0."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    window = draw(st.integers(1, min(height, width, 4)))
    grid = WindowGrid(height, width, window, draw(st.integers(1, window)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    variance = np.exp(3 * rng.standard_normal((len(grid), 2))) * rng.integers(0, 2, (len(grid), 2))
    return grid, torch.from_numpy(variance)


@settings(max_examples=60, deadline=None)
@given(noisy_windows(), st.integers(1, 30))
def test_the_division_is_that_of_plain_loops(case, budget):
    grid, variance = case
    counts = further_samples(variance, grid, budget)
    assert counts.sum() == budget * len(grid)
    expected = divided_by_hand(variance.numpy(), grid.corners.tolist(), grid.window, budget)
    assert np.abs(counts.numpy() - expected).max() <= 1  # a half is rounded up or down by a hair
    assert (counts.numpy() != expected).sum() <= max(2, 0.1 * len(grid))  # one sample is of two


@settings(max_examples=50, deadline=None)
@given(noisy_windows(), st.data())
def test_no_windows_own_samples_change_its_share(case, data):
    grid, variance = case
    window = data.draw(st.integers(0, len(grid) - 1))
    other = variance.clone()
    other[window] = data.draw(st.sampled_from([0.0, 1e-9, 1.0, 1e9]))
    before, after = (further_samples(values, grid, 20) for values in (variance, other))
    assert after[window] == before[window]


def test_neighbours_get_the_samples_and_the_noisy_window_itself_does_not():
    grid = WindowGrid(13, 13, window=1, stride=1)
    variance = torch.ones(len(grid), 1, dtype=torch.float64)
    variance[6 * 13 + 6] = 1e4
    counts = further_samples(variance, grid, 20).view(grid.shape)
    noisy = counts[5:8, 5:8].clone()
    assert noisy[1, 1] == 20
    noisy[1, 1] = noisy.max()
    assert noisy.min() > 100
    elsewhere = torch.cat([counts[:5].flatten(), counts[8:].flatten()])
    assert 2 <= elsewhere.min() <= elsewhere.max() <= 20


@pytest.mark.parametrize("variance", [0.0, 1.0])
def test_what_nowhere_differs_is_divided_by_the_weights_of_windows_alone(variance):
    grid = WindowGrid(9, 9, window=3, stride=3)
    counts = further_samples(torch.full((9, 2), variance), grid, 7)
    assert counts.tolist() == [7] * 9


def test_rounding_of_the_variances_does_not_move_a_share():
    grid = WindowGrid(30, 30, window=4, stride=1)
    rng = np.random.default_rng(0)
    variance = torch.from_numpy(rng.exponential(size=(len(grid), 1)))
    moved = variance * (1 + 1e-9 * torch.from_numpy(rng.standard_normal((len(grid), 1))))
    assert torch.equal(further_samples(variance, grid, 18), further_samples(moved, grid, 18))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(0, 2**31), st.floats(0, 1)
)
def test_all_windows_are_done_with_their_samples_at_one_pace(counts, seed, share):
    order = torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed))
    windows, numbers = interleaved(torch.tensor(counts), order)
    for window, count in enumerate(counts):
        assert numbers[windows == window].tolist() == list(range(count))
    if not len(windows):
        return
    part = windows[: round(share * len(windows))]
    done = np.bincount(part.numpy(), minlength=len(counts))
    paces = [
        (done[window] + np.array([-1, 1])) / count for window, count in enumerate(counts) if count
    ]
    slowest, fastest = np.transpose(paces)
    assert slowest.max() <= fastest.min()


def test_windows_with_as_many_samples_take_turns_in_the_order():
    order = torch.tensor([2, 0, 3, 1])
    windows, numbers = interleaved(torch.full((4,), 3), order)
    assert windows.tolist() == 3 * order.tolist()
    assert numbers.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def rare(rng, size):
    """Values that are 0 in nineteen of twenty samples, and else 20, so that their mean is 1."""
    return 20.0 * (rng.random(size) < 0.05)


def by_own_samples(variance, grid, budget):
    """Biased division: windows whose own first samples differ get more."""
    deviations = variance[:, 0].sqrt() + 1e-9
    return (budget * (0.1 + 0.9 * deviations / deviations.mean())).round().long()


@pytest.mark.parametrize(("divide", "biased"), [(further_samples, False), (by_own_samples, True)])
def test_means_have_no_bias_though_effects_are_rare(divide, biased):
    grid, rng = WindowGrid(6, 6, window=1, stride=1), np.random.default_rng(0)
    means = []
    for _ in range(400):
        first = rare(rng, (len(grid), 2))
        variance = torch.from_numpy(first.var(1, ddof=1, keepdims=True))
        counts = divide(variance, grid, 10).tolist()
        further = [rare(rng, count) for count in counts]
        means.append([np.mean([*two, *more]) for two, more in zip(first, further, strict=True)])
    mean, error = np.mean(means), np.std(means, ddof=1) / np.sqrt(np.size(means))
    assert (abs(mean - 1) > 10 * error) if biased else (abs(mean - 1) < 3 * error)
