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

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tqdm import trange

from xwidgets.errors import unknown
from xwidgets.evaluate._jaccard import jaccard, jaccard_of_overlap
from xwidgets.evaluate._localisation import localisation
from xwidgets.evaluate._patch_accuracy import ImagePatches, PatchAccuracy, patch_accuracy
from xwidgets.explain.neuron_ranking import rank_neurons
from xwidgets.explain.patches import neuron_patches
from xwidgets.files import whole
from xwidgets.networks import Network
from xwidgets.networks.training import train
from xwidgets.results import METRICS, NeuronPatch, Ranking
from xwidgets.results.render import depth_color

from .two_classes import CLASSES, Pictures, Source, streets

LAYERS = tuple(range(3, 10))
CLASSIFIERS = 3
"""How many patch classifiers are trained, with other weights, for each accuracy."""
PROPOSED = ("activation_precision", "output_correlation")
RANDOM = "random"
"""What stands beside the metrics: neurons of the same layers, chosen by lot."""

PUBLISHED = pd.DataFrame(
    {
        "network": (0.352, 0.89),
        "activation_precision": (0.60, 0.85),
        "output_correlation": (0.488, 0.81),
        "jaccard": (jaccard_of_overlap(0.16), jaccard_of_overlap(0.40)),
    },
    index=["first", "last"],
)
"""The paper's values, read from the authors' plots, after the first and the last of 62 epochs."""


