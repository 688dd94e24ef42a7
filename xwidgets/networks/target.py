"""Targets of explanations: the score of a class, a channel of a layer, or one of its units.

A target is a value. Methods ask it for its score in a pass and for its name, and do not know which
kind it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from xwidgets.errors import index_within, of_kind

from ._network import Network, Watched
from .evaluation_copy import evaluation_copy
from .forward_trace import BackwardRule, ForwardTrace
from .operation_table import Kind


@dataclass(frozen=True)
class Class:
    """The score of a class before softmax.

    Args:
        index: of the class.
    """

    index: int

    unit = "logits"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations a pass must keep: none."""
        return ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts that a result tells beside index and label."""
        return {}

    def label(self, net: Network) -> str:
        """The name of the class."""
        return net.class_name(self.index)

    def units(self, watched: Watched) -> Tensor:
        """``(N, K)``: the scores among which this one is."""
        return watched.logits

    def score(self, watched: Watched) -> Tensor:
        """``(N,)``: this score."""
        return watched.logits[:, self.index]


@dataclass(frozen=True)
class _Hidden:
    """A part of a layer."""

    unit = "activation"
    layer: str | int
    index: int | None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations a pass must keep."""
        return (str(self.layer),)

    def among(self, activations: Tensor) -> Tensor:
        """``(N, C, H, W)`` or ``(N, C)``: those of a layer's activations of which this is one."""
        return activations

    def units(self, watched: Watched) -> Tensor:
        """``(N, C, H, W)`` or ``(N, C)``: the maps or units among which this one is."""
        return self.among(watched.activations[str(self.layer)])

    def score(self, watched: Watched) -> Tensor:
        """``(N,)``: its activation, or the mean over its map."""
        return means(self.units(watched))[:, self.index]


@dataclass(frozen=True)
class Channel(_Hidden):
    """A feature map of a layer, whose score is the mean over its units.

    Args:
        layer: name, or number of a convolution. Activations are read behind the batch norm and the
            rectifier that directly follow it.
        index: the channel; ``None`` for the one that is most active in the image.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> xw.prediction_difference(net, scene.image, Channel(3, 5), samples=1, stride=5).label
        'features.5, channel 5'
    """

    index: int | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts that a result tells beside index and label."""
        return {"layer": self.layer}

    def label(self, net: Network) -> str:
        """Layer and channel."""
        return f"{self.layer}, channel {self.index}"


@dataclass(frozen=True)
class Unit(_Hidden):
    """A single unit of a layer that puts out maps.

    Args:
        layer: name, or number of a convolution; read as of a :class:`Channel`.
        index: its channel.
        row, column: its place in the map.
    """

    index: int
    row: int
    column: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts that a result tells beside index and label."""
        return {"layer": self.layer, "row": self.row, "column": self.column}

    def label(self, net: Network) -> str:
        """Layer, channel and place."""
        return f"{self.layer}, channel {self.index}, row {self.row}, column {self.column}"

    def among(self, activations: Tensor) -> Tensor:
        """``(N, C)``: the units at this place."""
        return activations[:, :, self.row, self.column]


@dataclass(frozen=True)
class Above:
    """A unit of what the caller's own layers make of a layer, such as an encoder of it.

    Args:
        layer: whose output they take, by name or number of a convolution; ``None`` for the logits.
        index: of the unit, or of the channel whose mean counts.
        top: the layers; they return ``(N, K)`` or ``(N, C, H, W)``. ``None`` for no layers.
    """

    layer: str | int | None
    index: int
    top: nn.Module | None = None

    @property
    def unit(self) -> str:
        """Unit of its value."""
        return "logits" if self.layer is None and self.top is None else "activation"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations a pass must keep."""
        return () if self.layer is None else (str(self.layer),)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts that a result tells beside index and label."""
        top = None if self.top is None else type(self.top).__name__
        return {"layer": self.layer, "top": top}

    def label(self, net: Network) -> str:
        """Unit and owner."""
        return f"unit {self.index} of {self._owner}"

    def units(self, watched: Watched) -> Tensor:
        """``(N, K)`` or ``(N, C, H, W)``: the units among which this one is.

        Raises:
            ValueError: when there is no such unit, or the layers do not fit.
        """
        given = watched.logits if self.layer is None else watched.activations[str(self.layer)]
        units = given if self.top is None else through(self.top, given, watched.rules)
        index_within("unit", self.index, units.shape[1], self._owner)
        return units

    def score(self, watched: Watched) -> Tensor:
        """``(N,)``: its value, or the mean over its map."""
        return means(self.units(watched))[:, self.index]

    @property
    def _owner(self) -> str:
        return f"layer {self.layer!r}" if self.top is None else "the top layers"


Resolved = Class | Channel | Unit | Above
"""A target that is known to exist in a network."""

Target = int | str | Class | Channel | Unit | Above | None
"""A class by index or name, ``None`` for the one with the highest score; or a part of a layer."""

Node = Target | tuple[int, int, int]
"""A target; or of a layer that is given beside it a channel, or a unit (channel, row, column)."""


def in_layer(node: Node, layer: str | int | None) -> Target:
    """The target that is meant by a node and the layer that it is of; ``None`` for no layer.

    Raises:
        ValueError: for a unit without a layer.
    """
    if layer is None:
        if isinstance(node, tuple):
            raise ValueError(f"target {node!r} is a unit; say of which layer with layer=name")
        return node
    if isinstance(node, tuple) and len(node) == 3:
        return Unit(layer, *node)
    if isinstance(node, Class | Channel | Unit | Above):
        raise ValueError(f"{node!r} names its layer itself; leave out layer={layer!r}")
    return Channel(layer, cast(int | None, node))


def means(units: Tensor) -> Tensor:
    """``(N, C)``, the mean over each map of ``(N, C, H, W)``; ``(N, C)`` is that already."""
    return units if units.ndim == 2 else units.mean((2, 3))


def layers_of(targets: Sequence[Resolved]) -> list[str]:
    """Names of the layers whose activations a pass must keep for targets, each once."""
    return list(dict.fromkeys(layer for target in targets for layer in target.layers))


def scores(watched: Watched, targets: Sequence[Resolved]) -> Tensor:
    """``(n,)``: the scores of n targets, each in a picture of a pass, the first n in order."""
    each = {target: target.score(watched) for target in dict.fromkeys(targets)}
    return torch.stack([each[target][row] for row, target in enumerate(targets)])


def through(top: nn.Module, features: Tensor, rules: Mapping[Kind, BackwardRule] | None) -> Tensor:
    """Output of layers of the caller's own for a layer of a pass that is watched with ``rules``.

    Raises:
        ValueError: when they cannot take it, or do not return units as finite as they should be.
    """
    of_kind("top", top, nn.Module, "a torch.nn.Module")
    try:
        layers = evaluation_copy(top)
        with torch.inference_mode(False), torch.enable_grad(), ForwardTrace(layers, rules=rules):
            units: object = layers(features)
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"the top layers cannot take features of shape {tuple(features.shape)} and type "
            f"{features.dtype} ({error})"
        ) from error
    if not isinstance(units, Tensor) or units.ndim not in (2, 4) or len(units) != len(features):
        got = tuple(units.shape) if isinstance(units, Tensor) else type(units).__name__
        many = len(features)
        raise ValueError(
            f"the top layers return {got}, but must return ({many}, K) or ({many}, C, H, W)"
        )
    if not units.isfinite().all():
        raise ValueError("the top layers return NaN or infinite values; check their weights")
    return units
