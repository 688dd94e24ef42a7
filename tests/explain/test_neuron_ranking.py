"""Six metrics against loops over what plain hooks see, and a ranking written once more."""

import math
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.stats import pearsonr
from torch import nn

import xwidgets as xw
from tests.networks.architectures import plans, settled
from xwidgets.results import METRICS

from .parts import image, untouched

SIZE = (7, 8)
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


class Case(NamedTuple):
    """A chain of modules, and where each convolution's activation comes out of it."""

    module: nn.Sequential
    behind: dict[str, str]  # layer: the module behind whose output it is read

    def network(self, dtype=torch.float64, **options):
        options = {"size": SIZE, "normalize": (MEAN, STD), "name": "small"} | options
        return xw.Network(settled(self.module).to(dtype), **options)


def chain(classes=3):
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(6, 5, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, classes),
    )  # fmt: skip
    return Case(module, {"0": "1", "2": "3"})


def normed():
    torch.manual_seed(2)
    module = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU6(inplace=True),
        nn.MaxPool2d(2), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4), nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(4, 4, 1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    return Case(module, {"0": "2", "4": "6", "7": "7"})


def pointed():
    """With a layer whose maps are single places."""
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, SIZE), nn.ReLU(),
        nn.Conv2d(6, 3, 1), nn.Flatten(),
    )  # fmt: skip
    return Case(module, {"0": "1", "2": "3", "4": "4"})


def deadened():
    """Channel 1 is constant, 2 dead; 4 is dead for all but few perturbed images."""
    case = chain()
    with torch.no_grad():
        first = case.module[0]
        first.weight[1] = first.weight[2] = 0
        first.bias[1], first.bias[2] = 0.7, -0.7
        case.module[2].weight[3] = 0
    return case


CASES = {one.__name__: one for one in (chain, normed, pointed, deadened)}


def perturbed(x, samples, sigma=0.1, seed=0):
    rng = torch.Generator().manual_seed(seed)
    noise = [torch.randn(x.shape, generator=rng) for _ in range(samples)]
    return [x * (1 + sigma * e.to(x.dtype)) for e in noise]


def hooked(module, behind, images, dtype=torch.float64, mean=MEAN, std=STD):
    """Maps by layer ``(n, C, H, W)`` and logits ``(n, K)``, each image alone."""
    maps = {layer: [] for layer in behind}
    parts = dict(module.named_modules())
    hooks = [
        parts[name].register_forward_hook(
            lambda *call, layer=layer: maps[layer].append(call[2][0].clone().numpy())
        )
        for layer, name in behind.items()
    ]
    mean, std = (torch.tensor(part, dtype=torch.float64).view(-1, 1, 1) for part in (mean, std))
    with torch.no_grad():
        logits = [
            module(((one.to(dtype) - mean.to(dtype)) / std.to(dtype))[None])[0] for one in images
        ]
    for hook in hooks:
        hook.remove()
    return {layer: np.stack(values) for layer, values in maps.items()}, torch.stack(logits)


def pearson(z, outputs):
    return pearsonr(z, outputs).statistic


def correlation(maps, outputs, of_two=pearson):
    means = []
    for channel in range(maps.shape[1]):
        found = []
        for row in range(maps.shape[2]):
            for column in range(maps.shape[3]):
                z = maps[:, channel, row, column]
                if np.ptp(z) > 0 and np.ptp(outputs) > 0:
                    found.append(abs(of_two(z, outputs)))
        means.append(np.mean(found) if found else np.nan)
    return means


def precision(maps, printed):
    found = []
    for channel in range(maps.shape[1]):
        places = maps[:, channel].reshape(len(maps), -1).T
        if printed:
            variances = np.array([np.sum(z**2) - np.sum(z) ** 2 for z in places])
            known = variances != 0  # is 0 where one image at most is active
            found.append(np.mean(1 / variances[known]) if known.any() else np.nan)
        else:
            variance = np.mean([np.var(z) for z in places])
            found.append(1 / variance if variance else np.inf)
    return found


def variance(values, printed):
    values = np.asarray(values, np.float64).ravel()
    return np.sum(values**2) - np.sum(values) ** 2 if printed else np.var(values)


def quick(z, outputs):
    """The same as pearsonr, for many places."""
    a, b = z - z.mean(), outputs - outputs.mean()
    return a @ b / math.sqrt((a @ a) * (b @ b))


def expected(maps, first, outputs, printed=False, of_two=pearson):
    """A row a metric for one layer: of its maps, perturbed and not."""
    return {
        "activation_precision": precision(maps, printed),
        "output_correlation": correlation(maps, outputs, of_two),
        "activation_sum": [np.sum(values) for values in first],
        "activation_variance": [variance(values, printed) for values in first],
    }


