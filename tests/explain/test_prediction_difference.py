"""Prediction difference analysis against Captum, a closed form and the algorithm in plain loops."""

from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from xwidgets import (
    ConditionalSampler,
    ConstantSampler,
    Network,
    prediction_difference,
    prediction_difference_each,
    prediction_difference_steps,
)
from xwidgets.explain.removal.windows import WindowGrid

from .squeezed import squeezed_errors

HEIGHT, WIDTH = 8, 9
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


class Classifier(nn.Module):
    """A small convolutional classifier in float64, far from linear."""

    def __init__(self, channels=3, classes=4, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.convolution = nn.Conv2d(channels, 5, 3)
        self.linear = nn.Linear(5 * (HEIGHT - 2) * (WIDTH - 2), classes)
        self.double()
        self.linear.weight.data *= 8

    def forward(self, x):
        return self.linear(self.convolution(x).relu().flatten(1))


def network(**options):
    return Network(Classifier(**options), normalize=(MEAN, STD), size=(HEIGHT, WIDTH), name="small")


def image(channels=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


def gaussian(channels=3, window=2, padding=1, seed=0, clip=False):
    size = channels * (window + 2 * padding) ** 2
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size))
    covariance = torch.from_numpy(0.05 * (root @ root.T / size + 0.1 * np.eye(size)))
    mean = torch.from_numpy(rng.uniform(0.3, 0.7, size))
    return ConditionalSampler(mean, covariance, channels, window, padding, clip)


GREY = ConstantSampler(0.5)


class Recorder:
    """Draws as a Gaussian does, and keeps what it drew, by corner."""

    def __init__(self):
        self.contents = {}

    def largest(self, x):
        return 2

    def condition(self, x, window):
        draw = gaussian().condition(x, window)

        def record(corners, rngs):
            drawn = draw(corners, rngs)
            for corner, content in zip(corners.tolist(), drawn, strict=True):
                self.contents.setdefault(tuple(corner), []).append(content)
            return drawn

        return record


# Captum


@pytest.mark.parametrize("window", [1, 2, 3, 8])
def test_constant_contents_give_the_map_of_captums_occlusion(window):
    net, x = network(), image()
    ours = prediction_difference(
        net, x, 2, window, ConstantSampler((0.1, 0.5, 0.9)), samples=1, measure="difference"
    )
    theirs = Occlusion(net.logits).attribute(
        x[None],
        sliding_window_shapes=(3, window, window),
        baselines=torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)[None, :, None, None],
        target=2,
    )
    # Captum too divides what a pixel collects by the number of windows over it.
    assert theirs.abs().max() > 0.1
    np.testing.assert_allclose(ours.values, theirs[0, 0].numpy(), rtol=1e-5, atol=1e-6)


# The closed form


def test_a_linear_network_of_gaussian_pixels_has_a_closed_form():
    window, padding, samples = 2, 1, 150
    torch.manual_seed(0)
    linear = nn.Linear(3 * HEIGHT * WIDTH, 3).double()
    net = Network(nn.Sequential(nn.Flatten(), linear), size=(HEIGHT, WIDTH))
    sampler, x = gaussian(window=window, padding=padding), image()
    result = prediction_difference(
        net, x, 1, window, sampler, samples, measure="difference", memory=1e9
    )

    a = linear.weight[1].detach().numpy().reshape(3, HEIGHT, WIDTH)
    side = window + 2 * padding
    effect, variance, count = np.zeros((3, HEIGHT, WIDTH))
    for y in range(HEIGHT - window + 1):
        for left in range(WIDTH - window + 1):
            here = np.s_[y : y + window, left : left + window]
            mean, covariance = slow_conditional(sampler, x.numpy(), y, left, side)
            a_w = a[:, *here].ravel()
            effect[here] += a_w @ (x.numpy()[:, *here].ravel() - mean)
            variance[here] += a_w @ covariance @ a_w / samples
            count[here] += 1
    deviation = (result.values - effect / count) / (np.sqrt(variance) / count)
    assert np.abs(deviation).max() < 4.5
    assert np.sqrt(np.mean(deviation**2)) > 0.5
    assert np.abs(effect / np.sqrt(variance)).max() > 20  # far above the noise


