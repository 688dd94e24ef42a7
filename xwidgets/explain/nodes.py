"""The nodes of a network that an explanation is about: class scores, feature maps or units.

A node is averaged over what could have stood in a window, and the relevance of the window is what
its *evidence* loses by that. For a class behind softmax the evidence is the log2 odds of its
probability (equations 4 and 5 of Zintgraf et al. 2016); for any other node it is its value, so that
the difference is their activation difference (equation 9).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from xwidgets.errors import at_least, index_within
from xwidgets.evidence import log_odds, log_odds_slope
from xwidgets.networks import Network

Measure = Literal["evidence", "difference"]

Target = int | str | tuple[int, int, int] | None
"""A class by index or name; or in a layer a channel, or a unit (channel, row, column)."""

UNITS: Mapping[Measure, str] = {"evidence": "bits", "difference": "logits"}


class Nodes(ABC):
    """M nodes of one kind.

    Attributes:
        indices: of each, the class or the channel.
        labels: what they are called.
        unit: of the evidence.
        parameters: what a result is to say of them.
    """

    indices: Sequence[int]
    labels: Sequence[str]
    unit: str
    parameters: Mapping[str, Any]
    _outputs: Tensor

    @cached_property
    def whole(self) -> Tensor:
        """Their evidence ``(1, M)`` in the unchanged image."""
        return self.evidence(self.values(self._outputs))

    @abstractmethod
    def read(self, pixels: Tensor) -> Tensor:
        """Run pixels ``(N, C, H, W)`` and read ``(N, K)`` off the network, in evaluation mode."""

    def values(self, outputs: Tensor) -> Tensor:
        """The nodes' values ``(N, M)``, float64 on the CPU, of what was read."""
        return outputs[:, list(self.indices)].cpu().double()

    def evidence(self, values: Tensor) -> Tensor:
        """Of means of values."""
        return values

    def slope(self, values: Tensor) -> Tensor:
        """How much the evidence grows with the values."""
        return torch.ones_like(values)


class Logits(Nodes):
    """Scores of classes before softmax.

    Args:
        net: the classifier.
        classes: indices.
        logits: ``(1, K)`` of the unchanged image.
    """

    def __init__(self, net: Network, classes: Sequence[int], logits: Tensor) -> None:
        self._net, self._outputs = net, logits
        self.indices = classes
        self.labels = [net.class_name(index) for index in classes]
        self.unit = UNITS["difference"]
        self.parameters = {}

    def read(self, pixels: Tensor) -> Tensor:
        """Logits ``(N, K)``."""
        return self._net.classify(pixels)


class Probabilities(Logits):
    """Classes behind softmax.

    Args:
        net: the classifier.
        classes: indices.
        logits: ``(1, K)`` of the unchanged image.
        training_size: N of the Laplace correction.
    """

    def __init__(
        self, net: Network, classes: Sequence[int], logits: Tensor, training_size: int
    ) -> None:
        super().__init__(net, classes, logits)
        self._correction = training_size, logits.shape[1]
        self.unit = UNITS["evidence"]

    def values(self, outputs: Tensor) -> Tensor:
        """Probabilities ``(N, M)``."""
        return self._net.probabilities(outputs)[:, list(self.indices)]

    def evidence(self, values: Tensor) -> Tensor:
        """Their log2 odds."""
        return torch.from_numpy(log_odds(values.numpy(), *self._correction))

    def slope(self, values: Tensor) -> Tensor:
        """Of the log2 odds."""
        return torch.from_numpy(log_odds_slope(values.numpy(), *self._correction))


