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
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache as cached
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from xwidgets.errors import unknown
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.excitation_backprop import excitation_backprop
from xwidgets.explain.explanation_fit import fit_explanation
from xwidgets.explain.explanation_module import METHODS, ExplanationModule, Facts, encoder_of
from xwidgets.explain.features import Features, feature_layer, read_features
from xwidgets.explain.x_features import x_features, x_features_each
from xwidgets.networks import Network
from xwidgets.results.result import versions

from .cases import KINDS, Case, Material, Source, drawn_birds
from .faithfulness import faithfulness_to
from .locality import locality, part_shares
from .masked_classification import masked_classification, union_map
from .orthogonality import orthogonality

Z = "z"
"""What stands beside the methods in Table 1: single dimensions of the layer that is explained."""
EXCITATION = "excitation"
"""And one heat map by c-MWP of the class's score itself."""
SAMPLED = 10
"""How many dimensions of Z are looked at for each class."""
GAMMAS = (0.01, 0.05, 0.1, 0.3)
ALLOWED = (3, 5, 10, 20, 50, 100)
"""How many features of Z the Lasso may choose at most (Table 2a)."""
VARIANTS: tuple[tuple[str | None, str, float], ...] = (
    *((None, "srae", beta) for beta in (0.01, 0.1, 1.0, 10.0)),
    *((None, "sae", beta) for beta in (0.1, 1.0)),
    (None, "nn", 0.0),
    ("avgpool", "srae", 0.1),
    ("avgpool", "srae", 1.0),
    ("avgpool", "nn", 0.0),
)
"""Layer, method and beta of what is compared to see why: see :func:`variants`."""

PUBLISHED = pd.DataFrame(
    {
        "f_reg_learned": (0.0831, 0.0657, 0.0987, 3.9202, 3.8039, None, None),
        "f_reg_fresh": (0.1539, 0.1170, 0.1928, 3.8216, 3.7028, None, None),
        "f_cls_learned": (0.9999, 0.9999, 0.9999, 0.6238, 0.7182, None, None),
        "f_cls_fresh": (0.9999, 0.9999, 0.9998, 0.6721, 0.6833, None, None),
        "o1": (0.6141, 0.8851, 0.7161, 0.5755, 1.1407, None, None),
        "o2": (2.0790, 3.6483, 2.7710, 1.7585, 2.8632, None, None),
        "voronoi": (1.9694, 2.3078, 2.1492, 1.9989, 2.0941, 1.9623, 2.4937),
    },
    index=[*METHODS, Z, EXCITATION],
)
"""The paper's Table 1 (a), of 30 classes of CUB-200-2011 and a VGG-19."""

PUBLISHED_LASSO = pd.DataFrame(
    {
        "chosen": (8, 21, 68, 232),
        "f_reg_learned": (3.80, 3.06, 1.86, 1.00),
        "f_reg_fresh": (3.70, 2.99, 1.84, 1.03),
    },
    index=pd.Index((2.5, 1.5, 0.5, 0.1), name="penalty"),
)
"""Table 2 (a); the first two numbers of features are hard to read in the copy at hand."""

PUBLISHED_MASKED = pd.DataFrame(
    {
        "x-features": (0.8762, 0.8428, 0.7771, 0.4097),
        EXCITATION: (0.7921, 0.6742, 0.5481, 0.1832),
        "original": 0.8798,
    },
    index=pd.Index(GAMMAS, name="gamma"),
)
"""Table 3, of which Table 2 (b) is the row of 5 %."""


