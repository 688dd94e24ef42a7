"""The figures of Zintgraf et al. 2016: what speaks for a class, with three networks.

Every figure is made for one network and its pictures:

1. sensitivity, and prediction difference with marginal and conditional sampling;
2. the classes with the highest scores, before and behind softmax;
3. window sizes;
4. the 5 % most relevant pixels, by sensitivity and by single pixels;
5. feature maps at the beginning, in the middle and at the end of the network;
6. some feature maps of the middle in several pictures.

The networks that come with the package see drawn scenes, any of torchvision's sees photographs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from xwidgets.errors import a_flag, at_least, listed, of_kind, unknown
from xwidgets.evaluate._top_pixels import top_pixels
from xwidgets.explain._prediction_difference import prediction_difference_each
from xwidgets.explain._saliency import saliency
from xwidgets.explain.removal.samplers import (
    ConditionalSampler,
    MarginalSampler,
    default_sampler,
)
from xwidgets.images import as_pixels, photo, picture, scenes
from xwidgets.images.sampler import Sampler
from xwidgets.networks import Network, network
from xwidgets.networks.embedded import EMBEDDED
from xwidgets.reproduce.figure import Cell, Figure
from xwidgets.reproduce.saved import SavedFiles
from xwidgets.reproduce.setting import NamedSetting, by_name, chosen
from xwidgets.results import Relevance

LAYERS: Mapping[str, tuple[str | int, str | int, str | int]] = {
    "birds": (1, 7, 13),
    "street": (1, 7, 13),
    "alexnet": (1, 3, 5),
    "googlenet": ("conv1", "inception3a", "inception5b"),
    "squeezenet1_1": (1, "features.6", "features.12"),
    "vgg16": (1, 7, 13),
}
"""The layers of figure 5, of which the second is that of figure 6: names, or numbers of
convolutions. Those of GoogLeNet are the paper's."""

EMPTY = 0.05
"""A feature map is called nearly empty when nothing in the picture has as much as this share of the
effect that something has on the strongest map of its layer."""

UNSIGNED = "sensitivity (no sign)"
"""The column of figure 1 whose maps have one colour: how much a pixel matters, not for what."""

PHOTOGRAPHS = ("chelsea", "coffee", "motorcycle", "rocket")
SCENES = {"birds": (3, 14, 12, 7), "street": (3, 8, 1, 6)}
"""The seeds of the scenes that are shown."""


@dataclass(frozen=True)
class Setting(NamedSetting):
    """How closely is looked.

    Attributes:
        name: what files of results begin with.
        samples: S, how many contents each window is filled with, and ``pixel_samples`` each single
            pixel; as it takes many of them, one sample shows as much.
        stride: distance of neighbouring windows, or their size where they are smaller.
        window: k of all figures but 3 and 4.
        windows: those of figure 3.
        classes: how many figure 2 shows, and ``feature_maps`` how many figures 5 and 6.
    """

    samples: int
    pixel_samples: int
    stride: int
    window: int = 10
    windows: tuple[int, ...] = (1, 2, 5, 10, 15)
    classes: int = 3
    feature_maps: int = 5


SETTINGS = by_name(
    Setting("small", 2, 1, 3), Setting("coarse", 1, 1, 4), Setting("full", 20, 20, 1)
)
"""``"small"`` takes a minute of one core for a network of this package, ``"coarse"`` about half an
hour for SqueezeNet; ``"full"`` is the paper's, which took its authors hours of a GPU."""


@dataclass(frozen=True, eq=False)
class Subject:
    """Network, pictures and samplers that figures are made of.

    Attributes:
        net: the classifier.
        pictures: ``(C, H, W)`` of its size, by what they are called; the first is the one of the
            figures that show one.
        marginal: fills windows from other pictures.
        conditional: fills windows given what is around them.
        layers: three, the first, a middle and the last one.
    """

    net: Network
    pictures: Mapping[str, Tensor]
    marginal: MarginalSampler
    conditional: Sampler
    layers: tuple[str | int, str | int, str | int]


def drawn(name: str) -> Subject:
    """Drawn scenes for a network of this package, ``"birds"`` or ``"street"``.

    Example:
        >>> list(drawn("birds").pictures)
        ['Dune finch (ruby breast), scene 3', ...]
    """
    if not isinstance(name, str) or name not in SCENES:
        raise unknown("embedded network", name, SCENES)
    net = network(name)
    draw = scenes.bird if name == "birds" else scenes.street
    drawings = [draw(seed) for seed in SCENES[name]]
    others, _ = scenes.draw(name, range(20_000, 20_150))
    return Subject(
        net=net,
        pictures={f"{scene.name}, scene {seed}": scene.image
                  for seed, scene in zip(SCENES[name], drawings, strict=True)},
        marginal=MarginalSampler(others),
        conditional=default_sampler(net),
        layers=LAYERS[name],
    )  # fmt: skip


