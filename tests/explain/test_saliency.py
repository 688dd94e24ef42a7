"""Saliency against the gradient, and what its options do."""

import numpy as np
import pytest
import torch
from captum.attr import Saliency
from torch import nn

import xwidgets as xw

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def column(values):
    return torch.tensor(values, dtype=torch.float64)[:, None, None]


def network(seed=0, size=(9, 7), dtype=torch.float64):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(24, 4),
    )  # fmt: skip
    return xw.Network(
        module.to(dtype), normalize=(MEAN, STD), size=size,
        classes=["a", "b", "c", "d"], name="small",
    )  # fmt: skip


IMAGE = torch.rand(3, 9, 7, generator=torch.Generator().manual_seed(5))


def slope(net, pixel, target, step=1e-5):
    """The slope of a class's score along one value of the image, by central differences."""
    ends = []
    for sign in (1, -1):
        image = IMAGE.double().clone()
        image[pixel] += sign * step
        ends.append(net.logits(image[None])[0, target])
    return float(ends[0] - ends[1]) / (2 * step)


def test_signed_saliency_is_the_sum_of_the_slopes_over_the_channels():
    net = network()
    values = xw.saliency(net, IMAGE, "c", reduce="signed").values
    for row, column in [(0, 0), (4, 3), (8, 6)]:
        expected = sum(slope(net, (channel, row, column), 2) for channel in range(3))
        assert values[row, column] == pytest.approx(expected, rel=1e-5)


def test_saliency_is_the_largest_slope_over_the_channels_whatever_its_sign():
    net = network()
    values = xw.saliency(net, IMAGE, 1).values
    for row, column in [(0, 0), (4, 3), (8, 6)]:
        slopes = [abs(slope(net, (channel, row, column), 1)) for channel in range(3)]
        assert values[row, column] == pytest.approx(max(slopes), rel=1e-5)
    assert values.min() >= 0


@pytest.mark.parametrize("name", ["birds", "street"])
def test_an_embedded_network_agrees_with_captum(name):
    net = xw.network(name)
    scene = xw.scenes.bird(seed=3) if name == "birds" else xw.scenes.street(seed=3, person=True)
    gradient = Saliency(net.classify).attribute(scene.image[None].clone(), 1, abs=False)[0]
    spread = float(gradient.max() - gradient.min())
    for reduce, expected in (("signed", gradient.sum(0)), ("maximum", gradient.abs().amax(0))):
        values = xw.saliency(net, scene.image, 1, reduce=reduce).values
        np.testing.assert_allclose(values, expected.detach(), atol=1e-4 * spread)


def test_the_top_class_is_explained_when_none_is_named():
    net = network()
    [(index, label, _)] = net.top(IMAGE, k=1)
    relevance = xw.saliency(net, IMAGE)
    assert (relevance.target, relevance.label) == (index, label)
    assert np.array_equal(relevance.values, xw.saliency(net, IMAGE, index).values)


def test_smoothing_is_the_mean_gradient_of_noisy_copies_in_pixel_space():
    net = network()
    random = torch.Generator().manual_seed(3)
    gradients = []
    for _ in range(5):
        copy = IMAGE + 0.15 * torch.randn(IMAGE.shape, generator=random)
        copy = copy.double().requires_grad_()
        score = net.module(((copy - column(MEAN)) / column(STD))[None])[0, 0]
        gradients.append(torch.autograd.grad(score, copy)[0])
    expected = torch.stack(gradients).mean(0).abs().amax(0)
    smooth = xw.saliency(net, IMAGE, 0, samples=5, sigma=0.15, seed=3)
    np.testing.assert_allclose(smooth.values, expected.numpy(), rtol=1e-5)
    assert smooth.method == "smoothed saliency"
    assert not np.allclose(smooth.values, xw.saliency(net, IMAGE, 0).values)


def test_the_seed_decides_the_noise():
    first, again, other = (
        xw.saliency(network(), IMAGE, 0, samples=4, sigma=0.2, seed=seed).values
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_network_without_rectifiers_has_a_saliency():
    torch.manual_seed(0)
    net = xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(48, 3), nn.LayerNorm(3)), size=(4, 4))
    assert xw.saliency(net, torch.rand(3, 4, 4)).values.shape == (4, 4)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"target": 4}, "classes 0 to 3"),
        ({"target": "e"}, "unknown class 'e'"),
        ({"reduce": "mean"}, 'must be "maximum" or "signed"'),
        ({"samples": 0}, "samples is 0"),
        ({"samples": 4}, "sigma > 0"),
        ({"sigma": 0.1}, "samples > 1"),
        ({"samples": 4, "sigma": -0.1}, "sigma is -0.1"),
    ],
)
def test_arguments_that_cannot_be_are_refused_and_the_network_stays(options, match):
    net = network()
    net.module.train()
    with pytest.raises(ValueError, match=match):
        xw.saliency(net, IMAGE, **options)
    assert all(part.training for part in net.module.modules())
    assert all(parameter.grad is None for parameter in net.module.parameters())


def test_a_bare_module_is_refused():
    with pytest.raises(ValueError, match="wrap a module with"):
        xw.saliency(network().module, IMAGE)