@dataclass(frozen=True)
class Setting:
    """How large the experiments are.

    Attributes:
        name: what the files of results are called.
        classes: those that are explained.
        seeds: how often each module is fitted.
        images: how many modules are fitted to, at most.
        cases: how many pictures of each class the heat maps are measured on.
        masked: how many of these are masked and classified again.
        epochs: how often each image is learned from at most.
        features: n, the number of x-features.
        counts: the other n of Figure 8.
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
    variants: tuple[tuple[str | None, str, float], ...] = VARIANTS


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("small", (2, 3, 8, 9), 1, 1_000, 15, 3, 30, counts=(9,), variants=VARIANTS[1:7:5]),
        Setting("full", tuple(range(20)), 3, 3_000, 35, 12),
    )
}
"""``"small"`` takes about a minute of one core, ``"full"`` about an hour."""


class Reproduction(NamedTuple):
    """What came out: tables with a row for each class and seed, and what else is said.

    Attributes:
        table: pd.DataFrame 1 (a), by ``method``: see :func:`table1`.
        lasso: pd.DataFrame 2 (a), by how many features are ``allowed``: see :func:`table2`.
        masked: Tables 2 (b) and 3, by ``maps`` and ``gamma``: see :func:`table3`.
        twins: Figure 6: see :func:`figure6`.
        degenerate: Figure 8, by ``method`` and ``n``: see :func:`figure8`.
        shift: Figure 10, by ``maps``: see :func:`figure10`.
        variants: pd.DataFrame 1 (a) of other layers and other beta: see :func:`variants`.
    """

    table: pd.DataFrame
    lasso: pd.DataFrame
    masked: pd.DataFrame
    twins: pd.DataFrame
    degenerate: pd.DataFrame
    shift: pd.DataFrame
    variants: pd.DataFrame


class Laboratory:
    """The material of a setting, and the modules that are fitted to it, each once.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        source: where images come from: drawn birds, or
            :func:`xwidgets.evaluate.cases.cub_birds` with your own network.
        cache: the same as for :func:`xwidgets.fit_explanation`.

    Raises:
        ValueError: for an unknown setting.

    Example:
        >>> tiny = Setting("tiny", (3,), 1, 300, 2, 1, epochs=2)
        >>> Laboratory(tiny).modules("srae")
        {3: <ExplanationModule: 5 x-features by srae of classifier.0 for 'Briar ...' (birds)>}
    """

    def __init__(
        self,
        setting: str | Setting = "small",
        source: Source = drawn_birds,
        cache: bool | str | Path = True,
    ) -> None:
        self.setting = the_setting(setting)
        self._cache = cache
        self.material: Material = source(
            self.setting.classes, self.setting.images, self.setting.cases
        )
        self.net = self.material.net
        self.features = cached(self._features)
        self.modules = cached(self._modules)

    def _features(self, name: str, layer: str | None = None) -> Features:
        """The features of ``"images"`` or of ``"fresh"`` ones."""
        data = DataSet(self.net, getattr(self.material, name))
        where = feature_layer(self.net, layer)
        *_, (_, features) = read_features(self.net, data, where, self._cache)
        assert features is not None
        return features

    def _modules(
        self,
        method: str,
        n: int | None = None,
        seed: int = 0,
        layer: str | None = None,
        beta: float = 0.1,
    ) -> dict[int, ExplanationModule]:
        """By class."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\d+ images are fewer than")
            found = fit_explanation(
                self.net, self.material.images, self.setting.classes, layer,
                n or self.setting.features, method, seed, cache=self._cache, progress=False,
                beta=beta, epochs=self.setting.epochs,
            )  # fmt: skip
        return dict(zip(self.setting.classes, found, strict=True))

    def dimensions(self, label: int, seed: int) -> ExplanationModule:
        """Some dimensions of Z, active for images of the class, as if they were x-features."""
        features = self.features("images")
        mine = features.values[features.scores.argmax(1) == label]
        (active,) = (mine > 0).any(0).nonzero()
        some = np.random.default_rng([seed, label]).permutation(active)[:SAMPLED]
        facts = Facts(
            self.net.name, features.layer, label, self.net.class_name(label), Z, {"seed": seed}, {},
            versions(),
        )  # fmt: skip
        like = torch.zeros(1, device=self.net.device, dtype=self.net.dtype)
        return ExplanationModule(
            facts,
            encoder_of(torch.from_numpy(np.sort(some)).to(like.device), []),
            like.new_ones(len(some)),
            like.new_zeros(()),
        )

    def seeds(self, what: str) -> Iterator[int]:
        """The numbers of the repetitions, with a progress bar."""
        return iter(tqdm(range(self.setting.seeds), desc=what, leave=False))


def the_setting(setting: str | Setting) -> Setting:
    """A setting by name.

    Raises:
        ValueError: when there is none of that name.
    """
    if isinstance(setting, Setting):
        return setting
    if setting not in SETTINGS:
        raise unknown("setting", setting, SETTINGS)
    return SETTINGS[setting]


