"""The experiments of Qi et al. 2018: do a few x-features explain a class's score?

An explanation module embeds the first fully connected layer of a network into a few x-features
whose weighted sum is the score of a class. For several ways to find them (the sparse reconstruction
autoencoder SRAE and its baselines), it is measured how faithful they are to the score, how
different from each other, and how local: whether each looks at one part of the bird.

Every class and every seed has its own modules; the seed decides the weights that training starts
with and which images stop it. All methods see the same images, and all x-features the same pictures
of their class, to which nothing was fitted.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache as cached
from functools import cached_property
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from xwidgets.errors import unknown
from xwidgets.evaluate._faithfulness import faithfulness_to
from xwidgets.evaluate._locality import locality
from xwidgets.evaluate._masked_classification import masked_classification, union_map
from xwidgets.evaluate.shifted import DIM, agreement, shifted_network, three_maps
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module import METHODS, ExplanationModule, Facts, encoder_of
from xwidgets.explain.explanation_module.features import Features, feature_layer, read_features
from xwidgets.explain.explanation_module.fit import fit_explanation
from xwidgets.explain.explanation_module.training import Training
from xwidgets.files import whole
from xwidgets.images.scenes.birds import PARTS
from xwidgets.networks import Network
from xwidgets.results.result import versions

from ._heat_maps import HeatMaps, heat_maps, heat_maps_of_score, localities, measures
from .cases import Case, Material, Source, drawn_birds
from .qi2018_findings import EXCITATION, GAMMAS, RANDOM, Z

COLUMNS = (*METHODS, Z, EXCITATION, RANDOM)
VARIANTS: tuple[tuple[str | None, str, float], ...] = (
    (None, "srae", 0.01),
    (None, "srae", 1.0),
    ("avgpool", "srae", 0.1),
    ("avgpool", "nn", 0.1),
    ("avgpool", RANDOM, 0.0),
)
"""Layer, method and beta of what is compared to see why: see :func:`variants`."""


@dataclass(frozen=True)
class Setting:
    """How large the experiments are.

    Attributes:
        name: what the files of results are called.
        classes: those that are explained.
        seeds: how often each module is fitted.
        images: how many modules are fitted to, at most.
        cases: how many pictures of each class the heat maps are measured on.
        masked: how many of these are masked and classified again, and shifted.
        epochs: how often each image is learned from at most.
        features: n, the number of x-features.
        counts: the other n of Figure 8.
        allowed: how many features of Z the Lasso may choose at most in Table 2 (a).
        variants: see :data:`VARIANTS`.
    """

    name: str
    classes: tuple[int, ...]
    seeds: int
    images: int
    cases: int
    masked: int
    epochs: int = 40
    features: int = 5
    counts: tuple[int, ...] = (3, 9)
    allowed: tuple[int, ...] = (3, 5, 10, 20, 50)
    variants: tuple[tuple[str | None, str, float], ...] = VARIANTS


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("small", (2, 3, 8, 9), 2, 1_000, 15, 3, 30, counts=(9,), variants=VARIANTS[1:2]),
        Setting("full", tuple(range(20)), 3, 2_000, 15, 3),
    )
}
"""``"small"`` takes about three minutes of one core, ``"full"`` half an hour."""


class Reproduction(NamedTuple):
    """What came out: tables with a row for each class and seed, and what else is said.

    Attributes:
        table: Table 1 (a), by ``method``: see :func:`table1`.
        x_features: Figures 4, 6 and 7, by ``maps`` and ``x_feature``: see :func:`figure7`.
        variants: Table 1 (a) of other layers and other beta: see :func:`variants`.
        degenerate: Figure 8, by ``method`` and ``n``: see :func:`figure8`.
        masked: Tables 2 (b) and 3, by ``maps`` and ``gamma``: see :func:`table3`.
        shift: Figure 10, by ``maps``: see :func:`figure10`.
        lasso: Table 2 (a), by how many features are ``allowed``: see :func:`table2`.
    """

    table: pd.DataFrame
    x_features: pd.DataFrame
    variants: pd.DataFrame
    degenerate: pd.DataFrame
    masked: pd.DataFrame
    shift: pd.DataFrame
    lasso: pd.DataFrame


class Laboratory:
    """The material of a setting, and the modules that are fitted to it, each once.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept; ``None`` keeps nothing.
        source: where images come from: drawn birds, or
            :func:`xwidgets.reproduce.cases.cub_birds` with your own network.
        cache: the same as for :func:`xwidgets.fit_explanation`.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> tiny = Setting("tiny", (3,), 1, 100, 1, 1, epochs=1)
        >>> Laboratory(tiny).modules("srae")
        {3: <ExplanationModule: 5 x-features by srae of classifier.0 for 'Briar ...' (birds)>}
    """

    def __init__(
        self,
        setting: str | Setting = "small",
        folder: str | Path | None = None,
        source: Source = drawn_birds,
        cache: bool | str | Path = True,
    ) -> None:
        if isinstance(setting, str):
            if setting not in SETTINGS:
                raise unknown("setting", setting, SETTINGS)
            setting = SETTINGS[setting]
        self.setting = setting
        self.kept = None if folder is None else _Folder(Path(folder), setting, source)
        self._source, self._cache = source, cache
        self.features = cached(self._features)
        self._fitted = cached(self._fit)

    @cached_property
    def material(self) -> Material:
        """The network, the images and the cases."""
        return self._source(self.setting.classes, self.setting.images, self.setting.cases)

    @property
    def net(self) -> Network:
        """The network that is explained."""
        return self.material.net

    def _features(self, name: str, layer: str | None = None) -> Features:
        """The features of ``"images"`` or of ``"fresh"`` ones."""
        data = DataSet(self.net, getattr(self.material, name))
        where = feature_layer(self.net, layer)
        *_, (_, features) = read_features(self.net, data, where, self._cache)
        assert features is not None
        return features

    def modules(
        self,
        method: str,
        n: int | None = None,
        seed: int = 0,
        layer: str | None = None,
        beta: float = 0.1,
    ) -> dict[int, ExplanationModule]:
        """Those of all classes, by class; ``n`` is that of the setting by default."""
        return self._fitted(method, n or self.setting.features, seed, layer, beta)

    def _fit(
        self, method: str, n: int, seed: int, layer: str | None, beta: float
    ) -> dict[int, ExplanationModule]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\d+ images are fewer than")
            found = fit_explanation(
                self.net, self.material.images, self.setting.classes, layer, n, method, seed,
                cache=self._cache, progress=False, beta=beta, epochs=self.setting.epochs,
            )  # fmt: skip
        return dict(zip(self.setting.classes, found, strict=True))

    def module(
        self, method: str, label: int, seed: int = 0, n: int | None = None
    ) -> ExplanationModule:
        """One of the modules for a picture, kept in the folder once it was fitted."""
        path = None if self.kept is None else self.kept.module(method, label, seed, n)
        if path is not None and path.exists():
            return ExplanationModule.load(path)
        module = self.modules(method, n, seed)[label]
        if path is not None:
            shown = ExplanationModule(
                module.facts, module.encoder, module.weights, module.intercept
            )
            shown.save(path)
        return module

    def controls(
        self, method: str, label: int, seed: int, layer: str | None = None
    ) -> ExplanationModule:
        """As many x-features that nobody fitted.

        Args:
            method: ``Z`` for single dimensions of Z, active for images of the class; ``RANDOM`` for
                a random encoder.
            label: the class, and ``seed`` what is drawn by.
            layer: whose outputs Z are; by default that of the paper.
        """
        features, n = self.features("images", layer), self.setting.features
        rng = np.random.default_rng([seed, label])
        facts = Facts(
            self.net.name, features.layer, label, self.net.class_name(label), method,
            {"seed": seed}, {}, versions(),
        )  # fmt: skip
        like = torch.zeros(1, device=self.net.device, dtype=self.net.dtype)
        if method == Z:
            mine = features.values[features.scores.argmax(1) == label]
            (active,) = (mine > 0).any(0).nonzero()
            some = np.sort(rng.permutation(active)[:n])
            encoder = encoder_of(torch.from_numpy(some).to(like.device), [])
        else:
            widths = Training().widths(features.values.shape[1], n)
            weights = [
                rng.uniform(-1, 1, (after, before)) * sqrt(6 / before)
                for before, after in pairwise(widths)
            ]
            layers = [(torch.from_numpy(one).to(like), like.new_zeros(len(one))) for one in weights]
            encoder = encoder_of(None, layers)
        return ExplanationModule(facts, encoder, like.new_ones(n), like.new_zeros(()))

    def seeds(self, what: str) -> Iterator[int]:
        """The numbers of the repetitions, with a progress bar."""
        return iter(tqdm(range(self.setting.seeds), desc=what, leave=False))


def _faithful(lab: Laboratory, module: ExplanationModule, layer: str | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, where in (("learned", "images"), ("fresh", "fresh")):
        one = faithfulness_to(module, lab.features(where, layer))
        found |= {
            f"f_reg_{name}": one.f_reg,
            f"f_share_{name}": one.f_reg / one.spread,
            f"f_cls_{name}": one.f_cls,
        }
    return found


def table1(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a): faithfulness, orthogonality and locality.

    Returns:
        A row for each ``method`` with ``n`` x-features of ``layer``, ``seed`` and ``class``:
        ``f_reg`` and ``f_cls`` on the images that modules were fitted to (``_learned``) and on
        others (``_fresh``), ``f_share``, which is f_reg in standard deviations of the score, and
        :func:`xwidgets.reproduce._heat_maps.measures`. Beside the paper's methods
        stand x-features of a ``random`` encoder. These, as many dimensions of ``z``, and
        ``excitation``, which depends on no seed, give no score.
    """
    rows = []
    for method in COLUMNS:
        seeds = (0,) if method == EXCITATION else lab.seeds(f"Table 1, {method}")
        for seed in seeds:
            for label, cases in lab.material.cases.items():
                row: dict[str, object] = {
                    "layer": feature_layer(lab.net, None).name,
                    "method": method,
                    "n": lab.setting.features,
                    "seed": seed,
                    "class": label,
                }
                if method in METHODS:
                    module = lab.modules(method, seed=seed)[label]
                    row |= _faithful(lab, module, None)
                rows.append(row | measures(_look(lab, method, seed, label), cases))
    return pd.DataFrame(rows)