def photographs(name: str, images: Tensor | None = None) -> Subject:
    """Photographs for one of torchvision's classifiers, titled with the class that it sees.

    Args:
        name: such as ``"squeezenet1_1"``, ``"alexnet"``, ``"googlenet"`` or ``"vgg16"``.
        images: ``(N, 3, H, W)`` of the network's size, that the samplers take their contents from;
            the more, the better. ``None`` for the five everyday photographs of
            :func:`xwidgets.photo`, which are very few.

    Raises:
        ValueError: when the network or its weights cannot be had.
    """
    if images is not None:
        images = as_pixels(images, 3)
    net = network(name)
    sampler = default_sampler(net) if images is None else ConditionalSampler.fit(images, window=15)
    if images is None:
        assert net.examples is not None
        images = net.examples()
    pictures = {}
    for title in PHOTOGRAPHS:
        image = net.prepare(photo(title))
        ((_, label, _),) = net.top(image, 1)
        pictures[f"{title}: {label}"] = image
    return Subject(
        net=net,
        pictures=pictures,
        marginal=MarginalSampler(images),
        conditional=sampler,
        layers=LAYERS.get(name) or _layers(net),
    )


def _layers(net: Network) -> tuple[int, int, int]:
    """The first convolution, the one in the middle, and the last one that is not the classifier."""
    last = max(layer.convolution or 0 for layer in net.layers if len(layer.shape) == 3)
    return 1, (last + 1) // 2, last


class Figures:
    """The figures of one network, computed when asked for, or read from a folder.

    Args:
        subject: the name of a network, or a subject of your own.
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where figures are kept; those that are there are not computed again, and the
            network is not loaded for them. ``None`` keeps nothing.
        recompute: whether to compute those that are there too.

    Raises:
        ValueError: for an unknown setting, and when figures are asked for, an unknown network or
            a folder with figures of another setting of the same name.

    Example:
        >>> tiny = Setting("tiny", 1, 1, 8, windows=(8, 10))
        >>> figure = Figures("street", tiny).figure(1)
        >>> figure.columns
        ['picture', 'sensitivity (no sign)', 'marginal', 'conditional']
    """

    def __init__(
        self,
        subject: str | Subject,
        setting: str | Setting = "small",
        folder: str | Path | None = None,
        recompute: bool = False,
    ) -> None:
        self.setting = chosen(setting, SETTINGS)
        of_kind("subject", subject, str | Subject, "the name of a network, or a Subject")
        a_flag("recompute", recompute)
        self.name = subject if isinstance(subject, str) else subject.net.name
        self._given = subject
        self._files = SavedFiles(folder, f"{self.setting.name}-{self.name}")
        self.recompute = recompute
        self._pixels: dict[str, Relevance] = {}

    @cached_property
    def subject(self) -> Subject:
        """Network, pictures and samplers of the figures."""
        if isinstance(self._given, Subject):
            return self._given
        return drawn(self._given) if self._given in EMBEDDED else photographs(self._given)

    def figure(self, number: int) -> Figure:
        """One of the figures 1 to 6.

        Raises:
            ValueError: for another number.
        """
        makers: dict[int, Callable[[], Figure]] = {
            1: self._samplers, 2: self._classes, 3: self._windows,
            4: self._outlines, 5: self._depths, 6: self._feature_maps,
        }  # fmt: skip
        _check_number(number)
        facts = asdict(self.setting)
        return self._files.kept(
            f"-{number}.npz",
            makers[number],
            lambda path: Figure.load(path, **facts),
            lambda figure, path: figure.save(path, **facts),
            self.recompute,
        )

    def saved(self, number: int) -> bool:
        """Whether a figure is in the folder."""
        return self._files.has(f"-{number}.npz")

    def _samplers(self) -> Figure:
        """Figure 1: for two pictures, the methods side by side."""
        titles = list(self.subject.pictures)[:2]
        rows: list[list[Cell]] = []
        for title in titles:
            image = self.subject.pictures[title]
            (conditional,) = self._maps(image, [None])
            (marginal,) = self._maps(image, [None], sampler=self.subject.marginal)
            rows.append([picture(image), saliency(self.subject.net, image), marginal, conditional])
        return Figure(rows, titles, ["picture", UNSIGNED, "marginal", "conditional"])

    def _classes(self) -> Figure:
        """Figure 2: the classes with the highest scores, before and behind softmax."""
        net, image = self.subject.net, self._first
        scores, best = net(image[None])[0], net.top(image, self.setting.classes)
        classes = [index for index, _, _ in best]
        return Figure(
            [
                [picture(image), *self._maps(image, classes, measure=measure)]
                for measure in ("difference", "evidence")
            ],
            ["before softmax", "behind softmax"],
            ["picture"] + [f"{name}: {scores[i]:.1f}, {chance:.1%}" for i, name, chance in best],
        )

    def _windows(self) -> Figure:
        """Figure 3: one picture, removed by windows of several sizes."""
        maps: list[Cell] = [
            self._of_pixels(self._title)
            if window == 1
            else self._maps(self._first, [None], window=window, measure="difference")[0]
            for window in self.setting.windows
        ]
        titles = [f"{window} × {window}" for window in self.setting.windows]
        return Figure([[picture(self._first), *maps]], [self._title], ["picture", *titles])

    def _outlines(self) -> Figure:
        """Figure 4: the most relevant pixels of two pictures."""
        titles = list(self.subject.pictures)[:2]
        rows: list[list[Cell]] = [[], [], []]
        for title in titles:
            image = self.subject.pictures[title]
            rows[0].append(picture(image))
            rows[1].append(top_pixels(saliency(self.subject.net, image).values))
            rows[2].append(top_pixels(self._of_pixels(title).values))
        return Figure(rows, ["picture", "sensitivity", "prediction difference"], titles)

    def _depths(self) -> Figure:
        """Figure 5: feature maps from the strongest to the weakest, at three depths."""
        rows: list[list[Cell]] = []
        names: list[str] = []
        shares = np.linspace(0, 1, self.setting.feature_maps)
        for layer in self.subject.layers:
            maps = self._by_effect(layer)
            rows.append([maps[round(share * (len(maps) - 1))] for share in shares])
            least = EMPTY * _strongest(maps[0])
            empty = sum(_strongest(relevance) < least for relevance in maps) / len(maps)
            name = self.subject.net.layer(layer).name
            names.append(f"{name}: {empty:.0%} of {len(maps)} maps nearly empty")
        titles = ["strongest map", *(f"{share:.0%}" for share in shares[1:-1]), "weakest map"]
        return Figure(rows, names, titles, "row")

    def _feature_maps(self) -> Figure:
        """Figure 6: from the stronger half of the middle's feature maps, in every picture."""
        layer = self.subject.layers[1]
        maps = self._by_effect(layer)
        shares = np.linspace(0, 0.5, self.setting.feature_maps)
        first = [maps[round(share * (len(maps) - 1))] for share in shares]
        channels = [relevance.target for relevance in first]
        columns = [first]
        for title in list(self.subject.pictures)[1:]:
            columns.append(self._maps(self.subject.pictures[title], channels, layer=layer))
        rows: list[list[Cell]] = [list(row) for row in zip(*columns, strict=True)]
        labels = [relevance.label for relevance in first]
        return Figure(rows, labels, list(self.subject.pictures), "row")

    @property
    def _title(self) -> str:
        return next(iter(self.subject.pictures))

    @property
    def _first(self) -> Tensor:
        return self.subject.pictures[self._title]

    def _by_effect(self, layer: str | int) -> list[Relevance]:
        """All feature maps of a layer in the first picture, the strongest first."""
        if layer not in self._layers:
            shape = self.subject.net.layer(layer).shape
            maps = self._maps(self._first, range(shape[0]), layer=layer)
            self._layers[layer] = sorted(maps, key=_strongest, reverse=True)
        return self._layers[layer]

    @cached_property
    def _layers(self) -> dict[str | int, list[Relevance]]:
        return {}

    def _of_pixels(self, title: str) -> Relevance:
        """The map of a picture's single pixels, of the class with the highest score."""
        if title not in self._pixels:
            (self._pixels[title],) = self._maps(
                self.subject.pictures[title], [None], window=1, measure="difference",
                samples=self.setting.pixel_samples,
            )  # fmt: skip
        return self._pixels[title]

    def _maps(
        self, image: Tensor, targets: Sequence[int | None], **changes: Any
    ) -> list[Relevance]:
        setting = self.setting
        arguments: dict[str, Any] = {
            "window": setting.window, "samples": setting.samples,
            "sampler": self.subject.conditional,
        } | changes  # fmt: skip
        stride = min(setting.stride, arguments["window"])
        return prediction_difference_each(
            self.subject.net, image, targets, stride=stride, **arguments
        )