class Activations(Nodes):
    """Channels of a hidden layer: whole feature maps (the mean over their units), or single units.

    Args:
        net: the classifier.
        layer: name, or number of a convolution.
        targets: channels, or units (channel, row, column) that share row and column; ``None`` for
            the channel that is most active in the image.
        image: ``(C, H, W)``.

    Raises:
        ValueError: for a layer, channel or unit that does not exist.
    """

    unit = "activation"

    def __init__(
        self, net: Network, layer: str | int, targets: Sequence[object], image: Tensor
    ) -> None:
        self._net = net
        self._layer = net.layer(layer).name
        self._place: tuple[int, int] | None = None
        with net.evaluating():
            activations = finite(net, net.activations(image[None], self._layer))
        shape = activations.shape[1:]
        if len(shape) not in (1, 3):
            raise ValueError(
                f"layer {self._layer!r} puts out {tuple(shape)} and has no channels; choose "
                "one that puts out (C, H, W) or (K,)"
            )
        most_active = int(self._nodes(activations).argmax())
        units = [self._unit(most_active if one is None else one, shape) for one in targets]
        if len({unit[1:] for unit in units}) > 1:
            raise ValueError(
                "targets are of several kinds or places; ask for feature maps, or for units at one "
                "place, in one call"
            )
        self.indices = [unit[0] for unit in units]
        self.parameters = {"layer": self._layer}
        name = f"{self._layer}, channel"
        self.labels = [f"{name} {channel}" for channel in self.indices]
        if units[0][1:]:
            _, row, column = units[0]
            self._place = row, column
            self.parameters = {"layer": self._layer, "row": row, "column": column}
            self.labels = [f"{label}, row {row}, column {column}" for label in self.labels]
        self._outputs = self._nodes(activations)

    def read(self, pixels: Tensor) -> Tensor:
        """All channels ``(N, C)``."""
        return self._nodes(self._net.activations(pixels, self._layer))

    def _nodes(self, activations: Tensor) -> Tensor:
        if activations.ndim == 2:
            return activations
        if self._place is None:
            return activations.mean((2, 3))
        row, column = self._place
        return activations[:, :, row, column]

    def _unit(self, target: object, shape: Sequence[int]) -> tuple[int, ...]:
        """A target's channel, and its row and column if it is a single unit."""
        owner = f"layer {self._layer!r}"
        if not isinstance(target, tuple):
            return (index_within("channel", target, shape[0], owner),)
        if len(target) != 3 or len(shape) != 3:
            raise ValueError(
                f"target {target!r} is no node of {owner}; give a channel"
                + (", or a unit (channel, row, column)" if len(shape) == 3 else "")
            )
        axes = zip(("channel", "row", "column"), target, shape, strict=True)
        return tuple(index_within(name, index, count, owner) for name, index, count in axes)


def nodes_of(
    net: Network,
    image: Tensor,
    targets: Sequence[Target],
    layer: str | int | None,
    measure: Measure,
    training_size: int,
) -> Nodes:
    """The nodes that the arguments of :func:`xwidgets.prediction_difference` mean.

    Raises:
        ValueError: for a target, layer or measure that does not exist.
    """
    at_least("training_size", training_size, 1)
    if not isinstance(measure, str) or measure not in UNITS:
        raise ValueError(f"measure is {measure!r}, but must be one of {', '.join(UNITS)}")
    if not isinstance(targets, Sequence) or isinstance(targets, str) or not targets:
        raise ValueError(f"targets is {targets!r}, but must be a list of one target at least")
    if layer is not None:
        return Activations(net, layer, targets, image)
    logits = finite(net, net.logits(image[None]))
    classes = []
    for target in targets:
        if isinstance(target, tuple):
            raise ValueError(f"target {target!r} is a unit; say of which layer with layer=name")
        classes.append(net.target_index(target, logits))
    if measure == "difference":
        return Logits(net, classes, logits)
    return Probabilities(net, classes, logits, int(training_size))


def finite(net: Network, outputs: Tensor) -> Tensor:
    """``outputs`` of a network.

    Raises:
        ValueError: when some are NaN or infinite.
    """
    if not outputs.isfinite().all():
        raise ValueError(
            f"{net.name} returned NaN or infinite scores; check its weights and the normalisation"
        )
    return outputs