def _look(lab: Laboratory, method: str, seed: int, label: int) -> HeatMaps:
    """What the x-features of one of :data:`COLUMNS` see in the cases of a class."""
    cases = lab.material.cases[label]
    if method == EXCITATION:
        return heat_maps_of_score(lab.net, label, cases)
    fitted = method in METHODS
    module = lab.modules(method, seed=seed)[label] if fitted else lab.controls(method, label, seed)
    return heat_maps(lab.net, module, cases)


def table2(lab: Laboratory) -> pd.DataFrame:
    """Table 2 (a): the Lasso with more and more features of Z, by smaller and smaller penalties.

    Returns:
        A row for each number of features that are ``allowed`` and each ``class``: how many were
        ``chosen``, with what ``penalty``, and how faithful they are.
    """
    rows = []
    for n in tqdm(lab.setting.allowed, desc="Table 2, the Lasso", leave=False):
        for label, module in lab.modules("lasso", n).items():
            facts = {"penalty": module.facts.parameters["penalty"], "chosen": len(module.weights)}
            row = {"allowed": n, "class": label, **facts, **_faithful(lab, module, None)}
            rows.append(row)
    return pd.DataFrame(rows)


def table3(lab: Laboratory) -> pd.DataFrame:
    """Tables 2 (b) and 3: what is dark in heat maps is masked and inpainted, and classified again.

    Returns:
        A row for each ``seed``, ``class``, ``maps`` and ``gamma``: the ``accuracy``, that for the
        ``original`` images, and how much was ``kept`` of them. ``maps`` are the union of the
        x-features' (SRAE), those of ``excitation``, and ``"excitation, same area"``, of which as
        many of the highest pixels are kept as of the x-features' union, for the union of five
        maps leaves more of a picture than one map does, and ``"random, same area"``, a smooth
        random map.
    """
    rows = []
    for seed in lab.seeds("Table 3"):
        for label, module in lab.modules("srae", seed=seed).items():
            cases = lab.material.cases[label][: lab.setting.masked]
            images = torch.stack([case.image for case in cases])
            unions = np.stack(
                [union_map(some) for some in heat_maps(lab.net, module, cases).active]
            )
            score = heat_maps_of_score(lab.net, label, cases).maps[:, 0]
            lot = np.stack(
                [_smooth_noise(unions.shape[1:], (seed, label, n)) for n in range(len(cases))]
            )
            for gamma in GAMMAS:
                areas = ((unions >= gamma) & (unions > 0)).sum((1, 2))
                kinds: dict[str, tuple[NDArray[np.floating], float]] = {
                    "x-features": (unions, gamma),
                    EXCITATION: (score, gamma),
                    f"{EXCITATION}, same area": (_highest(score, areas), 0.5),
                    "random, same area": (_highest(lot, areas), 0.5),
                }
                for kind, (maps, threshold) in kinds.items():
                    found = masked_classification(
                        lab.net, images, maps, [label] * len(cases), (threshold,)
                    )
                    rows.append(
                        {
                            "seed": seed,
                            "class": label,
                            "maps": kind,
                            "gamma": gamma,
                            "accuracy": found.accuracy[0],
                            "kept": found.kept[0],
                            "original": found.original,
                        }
                    )
    return pd.DataFrame(rows)