def of_layer(ranking, place, metric):
    return ranking.importance[METRICS.index(metric), ranking.layer == place]


def equal(one, other):
    return np.array_equal(one, other, equal_nan=True)


def rank(net, x, metric="activation_sum", **options):
    return xw.rank_neurons(net, x, metric, **{"samples": 7, "minimum": 0} | options)


# The metrics


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("samples", "output", "printed"),
    [(2, "logit", False), (9, "logit", False), (9, "probability", True)],
)
@pytest.mark.parametrize("name", CASES)
def test_every_metric_of_activations_is_what_loops_over_hooked_maps_give(
    name, samples, output, printed
):
    case = CASES[name]()
    net, x = case.network(), image(*SIZE, dtype=torch.float64)
    if printed:
        for layer in case.behind:
            case.module[int(layer)].bias.data += 1  # few places have one active image alone
    ranking = rank(
        net, x, samples=samples, sigma=0.3, seed=5, target=1, output=output, as_printed=printed
    )
    maps, logits = hooked(case.module, case.behind, [x, *perturbed(x, samples, 0.3, 5)])
    outputs = (logits.softmax(1) if output == "probability" else logits)[1:, 1].numpy()
    assert ranking.layers == tuple(case.behind)
    for place, layer in enumerate(case.behind):
        wanted = expected(maps[layer][1:], maps[layer][0], outputs, printed)
        for metric, values in wanted.items():
            found = of_layer(ranking, place, metric)
            np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=metric)
        means = np.abs(maps[layer][1:]).mean((0, 2, 3))
        np.testing.assert_allclose(ranking.activation[ranking.layer == place], means, rtol=1e-9)


def test_as_printed_the_precision_does_not_hang_on_rounding():
    net, x = chain().network(), image(*SIZE, dtype=torch.float64)
    found = rank(net, x, samples=2, sigma=0.3, seed=5, as_printed=True).importance[0]
    assert not (np.isfinite(found) & (np.abs(found) > 1e12)).any()


@pytest.mark.parametrize("printed", [False, True], ids=["variance", "as printed"])
@pytest.mark.parametrize("name", CASES)
def test_every_metric_of_weights_is_of_what_the_next_layer_reads(name, printed):
    case = CASES[name]()
    ranking = rank(case.network(), image(*SIZE), as_printed=printed)
    for place, layer in enumerate(case.behind):
        reader = next(
            one for one in case.module[int(layer) + 1 :] if isinstance(one, nn.Conv2d | nn.Linear)
        ) if int(layer) + 1 < len(case.module) - 1 else None  # fmt: skip
        count = case.module[int(layer)].out_channels
        for channel in range(count):
            found = [of_layer(ranking, place, f"weight_{one}")[channel]
                     for one in ("sum", "variance")]  # fmt: skip
            if reader is None:
                assert np.isnan(found).all()
                continue
            weight = reader.weight.detach().numpy()
            if isinstance(reader, nn.Linear):  # each channel is a block of places
                block = weight.shape[1] // count
                mine = weight[:, channel * block : (channel + 1) * block]
            else:
                mine = weight[:, channel]
            np.testing.assert_allclose(found, [mine.sum(), variance(mine, printed)], rtol=1e-9)


def test_an_output_of_a_single_logit_is_correlated_with():
    case = chain(classes=1)
    net, x = case.network(classes=["bird"]), image(*SIZE, dtype=torch.float64)
    maps, logits = hooked(case.module, case.behind, [x, *perturbed(x, 7)])
    for output, values in (("logit", logits), ("probability", logits.sigmoid())):
        ranking = rank(net, x, output=output)
        assert (ranking.target, ranking.label) == (0, "bird")
        for place, layer in enumerate(case.behind):
            found = of_layer(ranking, place, "output_correlation")
            wanted = correlation(maps[layer][1:], values[1:, 0].numpy())
            np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_the_target_is_a_number_a_name_or_the_top_class():
    case = chain()
    net, x = case.network(classes=["a", "b", "c"]), image(*SIZE)
    top = int(net(x[None]).argmax())
    by_class = [rank(net, x, target=target).importance for target in range(3)]
    assert not np.array_equal(by_class[0][1], by_class[1][1])
    assert np.array_equal(by_class[0][[0, 2, 3, 4, 5]], by_class[1][[0, 2, 3, 4, 5]])
    for target, index in ((None, top), ("b", 1), (2, 2)):
        ranking = rank(net, x, target=target)
        assert (ranking.target, ranking.label) == (index, "abc"[index])
        assert equal(ranking.importance, by_class[index])