class Look(NamedTuple):
    """What x-features, or the score itself, see in N cases.

    Attributes:
        maps: ``(N, n, H, W)``.
        contributions: ``(N, n)``, v_i E_i.
    """

    maps: NDArray[np.float32]
    contributions: NDArray[np.float32]

    @property
    def weighted(self) -> NDArray[np.float32]:
        """``(N, H, W)``: the mean of each case's maps, weighted by what they add to the score."""
        weights = self.contributions.clip(min=0)
        weights = weights / weights.sum(1, keepdims=True).clip(min=1e-12)
        found: NDArray[np.float32] = np.einsum("kn,knij->kij", weights, self.maps)
        return found


def look(net: Network, module: ExplanationModule, cases: Sequence[Case]) -> Look:
    """What the x-features of a module see."""
    found = list(x_features_each(net, module, [case.image for case in cases]))
    return Look(*(np.stack([getattr(one, name) for one in found]) for name in Look._fields))


def look_of_score(net: Network, label: int, cases: Sequence[Case]) -> Look:
    """What c-MWP of the class's score itself sees, as if it were a single x-feature."""
    maps = [excitation_backprop(net, case.image, label).values[None] for case in cases]
    return Look(np.stack(maps), np.ones((len(cases), 1), np.float32))


def measures(seen: Look, cases: Sequence[Case]) -> dict[str, float]:
    """The measures of Table 1 (a) that are of heat maps.

    Returns:
        ``o1`` and ``o2``; ``correlation``, the mean of two x-features' maps; ``voronoi`` and
        ``masks``, the locality by either kind of parts, where they are known; ``ever``, how many
        x-features are active for some case; ``positive``, how many add to the score of a case;
        ``silent``, the share of maps that are zero everywhere.

    Example:
        >>> case = drawn_birds([3], 1, 1).cases[3][0]
        >>> seen = Look(case.parts()["masks"][None, [1, 3]], np.array([[2, -1]], np.float32))
        >>> found = measures(seen, [case])
        >>> round(found["correlation"], 2), found["masks"], found["positive"], found["silent"]
        (-0.02, 0.0, 1.0, 0.0)
    """
    pairs = orthogonality(seen.maps)
    ever = ~np.isnan(pairs.correlations.diagonal())
    others = pairs.correlations[ever][:, ever][~np.eye(ever.sum(), dtype=bool)]
    parts = [case.parts() for case in cases]
    found = {"o1": pairs.o1, "o2": pairs.o2, "correlation": _mean(others)}
    for kind in KINDS:
        shares = [
            part_shares(maps, known[kind])
            for maps, known in zip(seen.maps, parts, strict=True)
            if kind in known
        ]
        found[kind] = locality(shares).mean if shares else np.nan
    return found | {
        "ever": float(ever.sum()),
        "positive": float((seen.contributions > 0).sum(1).mean()),
        "silent": float(pairs.silent.sum() / seen.contributions.size),
    }


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else np.nan


def _faithful(lab: Laboratory, module: ExplanationModule, layer: str | None) -> dict[str, float]:
    """F_reg, as it is and as a share of the scores' standard deviation, and F_cls."""
    found = {}
    for name, where in (("learned", "images"), ("fresh", "fresh")):
        one = faithfulness_to(module, lab.features(where, layer))
        found |= {
            f"f_reg_{name}": one.f_reg,
            f"f_share_{name}": one.f_reg / one.spread,
            f"f_cls_{name}": one.f_cls,
        }
    return found


def table1(lab: Laboratory, methods: Sequence[str] = (*METHODS, Z, EXCITATION)) -> pd.DataFrame:
    """Table 1 (a): faithfulness, orthogonality and locality.

    Returns:
        A row for each ``method``, ``seed`` and ``class``: ``f_reg`` and ``f_cls`` on the images
        that modules were fitted to (``_learned``) and on others (``_fresh``), ``f_share``, which is
        f_reg in standard deviations of the score, and :func:`measures`. Single dimensions of Z have
        only a locality, and so has ``excitation``, which depends on no seed.
    """
    rows = []
    for method in methods:
        seeds = (0,) if method == EXCITATION else lab.seeds(f"Table 1, {method}")
        for seed in seeds:
            for label, cases in lab.material.cases.items():
                row: dict[str, object] = {"method": method, "seed": seed, "class": label}
                if method in METHODS:
                    module = lab.modules(method, seed=seed)[label]
                    seen = look(lab.net, module, cases)
                    row |= _faithful(lab, module, None) | measures(seen, cases)
                elif method == Z:
                    seen = look(lab.net, lab.dimensions(label, seed), cases)
                    row |= _only_local(seen, cases)
                else:
                    row |= _only_local(look_of_score(lab.net, label, cases), cases)
                rows.append(row)
    return pd.DataFrame(rows)


