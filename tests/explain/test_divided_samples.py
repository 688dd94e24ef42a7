"""Samples divided by the spread of neighbouring windows: by hand, and what must not matter."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.explain.removal import window_removal
from xwidgets.explain.removal.windows import WindowGrid

from .removal.divided import divided_by_hand

HEIGHT, WIDTH, WINDOW = 9, 8, 2


class Fill:
    """Noise in every window, more of it on the right; and another for the window at a corner."""

    def __init__(self, other=None):
        self.other = other

    def largest(self, image):
        return 8

    def condition(self, image, window):
        def draw(corners, rngs):
            contents = [
                self.content((y, x), rng, window)
                for (y, x), rng in zip(corners.tolist(), rngs, strict=True)
            ]
            return torch.from_numpy(np.stack(contents))

        return draw

    def content(self, corner, rng, window=WINDOW):
        noise = rng.standard_normal((3, window, window))
        return 0.5 + 0.02 * (1 + corner[1]) * (-20 * noise if corner == self.other else noise)


def network():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (HEIGHT - 2) * (WIDTH - 2), 3)
    ).double()
    module[3].weight.data *= 6
    return xw.Network(module, size=(HEIGHT, WIDTH), name="small", training_size=500)


IMAGE = torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)).double()


def explained(samples=8, targets=(1,), fill=None, **options):
    """Maps of one target or of several, with the division by the spread."""
    options = {"window": WINDOW, "sampler": fill or Fill(), "division": "spread"} | options
    return xw.prediction_difference_each(network(), IMAGE, targets, samples=samples, **options)


def by_hand(samples, targets, stride, seed, measure):
    """Maps ``(M, H, W)`` and numbers of samples, by one forward pass after another."""
    module, (height, width) = network().module.eval(), (HEIGHT, WIDTH)

    def value(corner=None, sample=0):
        pixels = IMAGE.numpy().copy()
        if corner is not None:
            y, x = corner
            philox = np.random.Philox(key=seed, counter=[0, 0, sample, y * width + x])
            content = Fill().content((y, x), np.random.Generator(philox))
            pixels[:, y : y + WINDOW, x : x + WINDOW] = content
        with torch.no_grad():
            scores = module(torch.from_numpy(pixels)[None])[0].numpy()
        powers = np.exp(scores - scores.max())
        return (scores if measure == "difference" else powers / powers.sum())[list(targets)]

    def evidence(mean):
        corrected = (mean * 500 + 1) / (500 + 3)
        return mean if measure == "difference" else np.log2(corrected / (1 - corrected))

    def slope(mean):
        return (evidence(mean + 1e-7) - evidence(mean - 1e-7)) / 2e-7

    tops = sorted({*range(0, height - WINDOW + 1, stride), height - WINDOW})
    lefts = sorted({*range(0, width - WINDOW + 1, stride), width - WINDOW})
    corners = [[y, x] for y in tops for x in lefts]
    first = np.array([[value(corner, sample) for sample in range(2)] for corner in corners])
    variance = first.var(1, ddof=1) * slope(first.mean(1)) ** 2
    further = divided_by_hand(variance, corners, (WINDOW, WINDOW), samples - 2)
    total, count = np.zeros((len(targets), height, width)), np.zeros((height, width))
    for corner, two, more in zip(corners, first, further, strict=True):
        values = [*two, *(value(corner, 2 + number) for number in range(more))]
        here = np.s_[corner[0] : corner[0] + WINDOW, corner[1] : corner[1] + WINDOW]
        total[:, *here] += (evidence(value()) - evidence(np.mean(values, 0)))[:, None, None]
        count[here] += 1
    return total / count, (2 + further).reshape(len(tops), len(lefts))


@pytest.mark.parametrize("measure", ["evidence", "difference"])
@pytest.mark.parametrize(("targets", "stride"), [((1,), 1), ((2, 0), 2)])
def test_the_map_is_that_of_samples_divided_and_averaged_by_hand(targets, stride, measure):
    maps, counts = by_hand(8, targets, stride, 5, measure)
    results = explained(8, targets, stride=stride, seed=5, measure=measure)
    for expected, result in zip(maps, results, strict=True):
        np.testing.assert_array_equal(result.samples, counts)
        np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-6)
        assert result.completed == 1
    assert counts.mean() == 8
    assert counts.max() >= 2 * counts.min()


def test_evenly_divided_each_window_has_its_samples():
    [result] = explained(4, division="even", stride=2)
    assert result.samples.dtype == np.int32
    np.testing.assert_array_equal(result.samples, np.full((5, 4), 4))
    [once] = explained(1, division="even")
    assert once.samples is None


@pytest.mark.parametrize("samples", [1, 2])
def test_of_two_samples_none_is_left_to_divide(samples):
    [even], [spread] = (explained(samples, division=name) for name in ("even", "spread"))
    assert np.array_equal(even.values, spread.values)
    if samples == 2:
        assert np.array_equal(even.standard_error, spread.standard_error)


@pytest.mark.parametrize("corner", [(0, 0), (4, 3), (7, 6)])
def test_a_windows_own_samples_do_not_change_its_share(corner):
    [before], [after] = (
        explained(12, fill=fill, measure="difference") for fill in (Fill(), Fill(other=corner))
    )
    place = list(map(tuple, grid().corners.tolist())).index(corner)
    assert after.samples.flat[place] == before.samples.flat[place]
    row, column = corner
    around = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    assert (after.samples[around] > before.samples[around]).any()
    assert not np.array_equal(after.values, before.values)


def grid():
    return WindowGrid(HEIGHT, WIDTH, WINDOW, 1)


def test_batches_do_not_matter():
    maps = [explained(8, memory=memory)[0] for memory in (0, 1e5, 1e9)]
    for other in maps[1:]:
        np.testing.assert_array_equal(other.samples, maps[0].samples)
        np.testing.assert_allclose(other.values, maps[0].values, atol=1e-6)
        np.testing.assert_allclose(other.standard_error, maps[0].standard_error, rtol=1e-4)


def test_order_does_not_matter(monkeypatch):
    [usual] = explained(8)
    interleaved = window_removal.interleaved

    def backwards(counts, order):
        return tuple(part.flip(0) for part in interleaved(counts, order))

    def row_by_row(grid, samples, seed):
        for sample in reversed(range(samples)):
            yield sample, torch.arange(len(grid))

    monkeypatch.setattr(window_removal, "interleaved", backwards)
    monkeypatch.setattr(WindowGrid, "sweeps", row_by_row)
    [ordered] = explained(8)
    np.testing.assert_array_equal(ordered.samples, usual.samples)
    np.testing.assert_allclose(ordered.values, usual.values, atol=1e-6)


def test_further_samples_are_spread_over_the_picture_by_the_seed(monkeypatch):
    orders, interleaved = [], window_removal.interleaved

    def noted(counts, order):
        orders.append(order)
        return interleaved(counts, order)

    monkeypatch.setattr(window_removal, "interleaved", noted)
    for seed in (0, 0, 1):
        explained(8, seed=seed)
    first, again, other = (order.tolist() for order in orders)
    assert first == again != other
    assert first == grid().order(torch.Generator().manual_seed(0)).tolist()


def test_a_map_in_between_is_the_estimate_so_far():
    net, windows = network(), len(grid())
    steps = list(
        xw.prediction_difference_steps(
            net, IMAGE, 1, WINDOW, Fill(), samples=5, memory=0, division="spread"
        )
    )
    assert [step.completed for step in steps] == pytest.approx(
        [(1 + number) / (5 * windows) for number in range(5 * windows)]
    )
    assert (steps[2 * windows - 1].samples == 2).all()
    assert all((later.samples >= earlier.samples).all() for earlier, later in pairwise(steps))
    half = steps[7 * windows // 2]  # of the further samples, half are done
    done = (half.samples - 2) / np.maximum(steps[-1].samples - 2, 1)
    assert np.abs(done - 0.5)[steps[-1].samples > 6].max() < 0.3
    [whole] = explained(5)
    assert np.array_equal(steps[-1].values, whole.values)
    errors = np.array([np.nanmean(step.standard_error**2) for step in steps[2 * windows :]])
    assert errors[-1] < errors[0]


def test_numbers_of_samples_survive_a_file(tmp_path):
    [result] = explained(4)
    result.save(tmp_path / "map.npz")
    again = xw.Relevance.load(tmp_path / "map.npz")
    np.testing.assert_array_equal(again.samples, result.samples)
    assert again.parameters["division"] == "spread"


class Choices(Fill):
    """Eight contents of each window, which are equally likely; few windows differ much in them."""

    def content(self, corner, rng, window=WINDOW):
        return self.contents(corner, window)[rng.integers(8)]

    def contents(self, corner, window=WINDOW):
        rng = np.random.default_rng(corner)
        size = 0.01 if rng.random() < 0.8 else 0.3
        return 0.5 + size * rng.standard_normal((8, 3, window, window))


@pytest.mark.parametrize("stride", [1, 2])
def test_intervals_cover_the_truth_in_95_of_100_cases(stride):
    windows = WindowGrid(HEIGHT, WIDTH, WINDOW, stride)
    net = network()
    lost = []
    for y, x in windows.corners.tolist():
        pixels = IMAGE.repeat(8, 1, 1, 1)
        contents = torch.from_numpy(Choices().contents((y, x)))
        pixels[:, :, y : y + WINDOW, x : x + WINDOW] = contents
        lost.append(net.logits(IMAGE[None])[0, 1] - net.logits(pixels)[:, 1].mean())
    truth = windows.spread(torch.stack(lost)).numpy()
    maps = [
        explained(8, fill=Choices(), stride=stride, seed=seed, measure="difference")[0]
        for seed in range(60)
    ]
    covered = [np.abs(result.values - truth) <= 2 * result.standard_error for result in maps]
    assert 0.9 <= np.mean(covered) <= 0.99
    spread = np.sqrt(np.mean([(result.values - truth) ** 2 for result in maps], 0))
    told = np.mean([result.standard_error for result in maps], 0)
    assert 0.9 <= told.mean() / spread.mean() <= 1.4