def _highest(maps: NDArray[np.floating], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 where a map ``(N, H, W)`` has its highest values, this many above 0, and 0 elsewhere."""
    flat = maps.reshape(len(maps), -1)
    ranks = np.argsort(np.argsort(-flat, 1, kind="stable"), 1)
    found = ((ranks < counts[:, None]) & (flat > 0)).astype(np.float32)
    return np.asarray(found.reshape(maps.shape))


def _smooth_noise(size: Sequence[int], seed: Sequence[int]) -> NDArray[np.float64]:
    """Noise about as smooth as the heat maps."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((1, 1, 16, 16)))
    return np.asarray(nn.functional.interpolate(coarse, list(size), mode="bilinear")[0, 0])


def figure7(lab: Laboratory) -> pd.DataFrame:
    """Figures 4, 6 and 7: at which part does every x-feature look, and at that of the twin?

    The context, which by true masks is most of a picture, is told apart from the parts of the bird:
    a map that lies on it alone has the best locality of all, and shows nothing.

    Returns:
        A row for each ``maps`` (``srae``, ``nn`` or ``excitation``), ``seed``, ``class`` and
        ``x_feature`` that is active in some picture: its ``weight`` v_i, the mean ``contribution``
        v_i E_i, the share of pictures in which it is ``active``, its locality (``voronoi`` and
        ``masks``), and by masks, or else by Voronoi cells, what share of its maps lies on the
        ``context``. Of the rest, which is on the bird: ``entropy`` over the parts, the ``part``
        with the largest ``share``, and this. Where classes have a twin: the ``mark``, which is the
        part in which they differ, the share that is ``on_mark``, and what share of the bird the
        mark covers (``of_bird``).
    """
    rows = []
    for method in ("srae", "nn", EXCITATION):
        seeds = (0,) if method == EXCITATION else lab.seeds(f"Figures 4, 6 and 7, {method}")
        for seed in seeds:
            for label, cases in lab.material.cases.items():
                seen = _look(lab, method, seed, label)
                known = localities(seen.active, cases)
                best = known.get("masks", known.get("voronoi"))
                weights = (
                    np.ones(1)
                    if method == EXCITATION
                    else lab.modules(method, seed=seed)[label].weights.cpu().numpy()
                )
                twin = lab.material.twins.get(label)
                covered = None if twin is None else _covered(cases, twin.places)
                for number in np.flatnonzero((seen.contributions != 0).any(0)).tolist():
                    row = {
                        "maps": method,
                        "seed": seed,
                        "class": label,
                        "x_feature": number,
                        "weight": weights[number],
                        "contribution": seen.contributions[:, number].mean(),
                        "active": (seen.contributions[:, number] != 0).mean(),
                    }
                    row |= {kind: one.entropies[number] for kind, one in known.items()}
                    if best is not None:
                        *parts, context = best.histograms[number]
                        row |= {"context": context} | _on_bird(np.array(parts))
                    if best is not None and twin is not None:
                        on_mark = best.histograms[number, list(twin.places)].sum() / (1 - context)
                        row |= {"mark": twin.part, "on_mark": on_mark, "of_bird": covered}
                    rows.append(row)
    return pd.DataFrame(rows)


def _on_bird(parts: NDArray[np.float64]) -> dict[str, object]:
    """Of a histogram without the context."""
    place = int(parts.argmax())
    return {
        "entropy": locality(parts[None, None]).mean,
        "part": PARTS[place],
        "share": parts[place] / parts.sum() if parts.any() else np.nan,
    }


def _covered(cases: Sequence[Case], places: Sequence[int]) -> float:
    """The mean share of the bird that some parts cover, by their masks."""
    areas = np.array([case.parts()["masks"].sum((1, 2)) for case in cases])
    return float((areas[:, list(places)].sum(1) / areas[:, :-1].sum(1)).mean())


def figure8(lab: Laboratory) -> pd.DataFrame:
    """Figure 8: are the x-features of NN alike, and are only a few positive?

    Returns:
        A row for each ``method`` (``srae`` and ``nn``), other number ``n`` of x-features than that
        of Table 1, and ``class``, of the first seed: :func:`measures`.
    """
    rows = []
    for n in tqdm(lab.setting.counts, desc="Figure 8", leave=False):
        for method in ("srae", "nn"):
            for label, module in lab.modules(method, n).items():
                cases = lab.material.cases[label]
                row = {"method": method, "n": n, "class": label}
                rows.append(row | measures(heat_maps(lab.net, module, cases), cases))
    return pd.DataFrame(rows)


def figure10(lab: Laboratory) -> pd.DataFrame:
    """Figure 10: what does a constant that is added to the pixels, and taken off again, change?

    Returns:
        A row for each ``class`` and ``maps`` (the ``x-features`` of SRAE, ``excitation``, and
        ``gradient * input``): the mean ``correlation`` of the maps before and after, the mean over
        pictures of the largest ``difference`` as a share of the map's maximum, and ``score``, by
        how much the score changes.
    """
    shifted, offset = shifted_network(lab.net)
    rows = []
    for label, module in tqdm(lab.modules("srae").items(), desc="Figure 10", leave=False):
        found: dict[str, list[tuple[float, float]]] = {}
        scores = []
        for case in lab.material.cases[label][: lab.setting.masked]:
            before, after = (
                three_maps(net, module, DIM * case.image + shift)
                for net, shift in ((lab.net, 0.0), (shifted, offset))
            )
            scores.append(abs(before.score - after.score))
            for name, one in before.maps.items():
                found.setdefault(name, []).append(agreement(one, after.maps[name]))
        rows += [
            {
                "class": label, "maps": name, "correlation": np.mean([one for one, _ in pairs]),
                "difference": np.mean([other for _, other in pairs]), "score": np.mean(scores),
            }
            for name, pairs in found.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)


def variants(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a) of SRAE with other beta, and of a layer before: what makes the difference?

    Returns:
        Rows as of :func:`table1` for the first seed, by ``layer``, ``method`` and ``beta``, which
        matters to SRAE only.
    """
    rows = []
    for layer, method, beta in tqdm(lab.setting.variants, desc="variants", leave=False):
        for label, cases in lab.material.cases.items():
            if method == RANDOM:
                module = lab.controls(method, label, 0, layer)
            else:
                module = lab.modules(method, layer=layer, beta=beta)[label]
            row: dict[str, object] = {
                "layer": module.facts.layer,
                "method": method,
                "beta": beta,
                "class": label,
            }
            if method in METHODS:
                row |= _faithful(lab, module, layer)
            rows.append(row | measures(heat_maps(lab.net, module, cases), cases))
    return pd.DataFrame(rows)


EXPERIMENTS: Mapping[str, Callable[[Laboratory], pd.DataFrame]] = {
    "table": table1,
    "x_features": figure7,
    "variants": variants,
    "degenerate": figure8,
    "masked": table3,
    "shift": figure10,
    "lasso": table2,
}
"""By attribute of :class:`Reproduction`, what finds it."""


def reproduce(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = drawn_birds,
    recompute: bool = False,
    cache: bool | str | Path = True,
) -> Reproduction:
    """All experiments, or what was saved of them.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept, table by table, so that what was interrupted goes on; what
            is there is not computed again. ``None`` keeps nothing.
        source: see :class:`Laboratory`.
        recompute: whether to start anew.
        cache: see :class:`Laboratory`.

    Returns:
        All tables.

    Raises:
        ValueError: for an unknown setting, or a folder that holds the results of another one.

    Example:
        >>> tiny = Setting("tiny", (3,), 1, 100, 1, 1, 1, counts=(), allowed=(5,), variants=())
        >>> found = reproduce(tiny)
        >>> len(found.table), found.x_features["mark"].unique().tolist()
        (8, ['beak'])
    """
    *_, found = steps(setting, folder, source=source, recompute=recompute, cache=cache)
    return found


def steps(
    setting: str | Setting = "small",
    folder: str | Path | None = None,
    *,
    source: Source = drawn_birds,
    recompute: bool = False,
    cache: bool | str | Path = True,
) -> Iterator[Reproduction]:
    """The result of :func:`reproduce` as it grows, one step a table; those to come are empty.

    The arguments are those of :func:`reproduce`, checked at once. Closing the generator cancels.

    Example:
        >>> growing = steps("small")
        >>> growing.close()
    """
    lab = Laboratory(setting, folder, source, cache)
    if lab.kept is not None and recompute:
        lab.kept.clear()
    return steps_of(lab)


def steps_of(lab: Laboratory) -> Iterator[Reproduction]:
    """The same of a laboratory, whose modules are there afterwards."""
    done = {} if lab.kept is None else lab.kept.load()
    for name, experiment in EXPERIMENTS.items():
        if name not in done:
            done[name] = experiment(lab).round(5)
            if lab.kept is not None:
                lab.kept.save(name, done[name])
        yield Reproduction(*(done.get(one, pd.DataFrame()) for one in Reproduction._fields))


class _Folder:
    """Where results are kept: tables, the modules of pictures, and what they are of."""

    def __init__(self, folder: Path, setting: Setting, source: Source) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, setting.name
        self._facts = folder / f"{setting.name}.json"
        self._setting = json.loads(json.dumps(asdict(setting) | {"source": source.__qualname__}))

    def table(self, name: str) -> Path:
        return self._folder / f"{self._name}-{name}.csv"

    def module(self, method: str, label: int, seed: int, n: int | None) -> Path:
        self._check()
        count = "" if n is None else f"-{n}"
        return self._folder / f"{self._name}-{method}{count}-{label}-{seed}.safetensors"

    def load(self) -> dict[str, pd.DataFrame]:
        """The tables that are there."""
        self._check()
        paths = {name: self.table(name) for name in EXPERIMENTS}
        return {name: _read(path) for name, path in paths.items() if path.exists()}

    def save(self, name: str, table: pd.DataFrame) -> None:
        with whole(self._facts) as part:
            part.write_text(json.dumps(self._setting, indent=1) + "\n", "utf-8")
        with whole(self.table(name)) as part:
            table.to_csv(part, index=False)

    def _check(self) -> None:
        if self._facts.exists() and json.loads(self._facts.read_text("utf-8")) != self._setting:
            raise ValueError(
                f"{str(self._facts)!r} is of another setting called {self._name!r}, or of other "
                "images; take another folder, or start anew with recompute=True"
            )

    def clear(self) -> None:
        """Forget the results of a setting of this name."""
        self._facts.unlink(missing_ok=True)
        for pattern in (f"{self._name}-*.csv", f"{self._name}-*.safetensors"):
            for path in self._folder.glob(pattern):
                path.unlink()


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # a table without rows
        return pd.DataFrame()
