"""The claims of Zintgraf et al. 2016, measured on drawn scenes, whose objects and parts are known.

For every scene its maps are computed once more than the figures need: with two seeds each, which
tells how much of the difference between two maps is chance, and with two window sizes, because 10
pixels are a larger share of a drawn scene than of the paper's pictures. Both samplers are compared
before softmax: behind it, the networks are so certain of many scenes that no window counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xwidgets.evaluate._locality import part_shares
from xwidgets.evaluate._outline import outline, times_expected
from xwidgets.evaluate._part_deletion import part_deletion
from xwidgets.evaluate._sharpness import half_area, same_sign, sharpness
from xwidgets.evaluate._top_pixels import top_pixels
from xwidgets.evaluate.baselines import edge_map, random_map
from xwidgets.evaluate.parts import mask_parts
from xwidgets.explain._prediction_difference import prediction_difference_each
from xwidgets.explain._saliency import saliency
from xwidgets.images import scenes
from xwidgets.images.sampler import Sampler
from xwidgets.images.scenes import Scene
from xwidgets.images.scenes.birds import SPECIES, TWINS
from xwidgets.reproduce.repetitions import grow
from xwidgets.reproduce.saved import SavedTables
from xwidgets.reproduce.setting import NamedSetting, by_name, chosen
from xwidgets.results import Relevance

from .figures import EMPTY, drawn

Map = NDArray[np.floating]
DEPTHS = ("first", "middle", "last")
FIRST_SEED = 50_000
"""Of the scenes, which neither the networks nor the samplers have seen."""


@dataclass(frozen=True)
class Setting(NamedSetting):
    """How much is measured.

    Attributes:
        name: what files of results begin with, behind ``claims-``.
        scenes: how many of each network.
        networks: ``"birds"`` and ``"street"``, or one of them.
        samples: S, and ``pixel_samples`` where single pixels are removed.
        stride: distance of neighbouring windows, or their size where they are smaller.
        compared: window sizes with which the samplers are compared; the classes and the feature
            maps are looked at with the last of them.
        windows: window sizes that are compared with each other, the first of a single pixel.
    """

    scenes: int
    networks: tuple[str, ...] = ("birds", "street")
    samples: int = 2
    pixel_samples: int = 1
    stride: int = 3
    compared: tuple[int, ...] = (5, 10)
    windows: tuple[int, ...] = (1, 2, 5, 10)


SETTINGS = by_name(Setting("small", 2), Setting("full", 6))
"""``"small"`` takes some three minutes of one core, ``"full"`` ten."""


class Reproduction(NamedTuple):
    """Measurements; every table has a row for each ``network`` and ``scene`` and more.

    Attributes:
        maps: for each ``window`` and ``map``: ``on_object``, how many times more of the absolute
            relevance lies on the object than if it were spread evenly; ``effects``, its rank
            correlation, over the parts, with the true effect of redrawing the scene without them;
            ``sharpness`` and ``half_area``; ``negative``, the share of it that speaks against.
        pairs: the correlation of maps of both samplers, and of one with itself with another seed.
        classes: the correlation of the maps of two classes, ``before`` and ``behind`` softmax, for
            each ``pair``: of the true class with its twin, with the class that has fewest marks in
            common with it, and the mean over the three pairs of the three best classes.
        windows: for each ``window`` the ``largest`` magnitude, in logits, and ``sharpness`` and
            ``same_sign``.
        top: of the 5 % of the pixels with the largest magnitude, by sensitivity and by single
            pixels, how many times more than expected lie on the object's ``outline``, ``inside``
            of it and ``outside``.
        layers: for each ``depth``, the share of feature maps that are nearly ``empty``, and that
            are ``silent``, without any activation in the scene; the ``median`` map's strongest
            effect as a share of that of the strongest map, and, ``of_activation``, the median of
            the strongest effects as shares of the maps' own activations.
        parts: for each ``channel`` of the middle layer, how its map is shared out to the parts
            and the background; nothing for a map without any effect.
    """

    maps: pd.DataFrame
    pairs: pd.DataFrame
    classes: pd.DataFrame
    windows: pd.DataFrame
    top: pd.DataFrame
    layers: pd.DataFrame
    parts: pd.DataFrame


def reproduce(
    setting: str | Setting = "small", folder: str | Path | None = None, recompute: bool = False
) -> Reproduction:
    """All measures, or what was saved of them.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept, scene by scene, so that what was interrupted goes on.
            ``None`` keeps nothing.
        recompute: whether to start anew.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> tiny = Setting("tiny", 1, ("street",), 1, 1, 8, (8,), (8, 10))
        >>> reproduce(tiny).layers["depth"].tolist()
        ['first', 'middle', 'last']
    """
    *_, tables = steps(setting, folder, recompute)
    return tables


def steps(
    setting: str | Setting = "small", folder: str | Path | None = None, recompute: bool = False
) -> Iterator[Reproduction]:
    """The result of :func:`reproduce` as it grows, one step a scene.

    The arguments are those of :func:`reproduce`, checked at once. Closing the generator cancels.

    Example:
        >>> growing = steps("small")
        >>> growing.close()
    """
    setting = chosen(setting, SETTINGS)
    saved = SavedTables(folder, setting, recompute, name=f"claims-{setting.name}")
    scenes = [(name, number) for name in setting.networks for number in range(setting.scenes)]
    bench = cache(partial(_Bench, setting))
    return grow(
        Reproduction, saved, ["network", "scene"], scenes,
        lambda name, number: iter([bench(name).measure(number)]),
    )  # fmt: skip


class _Bench:
    """One network, with all that its scenes are measured by."""

    def __init__(self, setting: Setting, name: str) -> None:
        self._setting, self._name = setting, name
        subject = drawn(name)
        self._net, self._layers = subject.net, subject.layers
        self._samplers: Mapping[str, Sampler] = {
            "conditional": subject.conditional, "marginal": subject.marginal,
        }  # fmt: skip

    def measure(self, number: int) -> Reproduction:
        """All measures of one scene."""
        scene = _scene(self._name, number)
        measured = (
            *self._compared(scene), self._classes(scene), *self._windows(scene),
            *self._feature_maps(scene),
        )  # fmt: skip
        return Reproduction(*(self._frame(number, rows) for rows in measured))

    def _frame(self, number: int, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        start = {"network": self._name, "scene": number}
        return pd.DataFrame([start | dict(row) for row in rows]).round(4)

    def _compared(self, scene: Scene) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Both samplers, sensitivity and what knows nothing of the network."""
        maps: list[dict[str, Any]] = []
        pairs: list[dict[str, Any]] = []
        for window in self._setting.compared:
            both = {
                name: [self._of_scores(scene, window, sampler, seed) for seed in (0, 1)]
                for name, sampler in self._samplers.items()
            }
            for name, (first, second) in both.items():
                maps.append(self._row(scene, first.values) | {"window": window, "map": name})
                pairs.append({"window": window, "pair": name,
                              "correlation": correlation(first.values, second.values)})  # fmt: skip
            across = [
                correlation(conditional.values, marginal.values)
                for conditional in both["conditional"]
                for marginal in both["marginal"]
            ]
            pairs.append({"window": window, "pair": "both", "correlation": np.mean(across)})
        others: dict[str, Map] = {
            "sensitivity": saliency(self._net, scene.image, scene.label).values,
            "edges": edge_map(scene.image),
            "random": random_map(scene.image),
        }
        for name, values in others.items():
            maps.append(self._row(scene, values) | {"window": 1, "map": name})
        return maps, pairs

    def _of_scores(self, scene: Scene, window: int, sampler: Sampler, seed: int) -> Relevance:
        (relevance,) = self._maps(
            scene, [scene.label], window, sampler=sampler, seed=seed, measure="difference"
        )
        return relevance

    def _row(self, scene: Scene, values: Map) -> dict[str, Any]:
        deletion = part_deletion(self._net, scene, values)
        return {
            "on_object": times_expected(values, _object(scene)),
            "effects": correlation(_ranks(deletion.effects), _ranks(deletion.relevance)),
            "sharpness": sharpness(values),
            "half_area": half_area(values),
            "negative": float(np.abs(values[values < 0]).sum() / np.abs(values).sum()),
        }

    def _classes(self, scene: Scene) -> list[dict[str, Any]]:
        """Classes that are alike, and classes that are not."""
        if self._name != "birds":
            return []
        label = scene.label
        (twin,) = (sum(pair) - label for pair in TWINS if label in pair)
        marks = [
            sum(map(str.__eq__, species.plumage, SPECIES[label].plumage)) for species in SPECIES
        ]
        other = int(np.argmin(marks))
        best = [index for index, _, _ in self._net.top(scene.image, 3)]
        targets = [label, twin, other, *best]
        rows = []
        for layer, measure in (("before", "difference"), ("behind", "evidence")):
            maps = [relevance.values for relevance in self._maps(scene, targets, measure=measure)]
            own, of_twin, of_other, *of_best = maps
            pairs = [correlation(of_best[a], of_best[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
            for pair, value in (
                ("twins", correlation(own, of_twin)),
                ("unlike", correlation(own, of_other)),
                ("best three", float(np.mean(pairs))),
            ):
                rows.append({"pair": pair, "layer": layer, "correlation": value})
        return rows

    def _windows(self, scene: Scene) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Window sizes, and where the most relevant of the single pixels are."""
        maps = {
            window: self._maps(
                scene, [scene.label], window=window, measure="difference",
                samples=self._setting.pixel_samples if window == 1 else self._setting.samples,
            )[0].values
            for window in self._setting.windows
        }  # fmt: skip
        windows = [
            {
                "window": window,
                "largest": float(np.abs(values).max()),
                "sharpness": sharpness(values),
                "same_sign": same_sign(values),
            }
            for window, values in maps.items()
        ]
        whole = _object(scene)
        band = outline(whole, 1)
        masks = {
            "sensitivity": top_pixels(saliency(self._net, scene.image, scene.label).values),
            "single pixels": top_pixels(maps[self._setting.windows[0]]),
            "edges": top_pixels(edge_map(scene.image)),
        }
        top = [
            {
                "map": name,
                "outline": times_expected(mask, band),
                "inside": times_expected(mask, whole & ~band),
                "outside": times_expected(mask, ~whole & ~band),
            }
            for name, mask in masks.items()
        ]
        return windows, top

    def _feature_maps(self, scene: Scene) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Effects of removed pixels on the feature maps of three layers."""
        layers, parts = [], []
        for depth, layer in zip(DEPTHS, self._layers, strict=True):
            known = self._net.layer(layer)
            maps = self._maps(scene, range(known.shape[0]), layer=layer)
            with self._net.evaluating():
                active = (
                    self._net.activations(scene.image[None], known.name).mean((2, 3))[0].numpy()
                )
            effects = np.array([np.abs(relevance.values).max() for relevance in maps])
            layers.append({
                "depth": depth,
                "empty": float((effects < EMPTY * effects.max()).mean()),
                "silent": float((active == 0).mean()),
                "median": float(np.median(effects) / effects.max()),
                "of_activation": float(np.median(effects[active > 0] / active[active > 0])),
            })  # fmt: skip
            if depth == "middle":
                shown = np.stack([np.abs(relevance.values) for relevance in maps])
                shares = part_shares(shown, mask_parts(scene.masks.values()))
                names = [*scene.masks, "background"]
                parts = [
                    {"channel": channel} | dict(zip(names, row, strict=True))
                    for channel, row in enumerate(shares.tolist())
                ]
        return layers, parts

    def _maps(
        self, scene: Scene, targets: Sequence[int], window: int | None = None, **changes: Any
    ) -> list[Relevance]:
        window = self._setting.compared[-1] if window is None else window
        arguments: dict[str, Any] = {
            "samples": self._setting.samples, "sampler": self._samplers["conditional"],
        } | changes  # fmt: skip
        return prediction_difference_each(
            self._net, scene.image, targets, window=window,
            stride=min(self._setting.stride, window), **arguments,
        )  # fmt: skip


def _scene(name: str, number: int) -> Scene:
    seed = FIRST_SEED + number
    if name == "birds":
        return scenes.bird(seed, species=2 * number % len(SPECIES))
    return scenes.street(seed, person=True)


def _object(scene: Scene) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.any(list(scene.masks.values()), axis=0)
    return mask


def correlation(a: Map, b: Map) -> float:
    """Pearson correlation of two arrays over all their values; NaN when either is constant.

    Example:
        >>> correlation(np.array([1, 2, 3]), np.array([2, 4, 6]))
        1.0
    """
    return float(pd.Series(a.ravel()).corr(pd.Series(b.ravel())))


def _ranks(values: Map) -> NDArray[np.float64]:
    return np.asarray(pd.Series(values).rank(), float)
