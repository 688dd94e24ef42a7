"""Class models against a loop of plain autograd, and where an ascent must end."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import xwidgets as xw
from xwidgets.explain._class_model import long_waves

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def network(size=(9, 7), classes=4, dtype=torch.float64):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.Softplus(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(24, classes),
    )  # fmt: skip
    return xw.Network(module.to(dtype), normalize=(MEAN, STD), size=size, name="small")


def linear(weights, bias=0.0):
    """A network of one class, whose score is a sum over the deviations from grey."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(weights.numel(), 1))
    with torch.no_grad():
        module[1].weight.copy_(weights.reshape(1, -1))
        module[1].bias.fill_(bias - 0.5 * weights.sum())
    channels = len(weights)
    normalize = [0.0] * channels, [1.0] * channels
    return xw.Network(module, size=tuple(weights.shape[1:]), normalize=normalize, outputs="logits")


def blurred(picture, sigma):
    """A picture of one channel, blurred pixel by pixel with mirrored borders."""
    reach = round(3 * sigma)
    height, width = picture.shape
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.pad(picture, reach, mode="reflect")
    return np.array([
        [weights @ padded[y : y + 2 * reach + 1, x : x + 2 * reach + 1] @ weights
         for x in range(width)]
        for y in range(height)
    ])  # fmt: skip


def by_hand(
    net, score, seed, iterations, step, penalty, noise, rule, total_variation=0.0, blur=0.0
):
    """Pictures, scores and norms of an ascent, with the whole objective in one autograd graph."""
    mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (MEAN, STD))
    start = torch.randn(1, 3, *net.size, generator=torch.Generator().manual_seed(seed))
    x = (start * noise).clamp(-0.5, 0.5).double()
    scores, norms = [], []
    for _ in range(iterations + 1):
        x = x.clone().requires_grad_()
        value = score((x + 0.5 - mean) / std)
        norm = (x * x).sum()
        rough = x.diff(dim=2).pow(2).sum() + x.diff(dim=3).pow(2).sum()
        (value - penalty * norm - total_variation * rough).backward()
        scores.append(float(value.detach())), norms.append(float(norm.detach()))
        last, slope = x.detach(), x.grad
        if rule == "normalized":
            slope = slope / (slope * slope).mean().sqrt()
        x = last + step * slope
        if blur:
            x = torch.tensor(np.stack([blurred(c.numpy(), blur) for c in x[0]]))[None]
        x = x.clamp(-0.5, 0.5)
    return last[0] + 0.5, scores, norms


@pytest.mark.parametrize("rule", ["normalized", "plain"])
@pytest.mark.parametrize(
    "regular", [{}, {"total_variation": 0.2}, {"blur": 0.6}], ids=["plain", "variation", "blur"]
)
def test_an_ascent_is_that_of_a_plain_loop(rule, regular):
    net = network()
    options = {"iterations": 6, "step": 0.03, "penalty": 0.05, "noise": 0.1, "rule": rule}
    model = xw.class_model(net, 2, seeds=(0, 5), **options, **regular)
    for place, seed in enumerate(model.seeds):
        pixels, scores, norms = by_hand(
            net, lambda x: net.module(x)[0, 2], seed, **options, **regular
        )
        np.testing.assert_allclose(model.pixels[place], pixels, atol=1e-6)
        np.testing.assert_allclose(model.scores[place], scores, rtol=1e-9)
        np.testing.assert_allclose(model.norms[place], norms, rtol=1e-9)
    expected = net.probabilities(net.logits(torch.from_numpy(model.pixels)))[:, 2]
    np.testing.assert_allclose(model.probability, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("target", "score"),
    [
        (xw.Channel("1", 3), lambda module, x: module[:2](x)[0, 3].mean()),
        (xw.Unit("1", 3, 4, 2), lambda module, x: module[:2](x)[0, 3, 4, 2]),
        (xw.Channel("3", 7), lambda module, x: module[:4](x)[0, 7]),
    ],
    ids=["channel", "unit", "vector"],
)
def test_any_activation_is_raised(target, score):
    net = network()
    options = {"iterations": 4, "step": 0.03, "penalty": 0.001, "noise": 0.1, "rule": "normalized"}
    model = xw.class_model(net, target, **options)
    pixels, scores, _ = by_hand(net, lambda x: score(net.module, x), 0, **options)
    np.testing.assert_allclose(model.pixels[0], pixels, atol=1e-6)
    np.testing.assert_allclose(model.scores[0], scores, rtol=1e-9)
    assert np.isnan(model.probabilities).all()
    assert model.unit == "activation"