@dataclass(frozen=True)
class Setting:
    """How large the experiments are.

    Attributes:
        name: what the files of results are called.
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

    name: str
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


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("small", 3, 1_000, 300, 3, (0.5, 1, 3), 24, 16),
        Setting("full", 5, 2_000, 1_000, 4, (0, 0.25, 0.5, 1, 1.5, 2, 4), 60, 40),
    )
}
"""``"small"`` takes some ten minutes of one core, ``"full"`` an hour."""


class Reproduction(NamedTuple):
    """What came out.

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
            :func:`xwidgets.reproduce.two_classes.photographs` of your own.
        recompute: whether to start anew.

    Returns:
        Figures 2 and 3, and Table 1.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> tiny = Setting("tiny", 1, 64, 9, 1, (1,), 2, 2, samples=2, top=1)
        >>> found = reproduce(tiny)
        >>> found.curves["epoch"].tolist(), len(found.table)
        ([1.0], 7)
        >>> findings(found)[0]
        'The network: ...'
    """
    *_, found = steps(setting, folder, source=source, recompute=recompute)
    return found


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
    if isinstance(setting, str):
        if setting not in SETTINGS:
            raise unknown("setting", setting, SETTINGS)
        setting = SETTINGS[setting]
    if setting.at[-1] != setting.epochs:
        raise ValueError(
            f"at ends with epoch {setting.at[-1]:g}, but Table 1 is of the end of training; "
            f"end it with {setting.epochs}"
        )
    kept = None if folder is None else _Folder(Path(folder), setting, source)
    done = [] if kept is None or recompute else kept.load()
    return _steps(setting, kept, done, source)


def _steps(
    setting: Setting, kept: "_Folder | None", done: list[Reproduction], source: Source
) -> Iterator[Reproduction]:
    if done:
        yield _joined(done)
    for seed in range(len(done), setting.seeds):
        for partial in _repetition(setting, source, seed):
            yield _joined([*done, partial])
        done.append(partial)
        if kept is not None:
            kept.save(_joined(done))


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
                for index in trange(
                    len(pictures), desc=f"seed {seed}, epoch {epoch:g}", leave=False
                )
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
    found = [
        patch_accuracy(training, held_out, seed=CLASSIFIERS * seed + one)
        for one in range(CLASSIFIERS)
    ]
    return found[0]._replace(accuracy=_mean(one.accuracy for one in found))


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
    chosen = {metric: list(ranking.by(metric)) for metric in metrics}
    chosen[RANDOM] = _by_lot(ranking, np.random.default_rng([seed, index]))
    neurons = list(dict.fromkeys(chain.from_iterable(chosen.values())))
    found = {
        neuron: replace(patch, pixels=_FORGOTTEN)
        for neuron, patch in zip(
            neurons, neuron_patches(net, image, neurons, start="maximum"), strict=True
        )
    }
    return _Look(
        label=int(pictures.labels[index]),
        mask=pictures.masks[index],
        ranking=ranking,
        patches={name: [found[neuron] for neuron in some] for name, some in chosen.items()},
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


def _joined(parts: Sequence[Reproduction]) -> Reproduction:
    return Reproduction(
        *(pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    )


class _Folder:
    """Where results are kept: two tables, and what they are of."""

    def __init__(self, folder: Path, setting: Setting, source: Source) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._facts = folder / f"{setting.name}.json"
        self._tables = [folder / f"{setting.name}-{name}.csv" for name in Reproduction._fields]
        facts = asdict(setting) | {"source": source.__name__}
        self._setting = json.loads(json.dumps(facts))

    def load(self) -> list[Reproduction]:
        """What is complete, one for each seed."""
        if not self._facts.exists():
            return []
        if json.loads(self._facts.read_text("utf-8")) != self._setting:
            raise ValueError(
                f"{str(self._facts)!r} is of another setting called {self._setting['name']!r}, or "
                "of other images; take another folder, or start anew with recompute=True"
            )
        frames = [pd.read_csv(path) for path in self._tables]
        seeds = frames[-1]["seed"].unique()
        return [Reproduction(*(frame[frame["seed"] == seed] for frame in frames)) for seed in seeds]

    def save(self, found: Reproduction) -> None:
        for path, frame in zip(self._tables, found, strict=True):
            with whole(path) as part:
                frame.to_csv(part, index=False)
        with whole(self._facts) as part:
            part.write_text(json.dumps(self._setting, indent=1) + "\n", "utf-8")


def drawn_boxes(patches: Iterable[NeuronPatch], size: int = 256) -> NDArray[np.uint8]:
    """Where the neurons of one image look (Figure 4), enlarged to ``size`` pixels in width.

    The boxes of VGG-16's convolutions up to 4 are red, of 5 to 7 green, of later ones blue.

    Args:
        patches: what :func:`xwidgets.neuron_patches` gave.
        size: width of the picture in pixels; the height follows.

    Returns:
        8-bit ``(size * H / W, size, 3)``.

    Raises:
        ValueError: when there is no patch.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("street"), xw.scenes.street(seed=3, person=True)
        >>> patches = xw.neuron_patches(net, scene.image, [(3, 11), (9, 4)], start="maximum")
        >>> drawn_boxes(patches).shape
        (256, 256, 3)
    """
    patches = list(patches)
    if not patches:
        raise ValueError("there is no patch to draw; give those of at least one neuron")
    picture = Image.fromarray(patches[0].image)
    scale = size / picture.width
    enlarged = picture.resize((size, round(picture.height * scale)), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(enlarged)
    for patch in reversed(patches):  # small boxes last
        if patch.box is not None:
            top, left, bottom, right = (round(edge * scale) for edge in patch.box)
            edges = (left, top, right - 1, bottom - 1)
            draw.rectangle(edges, outline=depth_color(patch.depth), width=2)
    return np.asarray(enlarged)


def findings(found: Reproduction) -> list[str]:
    """What the results say, in sentences, each with its numbers and their spread over the seeds.

    A difference counts as found when it has the same sign with every seed, which chance alone does
    in one of four cases with three seeds, and in one of sixteen with five.
    """
    curves, table = found
    trained = curves[curves["epoch"] > 0].groupby("seed")
    first, last = (trained.nth(place).set_index("seed") for place in (0, -1))
    precision, correlation = (curves.groupby("seed")[name].mean() for name in PROPOSED)
    lot = curves.groupby("seed")[RANDOM].mean()
    located, told = (
        table.pivot(index="seed", columns="metric", values=name)
        for name in ("localisation", "accuracy")
    )
    areas = table.groupby("metric")["area"].mean()
    baselines = [name for name in METRICS if name not in PROPOSED]
    best = told[list(METRICS)].mean().idxmax()
    return [
        f"The network: its held-out accuracy goes from {_spread(first['network'])} after "
        f"{first['epoch'].mean():.1f} epochs to {_spread(last['network'])} (published .35 to .89).",
        "Do precision's patches tell the classes apart better than correlation's? "
        f"{_verdict(precision - correlation)}, mean over the checkpoints (published: at every "
        "epoch).",
        f"Better than the patches of random neurons? Precision: {_verdict(precision - lot)}. "
        f"Correlation: {_verdict(correlation - lot)}.",
        "Do precision's patches beat the network at the first checkpoint? "
        f"{_verdict(first[PROPOSED[0]] - first['network'])} (published: yes, early on). Those of "
        f"random neurons? {_verdict(first[RANDOM] - first['network'])}.",
        f"Do the two metrics come to choose the same neurons? Their Jaccard index goes from "
        f"{_spread(first['jaccard'])} to {_spread(last['jaccard'])} (published .19 to .67); "
        f"precision and random neurons have {_spread(last['jaccard_random'])} in common. "
        f"Growth: {_verdict(last['jaccard'] - first['jaccard'])}.",
        "Does precision find the person more often than the baselines of weights and activations? "
        f"{_verdict(located[PROPOSED[0]] - located[baselines].mean(axis=1))}. Than random neurons? "
        f"{_verdict(located[PROPOSED[0]] - located[RANDOM])}. Its patches cover "
        f"{areas[PROPOSED[0]]:.0%} of the picture, those of the baselines "
        f"{areas[baselines].mean():.0%} and those of random neurons {areas[RANDOM]:.0%}; larger "
        "ones find a person more easily.",
        f"Which patches tell the classes apart best at the end? Those of {best.replace('_', ' ')} "
        f"({_spread(told[best])}); precision's: {_spread(told[PROPOSED[0]])}, random neurons': "
        f"{_spread(told[RANDOM])}, chance {_spread(last['chance'])}.",
        f"Precision ranks {curves['remaining'].mean():.0%} of the neurons, the others being too "
        f"quiet; the fewest in one layer of one image were {curves['fewest'].min():g}.",
    ]


def _spread(values: pd.Series) -> str:
    """Mean and standard deviation over the seeds."""
    deviation = f" ± {values.std():.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{deviation}"


def _verdict(differences: pd.Series) -> str:
    count, above = len(differences), int((differences > 0).sum())
    below = int((differences < 0).sum())
    word = "Yes" if above == count else "No, the opposite" if below == count else "Not clear"
    return f"{word}, above with {above} of {count} seeds (by {_spread(differences)})"