def test_an_output_that_does_not_vary_correlates_with_nothing():
    case = chain()
    nn.init.zeros_(case.module[6].weight)
    ranking = rank(case.network(), image(*SIZE), "output_correlation")
    assert np.isnan(ranking.values).all()
    assert ranking.neurons == [("0", 0), ("0", 1), ("0", 2), ("0", 3), ("0", 4),
                               ("2", 0), ("2", 1), ("2", 2), ("2", 3), ("2", 4)]  # fmt: skip


def test_an_output_that_varies_in_few_steps_correlates_by_them():
    case, x = chain(), image(*SIZE)
    nn.init.constant_(case.module[6].bias, 1e6)
    net = case.network(torch.float32)
    logits = net.logits(torch.stack(perturbed(x, 50, 0.5)))[:, 0]
    assert 0 < logits.max() - logits.min() < 1  # steps of 1/16
    with recorded(net) as seen:
        ranking = rank(net, x, "output_correlation", samples=50, sigma=0.5, target=0)
    for place, layer in enumerate(case.behind):
        np.testing.assert_allclose(
            of_layer(ranking, place, "output_correlation"),
            correlation(seen.maps(layer), seen.outputs(0), quick),
            rtol=1e-9,
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("memory", [1, 1e9])
def test_constant_and_dead_channels_correlate_with_nothing_and_rank_last(dtype, memory):
    case = deadened()
    ranking = rank(case.network(dtype), image(*SIZE), "output_correlation", memory=memory, top=6)
    assert np.isnan(of_layer(ranking, 0, "output_correlation")).tolist() == [
        False, True, True, False, False, False,
    ]  # fmt: skip
    assert [channel for layer, channel in ranking if layer == "0"][-2:] == [1, 2]
    precise = of_layer(ranking, 0, "activation_precision")
    assert np.isposinf(precise[1:3]).all()
    best = ranking.by("activation_precision", top=6, minimum=0.1)
    assert next(channel for layer, channel in best if layer == "0") == 1
    assert ("0", 2) not in best


def test_places_where_a_channel_is_constant_are_left_out_of_its_correlation():
    module = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.ones_(module[0].weight)
    nn.init.zeros_(module[0].bias)
    x = torch.zeros(3, *SIZE)
    x[:, 0, 0] = 0.5  # the only place where anything happens is the whole output
    net = xw.Network(module, size=SIZE)
    assert rank(net, x).importance[1] == pytest.approx(1)


def test_places_where_only_the_unperturbed_image_is_active_are_constant():
    module = nn.Sequential(nn.Conv2d(3, 20, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    case = Case(module, {"0": "1"})
    net, x = case.network(), image(*SIZE, dtype=torch.float64)
    ranking = rank(net, x, samples=3, sigma=1)
    maps, logits = hooked(case.module, case.behind, [x, *perturbed(x, 3, 1)])
    alone = (maps["0"][0] > 0) & (maps["0"][1:] == 0).all(0)
    assert alone.any()
    wanted = correlation(maps["0"][1:], logits[1:, ranking.target].numpy())
    np.testing.assert_allclose(of_layer(ranking, 0, "output_correlation"), wanted, rtol=1e-9)


def test_float32_is_close_to_float64():
    case, x = normed(), image(*SIZE)
    single = rank(case.network(torch.float32), x, samples=50).importance
    double = rank(case.network(torch.float64), x, samples=50).importance
    assert np.isfinite(double[:4]).all()
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-5)


def test_small_variances_on_large_values_are_not_lost_in_float32():
    case, x = chain(), image(*SIZE)
    with torch.no_grad():
        case.module[0].bias += 1000
    single = rank(case.network(torch.float32), x, sigma=0.5, samples=50)
    double = rank(case.network(torch.float64), x, sigma=0.5, samples=50)
    for metric in ("activation_precision", "output_correlation"):
        np.testing.assert_allclose(
            of_layer(single, 0, metric), of_layer(double, 0, metric), rtol=0.01
        )


class Seen:
    """Activations and logits that a ranking computed of the perturbed images, in float64."""

    def __init__(self):
        self.passes = []

    def maps(self, layer):
        values = [watched.activations[layer].double().numpy() for watched in self.passes]
        return np.concatenate(values)

    def outputs(self, target):
        values = [watched.logits[:, target].double().numpy() for watched in self.passes]
        return np.concatenate(values)


@contextmanager
def recorded(net):
    """Passes over the perturbed images, without the first, which is of the image itself."""
    seen, watched, first = Seen(), net.watched, []

    def recording(pixels, *args, **kwargs):
        one = watched(pixels, *args, **kwargs)
        (seen.passes if first else first).append(one)
        return one

    with patch.object(net, "watched", recording):
        yield seen


def exact(maps, outputs):
    """Output correlation of each channel, centred on the mean, where the maximum is not the
    minimum."""
    z, o = maps - maps.mean(0), outputs - outputs.mean()
    varies = maps.max(0) != maps.min(0)
    squares = np.where(varies, (z**2).sum(0) * (o @ o), 1)
    r = np.abs(np.tensordot(o, z, 1)) / np.sqrt(squares)
    return np.array([r[c][varies[c]].mean() if varies[c].any() else np.nan for c in range(len(r))])


def test_the_best_neurons_are_those_of_the_exact_correlation_of_the_same_activations():
    net, x = xw.network("birds"), xw.scenes.bird(seed=3).image
    layers = ["features.2", "features.5", "features.6", "features.10", "features.14"]
    with recorded(net) as seen:
        ranking = rank(net, x, "output_correlation", samples=50, layers=layers)
    for place, layer in enumerate(layers):
        wanted = exact(seen.maps(layer), seen.outputs(ranking.target))
        values = of_layer(ranking, place, "output_correlation")
        np.testing.assert_allclose(values, wanted, rtol=1e-9)
        best = {channel for name, channel in ranking if name == layer}
        assert best == set(np.argsort(-wanted, kind="stable")[:5])
        spread = 1 / seen.maps(layer).var(0).mean((1, 2))
        np.testing.assert_allclose(of_layer(ranking, place, "activation_precision"), spread)


@pytest.mark.parametrize("offset", [0, 30])
@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1])
def test_weak_neurons_are_as_exact_as_others(scale, offset):
    case, x = chain(), image(*SIZE)
    case.module[0].weight.data *= scale
    case.module[0].bias.data = torch.full((6,), float(offset * scale))
    net = case.network(torch.float32)
    with recorded(net) as seen:
        ranking = rank(net, x, samples=20, sigma=0.3, memory=0)
        printed = rank(net, x, samples=20, sigma=0.3, memory=0, as_printed=True)
    maps = seen.maps("0")[:20]
    assert maps.any()
    np.testing.assert_allclose(
        of_layer(ranking, 0, "output_correlation"), exact(maps, seen.outputs(ranking.target)[:20])
    )
    np.testing.assert_allclose(of_layer(ranking, 0, "activation_precision"), precision(maps, False))
    np.testing.assert_allclose(of_layer(printed, 0, "activation_precision"), precision(maps, True))
    assert ranking.activation[:6] == pytest.approx(np.abs(maps).mean((0, 2, 3)))