def test_a_linear_score_ends_where_its_weights_are_balanced_or_at_the_bounds():
    weights = torch.linspace(-2, 2, 24).reshape(1, 4, 6)
    model = xw.class_model(linear(weights), 0, iterations=60, step=0.2, penalty=1.0, rule="plain")
    expected = (weights / 2).clamp(-0.5, 0.5) + 0.5
    np.testing.assert_allclose(model.pixels[0], expected, atol=1e-5)
    assert (model.pixels.min(), model.pixels.max()) == (0, 1), "bounds are reached, and kept"


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9), st.integers(2, 9), st.sampled_from([1, 3, 4]), st.integers(1, 5))
def test_shapes_are_those_of_the_network(height, width, channels, steps):
    weights = torch.ones(channels, height, width)
    model = xw.class_model(linear(weights), 0, iterations=steps, seeds=(0, 3))
    assert model.pixels.shape == (2, channels, height, width)
    assert model.scores.shape == model.norms.shape == (2, steps + 1)
    assert model.frame_steps.tolist() == list(range(steps + 1))
    assert model.frames.shape == (2, steps + 1, height, width, 3)
    assert (np.diff(model.scores) > 0).all()


def test_the_suited_penalty_is_that_of_the_gradient_at_the_noise_of_seed_0():
    weights = torch.linspace(-2, 2, 24).reshape(1, 4, 6)
    model = xw.class_model(linear(weights), 0, iterations=1, seeds=(7,))
    expected = 2 * float(weights.square().mean().sqrt())
    assert model.parameters["penalty"] == pytest.approx(expected, rel=1e-5)


def test_a_seed_has_the_same_picture_to_the_bit_whatever_stands_beside_it():
    net = network(dtype=torch.float32)
    options = {"iterations": 5, "jitter": 2, "fourier": True}
    several = xw.class_model(net, 1, seeds=(4, 2, 9), **options)
    torch.manual_seed(123)
    alone = xw.class_model(net, 1, seeds=(2,), **options)
    np.testing.assert_array_equal(several.pixels[1], alone.pixels[0])
    assert not np.array_equal(several.pixels[0], several.pixels[1])


def test_steps_grow_to_the_whole_result():
    net = network()
    *before, last = xw.class_model_steps(net, 1, iterations=20, seeds=(0, 1))
    assert [model.completed for model in before] == pytest.approx(np.arange(20) / 20)
    assert last.completed == 1
    assert last.frame_steps.tolist() == [0, 2, 5, 8, 10, 12, 15, 18, 20]
    for step, model in enumerate([*before, last]):
        np.testing.assert_array_equal(model.scores, last.scores[:, : step + 1])
        np.testing.assert_array_equal(model.frames[:, -1], model.pictures)
        assert model.frame_steps[-1] == step
    np.testing.assert_array_equal(before[9].frames[:, :4], last.frames[:, :4])
    np.testing.assert_array_equal(last.pixels, xw.class_model(net, 1, 20, seeds=(0, 1)).pixels)


