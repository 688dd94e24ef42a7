"""Removing a region against a slow loop, and against the closed form of a linear network."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

import xwidgets as xw
from xwidgets.results.evidence import log_odds

from .removal.gaussians import dense, gaussian, image, region


def network(classes=3, channels=2, side=8, dtype=torch.float64):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.Dropout(), nn.ReLU(), nn.Flatten(),
        nn.Linear(4 * (side - 2) ** 2, classes),
    ).to(dtype)  # fmt: skip
    return xw.Network(module, size=(side, side), training_size=500)


MASK = region(8, 8, (2, 3, 5, 6), (5, 3, 6, 4))


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_result_is_a_loop_over_samples(classes, dtype):
    net, x, sampler = network(classes, dtype=dtype), image(2, 8, 8, dtype=dtype), gaussian(2, 5, 1)
    removal = xw.remove_region(net, x, MASK, sampler, samples=7, seed=3)
    (ys, xs), channels, side = np.nonzero(MASK.numpy()), 2, 7
    top, left = min(ys), min(xs)
    origin = [
        min(max((a + b + 1 - side) // 2, 0), 1)
        for a, b in ((top, max(ys)), (left, max(xs)))
    ]  # fmt: skip
    mean, covariance = dense(sampler, x, MASK, origin)
    module = net.module.eval()
    probabilities = []
    for number in range(7):
        rng = np.random.Generator(np.random.Philox(key=3, counter=[0, 0, number, 0]))
        content = mean + np.linalg.cholesky(covariance) @ rng.standard_normal(len(mean))
        one = x.clone()
        for i, (y, x0) in enumerate(zip(ys, xs, strict=True)):
            for channel in range(channels):
                one[channel, y, x0] = content[channel * len(ys) + i]
        logits = module(one[None])[0].double()
        p = logits.sigmoid() if classes == 1 else logits.softmax(0)
        probabilities.append(p.detach().numpy())
        shown = (255 * one.clamp(0, 1).mean(0)).round().numpy()
        np.testing.assert_allclose(removal.samples[number, :, :, 0], shown, atol=1)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-9
    np.testing.assert_allclose(removal.probabilities, probabilities, atol=tolerance)
    assert removal.probabilities.dtype == np.float64
    after = np.mean(probabilities, 0)
    np.testing.assert_allclose(removal.after, after, atol=tolerance)
    before = net.probabilities(net(x[None]))[0].numpy()
    np.testing.assert_allclose(removal.before, before, atol=tolerance)
    evidence = log_odds(before, 500, classes) - log_odds(after, 500, classes)
    np.testing.assert_allclose(removal.evidence, evidence, atol=100 * tolerance)
    deviation = np.std(probabilities, 0, ddof=1) / math.sqrt(7) * stats.t(6).ppf(0.975) / 2
    np.testing.assert_allclose(removal.standard_error, deviation, atol=tolerance)
    slope = (log_odds(after + 1e-6, 500, classes) - log_odds(after - 1e-6, 500, classes)) / 2e-6
    np.testing.assert_allclose(removal.evidence_error, deviation * slope, rtol=1e-2)


def test_evidence_is_that_of_prediction_difference_for_one_window():
    net, x, sampler = network(), image(2, 8, 8), xw.ConstantSampler(0.5)
    for index in range(3):
        relevance = xw.prediction_difference(net, x, index, window=8, sampler=sampler, samples=2)
        removal = xw.remove_region(net, x, np.ones((8, 8), bool), sampler, samples=2)
        np.testing.assert_allclose(relevance.values, removal.evidence[index], rtol=1e-6)


def test_of_a_linear_network_the_mean_logit_has_a_closed_form():
    torch.manual_seed(1)
    linear = nn.Linear(2 * 8 * 8, 1).double()
    net = xw.Network(nn.Sequential(nn.Flatten(), linear), size=(8, 8))
    net.channels = 2
    x, sampler = image(2, 8, 8), gaussian(2, 5, 1)
    mean, covariance = dense(sampler, x, MASK, (0, 1))
    weight = linear.weight.detach()[0].view(2, 8, 8)[:, MASK].flatten().numpy()
    whole = net.logits(x[None]).item()
    expected = whole - weight @ (x[:, MASK].flatten().numpy() - mean)
    count = 4000
    removal = xw.remove_region(net, x, MASK, sampler, samples=count)
    p = removal.probabilities[:, 0]
    logits = np.log(p / (1 - p))
    deviation = math.sqrt(weight @ covariance @ weight)
    assert abs(logits.mean() - expected) < 4 * deviation / math.sqrt(count)
    assert logits.std() == pytest.approx(deviation, rel=0.1)


def test_it_grows_to_the_same_result_and_few_samples_are_the_first_of_many():
    net, x, sampler = network(), image(2, 8, 8), gaussian(2, 2, 1)
    *steps, last = xw.remove_region_steps(net, x, MASK, sampler, samples=10, seed=2)
    whole = xw.remove_region(net, x, MASK, sampler, samples=10, seed=2)
    np.testing.assert_array_equal(last.probabilities, whole.probabilities)
    np.testing.assert_array_equal(last.samples, whole.samples)
    shares = [step.completed for step in (*steps, last)]
    assert shares == sorted(shares)
    assert (shares[0] > 0, last.completed) == (True, 1.0)
    assert [len(step.samples) for step in (*steps, last)][-3:] == [4, 8, 10]
    for step in steps:
        count = len(step.samples)
        np.testing.assert_array_equal(step.samples, whole.samples[:count])
        np.testing.assert_allclose(step.probabilities, whole.probabilities[:count], atol=1e-12)
        assert np.isnan(step.after).all() == (count == 0)
    few = xw.remove_region(net, x, MASK, sampler, samples=3, seed=2)
    np.testing.assert_allclose(few.probabilities, whole.probabilities[:3], atol=1e-12)
    other = xw.remove_region(net, x, MASK, sampler, samples=3, seed=3)
    assert (other.probabilities != few.probabilities).all()


def test_nothing_is_computed_between_steps_and_closing_cancels(monkeypatch):
    net, calls = network(), []
    assert net.channels == 2  # which is learnt by trying
    net.layers_for((2, 8, 8))
    forward = net.module.forward
    monkeypatch.setattr(net.module, "forward", lambda x: calls.append(len(x)) or forward(x))
    steps = xw.remove_region_steps(net, image(2, 8, 8), MASK, gaussian(2, 5, 1), samples=9)
    assert calls == [1]
    next(steps)
    assert calls == [1], "the first step fills the region"
    next(steps)
    assert calls == [1, 4]
    steps.close()
    assert list(steps) == []
    assert calls == [1, 4]


def test_the_users_module_and_arrays_are_as_they_came():
    net, x, mask = network(), image(2, 8, 8), MASK.numpy().copy()
    net.module.train()
    net.module[0].eval()
    state, modes = (
        copy.deepcopy(net.module.state_dict()),
        [m.training for m in net.module.modules()],
    )
    before, marked = x.clone(), mask.copy()
    removal = xw.remove_region(net, x, mask, gaussian(2, 5, 1), samples=2)
    mask[:] = False
    assert removal.mask.sum() == marked.sum(), "the result holds its own region"
    assert torch.equal(x, before)
    assert [m.training for m in net.module.modules()] == modes
    for name, value in net.module.state_dict().items():
        assert torch.equal(value, state[name])
    assert all(parameter.requires_grad for parameter in net.module.parameters())


def test_the_networks_own_sampler_is_used_when_none_is_given():
    scene, net = xw.scenes.bird(seed=3), xw.network("birds")
    removal = xw.remove_region(net, scene.image, scene.masks["breast"], samples=8)
    assert "ConditionalSampler" in removal.parameters["sampler"]
    assert removal.classes == net.classes
    assert removal.before.argmax() == scene.label
    assert removal.evidence[scene.label] > 3, "its twin has another breast"


WRONG = {
    "empty": (np.zeros((8, 8), bool), "the region is empty"),
    "another size": (np.ones((8, 9), bool), r"mask is \(8, 9\), but must be \(8, 8\)"),
    "a channel too many": (np.ones((1, 8, 8), bool), r"must be \(8, 8\)"),
    "numbers": (np.ones((8, 8)), "holds torch.float64, but must be bool.*mask > 0"),
    "words": ("beak", "mask is a str, but must be a bool array"),
    "nothing": (None, "mask is a NoneType"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_region_is_refused_in_a_sentence(name):
    mask, match = WRONG[name]
    with pytest.raises(ValueError, match=match):
        xw.remove_region_steps(network(), image(2, 8, 8), mask, xw.ConstantSampler(0.5))


def test_other_arguments_that_cannot_be_are_refused():
    net, x = network(), image(2, 8, 8)
    for changes, match in (
        ({"samples": 0}, "samples is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"sampler": "grey"}, "sampler is a str, but must be one like"),
        ({"net": net.module}, "net is a Sequential"),
        ({"image": x * 300}, r"pixels must lie in \[0, 1\]"),
        ({"sampler": None}, "brings no images to fit a sampler"),
    ):
        facts = {"net": net, "image": x, "mask": MASK, "sampler": xw.ConstantSampler(0.5)}
        with pytest.raises(ValueError, match=match):
            xw.remove_region_steps(**facts | changes)


def test_scores_that_are_not_finite_are_refused():
    net = network()
    with torch.no_grad():
        net.module[-1].bias[0] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite scores"):
        xw.remove_region(net, image(2, 8, 8), MASK, xw.ConstantSampler(0.5))