def test_strongly_negative_neurons_are_as_active_as_positive_ones():
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].bias[:] = torch.tensor([-5.0, 5.0, 0.0, -0.01])
        module[0].weight *= 1e-3
    net = Case(module, {}).network()
    ranking = rank(net, image(*SIZE), "activation_precision", minimum=0.1)
    assert ranking.kept.tolist() == [True, True, False, False]
    assert ranking.remaining == {"0": 2}
    assert ranking.by(minimum=0).kept.all()


@settings(max_examples=8, deadline=None)
@given(plans())
def test_neurons_of_random_networks_rank_by_what_hooks_see(plan):
    net, x = plan.plain(), plan.image().double()
    net.module.double()
    ranking = rank(net, x, samples=4)
    behind = {layer: chained(net.module, layer) for layer in ranking.layers}
    normal = [(value,) * plan.channels for value in (0.4, 0.3)]
    maps, logits = first_uses(net.module, behind, [x, *perturbed(x, 4)], *normal)
    outputs = logits[1:, ranking.target].numpy()
    for place, layer in enumerate(ranking.layers):
        wanted = expected(maps[layer][1:], maps[layer][0], outputs, of_two=quick)
        for metric, values in wanted.items():
            np.testing.assert_allclose(
                of_layer(ranking, place, metric), values, rtol=1e-6, atol=1e-9, err_msg=metric
            )


def chained(module, layer):
    """The name of the last of the batch norms and rectifiers that stand behind a convolution."""
    parent, _, place = layer.rpartition(".")
    siblings = module.get_submodule(parent)
    last = int(place) if isinstance(siblings, nn.Sequential) else None
    while last is not None and last + 1 < len(siblings):
        if isinstance(siblings[last + 1], nn.BatchNorm2d):
            last += 1
            continue
        last += isinstance(siblings[last + 1], nn.ReLU | nn.ReLU6 | nn.LeakyReLU)
        break
    return layer if last is None else f"{parent}.{last}"


