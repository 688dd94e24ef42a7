"""Ranking all neurons of all convolutions: what it costs, and whether its correlations are exact.

    python -m benchmarks.neuron_ranking [cost] [exact] [--networks vgg16 ...] [--photographs ...]

``cost`` is beside that of bare forward passes of as many images, which go through the network one
at a time, before and after. All six metrics are computed. torchvision's networks have random
weights: their cost does not depend on them.

``exact`` compares the five best neurons of every layer with those by Pearson's r of the same
activations in float64, for birds, and for torchvision's SqueezeNet 1.1 where photographs are given.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import xwidgets as xw
from xwidgets.networks.embedded import EMBEDDED
from xwidgets.results import METRICS

from .measure import peak, random_network, seconds

SAMPLES = 50
NETWORKS = ["vgg16", "squeezenet1_1", "resnet18", "birds"]


def cost(names: Sequence[str]) -> None:
    """Time and memory of a ranking."""
    print(
        f"| network | neurons | {SAMPLES} bare passes | ranking | ratio | peak, n = 50 | n = 500 "
        "|\n|---|---|---|---|---|---|---|"
    )
    for name in names:
        net = xw.network(name) if name in EMBEDDED else random_network(name)
        image = torch.rand(3, *net.size)

        def bare(net: xw.Network = net, images: torch.Tensor = image[None]) -> None:
            for _ in range(SAMPLES):
                net.logits(images)

        def rank(samples: int, net: xw.Network = net, image: torch.Tensor = image) -> xw.Ranking:
            return xw.rank_neurons(net, image, samples=samples, minimum=0)

        before = seconds(bare)
        taken = seconds(rank, SAMPLES)
        plain = (before + seconds(bare)) / 2
        few, many = (peak(partial(rank, count)) for count in (50, 500))
        neurons = len(rank(2).layer)
        print(
            f"| {name} | {neurons} | {plain:.1f} s | {taken:.1f} s | {taken / plain:.2f} "
            f"| {few / 1e6:.0f} MB | {many / 1e6:.0f} MB |",
            flush=True,
        )


def exact(photographs: Sequence[str]) -> None:
    """Layers whose five best neurons by correlation are others than by the exact correlation."""
    print("| network | picture | layers | with another top 5 | largest error of a neuron's value |")
    print("|---|---|---|---|---|")
    birds = xw.network("birds")
    pictures = [(birds, "seed 3", xw.scenes.bird(seed=3).image)]
    if photographs:
        net = xw.network("squeezenet1_1")
        pictures += [(net, path.rpartition("/")[2], net.prepare(path)) for path in photographs]
    for net, label, image in pictures:
        ranking, wanted = _both(net, image)
        values = ranking.importance[METRICS.index("output_correlation")]
        others = sum(
            _best(values[ranking.layer == place]) != _best(wanted[ranking.layer == place])
            for place in range(len(ranking.layers))
        )
        error = np.nanmax(np.abs(values - wanted))
        same = np.array_equal(np.isnan(values), np.isnan(wanted))
        cells = [net.name, label, str(len(ranking.layers)), str(others)]
        cells.append(f"{error:.1e}" if same else "neurons without any r differ")
        print(f"| {' | '.join(cells)} |", flush=True)


def _both(net: xw.Network, image: Tensor) -> tuple[xw.Ranking, np.ndarray]:
    """Ranking of all layers with channels, and the exact correlation of the same activations."""
    layers = [layer.name for layer in net.layers if len(layer.shape) == 3]
    activations: dict[str, list[Tensor]] = {name: [] for name in layers}
    logits: list[Tensor] = []
    watched = net.watched

    def recording(*arguments: object, **options: object) -> object:
        passed = watched(*arguments, **options)  # type: ignore[arg-type]
        for name in layers:
            activations[name].append(passed.activations[name])
        logits.append(passed.logits)
        return passed

    with patch.object(net, "watched", recording):
        ranking = xw.rank_neurons(
            net, image, "output_correlation", layers=layers, samples=SAMPLES, minimum=0
        )
    outputs = torch.cat(logits[1:])[:, ranking.target].double()  # the first is unperturbed
    return ranking, np.concatenate(
        [_exact(torch.cat(activations.pop(name)[1:]), outputs) for name in layers]
    )


def _exact(maps: Tensor, outputs: Tensor) -> np.ndarray:
    """Correlation ``(C,)`` of activations ``(n, C, H, W)``, a channel at a time."""
    output = outputs - outputs.mean()
    means = []
    for channel in maps.unbind(1):
        varies = channel.amax(0) != channel.amin(0)
        z = channel[:, varies].double()
        z -= z.mean(0)
        r = (output @ z).abs() / (z.square().sum(0) * (output @ output)).sqrt()
        means.append(float(r.mean()))  # of nothing it is NaN
    return np.array(means)


def _best(values: np.ndarray) -> set[int]:
    return set(np.argsort(-values, kind="stable")[:5].tolist())


def main() -> None:
    """Run the parts that are named, or both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["cost", "exact"], default=["cost", "exact"])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--photographs", nargs="+", default=[])
    options = parser.parse_args()
    if "cost" in options.parts:
        cost(options.networks)
    if "exact" in options.parts:
        exact(options.photographs)


if __name__ == "__main__":
    main()