def test_the_module_and_the_random_numbers_of_the_caller_stay_as_they_were():
    net = network()
    net.module.train()
    before = copy.deepcopy(net.module.state_dict())
    random = torch.random.get_rng_state()
    xw.class_model(net, 1, iterations=3, jitter=1)
    assert net.module.training
    assert all(parameter.requires_grad and parameter.grad is None
               for parameter in net.module.parameters())  # fmt: skip
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_jitter_looks_at_moved_pictures_and_moves_them_back():
    """A score of one pixel raises it and its neighbours within reach, and no others."""
    weights = torch.zeros(1, 9, 9)
    weights[0, 4, 4] = 1
    options = {"iterations": 60, "noise": 1e-9, "penalty": 0.0, "step": 0.01}
    raised = xw.class_model(linear(weights), 0, jitter=2, **options).pixels[0, 0] > 0.5 + 1e-6
    expected = np.zeros((9, 9), bool)
    expected[2:7, 2:7] = True
    assert raised[~expected].sum() == 0
    assert raised[expected].sum() > 15
    alone = xw.class_model(linear(weights), 0, **options).pixels[0, 0] > 0.5 + 1e-6
    assert alone.sum() == 1


@pytest.mark.parametrize("shape", [(6, 8), (7, 5), (1, 4)])
def test_long_waves_are_the_gradient_through_scaled_amplitudes(shape):
    """The pixels move by S S' g, where S makes pixels of waves; written as one dense matrix."""
    height, width = shape
    gradient = torch.randn(1, 2, height, width, dtype=torch.float64)
    rows, columns = np.fft.fftfreq(height), np.fft.fftfreq(width)
    longest = 1 / max(height, width)
    frequency = np.maximum(np.hypot(rows[:, None], columns[None]), longest).ravel()
    waves = np.kron(np.fft.fft(np.eye(height)), np.fft.fft(np.eye(width)))
    scaled = waves.conj().T / (frequency / longest) / np.sqrt(height * width)
    expected = (scaled @ scaled.conj().T).real @ gradient.reshape(2, -1).numpy().T
    np.testing.assert_allclose(long_waves(gradient).reshape(2, -1).numpy(), expected.T, atol=1e-12)


def test_too_large_a_step_ends_with_a_sentence_and_the_last_good_picture():
    net = linear(torch.linspace(-2, 2, 24).reshape(1, 4, 6))
    options = {"penalty": 4.0, "rule": "plain", "noise": 0.001}
    model = xw.class_model(net, 0, step=1e4, **options)
    assert model.note == (
        "It ended after step 10 because the objective is below that of the start; the picture is "
        "that of step 0. A smaller step may lead higher."
    )
    assert model.kept == 0
    np.testing.assert_array_equal(model.pictures, model.frames[:, 0])
    assert np.isfinite(model.score).all()
    assert model.scores.shape == (1, 11)
    assert model.completed == 1
    assert xw.class_model(net, 0, step=0.1, **options).note == ""


class Falling(nn.Module):
    """Score that rises with the mean up to a bound, behind which it is something else."""

    def __init__(self, beyond):
        super().__init__()
        self.beyond = beyond

    def forward(self, pixels):
        mean = pixels.mean((1, 2, 3))[:, None]
        return mean if bool((mean < 0.6).all()) else self.beyond(mean)


@pytest.mark.parametrize(
    ("beyond", "words"),
    [
        (lambda mean: 0 * mean + 0.6, "its gradient is zero"),
        (lambda mean: mean / 0 * 1, "no longer finite"),
        (lambda mean: mean - 9, "below that of the start"),
    ],
    ids=["saturated", "infinite", "falling"],
)
def test_an_ascent_that_fails_later_keeps_its_last_good_picture(beyond, words):
    net = xw.Network(Falling(beyond), size=(4, 4), normalize=([0], [1]), outputs="logits")
    model = xw.class_model(net, 0, step=0.02, penalty=0.0, iterations=60, noise=1e-3)
    assert words in model.note
    assert 4 <= model.kept[0] <= 5
    assert 0.57 < model.pixels.mean() < 0.6
    assert model.score[0] == pytest.approx(model.pixels.mean(), abs=1e-5)


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(48, 2), nn.Hardtanh(-1e-9, 1e-9)),
        nn.Sequential(nn.Flatten(), nn.Linear(48, 2), nn.Threshold(1e6, 0.0)),
    ],
    ids=["saturated", "dead"],
)
def test_what_nothing_can_raise_is_answered_by_a_sentence(module):
    net = xw.Network(module, size=(4, 4), normalize=([0] * 3, [1] * 3), outputs="logits")
    with pytest.raises(
        ValueError, match="nothing raises class 1: its gradient is zero at all 8 "
    ) as e:
        xw.class_model(net, 1, seeds=(0, 1))
    assert "\n" not in str(e.value)