def first_uses(module, behind, images, mean, std):
    """As :func:`hooked`, of modules that may be used several times in a pass."""
    every, logits = [], []
    for one in images:
        maps, found = hooked(module, behind, [one], mean=mean, std=std)
        every.append({layer: values[0] for layer, values in maps.items()})
        logits.append(found[0])
    return {layer: np.stack([maps[layer] for maps in every]) for layer in behind}, torch.stack(
        logits
    )


@settings(max_examples=8, deadline=None)
@given(plans())
def test_random_networks_rank_the_same_in_both_spellings(plan):
    plain, spelled, x = plan.plain(), plan.spelled(), plan.image()
    layers = [layer.name for layer in plain.layers if len(layer.shape) == 3]
    one, other = (rank(net, x, samples=3, layers=layers) for net in (plain, spelled))
    assert one.layers == other.layers == tuple(layers)
    assert equal(one.importance, other.importance)
    assert np.array_equal(one.activation, other.activation)


# What the numbers do not depend on


def batches(net, call):
    """How many images came to the network in each pass of ``call``."""
    counts = []
    hook = net.module.register_forward_pre_hook(lambda _, args: counts.append(len(args[0])))
    result = call()
    hook.remove()
    return counts, result


NEED = 8 * (6 * 7 * 8 + 5 * 3 * 3)  # bytes that an image's activations of the chain take


