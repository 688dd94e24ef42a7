"""Twice a standard error covers the truth in 95 of 100 cases, also with two samples."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.explain.standard_errors import standard_errors

from .squeezed import squeezed_errors


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.floats(0, 4), st.integers(2, 60))
def test_they_are_those_of_a_second_writing(seed, samples, spread, count):
    rng = np.random.default_rng(seed)
    variance = np.exp(spread * rng.standard_normal(count)) * rng.chisquare(samples - 1, count)
    freedom = (samples - 1) * rng.uniform(1, 9, count)
    means = rng.integers(1, 10, count)
    arrays = (variance, freedom, np.full(count, float(samples)), means)
    errors = standard_errors(*map(torch.from_numpy, arrays))
    np.testing.assert_allclose(errors, squeezed_errors(*arrays), rtol=1e-3)


def test_what_never_varied_has_no_error_and_what_is_unknown_none_either():
    variance = torch.tensor([1.0, 0.0, torch.nan, 2.0], dtype=torch.float64)
    freedom = torch.tensor([1.0, torch.nan, torch.nan, 1.0], dtype=torch.float64)
    errors = standard_errors(variance, freedom, torch.full_like(variance, 2))
    assert errors[1] == 0
    assert errors[2].isnan()
    assert (errors[[0, 3]] > 0).all()
    assert not standard_errors(variance[1:2], freedom[1:2], variance[:1]).any()


def test_alike_variances_are_taken_together():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4000, 2))
    freedom = torch.ones(4000, dtype=torch.float64)
    errors = standard_errors(torch.from_numpy(values.var(1, ddof=1)), freedom, 2 * freedom)
    np.testing.assert_allclose(errors, 1.96 / 2 / np.sqrt(2), rtol=0.15)


def tailed(rng, size):
    """Laplacian numbers of variance 1, whose excess kurtosis is 3."""
    return rng.laplace(size=size) / np.sqrt(2)


def gaussian(rng, size):
    return rng.standard_normal(size)


@pytest.mark.parametrize("draw", [gaussian, tailed])
@pytest.mark.parametrize("means", [1, 4, 64])
@pytest.mark.parametrize("samples", [2, 5, 20])
def test_they_cover_what_they_should_and_are_not_much_wider_than_they_must(samples, means, draw):
    rng = np.random.default_rng(0)
    spread = np.exp(0.7 * rng.standard_normal((1000, means)))  # of windows of very different effect
    ideal = 1.96 * np.sqrt((spread**2).mean(1) / samples / means)
    covered, widths = [], []
    for _ in range(5):
        values = spread[..., None] * draw(rng, (1000, means, samples))
        variance = values.var(2, ddof=1)
        mean = variance.mean(1)
        freedom = means * mean**2 / (variance**2 / (samples - 1)).mean(1)
        counts = (np.full(1000, float(count)) for count in (samples, means))
        arrays = (mean, freedom, *counts)
        errors = standard_errors(*map(torch.from_numpy, arrays)).numpy()
        covered.append(np.abs(values.mean((1, 2))) <= 2 * errors)
        widths.append(2 * errors)
    assert 0.9 <= np.mean(covered) <= 0.98
    assert np.mean(widths) <= 1.5 * ideal.mean()


class Steps:
    """Two contents that are equally likely: each window is filled with dark or bright."""

    def largest(self, image):
        return 8

    def condition(self, image, window):
        def draw(corners, rngs):
            bright = torch.tensor([float(rng.integers(2)) for rng in rngs])
            return bright.view(-1, 1, 1, 1).expand(-1, 3, window, window)

        return draw


@pytest.mark.parametrize(("bias", "above"), [(-4, True), (4, False)])
def test_few_samples_draw_evidence_by_the_side_of_one_half(bias, above):
    module = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        module[2].weight.fill_(1)
        module[2].bias.fill_(bias - 1.5)  # p is on one side of a half, whatever the window holds
    net = xw.Network(module.eval(), size=(8, 8), classes=["bright"])
    image = torch.full((3, 8, 8), 0.5)

    def relevance(samples, seeds):
        return np.mean([
            xw.prediction_difference(
                net, image, window=8, stride=8, sampler=Steps(), samples=samples, seed=seed,
                training_size=10**6,
            ).values[0, 0]
            for seed in range(seeds)
        ])  # fmt: skip

    few, many = relevance(2, 40), relevance(200, 1)
    assert (few > many + 0.1) if above else (few < many - 0.1)


def test_windows_of_small_and_large_effects_all_have_their_error():
    """Effects of neighbouring windows differ by six orders, as on real pictures."""

    class Sum(torch.nn.Module):
        def forward(self, x):
            rows = torch.arange(16, dtype=x.dtype)[:, None].div(4, rounding_mode="floor")
            scores = (x.sum(1) * 100.0**-rows).sum((1, 2))
            return torch.stack([scores, -scores], 1)

    net = xw.Network(Sum().double(), size=(16, 16))
    images = [torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(n)) for n in range(9)]
    method = xw.PredictionDifference(
        window=4, stride=4, samples=2, measure="difference", sampler=xw.MarginalSampler(images)
    )
    errors = method.run(net, images[0]).standard_error
    assert np.isfinite(errors).all()
    largest = errors.reshape(4, 4, 16).max((1, 2))
    assert (largest[:3] > 0).all()
    assert (largest[:2] / largest[1:3] > 10).all()
