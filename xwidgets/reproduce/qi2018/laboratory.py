"""Settings, images and fitted modules that the experiments of Qi et al. 2018 share.

Every class and every seed has its own modules; the seed decides the weights that training starts
with and which images stop it.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as cached
from functools import cached_property
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from xwidgets.errors import of_kind
from xwidgets.explain.data_set import DataSet, cache_folder
from xwidgets.explain.explanation_module import METHODS, ExplanationModule, Facts, encoder_of
from xwidgets.explain.explanation_module.features import Features, feature_layer, read_features
from xwidgets.explain.explanation_module.fit import fit_explanation
from xwidgets.explain.explanation_module.sparsity import SPARSITIES
from xwidgets.explain.explanation_module.training import Training
from xwidgets.networks import Network
from xwidgets.reproduce.repetitions import progress
from xwidgets.reproduce.saved import SavedTables
from xwidgets.reproduce.setting import NamedSetting, by_name, check_source, chosen
from xwidgets.results.result import versions

from .cases import Material, Source, drawn_birds

Z = "z"
"""What stands beside the methods in Table 1: single dimensions of the layer that is explained."""
EXCITATION = "excitation"
"""And one heat map by c-MWP of the class's score itself."""
RANDOM = "random"
"""And x-features whose encoder has random weights, which learned nothing."""
COLUMNS = (*METHODS, Z, EXCITATION, RANDOM)
VARIANTS: tuple[tuple[str | None, str, float], ...] = (
    (None, "srae", 0.01),
    (None, "srae", 1.0),
    ("avgpool", "srae", 0.1),
    ("avgpool", "nn", 0.1),
    ("avgpool", RANDOM, 0.0),
)
"""Layer, method and beta of what :func:`xwidgets.reproduce.qi2018.variants` compares."""


class Trial(NamedTuple):
    """A method, and the values of one of its options of which cross-validation takes the best.

    Attributes:
        method: one of :data:`xwidgets.explain.explanation_module.METHODS`.
        sparsity: penalty of SRAE; ``"none"`` for other methods.
        option: attribute of :class:`xwidgets.explain.Training`, or ``"n"``, how many x-features
            there may be at most.
        values: of the option.
    """

    method: str
    sparsity: str
    option: str
    values: tuple[float, ...]

    def options(self, value: float) -> dict[str, Any]:
        """Options of a fit with one of the values."""
        sparsity = {} if self.sparsity == "none" else {"sparsity": self.sparsity}
        return sparsity | {self.option: value}


_BETA, _DECAY = (0.01, 0.1, 1.0), (1e-5, 1e-4, 1e-3)
TUNED = (
    *(Trial("srae", sparsity, "beta", _BETA) for sparsity in SPARSITIES),
    Trial("sae", "none", "beta", _BETA),
    Trial("nn", "none", "weight_decay", _DECAY),
    Trial("cae", "none", "weight_decay", _DECAY),
    Trial("lasso", "none", "n", (3, 4, 5)),
)
"""What :func:`xwidgets.reproduce.qi2018.tuned` tries: values are choices of this package."""


@dataclass(frozen=True)
class Setting(NamedSetting):
    """How large the experiments are.

    Attributes:
        name: what files of results begin with.
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
        tuned: see :data:`TUNED`.
        tuned_classes: those whose methods are tuned.
        folds: of how many parts of the images one is left out in cross-validation.
    """

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
    tuned: tuple[Trial, ...] = TUNED
    tuned_classes: tuple[int, ...] = (2, 3, 8, 9, 12, 13)
    folds: int = 3


SETTINGS = by_name(
    Setting(
        "small",
        (2, 3, 8, 9),
        2,
        1_000,
        15,
        3,
        30,
        counts=(9,),
        variants=VARIANTS[1:2],
        tuned=(TUNED[0], *TUNED[-4:]),
        tuned_classes=(2, 3, 8, 9),
    ),
    Setting("full", tuple(range(20)), 3, 2_000, 15, 3),
)
"""``"small"`` takes about four minutes of one core, ``"full"`` three quarters of an hour."""


class Laboratory:
    """The material of a setting, and the modules that are fitted to it, each once.

    Args:
        setting: ``"small"``, ``"full"`` or one of your own.
        folder: where results are kept; ``None`` keeps nothing.
        source: where images come from: drawn birds, or
            :func:`xwidgets.reproduce.qi2018.cases.cub_birds` with your own network.
        cache: the same as for :func:`xwidgets.fit_explanation`.
        recompute: whether to remove what the folder holds of this setting.

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
        recompute: bool = False,
    ) -> None:
        self.setting = chosen(setting, SETTINGS)
        check_source(source)
        cache_folder(cache, "features")
        self.saved = SavedTables(folder, self.setting, recompute, source=source.__qualname__)
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
        """Fitted modules by class; ``n`` is that of the setting by default."""
        return self._fitted(method, n or self.setting.features, seed, layer, beta)

    def _fit(
        self, method: str, n: int, seed: int, layer: str | None, beta: float
    ) -> dict[int, ExplanationModule]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\d+ images are fewer than")
            modules = fit_explanation(
                self.net, self.material.images, self.setting.classes, layer, n, method, seed,
                cache=self._cache, progress=False, beta=beta, epochs=self.setting.epochs,
            )  # fmt: skip
        return dict(zip(self.setting.classes, modules, strict=True))

    def module(
        self, method: str, label: int, seed: int = 0, n: int | None = None
    ) -> ExplanationModule:
        """One of the modules for a picture, kept in the folder once it was fitted."""
        count = "" if n is None else f"-{n}"
        return self.saved.kept(
            f"-{method}{count}-{label}-{seed}.safetensors",
            lambda: self.modules(method, n, seed)[label],
            ExplanationModule.load,
            _save_encoder,
        )

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
            layers = [
                (torch.from_numpy(matrix).to(like), like.new_zeros(len(matrix)))
                for matrix in weights
            ]
            encoder = encoder_of(None, layers)
        return ExplanationModule(facts, encoder, like.new_ones(n), like.new_zeros(()))

    def seeds(self, what: str) -> Iterator[int]:
        """The numbers of the repetitions, with a progress bar."""
        return progress(range(self.setting.seeds), what)


def _save_encoder(module: ExplanationModule, path: Path) -> None:
    """Without the decoder, which no picture needs."""
    ExplanationModule(module.facts, module.encoder, module.weights, module.intercept).save(path)


def a_laboratory(lab: object) -> None:
    """Check that ``lab`` is one.

    Raises:
        ValueError: when it is not.
    """
    of_kind("lab", lab, Laboratory, "a Laboratory, such as qi2018.Laboratory('small')")