def _only_local(seen: Look, cases: Sequence[Case]) -> dict[str, float]:
    found = measures(seen, cases)
    return {name: found[name] for name in (*KINDS, "silent")}


def table2(lab: Laboratory, allowed: Sequence[int] = ALLOWED) -> pd.DataFrame:
    """Table 2 (a): the Lasso with more and more features of Z, by smaller and smaller penalties.

    Returns:
        A row for each number of features that are ``allowed`` and each ``class``: how many were
        ``chosen``, with what ``penalty``, and how faithful they are.
    """
    rows = []
    for n in tqdm(allowed, desc="Table 2, the Lasso", leave=False):
        for label, module in lab.modules("lasso", n).items():
            facts = {"penalty": module.facts.parameters["penalty"], "chosen": len(module.weights)}
            row = {"allowed": n, "class": label, **facts, **_faithful(lab, module, None)}
            rows.append(row)
    return pd.DataFrame(rows)


def table3(lab: Laboratory, gammas: Sequence[float] = GAMMAS) -> pd.DataFrame:
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
            unions = np.stack([union_map(maps) for maps in look(lab.net, module, cases).maps])
            score = look_of_score(lab.net, label, cases).maps[:, 0]
            lot = np.stack(
                [_smooth_noise(unions.shape[1:], (seed, label, n)) for n in range(len(cases))]
            )
            for gamma in gammas:
                areas = ((unions >= gamma) & (unions > 0)).sum((1, 2))
                kinds = {
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
    """1 where a map ``(N, H, W)`` has its highest values, this many, and 0 elsewhere."""
    flat = maps.reshape(len(maps), -1)
    ranks = np.argsort(np.argsort(-flat, 1, kind="stable"), 1)
    found = ((ranks < counts[:, None]) & (flat > 0)).astype(np.float32)
    return np.asarray(found.reshape(maps.shape))


def _smooth_noise(size: Sequence[int], seed: Sequence[int]) -> NDArray[np.float64]:
    """Noise about as smooth as the heat maps, all above 0."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((1, 1, 16, 16)))
    return np.asarray(nn.functional.interpolate(coarse, list(size), mode="bilinear")[0, 0]) + 1e-6


def figure6(lab: Laboratory) -> pd.DataFrame:
    """Figure 6: do x-features look at the part in which a class differs from its twin?

    Returns:
        A row for each ``maps`` (``srae``, ``nn`` or ``excitation``), ``seed`` and ``class``:
        ``part``; ``mass``, the mean share of the maps, weighted by what the x-features add to the
        score, that lies on this part by its true mask; ``area``, the share of the pictures that
        the part covers; ``of_bird``, its share of what is not context. Empty without twins.
    """
    rows = []
    for method in ("srae", "nn", EXCITATION):
        seeds = (0,) if method == EXCITATION else lab.seeds(f"Figure 6, {method}")
        for seed in seeds:
            for label, twin in lab.material.twins.items():
                cases = lab.material.cases[label]
                seen = (
                    look_of_score(lab.net, label, cases)
                    if method == EXCITATION
                    else look(lab.net, lab.modules(method, seed=seed)[label], cases)
                )
                places = list(twin.places)
                parts = np.stack([case.parts()["masks"] for case in cases])
                shares = [
                    part_shares(one[None], known)[0, places].sum()
                    for one, known in zip(seen.weighted, parts, strict=True)
                ]
                covered = parts.mean((2, 3))
                bird = 1 - covered[:, -1]
                rows.append(
                    {
                        "maps": method,
                        "seed": seed,
                        "class": label,
                        "twin": twin.label,
                        "part": twin.part,
                        "mass": float(np.nanmean(shares)),
                        "area": float(covered[:, places].sum(1).mean()),
                        "of_bird": float((covered[:, places].sum(1) / bird).mean()),
                    }
                )
    return pd.DataFrame(rows)


def figure8(lab: Laboratory) -> pd.DataFrame:
    """Figure 8: are the x-features of NN alike, and are only a few positive?

    Returns:
        A row for each ``method`` (``srae`` and ``nn``), ``n``, ``seed`` and ``class``:
        :func:`measures`, ``largest``, the highest correlation of two x-features' maps, and
        ``alike``, the share of pairs correlated above 0.9.
    """
    rows = []
    for method in ("srae", "nn"):
        for n in sorted({lab.setting.features, *lab.setting.counts}):
            for seed in lab.seeds(f"Figure 8, {method} with {n}"):
                for label, module in lab.modules(method, n, seed).items():
                    cases = lab.material.cases[label]
                    seen = look(lab.net, module, cases)
                    pairs = orthogonality(seen.maps).correlations[np.triu_indices(n, 1)]
                    pairs = pairs[~np.isnan(pairs)]
                    rows.append(
                        {
                            "method": method,
                            "n": n,
                            "seed": seed,
                            "class": label,
                            **measures(seen, cases),
                            "largest": float(pairs.max()) if len(pairs) else np.nan,
                            "alike": _mean(pairs > 0.9),
                        }
                    )
    return pd.DataFrame(rows)


SHIFT, DIM = 0.5, 0.8
"""How much is added to all pixels, in standard deviations of the network's normalisation, and how
much the pictures are darkened before, so that they stay in [0, 1]."""


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
    for label, module in lab.modules("srae").items():
        found: dict[str, list[tuple[float, float]]] = {}
        scores = []
        for case in lab.material.cases[label]:
            before, after = (
                _three_maps(net, module, DIM * case.image + shift)
                for net, shift in ((lab.net, 0.0), (shifted, offset))
            )
            scores.append(abs(before.score - after.score))
            for name, one in before.maps.items():
                found.setdefault(name, []).append(_agreement(one, after.maps[name]))
        rows += [
            {
                "class": label, "maps": name, "correlation": np.mean([one for one, _ in pairs]),
                "difference": np.mean([other for _, other in pairs]), "score": np.mean(scores),
            }
            for name, pairs in found.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)


class _ThreeMaps(NamedTuple):
    score: float
    maps: dict[str, NDArray[np.floating]]


def _three_maps(net: Network, module: ExplanationModule, image: Tensor) -> _ThreeMaps:
    found = x_features(net, module, image)
    target = module.facts.target
    watched = net.watched(image[None])
    (gradient,) = torch.autograd.grad(watched.logits[0, target], watched.pixels)
    product = (gradient * watched.pixels.detach())[0].sum(0)
    return _ThreeMaps(
        found.score,
        {
            "x-features": found.maps,
            EXCITATION: excitation_backprop(net, image, target).values,
            "gradient * input": product.float().cpu().numpy(),
        },
    )


def _agreement(one: NDArray[np.floating], other: NDArray[np.floating]) -> tuple[float, float]:
    """The correlation of two maps, and their largest difference in shares of the maximum."""
    largest = np.abs(one).max()
    difference = float(np.abs(one - other).max() / largest) if largest else 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]), difference


def shifted_network(net: Network) -> tuple[Network, Tensor]:
    """A network that takes pixels to which a constant is added, and takes it off in its first bias.

    The constant is the same multiple of the normalisation's standard deviation for every colour, so
    that the frame of zeros that a convolution pads with can be shifted along.

    Returns:
        The network, and the constant ``(C, 1, 1)`` to add to its images.

    Raises:
        ValueError: when the first layer is not a convolution that pads with zeros.

    Example:
        >>> from xwidgets import network, scenes
        >>> net, image = network("birds"), scenes.bird(seed=3).image[None]
        >>> shifted, offset = shifted_network(net)
        >>> torch.allclose(net(DIM * image), shifted(DIM * image + offset), atol=1e-4)
        True
    """
    module = deepcopy(net.module)
    place = next((name for name, one in module.named_modules() if isinstance(one, nn.Conv2d)), "")
    first = module.get_submodule(place)
    if not (
        isinstance(first, nn.Conv2d)
        and first.padding_mode == "zeros"
        and isinstance(first.padding, tuple)
    ):
        raise ValueError(
            f"{net.name} does not begin with a convolution that pads with zeros; nothing can be "
            "shifted in it"
        )
    weight = first.weight.detach()
    bias = weight.new_zeros(len(weight)) if first.bias is None else first.bias.detach()
    first.bias = nn.Parameter(bias - SHIFT * weight.sum((1, 2, 3)), requires_grad=False)
    height, width = first.padding
    first.padding = (0, 0)
    module.set_submodule(
        place, nn.Sequential(nn.ConstantPad2d((width, width, height, height), SHIFT), first)
    )
    mean, std = (part.tolist() for part in net._normalize or torch.tensor([[0.0] * 3, [1.0] * 3]))
    shifted = Network(
        module,
        normalize=None if net._normalize is None else (mean, std),
        size=net.size,
        classes=net.classes,
        name=net.name,
    )
    return shifted, SHIFT * torch.tensor(std)[:, None, None]


def variants(lab: Laboratory) -> pd.DataFrame:
    """Table 1 (a) of SRAE and others with other beta, and of a layer before: what makes the
    difference?

    Returns:
        Rows as of :func:`table1` for the first seed, by ``layer``, ``method`` and ``beta``.
    """
    rows = []
    for layer, method, beta in tqdm(lab.setting.variants, desc="variants", leave=False):
        for label, module in lab.modules(method, layer=layer, beta=beta or 0.1).items():
            cases = lab.material.cases[label]
            rows.append(
                {
                    "layer": module.facts.layer,
                    "method": method,
                    "beta": beta,
                    "class": label,
                    **_faithful(lab, module, layer),
                    **measures(look(lab.net, module, cases), cases),
                }
            )
    return pd.DataFrame(rows)


EXPERIMENTS: Mapping[str, Callable[[Laboratory], pd.DataFrame]] = {
    "table": table1,
    "lasso": table2,
    "masked": table3,
    "twins": figure6,
    "degenerate": figure8,
    "shift": figure10,
    "variants": variants,
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
        >>> tiny = Setting("tiny", (2, 3), 1, 300, 2, 1, epochs=2, counts=(), variants=())
        >>> found = reproduce(tiny)
        >>> len(found.table), found.twins["part"].unique().tolist()
        (14, ['beak'])
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
    chosen = the_setting(setting)
    kept = None if folder is None else _Folder(Path(folder), chosen, source)
    done = {} if kept is None or recompute else kept.load()
    return _steps(chosen, kept, done, source, cache)


def _steps(
    setting: Setting,
    kept: "_Folder | None",
    done: dict[str, pd.DataFrame],
    source: Source,
    cache: bool | str | Path,
) -> Iterator[Reproduction]:
    lab = None
    for name, experiment in EXPERIMENTS.items():
        if name not in done:
            lab = lab or Laboratory(setting, source, cache)
            done[name] = experiment(lab).round(5)
            if kept is not None:
                kept.save(name, done[name])
        yield Reproduction(*(done.get(one, pd.DataFrame()) for one in Reproduction._fields))


class _Folder:
    """Where results are kept: tables, and what they are of."""

    def __init__(self, folder: Path, setting: Setting, source: Source) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._facts = folder / f"{setting.name}.json"
        self._tables = {name: folder / f"{setting.name}-{name}.csv" for name in EXPERIMENTS}
        facts = asdict(setting) | {"source": source.__qualname__}
        self._setting = json.loads(json.dumps(facts))

    def load(self) -> dict[str, pd.DataFrame]:
        """The tables that are there."""
        if not self._facts.exists():
            return {}
        if json.loads(self._facts.read_text("utf-8")) != self._setting:
            raise ValueError(
                f"{str(self._facts)!r} is of another setting called {self._setting['name']!r}, or "
                "of other images; take another folder, or start anew with recompute=True"
            )
        return {name: _read(path) for name, path in self._tables.items() if path.exists()}

    def save(self, name: str, table: pd.DataFrame) -> None:
        table.to_csv(self._tables[name], index=False)
        self._facts.write_text(json.dumps(self._setting, indent=1) + "\n", "utf-8")


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # a table without rows
        return pd.DataFrame()