def _strongest(relevance: Relevance) -> float:
    """The largest effect that a part of the picture has on a feature map."""
    return float(np.abs(relevance.values).max())


def show(number: int, *networks: Figures) -> None:
    """Display a figure for several networks, each below its name and setting.

    A figure that is not saved, and takes long to compute, is named in a sentence instead, unless
    its ``Figures`` have ``recompute``.

    Args:
        number: of the figure, 1 to 6.
        networks: the figures of each.

    Raises:
        ValueError: for another number, or what is no ``Figures``.

    Example:
        >>> show(1, Figures("street", Setting("tiny", 1, 1, 8, windows=(8, 10))))
        <IPython.core.display.Markdown object>
        <xwidgets.widgets.relevance_grid.RelevanceGrid object at ...>
    """
    from IPython.display import Markdown, display  # which the figures do without

    from xwidgets.widgets import RelevanceGrid

    _check_number(number)
    for each in listed("networks", networks, Figures, "figures, such as Figures('birds')"):
        display(Markdown(f"**{each.name}**, {each.setting.name}"))
        if each.name in EMBEDDED or each.recompute or each.saved(number):
            figure = each.figure(number)
            display(RelevanceGrid(figure.cells, figure.rows, figure.columns, figure.scale))
        else:
            display(Markdown("This figure was not saved; set `recompute = True` to compute it."))


def _check_number(number: int) -> None:
    at_least("number", number, 1)
    if number > 6:
        raise ValueError(f"there is no figure {number}; the paper has 1 to 6")
