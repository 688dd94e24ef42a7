"""Rankings of neurons by their importance for one prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xwidgets.aliases import formerly
from xwidgets.errors import at_least, number, unknown

from . import numbers, render
from .facts import limits
from .result import Result, versions

METRICS = (
    "activation_precision",
    "output_correlation",
    "activation_sum",
    "activation_variance",
    "weight_sum",
    "weight_variance",
)
"""Measures of a neuron's importance (Lengerich et al. 2017; the last four after Konam 2017)."""


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class Ranking(Result):
    """Importance of the neurons of several layers by six metrics, and their order by one.

    A ranking is the sequence of its best neurons, pairs of a layer's name and a channel, by layer.

    Attributes:
        layers: names of the L layers, in the order of the forward pass.
        convolutions: number of each among the network's convolutions; ``None`` for others.
        layer: int ``(M,)``, place in ``layers`` of each neuron's layer.
        channel: int ``(M,)``, channel of each neuron.
        importance: float64 ``(6, M)``, a row for each of ``METRICS``; NaN where it is undefined.
        activation: float64 ``(M,)``, mean magnitude of the neuron's activations over its map and
            the perturbed images; in files of version 0.1.0 their signed mean.
        maps: 8-bit ``(M, h, w)``, map in the unperturbed image, scaled to a maximum of 255.
        image: the picture, 8-bit ``(H, W, 3)``.
        network_name: name of the network.
        target: the class index, and ``label`` its name.
        parameters: other parameters of the method.
        metric: the one of ``METRICS`` that ranks.
        top: number of best neurons of each layer.
        minimum: for the precision, mean magnitude below which a neuron is not ranked.
        completed: share of the perturbed images behind the numbers.
        versions: of the packages that computed it.

    Example:
        >>> import xwidgets as xw
        >>> ranking = xw.rank_neurons(xw.network("birds"), xw.scenes.bird(seed=3).image, top=2)
        >>> len(ranking), list(ranking.by("output_correlation", top=1).frame().columns)
        (26, ['layer', 'channel', 'value', 'rank'])
    """

    layers: tuple[str, ...] = field(metadata=limits("L"))
    convolutions: tuple[int | None, ...] = field(metadata=limits("L"))
    layer: NDArray[np.int64] = field(metadata=limits("M", least=0))
    channel: NDArray[np.int64] = field(metadata=limits("M", least=0))
    importance: NDArray[np.float64] = field(metadata=limits(f"{len(METRICS)} M", gaps=True))
    activation: NDArray[np.float64] = field(metadata=limits("M"))
    maps: NDArray[np.uint8] = field(metadata=limits("M h w"))
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    network_name: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    metric: str
    top: int
    minimum: float
    completed: float = field(default=1.0, metadata=limits(least=0, most=1))
    versions: Mapping[str, str] = field(default_factory=versions)

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise unknown("metric", self.metric, METRICS)
        at_least("top", self.top, 1)
        number("minimum", self.minimum, lambda least: least >= 0, "of at least 0")

    def by(
        self, metric: str | None = None, top: int | None = None, minimum: float | None = None
    ) -> Ranking:
        """Ranking of the same neurons by another metric, top or minimum, computing nothing anew.

        Raises:
            ValueError: for an unknown metric, a top below 1, a negative minimum, or one that leaves
                no neuron.
        """
        other = replace(
            self,
            metric=self.metric if metric is None else metric,
            top=self.top if top is None else top,
            minimum=self.minimum if minimum is None else minimum,
        )
        if not other.kept.any():
            raise ValueError(
                f"no neuron is as active as minimum = {other.minimum:g}: the largest mean "
                f"magnitude is {numbers.number(self.activation.max())}; give a smaller minimum"
            )
        return other

    @property
    def values(self) -> NDArray[np.float64]:
        """Importance ``(M,)`` of each neuron by the metric that ranks."""
        row: NDArray[np.float64] = self.importance[METRICS.index(self.metric)]
        return row

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Ranks ``(M,)`` within the layer: 1 for the most important; 0 for neurons not ranked.

        Equally important neurons rank in the order of their channels, and those for which the
        metric is undefined last.
        """
        ranks = np.zeros(len(self.layer), np.int64)
        for place in range(len(self.layers)):
            (ranked,) = np.nonzero((self.layer == place) & self.kept)
            order = ranked[np.argsort(-self.values[ranked], kind="stable")]
            ranks[order] = np.arange(1, len(order) + 1)
        return ranks

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Mask ``(M,)`` of the ranked neurons: for the precision, those active enough."""
        if self.metric != "activation_precision":
            return np.ones(len(self.layer), bool)
        return self.activation >= self.minimum

    @property
    def remaining(self) -> dict[str, int]:
        """Number of ranked neurons of each layer, by its name."""
        counts = np.bincount(self.layer[self.kept], minlength=len(self.layers))
        return dict(zip(self.layers, counts.tolist(), strict=True))

    @property
    def neurons(self) -> list[tuple[str, int]]:
        """Best neurons, pairs of a layer's name and a channel, by layer and rank."""
        return [(self.layers[self.layer[at]], int(self.channel[at])) for at in self._best]

    def frame(self) -> pd.DataFrame:
        """Table of the best neurons: layer, channel, value, and rank (1 is the best)."""
        best = self._best
        return pd.DataFrame(
            {
                "layer": [self.layers[place] for place in self.layer[best]],
                "channel": self.channel[best],
                "value": self.values[best],
                "rank": self.ranks[best],
            }
        )

    @property
    def _best(self) -> NDArray[np.int64]:
        (chosen,) = np.nonzero((self.ranks > 0) & (self.ranks <= self.top))
        order = np.lexsort((self.ranks[chosen], self.layer[chosen]))
        best: NDArray[np.int64] = chosen[order]
        return best

    @property
    def title(self) -> str:
        """One-line description."""
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        metric = self.metric.replace("_", " ")
        return f"neurons by {metric} for {self.label!r} ({self.network_name}){share}"

    def _fault(self) -> str | None:
        if not self.layer.max() < len(self.layers):
            return "its layers are not those of its neurons"
        return None

    def __len__(self) -> int:
        return len(self._best)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.neurons)

    @overload
    def __getitem__(self, place: int) -> tuple[str, int]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, int]]: ...

    def __getitem__(self, place: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        return self.neurons[place]

    def _repr_html_(self) -> str:
        return render.table(self.title, self.frame())

    def __repr__(self) -> str:
        return f"<Ranking of {len(self.layer)} {self.title}>"