def slow_patch(sampler, x, y, left, side):
    """The entries of a patch in the window at (y, left), those around, and what stands there."""
    channels, height, width = x.shape
    k, padding = side - 2 * sampler.padding, sampler.padding
    top, start = min(max(y - padding, 0), height - side), min(max(left - padding, 0), width - side)
    w, r, rest = [], [], []
    for entry, (c, dy, dx) in enumerate(np.ndindex(channels, side, side)):
        row, column = top + dy, start + dx
        if y <= row < y + k and left <= column < left + k:
            w.append(entry)
        else:
            r.append(entry)
            rest.append(x[c, row, column])
    covariance = sampler.covariance.numpy()
    gain = covariance[np.ix_(w, r)] @ np.linalg.inv(covariance[np.ix_(r, r)])
    return w, r, np.array(rest), gain


def slow_conditional(sampler, x, y, left, side):
    """Mean and covariance of the window at (y, left) given the patch around it, entry by entry."""
    w, r, rest, gain = slow_patch(sampler, x, y, left, side)
    mean, covariance = sampler.mean.numpy(), sampler.covariance.numpy()
    return (
        mean[w] + gain @ (rest - mean[r]),
        covariance[np.ix_(w, w)] - gain @ covariance[np.ix_(r, w)],
    )


# Algorithm 1, literally


def algorithm_1(module, x, target, sampler, window, samples, seed, size, clip):
    """Algorithm 1 of Zintgraf et al. with WE added up over windows, and 1/S before the sum."""
    channels, height, width = x.shape

    def evidence(probability, classes):
        corrected = (probability * size + 1) / (size + classes)
        return np.log2(corrected / (1 - corrected))

    def probability(pixels):
        normalised = np.stack([(pixels[c] - MEAN[c]) / STD[c] for c in range(channels)])
        with torch.no_grad():
            logits = module(torch.from_numpy(normalised)[None])[0].numpy()
        if len(logits) == 1:
            return 1 / (1 + np.exp(-logits[0])), 2
        powers = np.exp(logits - logits.max())
        return powers[target] / powers.sum(), len(logits)

    we, counts = np.zeros((height, width)), np.zeros((height, width))
    p, classes = probability(x)
    for y in range(height - window + 1):
        for left in range(width - window + 1):
            w, r, rest, gain = slow_patch(sampler, x, y, left, window + 2 * sampler.padding)
            mean, root = sampler.mean.numpy(), np.linalg.cholesky(sampler.covariance.numpy())
            total = 0.0
            for s in range(samples):
                philox = np.random.Philox(key=seed, counter=[0, 0, s, y * width + left])
                noise = np.random.Generator(philox).standard_normal(len(mean), dtype=np.float32)
                patch = mean + root @ noise
                content = patch[w] + gain @ (rest - patch[r])
                replaced = x.copy()
                replaced[:, y : y + window, left : left + window] = (
                    np.clip(content, 0, 1) if clip else content
                ).reshape(channels, window, window)
                total += probability(replaced)[0]
            difference = evidence(p, classes) - evidence(total / samples, classes)
            for row in range(y, y + window):
                for column in range(left, left + window):
                    we[row, column] += difference
                    counts[row, column] += 1
    return we / counts


@pytest.mark.parametrize(
    ("classes", "window", "padding", "size", "clip"),
    [(4, 2, 1, 1_200_000, False), (4, 3, 2, 50, True), (1, 2, 1, 20, False), (2, 3, 1, 100, False)],
)
def test_the_map_is_that_of_algorithm_1_in_plain_loops(classes, window, padding, size, clip):
    net, x = network(classes=classes), image()
    sampler = gaussian(window=window, padding=padding, clip=clip)
    target = classes - 1
    expected = algorithm_1(net.module, x.numpy(), target, sampler, window, 3, 7, size, clip)
    result = prediction_difference(
        net, x, target, window, sampler, samples=3, seed=7, training_size=size
    )
    assert np.ptp(expected) > 0.1
    # the result is float32
    np.testing.assert_allclose(result.values, expected, rtol=1e-6, atol=1e-6)


def test_a_single_sigmoid_is_the_softmax_of_its_logit_and_zero():
    single = network(classes=1)

    class Pair(nn.Module):
        def forward(self, x):
            logit = single.module(x)
            return torch.cat([torch.zeros_like(logit), logit], 1)

    pair = Network(Pair(), normalize=(MEAN, STD), size=(HEIGHT, WIDTH))
    pair.module.net = single.module
    maps = [
        prediction_difference(net, image(), target, 2, gaussian(), samples=2).values
        for net, target in ((single, 0), (pair, 1))
    ]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-5)