def test_a_unit_that_is_dead_in_grey_is_raised_from_stronger_noise():
    """A rectifier that is closed for all pictures with little contrast."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.ReLU())
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([1.0, -1.0] * 32))
        module[1].bias.fill_(-1)
    net = xw.Network(module, size=(8, 8), normalize=([0], [1]), outputs="logits")
    model = xw.class_model(net, 0, noise=0.05, seeds=range(3), iterations=30, penalty=0.0)
    assert (model.scores[:, 0] > 0).all()
    assert (model.score > 5).all()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"target": None}, "target is None, but a class model is of no image"),
        ({"target": xw.Channel("1", None)}, r"index=None.*name a class"),
        ({"target": 9}, "class 9 does not exist"),
        ({"seeds": ()}, r"seeds is \(\), but must be different seeds"),
        ({"seeds": (1, 1)}, "must be different seeds"),
        ({"seeds": (-1,)}, "seed is -1"),
        ({"step": 0}, "step is 0, but must be a number above 0"),
        ({"penalty": -1}, "penalty is -1, but must be a number of at least 0"),
        ({"rule": "adam"}, 'rule is \'adam\', but must be "normalized" or "plain"'),
        ({"iterations": 0}, "iterations is 0"),
        ({"jitter": 7}, "too large for pictures of 9 x 7"),
        ({"blur": 3.0}, "too large for pictures"),
    ],
)
@pytest.mark.parametrize("function", [xw.class_model, xw.class_model_steps])
def test_invalid_arguments_are_refused_at_once(function, changes, match):
    with pytest.raises(ValueError, match=match) as caught:
        function(network(), **{"target": 0} | changes)
    assert "\n" not in str(caught.value)


def test_a_study_shows_it_as_any_method():
    net = network(dtype=torch.float32)
    image = torch.rand(3, 9, 7, generator=torch.Generator().manual_seed(1))
    method = xw.ActivationMaximization(iterations=3)
    with xw.Study(net, image, 2, method) as study:
        model = study.wait()
        names = [control.name for control in xw.MethodControls(study).children]
    np.testing.assert_array_equal(model.pixels, xw.class_model(net, 2, iterations=3).pixels)
    assert {"penalty", "blur", "jitter", "total_variation", "fourier"} <= set(names)


def test_a_seed_that_nothing_raises_is_told_beside_others():
    module = nn.Sequential(nn.Flatten(), nn.Linear(1, 1), nn.ReLU())
    with torch.no_grad():
        module[1].weight.fill_(1)
        module[1].bias.fill_(-0.7)
    net = xw.Network(module, size=(1, 1), normalize=([0], [1]), outputs="logits")
    options = {"noise": 1e-3, "iterations": 4, "penalty": 0.0}
    alone = [seed for seed in range(40) if _climbs(net, seed, options)]
    assert 0 < len(alone) < 40
    dead = next(seed for seed in range(40) if seed not in alone)
    model = xw.class_model(net, 0, seeds=(alone[0], dead), **options)
    assert model.notes == ("", "Nothing raises it from any of 8 starts of this seed.")
    assert model.note.startswith(f"Seed {dead}: Nothing")
    assert model.completed == 1


def _climbs(net, seed, options):
    try:
        return xw.class_model(net, 0, seeds=(seed,), **options).note == ""
    except ValueError:
        return False
