"""The experiments of Lengerich et al. 2017: do the neurons that a metric picks mean anything?

A network learns to tell images with persons from those without. At several times of its training,
each metric picks the five best neurons of the convolutions 3 to 9 for every image, and each neuron
gives the patch that it looks at. Measured are how well a second, small classifier tells the classes
apart by these patches (Figure 2), how much the choices of two metrics have in common (Figure 3),
and, at the end, how many patches show a person (Table 1).

All metrics see the same images, and their patches the same classifier with the same seeds. A patch
is what a neuron's most active unit sees: from a whole map, as section 4.3 reads, the reconstruction
covers nearly the whole picture, whichever the neuron, and the paper's patches do not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from xwidgets.evaluate._jaccard import jaccard
from xwidgets.evaluate._localisation import localisation
from xwidgets.evaluate._patch_accuracy import ImagePatches, PatchAccuracy, patch_accuracy
from xwidgets.explain.neuron_ranking import rank_neurons
from xwidgets.explain.patches import neuron_patches
from xwidgets.networks import Network
from xwidgets.networks.training import train
from xwidgets.reproduce.repetitions import grow, progress
from xwidgets.reproduce.saved import SavedTables
from xwidgets.reproduce.setting import NamedSetting, by_name, check_source, chosen
from xwidgets.results import METRICS, NeuronPatch, Ranking

from .two_classes import CLASSES, Pictures, Source, streets

LAYERS = tuple(range(3, 10))
CLASSIFIERS = 3
"""How many patch classifiers are trained, with other weights, for each accuracy."""
PROPOSED = ("activation_precision", "output_correlation")
RANDOM = "random"
"""What stands beside the metrics: neurons of the same layers, chosen by lot."""


@dataclass(frozen=True)
class Setting(NamedSetting):
    """How large the experiments are.

    Attributes:
        name: what files of results begin with.
        seeds: how often everything is repeated, with other images and other weights.
        training: how many images the network learns from, and ``epochs`` how often.
        held_out: how many its accuracy is measured on.
        at: the epochs at which it is looked at, the last of them at the end.
        patch_training: how many of the training images, half of them with persons, give the patches
            that the patch classifier learns from.
        patch_held_out: how many of the held-out images, half of them too, give those that it is
            tested on; the half with persons is that of Table 1.
        samples, sigma, top, minimum: of :func:`xwidgets.rank_neurons`.
    """

    seeds: int
    training: int
    held_out: int
    epochs: int
    at: tuple[float, ...]
    patch_training: int
    patch_held_out: int
    samples: int = 50
    sigma: float = 0.1
    top: int = 5
    minimum: float = 0.1


SETTINGS = by_name(
    Setting("small", 3, 1_000, 300, 3, (0.5, 1, 3), 24, 16),
    Setting("full", 5, 2_000, 1_000, 4, (0, 0.25, 0.5, 1, 1.5, 2, 4), 60, 40),
)
"""``"small"`` takes some ten minutes of one core, ``"full"`` an hour."""


class Reproduction(NamedTuple):
    """Results of the experiments.

    Attributes:
        curves: Figures 2 and 3, a row for each ``seed`` and ``epoch``: held-out accuracy of the
            ``network``; of the patches of ``activation_precision``, ``output_correlation`` and
            ``random`` neurons; ``chance`` for patches; ``jaccard`` of the first two, and
            ``jaccard_random`` of the first and the last; ``remaining``, the share of neurons active
            enough to be ranked by precision, and ``fewest``, their least number in a layer.
        table: Table 1, a row for each ``seed`` and ``metric``: ``localisation``, ``accuracy``,
            ``area`` (mean share of the picture that a patch covers), ``silent`` (share of the
            neurons that have no patch).
    """

    curves: pd.DataFrame
    table: pd.DataFrame


def reproduce(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = streets,
    recompute: bool = False,
) -> Reproduction:
    """All experiments, or what was saved of them.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept, seed by seed, so that what was interrupted goes on; what is
            there is not computed again. ``None`` keeps nothing.
        source: where images come from: drawn streets, or
            :func:`xwidgets.reproduce.lengerich2017.two_classes.photographs` of your own.
        recompute: whether to start anew.

    Returns:
        Figures 2 and 3, and Table 1.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> tiny = Setting("tiny", 1, 64, 9, 1, (1,), 2, 2, samples=2, top=1)
        >>> tables = reproduce(tiny)
        >>> tables.curves["epoch"].tolist(), len(tables.table)
        ([1.0], 7)
    """
    *_, tables = steps(setting, folder, source=source, recompute=recompute)
    return tables


def steps(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = streets,
    recompute: bool = False,
) -> Iterator[Reproduction]:
    """The result of :func:`reproduce` as it grows, one step a checkpoint.

    The arguments are those of :func:`reproduce`, checked at once. Closing the generator cancels.

    Example:
        >>> growing = steps("small")
        >>> growing.close()
    """
    setting = chosen(setting, SETTINGS)
    if setting.at[-1] != setting.epochs:
        raise ValueError(
            f"at ends with epoch {setting.at[-1]:g}, but Table 1 is of the end of training; "
            f"end it with {setting.epochs}"
        )
    check_source(source)
    saved = SavedTables(folder, setting, recompute, source=source.__name__)
    seeds = [(seed,) for seed in range(setting.seeds)]
    return grow(Reproduction, saved, ["seed"], seeds, partial(_repetition, setting, source))


def _repetition(setting: Setting, source: Source, seed: int) -> Iterator[Reproduction]:
    """The results with one seed, a row more of the curves at a time, at the end with the table."""
    training, held_out = source(setting.training, setting.held_out, seed)
    learning = _balanced(training, setting.patch_training)
    testing = _balanced(held_out, setting.patch_held_out)
    rows, table = [], []
    for epoch, net in train(
        training.images, training.labels, CLASSES, epochs=setting.epochs, at=setting.at, seed=seed
    ):
        metrics = METRICS if epoch == setting.epochs else PROPOSED
        learned, tested = (
            [
                _look(net, pictures, index, metrics, setting, seed)
                for index in progress(range(len(pictures)), f"seed {seed}, epoch {epoch:g}")
            ]
            for pictures in (learning, testing)
        )
        accuracy = {
            name: _patch_accuracy(_crops(learned, name), _crops(tested, name), seed)
            for name in (*metrics, RANDOM)
        }
        right = net(held_out.images.float() / 255).argmax(1) == held_out.labels
        rows.append(
            {
                "seed": seed,
                "epoch": epoch,
                "network": float(right.double().mean()),
                **{name: accuracy[name].accuracy for name in (*PROPOSED, RANDOM)},
                "chance": accuracy[RANDOM].chance,
                "jaccard": _mean(jaccard(*map(look.neurons, PROPOSED)) for look in tested),
                "jaccard_random": _mean(
                    jaccard(look.neurons(PROPOSED[0]), look.neurons(RANDOM)) for look in tested
                ),
                "remaining": _mean(look.ranking.by(PROPOSED[0]).kept.mean() for look in tested),
                "fewest": min(min(look.ranking.remaining.values()) for look in tested),
            }
        )
        if epoch == setting.epochs:
            persons = [look for look in tested if look.label == 1]
            table = [
                {
                    "seed": seed,
                    "metric": name,
                    "localisation": _mean(
                        localisation(look.patches[name], look.mask) for look in persons
                    ),
                    "accuracy": accuracy[name].accuracy,
                    "area": _mean(_area(patch) for look in tested for patch in look.patches[name]),
                    "silent": _mean(
                        patch.box is None for look in tested for patch in look.patches[name]
                    ),
                }
                for name in (*METRICS, RANDOM)
            ]
        yield Reproduction(pd.DataFrame(rows).round(4), pd.DataFrame(table).round(4))


def _crops(looks: "list[_Look]", name: str) -> list[ImagePatches]:
    return [([patch.crop for patch in look.patches[name]], look.label) for look in looks]


def _patch_accuracy(
    training: list[ImagePatches], held_out: list[ImagePatches], seed: int
) -> PatchAccuracy:
    """The mean of several classifiers, which differ by some hundredths on the same patches."""
    trained = [
        patch_accuracy(training, held_out, seed=CLASSIFIERS * seed + number)
        for number in range(CLASSIFIERS)
    ]
    return trained[0]._replace(accuracy=_mean(classifier.accuracy for classifier in trained))


def _balanced(pictures: Pictures, count: int) -> Pictures:
    """The first of both classes, half and half."""
    halves = [(pictures.labels == label).nonzero()[: count // 2, 0] for label in (0, 1)]
    return pictures[sorted(torch.cat(halves).tolist())]


@dataclass(frozen=True, eq=False)
class _Look:
    """One image, and the patches that every metric chooses in it."""

    label: int
    mask: NDArray[np.bool_]
    ranking: Ranking
    patches: dict[str, list[NeuronPatch]]

    def neurons(self, name: str) -> list[tuple[str, int]]:
        return [(patch.layer, patch.channel) for patch in self.patches[name]]


def _look(
    net: Network,
    pictures: Pictures,
    index: int,
    metrics: Sequence[str],
    setting: Setting,
    seed: int,
) -> _Look:
    image = pictures.pixels(index)
    ranking = rank_neurons(
        net, image, layers=LAYERS, samples=setting.samples, sigma=setting.sigma, top=setting.top,
        seed=seed, minimum=setting.minimum,
    )  # fmt: skip
    picked = {metric: list(ranking.by(metric)) for metric in metrics}
    picked[RANDOM] = _by_lot(ranking, np.random.default_rng([seed, index]))
    neurons = list(dict.fromkeys(chain.from_iterable(picked.values())))
    patches = {
        neuron: replace(patch, pixels=_FORGOTTEN)
        for neuron, patch in zip(
            neurons, neuron_patches(net, image, neurons, start="maximum"), strict=True
        )
    }
    return _Look(
        label=int(pictures.labels[index]),
        mask=pictures.masks[index],
        ranking=ranking,
        patches={name: [patches[neuron] for neuron in some] for name, some in picked.items()},
    )


_FORGOTTEN = np.zeros((3, 0, 0), np.float32)  # hundreds of reconstructions an image fill the memory


def _by_lot(ranking: Ranking, rng: np.random.Generator) -> list[tuple[str, int]]:
    return [
        (name, int(channel))
        for place, name in enumerate(ranking.layers)
        for channel in rng.permutation(ranking.channel[ranking.layer == place])[: ranking.top]
    ]


def _area(patch: NeuronPatch) -> float:
    return patch.crop[..., 0].size / patch.image[..., 0].size


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