@pytest.mark.parametrize(
    ("memory", "sizes"),
    [
        (0, [2, 2, 2, 1]), (2.9 * NEED, [2, 2, 2, 1]), (3 * NEED, [3, 3, 1]), (6.5 * NEED, [6, 1]),
        (1e9, [7]),
    ],
)  # fmt: skip
def test_the_batches_fit_the_memory_and_make_no_difference(memory, sizes):
    net, x = chain().network(), image(*SIZE, dtype=torch.float64)
    rank(net, x)  # finds the layers
    counts, ranking = batches(net, lambda: rank(net, x, memory=memory))
    assert [count for count in counts if count > 1] == [size for size in sizes if size > 1]
    assert sum(counts) == 7 + 3  # the scores, the unperturbed maps, and the zeros for the readers
    np.testing.assert_allclose(ranking.importance, rank(net, x).importance, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_number_of_cores_makes_no_difference(dtype):
    net = xw.Network(xw.network("birds").module.to(dtype), size=(64, 64), name="birds")
    picture, rankings = image(64, dtype=dtype), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            with patch("xwidgets.explain.neuron_ranking._CACHED", 5_000):  # several parts a layer
                rankings.append(xw.rank_neurons(net, picture, samples=6, minimum=0))
    finally:
        torch.set_num_threads(before)
    one, *others = rankings
    for other in others:
        rtol = 1e-4 if dtype == torch.float32 else 1e-9
        np.testing.assert_allclose(other.importance, one.importance, rtol=rtol)
        np.testing.assert_allclose(other.activation, one.activation, rtol=rtol)


def test_the_memory_is_that_of_the_networks_numbers_and_not_of_the_images():
    net, x = chain().network(torch.float64), image(*SIZE, dtype=torch.float32)
    counts, _ = batches(net, lambda: rank(net, x, memory=3 * NEED))
    assert max(counts) == 3


def test_only_its_own_seed_matters():
    net, x = chain().network(), image(*SIZE)
    one = rank(net, x, seed=4)
    torch.manual_seed(99)
    torch.rand(3)
    before = torch.random.get_rng_state()
    again = rank(net, x, seed=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert equal(again.importance, one.importance)
    assert not np.allclose(rank(net, x, seed=5).importance[0], one.importance[0], rtol=1e-6)


def test_the_image_may_be_a_batch_of_one_an_array_or_of_another_type():
    net, x = chain().network(), image(*SIZE)
    expected = rank(net, x)
    for other in (x[None], x.numpy(), x.clone().requires_grad_()):
        assert equal(rank(net, other).importance, expected.importance)
    np.testing.assert_allclose(rank(net, x.double()).importance, expected.importance, rtol=1e-4)
    assert torch.equal(x, image(*SIZE))


def test_the_image_may_have_another_size_than_the_network_was_made_for():
    case, x = chain(), image(13, 10, dtype=torch.float64)
    ranking = rank(case.network(), x)
    maps, _ = hooked(case.module, case.behind, [x])
    for place, layer in enumerate(case.behind):
        np.testing.assert_allclose(
            of_layer(ranking, place, "activation_sum"), maps[layer][0].sum((1, 2)), rtol=1e-9
        )


@pytest.mark.parametrize(
    "caller",
    [torch.no_grad, torch.enable_grad, torch.inference_mode],
)
def test_the_network_is_left_as_it_was_whatever_the_callers_mode(caller):
    net, x = normed().network(), image(*SIZE)
    wanted = rank(net, x).importance
    net.module.train()
    net.module[1].eval()
    net.module[0].weight.requires_grad_(False)
    with untouched(net.module), caller():
        assert equal(rank(net, x).importance, wanted)


@pytest.mark.parametrize("passes", [0, 1, 3, 5])
def test_the_network_is_left_as_it_was_by_an_exception_in_any_pass(passes):
    net, x = normed().network(), image(*SIZE)
    _ = net.layers
    count = 0

    def fail(*_):
        nonlocal count
        count += 1
        if count > passes:
            raise MemoryError("no more memory")

    net.module[5].register_forward_hook(fail)
    net.module.train()
    with untouched(net.module), pytest.raises(MemoryError, match="no more memory"):
        rank(net, x, memory=0)
    assert count == passes + 1


# What comes with the numbers


def test_the_ranking_knows_what_was_asked():
    net, x = chain().network(classes=["a", "b", "c"]), image(*SIZE)
    ranking = xw.rank_neurons(
        net, x, "weight_sum", samples=np.int64(3), sigma=0.2, top=2, seed=7, target="c",
        output="probability", minimum=0.01, as_printed=True,
    )  # fmt: skip
    assert (ranking.metric, ranking.top, ranking.minimum) == ("weight_sum", 2, 0.01)
    assert (ranking.network_name, ranking.target, ranking.label) == ("small", 2, "c")
    assert ranking.parameters == {
        "samples": 3, "sigma": 0.2, "seed": 7, "output": "probability", "as_printed": True,
    }  # fmt: skip
    assert ranking.completed == 1
    assert ranking.layers == ("0", "2")
    assert ranking.convolutions == (1, 2)
    assert ranking.layer.tolist() == [0] * 6 + [1] * 5
    assert ranking.channel.tolist() == [*range(6), *range(5)]
    assert np.array_equal(ranking.image, (x.permute(1, 2, 0) * 255).round().byte().numpy())


def test_the_thumbnails_are_the_unperturbed_maps():
    case, x = deadened(), image(16, 16, dtype=torch.float64)
    net = case.network(size=(16, 16))
    maps, _ = hooked(case.module, case.behind, [x])
    thumbnails = rank(net, x, layers=1).maps
    assert thumbnails.shape == (6, 16, 16)
    assert thumbnails.dtype == np.uint8
    for found, values in zip(thumbnails, maps["0"][0], strict=True):
        wanted = values / max(values.max(), 1e-9) * 255
        assert np.abs(found - wanted).max() <= 0.51
        assert found.max() == (255 if values.any() else 0)


def test_layers_are_names_or_numbers_of_convolutions_in_the_order_of_the_pass():
    net, x = normed().network(), image(*SIZE)
    every = rank(net, x)
    assert every.layers == ("0", "4", "7")
    assert every.convolutions == (1, 2, 3)
    for layers in (2, "4", [2], ["4", 2], ("4",)):
        ranking = rank(net, x, layers=layers)
        assert (ranking.layers, ranking.convolutions) == (("4",), (2,))
        assert equal(ranking.importance[:4], every.importance[:4, every.layer == 1])
    assert rank(net, x, layers=["7", 1]).layers == ("0", "7")
    mixed = rank(net, x, layers=["3", 2])
    assert (mixed.layers, mixed.convolutions) == (("3", "4"), (None, 2))


def test_a_block_is_ranked_by_what_it_puts_out():
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2))
    torch.manual_seed(0)
    module = nn.Sequential(block, nn.Conv2d(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = Case(module, {}).network()
    x = image(*SIZE, dtype=torch.float64)
    maps, _ = hooked(module, {"0": "0"}, [x])
    ranking = rank(net, x, layers="0")
    np.testing.assert_allclose(
        of_layer(ranking, 0, "activation_sum"), maps["0"][0].sum((1, 2)), rtol=1e-9
    )
    np.testing.assert_allclose(
        of_layer(ranking, 0, "weight_sum"), module[1].weight.detach().sum((0, 2, 3)), rtol=1e-9
    )


def test_a_ranking_is_what_patches_are_made_of_in_its_order():
    net, x = chain().network(), image(*SIZE)
    for metric in ("output_correlation", "weight_sum"):
        ranking = rank(net, x, metric, top=3)
        found = [(patch.layer, patch.channel) for patch in xw.neuron_patches(net, x, ranking)]
        assert found == ranking.neurons
        assert len(found) == 6
    assert ranking.neurons != rank(net, x, "output_correlation", top=3).neurons


# Steps


def test_steps_grow_and_end_with_the_ranking():
    net, x = chain().network(), image(*SIZE)
    options = {"samples": 13, "memory": 0, "minimum": 0}
    steps = list(xw.rank_neurons_steps(net, x, **options))
    assert [step.completed for step in steps] == [n / 13 for n in (2, 4, 6, 8, 10, 12, 13)]
    assert all(isinstance(step, xw.Ranking) for step in steps)
    known = [2, 2, 2, 8, 8, 8, 13]
    for step, count in zip(steps, known, strict=True):
        alone = xw.rank_neurons(net, x, **options | {"samples": count})
        np.testing.assert_allclose(step.importance, alone.importance, rtol=1e-9)
        np.testing.assert_allclose(step.activation, alone.activation, rtol=1e-9)
        assert np.array_equal(step.ranks, alone.ranks)
        assert step.parameters["samples"] == 13
    last = xw.rank_neurons(net, x, **options)
    assert equal(steps[-1].importance, last.importance)
    assert steps[-1].neurons == last.neurons
    assert "computed" in steps[0].title
    assert "computed" not in last.title


def test_steps_of_larger_batches_are_new_when_four_times_as_many_are_behind_them():
    net, x = chain().network(), image(*SIZE, dtype=torch.float64)
    steps = list(xw.rank_neurons_steps(net, x, samples=20, memory=3 * NEED, minimum=0))
    assert [round(step.completed * 20) for step in steps] == [3, 6, 9, 12, 15, 18, 20]
    values = [step.importance[0, 0] for step in steps]
    new = [index for index in range(7) if index == 0 or values[index] != values[index - 1]]
    assert new == [0, 3, 6]


def test_steps_may_set_out_in_inference_mode_and_go_on_outside():
    net, x = chain().network(), image(*SIZE)
    with torch.inference_mode():
        steps = xw.rank_neurons_steps(net, x, samples=4, minimum=0)
    assert equal([*steps][-1].importance, rank(net, x, samples=4).importance)


def test_closing_the_steps_cancels():
    net, x = chain().network(), image(*SIZE)

    def some():
        steps = xw.rank_neurons_steps(net, x, samples=1000, memory=0)
        next(steps)
        next(steps)
        steps.close()

    rank(net, x)
    with untouched(net.module):
        counts, _ = batches(net, some)
    assert [count for count in counts if count > 1] == [2, 2]


def test_nothing_perturbed_is_computed_before_the_first_step():
    net, x = chain().network(), image(*SIZE)
    rank(net, x)
    counts, _ = batches(net, lambda: xw.rank_neurons_steps(net, x))
    assert set(counts) == {1}


def test_steps_do_not_wait_for_a_neuron_that_is_active_enough():
    net, x = chain().network(), image(*SIZE)
    steps = list(xw.rank_neurons_steps(net, x, samples=4, minimum=1e9))
    assert steps[-1].neurons == []
    with pytest.raises(ValueError, match="no neuron is as active as minimum"):
        steps[-1].by()


# Refusals

WRONG = [
    ({"samples": 1}, "samples is 1, but must be a whole number of at least 2"),
    ({"samples": 0}, "samples is 0"),
    ({"samples": 2.5}, "samples is 2.5"),
    ({"sigma": 0}, "sigma is 0, but must be a number above 0"),
    ({"sigma": -1}, "sigma is -1"),
    ({"sigma": math.nan}, "sigma is nan"),
    ({"sigma": math.inf}, "sigma is inf"),
    ({"sigma": "0.1"}, "sigma is '0.1'"),
    ({"seed": -1}, "seed is -1"),
    ({"seed": 0.5}, "seed is 0.5"),
    ({"output": "x"}, 'output is \'x\', but must be "logit" or "probability"'),
    ({"metric": "precision"}, "unknown metric 'precision'; did you mean 'activation_precision'"),
    ({"top": 0}, "top is 0"),
    ({"top": 1.5}, "top is 1.5"),
    ({"minimum": -0.1}, "minimum is -0.1, but must be a number of at least 0"),
    ({"minimum": math.nan}, "minimum is nan"),
    ({"minimum": "0.1"}, "minimum is '0.1'"),
    ({"minimum": None}, "minimum is None"),
    ({"target": 3}, "class 3 does not exist: small has classes 0 to 2"),
    ({"target": "cat"}, "unknown class 'cat'"),
    ({"layers": []}, "layers is empty"),
    ({"layers": "5"}, r"layer '5' has no channels \(its output is \(5,\)\); choose a convolution"),
    ({"layers": [1, "6"]}, "layer '6' has no channels"),
    ({"layers": "conv1"}, "unknown layer 'conv1'"),
    ({"layers": 3}, "there is no convolution 3: small has 1 to 2"),
]


@pytest.mark.parametrize(("options", "match"), WRONG, ids=[str(one) for one, _ in WRONG])
@pytest.mark.parametrize("function", [xw.rank_neurons, xw.rank_neurons_steps])
def test_arguments_that_cannot_be_are_refused_before_any_perturbed_image(function, options, match):
    net, passes = chain().network(), []
    net.module.register_forward_pre_hook(lambda _, args: passes.append(len(args[0])))
    with pytest.raises(ValueError, match=match) as caught:
        function(net, image(*SIZE), **options)  # the call alone, no step
    assert "\n" not in str(caught.value)
    assert max(passes, default=0) <= 1


IMAGES = [
    (image(*SIZE)[:1], "have 1 channels where the network takes 3"),
    (torch.rand(2, 3, *SIZE), "one image .* at a time, not 2"),
    (torch.full((3, *SIZE), math.nan), "some are NaN"),
    (torch.full((3, *SIZE), 2.0), "must lie in"),
    (torch.zeros(3, *SIZE, dtype=torch.int32), "must be floating-point"),
    (image(2), "cannot take images of 2 x 2 pixels"),
    ("bird.png", "no picture at 'bird.png'"),
]


@pytest.mark.parametrize(("wrong", "match"), IMAGES, ids=[match for _, match in IMAGES])
@pytest.mark.parametrize("function", [xw.rank_neurons, xw.rank_neurons_steps])
def test_images_that_cannot_be_are_refused(function, wrong, match):
    with pytest.raises(ValueError, match=match):
        function(chain().network(), wrong)


def test_a_network_without_convolutions_has_nothing_to_rank():
    net = xw.Network(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), size=(2, 2), name="flat")
    with pytest.raises(ValueError, match="flat has no convolutions whose channels could be ranked"):
        xw.rank_neurons(net, image(2))
    with pytest.raises(ValueError, match=r"must be an xw\.Network"):
        xw.rank_neurons(net.module, image(2))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 2, 6])