# Other nodes


class Layered(nn.Module):
    """Two convolutions, the second behind a functional rectifier, in float64."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2)
        self.linear = nn.Linear(6, 3)
        self.double()

    def hidden(self, pixels, layer):
        """Of one image, in numpy."""
        with torch.no_grad():
            first = self.first(torch.from_numpy(pixels)[None]).relu()
            second = self.second(first).relu()
            return {"first": first, "second": second, "linear": self.linear(second.mean((2, 3)))}[
                layer
            ][0].numpy()

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.linear(torch.relu_(self.second(x)).mean((2, 3)))


def by_hand(node, x, window, contents):
    """The activation difference of a node, window by window; contents by corner."""
    height, width = x.shape[1:]
    total, count = np.zeros((2, height, width))
    for (y, left), samples in contents.items():
        values = []
        for content in samples:
            replaced = x.copy()
            replaced[:, y : y + window, left : left + window] = content
            values.append(node(replaced))
        here = np.s_[y : y + window, left : left + window]
        total[here] += node(x) - np.mean(values)
        count[here] += 1
    return total / count


NODES = {
    "feature map": ("first", 2, lambda maps: maps[2].mean()),
    "feature map behind a stride": ("second", 5, lambda maps: maps[5].mean()),
    "convolution by number": (2, 5, lambda maps: maps[5].mean()),
    "unit": ("first", (1, 0, 8), lambda maps: maps[1, 0, 8]),
    "unit behind a stride": ("second", (5, 2, 1), lambda maps: maps[5, 2, 1]),
    "channel of a vector": ("linear", 1, lambda values: values[1]),
}


@pytest.mark.parametrize("memory", [0, 48e6])
@pytest.mark.parametrize("name", NODES)
def test_the_map_of_a_hidden_node_is_its_activation_difference(name, memory):
    layer, target, read = NODES[name]
    module, x = Layered(), image()
    net = Network(module, size=(HEIGHT, WIDTH), name="layered")
    recorder = Recorder()
    result = prediction_difference(
        net, x, target, 2, recorder, samples=2, layer=layer, memory=memory
    )
    named = "second" if layer == 2 else layer

    def node(pixels):
        return read(module.hidden(pixels, named))

    contents = {corner: np.stack(drawn) for corner, drawn in recorder.contents.items()}
    expected = by_hand(node, x.numpy(), 2, contents)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-7)
    assert result.unit == "activation"
    assert result.parameters["layer"] == named


def test_without_a_target_the_most_active_channel_is_explained():
    module, x = Layered(), image()
    net = Network(module, size=(HEIGHT, WIDTH))
    result = prediction_difference(net, x, None, 2, GREY, samples=1, layer="first")
    maps = module.hidden(x.numpy(), "first")
    assert result.target == maps.mean((1, 2)).argmax()
    assert result.label == f"first, channel {result.target}"


@pytest.mark.parametrize(
    ("targets", "options"),
    [
        ([2, 0], {}),
        ([1, 3], {"measure": "difference"}),
        ([4, 0, 2], {"layer": "convolution"}),
        ([(1, 2, 3), (4, 2, 3)], {"layer": 1}),
    ],
)
def test_several_maps_at_once_are_those_of_each(targets, options):
    net, x = network(), image()
    options = {"window": 2, "sampler": gaussian(), "samples": 2, **options}
    several = prediction_difference_each(net, x, targets, **options)
    for target, one in zip(targets, several, strict=True):
        alone = prediction_difference(net, x, target, **options)
        assert (one.title, one.target, one.parameters) == (
            alone.title, alone.target, alone.parameters,
        )  # fmt: skip
        np.testing.assert_allclose(one.values, alone.values, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one.standard_error, alone.standard_error, rtol=1e-5, atol=1e-6)


# The standard error


def test_the_standard_error_is_that_of_a_mean_of_means():
    net, x, samples, window = network(), image(), 5, 2
    recorder = Recorder()
    result = prediction_difference(
        net, x, 1, window, recorder, samples, measure="difference", stride=1
    )
    variance, squares, count = np.zeros((3, HEIGHT, WIDTH))
    for (y, left), contents in recorder.contents.items():
        scores = []
        for content in contents:
            replaced = x.clone()
            replaced[:, y : y + window, left : left + window] = content
            scores.append(net.logits(replaced[None])[0, 1].item())
        here = np.s_[y : y + window, left : left + window]
        variance[here] += np.var(scores, ddof=1)
        squares[here] += np.var(scores, ddof=1) ** 2 / (samples - 1)
        count[here] += 1
    expected = squeezed_errors(variance / count, variance**2 / squares, samples, count)
    np.testing.assert_allclose(result.standard_error, expected, rtol=1e-3)


@pytest.mark.parametrize(
    "measure", ["evidence", pytest.param("difference", marks=pytest.mark.long)]
)
def test_the_standard_error_tells_how_maps_of_other_seeds_differ(measure):
    net, x = network(), image()
    maps = [
        prediction_difference(net, x, 1, 3, gaussian(window=3), 8, seed=seed, measure=measure)
        for seed in range(40)
    ]
    spread = np.std([one.values for one in maps], axis=0, ddof=1)
    told = np.sqrt(np.mean([one.standard_error**2 for one in maps], axis=0))
    # a standard deviation of 40 values is itself known to 11 %
    ratio = spread / told
    assert 0.9 < np.sqrt(np.mean(ratio**2)) < 1.1
    assert ratio.min() > 0.5
    assert ratio.max() < 1.6


def test_half_a_sweep_further_on_the_standard_error_lies_between():
    net, x = network(), image()
    sweep = (HEIGHT - 1) * (WIDTH - 1)
    counts = (sweep, 2 * sweep, 2 * sweep + sweep // 2, 3 * sweep)
    squares = []
    for seed in range(6):  # an error from two or three samples is itself far from known
        steps = prediction_difference_steps(
            net, x, 0, 2, gaussian(), samples=3, seed=seed, memory=0
        )
        errors = [step.standard_error for step in steps]
        assert np.isnan(errors[counts[0] - 1]).all()
        assert np.isfinite(errors[counts[1] - 1]).all()
        squares.append([np.mean(errors[count - 1] ** 2) for count in counts[1:]])
    second, half, third = np.mean(squares, axis=0)
    assert third < half < second


def test_contents_without_chance_have_no_error_and_one_sample_tells_none():
    sure = prediction_difference(network(), image(), 0, 2, GREY, samples=2)
    np.testing.assert_allclose(sure.standard_error, 0, atol=1e-7)
    once = prediction_difference(network(), image(), 0, 2, gaussian(), samples=1)
    assert once.standard_error is None


# On differences


@pytest.mark.parametrize(("window", "first"), [(1, [4]), (2, [4, 16])])
def test_whole_forwards_run_for_a_first_look_and_where_few_windows_cover_the_picture(window, first):
    net, x = network(), image()
    covered = len(WindowGrid(HEIGHT, WIDTH, window, 1).cover)
    assert (covered <= 32) == (sum(first) == covered)
    sizes = []
    net.module.register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))
    with patch("xwidgets.incremental.inference._WORTH", np.inf):
        steps = prediction_difference_steps(net, x, 0, window, gaussian(), samples=4)
        sizes.clear()
        next(steps)
        assert sizes == first[:1]
        last = [step.completed for step in steps][-1]
    assert sizes == [*first, 1, 1, 1]  # then a recording, and two windows to check it with
    assert last == 1


def test_batches_of_a_sweep_are_of_one_size():
    """The last of few windows is not kept waiting for the first of the next sweep."""
    options = {"samples": 2, "memory": 150_000}
    steps = [*prediction_difference_steps(network(), image(), 0, 2, gaussian(), **options)]
    windows = (HEIGHT - 1) * (WIDTH - 1)
    counts = np.diff([round(2 * windows * step.completed) for step in steps], prepend=0)
    last_sweep = counts[counts.cumsum() > windows]
    assert last_sweep.sum() == windows
    assert len(last_sweep) > 1
    assert np.ptp(last_sweep) <= 1


def test_a_network_that_branches_gives_the_same_map_and_says_so():
    class Branching(Classifier):
        def forward(self, x):
            return super().forward(x) if x.mean() > -100 else x.flatten(1)[:, :4]

    net = Network(Branching(), normalize=(MEAN, STD), size=(HEIGHT, WIDTH), name="small")
    result = prediction_difference(net, image(), 0, 2, gaussian(), samples=2)
    straight = prediction_difference(network(), image(), 0, 2, gaussian(), samples=2)
    np.testing.assert_allclose(result.values, straight.values, atol=1e-6)
    assert "run whole for every window: its forward pass looks at values" in result.note


# A limit of time


def test_when_time_is_up_the_map_is_as_it_is():
    net, x, now = network(), image(), [0.0]
    with patch("xwidgets.explain.method.time.monotonic", lambda: now[0]):
        steps = prediction_difference_steps(
            net, x, 0, 2, gaussian(), samples=3, memory=0, seconds=5
        )
        seen = []
        for step in steps:
            seen.append(step)
            now[0] += 0.5
    assert len(seen) == 10
    unlimited = list(prediction_difference_steps(net, x, 0, 2, gaussian(), 3, memory=0))
    np.testing.assert_array_equal(seen[-1].values, unlimited[9].values)
    assert seen[-1].completed == unlimited[9].completed < 1


# What must not matter


@pytest.mark.parametrize("measure", ["evidence", "difference"])
@pytest.mark.parametrize("sampler", [gaussian(), GREY], ids=["conditional", "constant"])
def test_batches_do_not_matter(measure, sampler):
    net, x = network(), image()
    options = {"sampler": sampler, "samples": 2, "measure": measure}
    maps = [
        prediction_difference(net, x, 0, 2, memory=memory, **options).values
        for memory in (0, 1.3e5, 1e9)
    ]
    assert np.ptp(maps[0]) > 0.01
    for other in maps[1:]:
        np.testing.assert_allclose(other, maps[0], atol=1e-6)


def test_the_order_of_windows_does_not_matter(monkeypatch):
    net, x = network(), image()
    usual = prediction_difference(net, x, 0, 2, gaussian(), samples=3)

    def row_by_row(grid, samples, seed):
        for sample in reversed(range(samples)):
            yield sample, torch.arange(len(grid))

    monkeypatch.setattr(WindowGrid, "sweeps", row_by_row)
    ordered = prediction_difference(net, x, 0, 2, gaussian(), samples=3)
    np.testing.assert_allclose(ordered.values, usual.values, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that CUDA can use")
def test_the_device_does_not_matter():
    x = image()
    here = prediction_difference(network(), x, 0, 2, gaussian(), samples=2)
    net = network()
    net.module.cuda()
    there = prediction_difference(net, x, 0, 2, gaussian(), samples=2)
    np.testing.assert_allclose(there.values, here.values, atol=1e-5)


def test_single_precision_gives_the_same_map():
    exact = prediction_difference(network(), image(), 0, 2, gaussian(), samples=2)
    net = network()
    net.module.float()
    single = prediction_difference(net, image().float(), 0, 2, gaussian(), samples=2)
    np.testing.assert_allclose(single.values, exact.values, rtol=1e-3, atol=1e-3)


def test_the_seed_decides():
    def relevance(seed):
        return prediction_difference(network(), image(), 0, 2, gaussian(), samples=2, seed=seed)

    assert np.array_equal(relevance(3).values, relevance(3).values)
    assert np.abs(relevance(3).values - relevance(4).values).max() > 1e-3


def test_global_random_numbers_are_neither_used_nor_moved():
    torch.manual_seed(0)
    np.random.seed(0)
    first = prediction_difference(network(), image(), 0, 2, gaussian(), samples=1).values
    torch.manual_seed(5)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()
    net = network()
    torch.set_rng_state(state[0])
    second = prediction_difference(net, image(), 0, 2, gaussian(), samples=1).values
    assert np.array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.array_equal(np.random.get_state()[1], state[1])


def test_the_image_and_the_network_stay_as_they_were():
    net, x = network(), image()
    net.module = nn.Sequential(nn.Hardtanh(-1, 1, inplace=True), net.module)
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    copy = x.clone()
    prediction_difference(net, x, 0, 2, gaussian(), samples=1)
    assert torch.equal(x, copy)
    assert net.module.training
    assert all(torch.equal(value, before[name]) for name, value in net.module.state_dict().items())


def test_without_a_target_the_best_class_is_explained():
    net, x = network(), image()
    best = int(net(x[None]).argmax())
    result = prediction_difference(net, x, window=2, sampler=GREY, samples=1)
    assert result.target == best
    named = prediction_difference(net, x, best, window=2, sampler=GREY, samples=1)
    assert np.array_equal(result.values, named.values)


def test_a_class_is_found_by_its_name():
    net = network()
    net.classes = ("cat", "dog", "bird", "fish")
    by_name = prediction_difference(net, image(), "bird", 2, GREY, samples=1)
    by_index = prediction_difference(net, image()[None], 2, 2, GREY, samples=1)
    assert (by_name.target, by_name.label) == (2, "bird")
    assert np.array_equal(by_name.values, by_index.values)


def test_the_result_says_how_it_was_made():
    result = prediction_difference(
        network(), image(), 1, 3, GREY, samples=2, stride=2, seed=5, training_size=99
    )
    assert result.values.dtype == np.float32
    assert result.image.shape == (HEIGHT, WIDTH, 3)
    assert (result.unit, result.network_name, result.completed) == ("bits", "small", 1.0)
    assert result.parameters == {
        "window": 3, "sampler": repr(GREY), "samples": 2, "stride": 2, "seed": 5,
        "measure": "evidence", "training_size": 99, "compute_dtype": "float32", "division": "even",
    }  # fmt: skip


def test_numpy_numbers_do_as_arguments(tmp_path):
    two = np.int64(2)
    result = prediction_difference(network(), image(), two, two, GREY, two, two, two)
    result.save(tmp_path / "result.npz")
    plain = prediction_difference(network(), image(), 2, 2, GREY, 2, 2, 2)
    assert np.array_equal(result.values, plain.values)


@pytest.mark.parametrize(("channels", "size"), [(1, (4, 4)), (3, (224, 224)), (4, (4, 4))])
def test_a_linear_network_needs_neither_channels_nor_size(channels, size):
    module = nn.Sequential(nn.Flatten(), nn.Linear(channels * 36, 2))
    net = Network(module, size=size)
    result = prediction_difference(net, torch.rand(channels, 6, 6), 0, 2, GREY, samples=1)
    assert np.isfinite(result.values).all()


# Windows


def recorded(stride):
    """The contents that were drawn for every window and sample, in the order of the samples."""
    recorder = Recorder()
    prediction_difference(network(), image(), 0, 2, recorder, samples=3, stride=stride)
    return recorder.contents


def test_a_window_gets_the_same_contents_whatever_the_stride():
    dense, sparse = recorded(1), recorded(2)
    assert len(dense) > len(sparse) > 10
    for corner, contents in sparse.items():
        assert len(contents) == len(dense[corner]) == 3
        torch.testing.assert_close(torch.stack(contents), torch.stack(dense[corner]))
        assert not torch.equal(contents[0], contents[1])


# Steps


@st.composite
def grids(draw):
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    window = draw(st.integers(1, min(height, width)))
    return height, width, window, draw(st.integers(1, window))


@settings(max_examples=12, deadline=None)
@given(grids(), st.integers(1, 2))
def test_at_the_end_every_pixel_is_known(shape, samples):
    height, width, window, stride = shape
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    net = Network(module, size=(height, width), normalize=((0.5,), (0.5,)))
    result = prediction_difference(
        net, torch.rand(1, height, width), 0, window, GREY, samples, stride
    )
    assert result.completed == 1
    assert np.isfinite(result.values).all()


def test_steps_grow_from_one_window_to_the_whole_result():
    net, x = network(), image()
    steps = list(prediction_difference_steps(net, x, 0, 3, gaussian(window=3), 2, memory=0))
    windows = (HEIGHT - 2) * (WIDTH - 2)
    assert len(steps) == 2 * windows
    known = [np.isfinite(step.values) for step in steps]
    assert known[0].sum() == 9
    assert known[1].sum() > 9
    assert all((later | ~earlier).all() for earlier, later in pairwise(known))
    assert [step.completed for step in steps] == pytest.approx(
        [(i + 1) / (2 * windows) for i in range(2 * windows)]
    )
    whole = prediction_difference(net, x, 0, 3, gaussian(window=3), 2, memory=0)
    assert np.array_equal(steps[-1].values, whole.values)
    assert steps[-1].completed == 1


def test_the_picture_is_covered_long_before_the_first_sweep_ends():
    steps = prediction_difference_steps(
        network(), image(), 0, 4, ConstantSampler(0.5), samples=2, memory=0
    )
    first = next(step for step in steps if np.isfinite(step.values).all())
    assert first.completed <= 6 / (2 * 5 * 6)


def test_a_step_knows_its_windows_only_from_the_samples_so_far():
    net, x = network(), image()
    steps = prediction_difference_steps(net, x, 0, 2, gaussian(), samples=3, memory=0)
    one_sample = (HEIGHT - 1) * (WIDTH - 1)
    after_one_sweep = [next(steps) for _ in range(one_sample)][-1]
    single = prediction_difference(net, x, 0, 2, gaussian(), samples=1)
    np.testing.assert_allclose(after_one_sweep.values, single.values, atol=1e-6)


def test_nothing_runs_between_steps_or_after_closing():
    net, recorder = network(), Recorder()
    steps = prediction_difference_steps(net, image(), 0, 2, recorder, samples=2, memory=0)
    for count in (1, 2, 3):
        next(steps)
        assert len(recorder.contents) == count
    forwards = []
    net.module.register_forward_hook(lambda *_: forwards.append(1))
    steps.close()
    assert next(steps, None) is None
    assert (len(recorder.contents), forwards) == (3, [])
    assert net.module.training


# What cannot be


class Returns(nn.Module):
    """A module that returns something else than logits."""

    def __init__(self, what):
        super().__init__()
        self.convolution = nn.Conv2d(3, 2, 1)
        self.what = what

    def forward(self, x):
        logits = self.convolution(x).mean((2, 3))
        return self.what(logits, x)


def returning(what):
    return Network(Returns(what), size=(HEIGHT, WIDTH), name="odd")


def named():
    net = network()
    net.classes = ("cat", "dog", "bird", "fish")
    return net


X = image()
HALF = torch.full_like(X, 0.5)
BAD = {
    "window-0": (lambda: (network(), X, 0, 0, GREY), "window is 0.* at least 1"),
    "window-fraction": (lambda: (network(), X, 0, 2.5, GREY), "window is 2.5.*whole number"),
    "window-larger-than-image": (lambda: (network(), X, 0, 9, GREY), "a window of at most 8"),
    "window-larger-than-fitted": (
        lambda: (network(), X, 0, 3, gaussian()), r"smaller window, or sampler=.*\(images, 3\)"
    ),
    "patch-larger-than-image": (
        lambda: (network(), X, 0, 7, gaussian(window=7)), "smaller window"
    ),
    "samples-0": (lambda: (network(), X, 0, 2, GREY, 0), "samples is 0.* at least 1"),
    "stride-0": (lambda: (network(), X, 0, 2, GREY, 1, 0), "stride is 0.* at least 1"),
    "stride-larger-than-window": (
        lambda: (network(), X, 0, 2, GREY, 1, 3), "a stride of at most 2"
    ),
    "seed-negative": (lambda: (network(), X, 0, 2, GREY, 1, 1, -1), "seed is -1"),
    "seed-large": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 2**63), r"from 0 to 2\*\*63 - 1"
    ),
    "memory-infinite": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, float("inf")), "memory is inf"
    ),
    "sampler-tensor": (
        lambda: (network(), X, 0, 2, torch.rand(2, 3, 8, 9)), "sampler is a Tensor, but must be"
    ),
    "sampler-text": (lambda: (network(), X, 0, 2, ConstantSampler("a")), "the constant is 'a'"),
    "seed-fraction": (lambda: (network(), X, 0, 2, GREY, 1, 1, 0.5), "seed is 0.5"),
    "measure": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "logits"), 'must be "evidence" or "difference"'
    ),
    "division": (
        lambda: (
            network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, 0, None, None, "float32", "fair"
        ),
        'must be "even" or "spread"',
    ),
    "training-size": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 0), "training_size is 0"
    ),
    "memory": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, -1), "memory is -1.*at least 0"
    ),
    "memory-for-no-window": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, 10),
        "one image of this size in small takes 8,132 bytes, .*; give at least 22_551 bytes",
    ),
    "layer": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, 0, "convolutions"),
        "unknown layer 'convolutions'; did you mean 'convolution'",
    ),
    "convolution": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, 0, 2), "no convolution 2"
    ),
    "channel": (
        lambda: (network(), X, 5, 2, GREY, 1, 1, 0, "evidence", 9, 0, 1),
        "channel 5 does not exist.*channels 0 to 4",
    ),
    "unit": (
        lambda: (network(), X, (1, 6, 0), 2, GREY, 1, 1, 0, "evidence", 9, 0, 1),
        "row 6 does not exist.*rows 0 to 5",
    ),
    "unit-of-a-vector": (
        lambda: (network(), X, (1, 0, 0), 2, GREY, 1, 1, 0, "evidence", 9, 0, "linear"),
        r"target \(1, 0, 0\) is no node of layer 'linear'; give a channel$",
    ),
    "unit-without-layer": (
        lambda: (network(), X, (1, 0, 0), 2, GREY), "is a unit; say of which layer"
    ),
    "name-in-a-layer": (
        lambda: (network(), X, "bird", 2, GREY, 1, 1, 0, "evidence", 9, 0, 1),
        "channel 'bird' does not exist",
    ),
    "seconds": (
        lambda: (network(), X, 0, 2, GREY, 1, 1, 0, "evidence", 9, 0, None, 0), "seconds is 0"
    ),
    "channels": (lambda: (network(), X[:1], 0, 2, GREY), "1 channels.*takes 3"),
    "nan": (lambda: (network(), X * torch.nan, 0, 2, GREY), "finite"),
    "out-of-range": (lambda: (network(), X * 3, 0, 2, GREY), "before normalisation"),
    "no-image": (lambda: (network(), X[None][:0], 0, 2, GREY), "at least one image"),
    "two-images": (lambda: (network(), X.repeat(2, 1, 1, 1), 0, 2, GREY), r"x\[0\]"),
    "class-index": (lambda: (network(), X, 4, 2, GREY), "classes 0 to 3"),
    "class-negative": (lambda: (network(), X, -1, 2, GREY), "classes 0 to 3"),
    "class-name": (lambda: (named(), X, "brid", 2, GREY), "did you mean 'bird'"),
    "class-without-names": (lambda: (network(), X, "bird", 2, GREY), "unknown class 'bird'"),
    "no-sampler": (lambda: (network(), X, 0, 2), "ConditionalSampler.fit"),
    "tuple": (
        lambda: (returning(lambda logits, x: (logits, x)), X, 0, 2, GREY), "returned tuple.*wrap it"
    ),
    "maps": (lambda: (returning(lambda logits, x: x), X, 0, 2, GREY), "returns logits"),
    "one-for-all": (
        lambda: (returning(lambda logits, x: logits.mean(0)), X, 0, 2, GREY), "returns logits"
    ),
    "nan-logits": (
        lambda: (returning(lambda logits, x: logits * torch.nan), X, 0, 2, GREY), "NaN or infinite"
    ),
    "other-size": (
        lambda: (network(), torch.rand(3, 7, 7), 0, 2, GREY), r"net.prepare\(image\)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_at_once_in_one_sentence(name):
    arguments, words = BAD[name]
    net, *others = arguments()
    net.module.double()
    with pytest.raises(ValueError, match=words) as caught:
        prediction_difference_steps(net, *others)
    assert "\n" not in str(caught.value)
    assert all(module.training for module in net.module.modules())
    if net.name == "small":
        good = prediction_difference(net, X, 0, 4, GREY, samples=1, stride=4)
        assert np.isfinite(good.values).all()


@pytest.mark.parametrize("targets", [[], None, "wren", 3])
def test_targets_are_a_list(targets):
    with pytest.raises(ValueError, match="must be a list of one target at least"):
        prediction_difference_each(network(), X, targets, 2, GREY)


def test_targets_of_several_kinds_are_refused():
    for targets in ([1, (1, 0, 0)], [(1, 0, 0), (1, 0, 1)]):
        with pytest.raises(ValueError, match="several kinds or places"):
            prediction_difference_each(network(), X, targets, 2, GREY, layer=1)


def test_scores_that_become_nan_on_the_way_are_refused():
    net = returning(lambda logits, x: logits if x[0, 0, 0, 0] < 0.9 else logits * torch.nan)
    steps = prediction_difference_steps(net, HALF, 0, 2, ConstantSampler(1.0), samples=1, memory=0)
    with pytest.raises(ValueError, match="odd returned NaN or infinite scores"):
        list(steps)
    assert net.module.training
    assert net(HALF[None]).isfinite().all()