def test_weights_that_are_not_finite_are_refused(place, value):
    net = chain().network()
    net.module[place].weight.data[0] = value
    with pytest.raises(ValueError, match="of small are not all finite; check its weights"):
        xw.rank_neurons(net, image(*SIZE), minimum=0)


def test_so_are_those_of_a_layer_whose_output_is_not_used():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.unused = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x):
            self.unused(x)
            return self.first(x).mean((2, 3))

    net = xw.Network(Unused(), size=SIZE)
    assert np.isnan(rank(net, image(*SIZE), layers="unused", metric="weight_sum").values).all()
    net.module.unused.weight.data[0] = math.nan
    with pytest.raises(ValueError, match="activations of Unused are not all finite"):
        rank(net, image(*SIZE))


def test_a_minimum_that_leaves_no_neuron_is_refused_with_the_largest_activation():
    net, x = chain().network(), image(*SIZE)
    largest = rank(net, x).activation.max()
    with pytest.raises(ValueError, match=f"largest mean magnitude is {largest:.3g}; give a sm"):
        xw.rank_neurons(net, x, samples=7, minimum=largest * 1.01)
    kept = xw.rank_neurons(net, x, samples=7, minimum=largest)
    assert len(kept) == 1
    assert len(xw.rank_neurons(net, x, "weight_sum", samples=7, minimum=1e9)) == 10


WRONG_TYPES = [{"memory": math.nan}, {"memory": "1 GB"}, {"layers": 1.0}]


@pytest.mark.parametrize("options", WRONG_TYPES, ids=str)
def test_arguments_of_a_wrong_type_are_refused_by_name(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        rank(chain().network(), image(*SIZE), **options)


def test_all_the_memory_that_there_is_is_one_batch():
    net, x = chain().network(), image(*SIZE)
    counts, _ = batches(net, lambda: rank(net, x, memory=1e15))
    assert 7 in counts


def test_a_probability_near_one_still_correlates():
    net, x = xw.network("street"), xw.scenes.street(seed=1, person=True).image
    assert net.top(x, 1)[0][2] > 1 - 1e-6
    ranking = xw.rank_neurons(net, x, "output_correlation", layers=[5], output="probability")
    assert np.isfinite(ranking.values).mean() > 0.9


def test_a_metric_that_says_nothing_of_any_neuron_warns():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.zero_()
    with pytest.warns(UserWarning, match="says nothing of any neuron"):
        xw.rank_neurons(xw.Network(module, size=(8, 8)), torch.rand(3, 8, 8),
                        "output_correlation", samples=3)  # fmt: skip
