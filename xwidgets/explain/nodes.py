"""The nodes of a network that an explanation is about: class scores, feature maps or units.

A node is averaged over what could have stood in a window, and the relevance of the window is what
its *evidence* loses by that. For a class behind softmax the evidence is the log2 odds of its
probability (equations 4 and 5 of Zintgraf et al. 2016); for any other node it is its value, so that
the difference is their activation difference (equation 9).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, cast

import torch
from torch import Tensor

from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Above, Channel, Class, Resolved, Unit
from xwidgets.results.evidence import log_odds, log_odds_slope

Measure = Literal["evidence", "difference", "drop", "probability"]
"""Of classes: log2 odds lost, score lost before softmax, probability lost, or left."""


class Nodes(ABC):
    """M nodes of one kind.

    Attributes:
        indices: of each, the class or the channel.
        unit: of the evidence.
        signed: whether what is lost can be negative too.
    """

    indices: Sequence[int]
    unit: str
    signed = True
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

    def lost(self, values: Tensor) -> Tensor:
        """How much less evidence there is where the values have these means."""
        return self.whole - self.evidence(values)

    def slope(self, values: Tensor) -> Tensor:
        """How much the evidence grows with the values."""
        return torch.ones_like(values)


class Logits(Nodes):
    """Scores of classes before softmax.

    Args:
        subject: an image in the classifier.
        classes: indices.
    """

    unit = "logits"

    def __init__(self, subject: Subject, classes: Sequence[int]) -> None:
        self._net, self._outputs = subject.net, finite(subject.net, subject.logits)
        self.indices = classes

    def read(self, pixels: Tensor) -> Tensor:
        """Logits ``(N, K)``."""
        return self._net.classify(pixels)


class Probabilities(Logits):
    """Classes behind softmax."""

    unit = "probability"

    def values(self, outputs: Tensor) -> Tensor:
        """Probabilities ``(N, M)``."""
        return self._net.probabilities(outputs)[:, list(self.indices)]


class Remaining(Probabilities):
    """Classes behind softmax, of which not the loss counts, but what is left."""

    signed = False

    def lost(self, values: Tensor) -> Tensor:
        """The probability itself."""
        return values


class Evidence(Probabilities):
    """Classes behind softmax, by their log2 odds.

    Args:
        subject: an image in the classifier.
        classes: indices.
        training_size: N of the Laplace correction.
    """

    unit = "bits"

    def __init__(self, subject: Subject, classes: Sequence[int], training_size: int) -> None:
        super().__init__(subject, classes)
        self._correction = training_size, subject.logits.shape[1]

    def evidence(self, values: Tensor) -> Tensor:
        """Their log2 odds."""
        return torch.from_numpy(log_odds(values.numpy(), *self._correction))

    def slope(self, values: Tensor) -> Tensor:
        """Of the log2 odds."""
        return torch.from_numpy(log_odds_slope(values.numpy(), *self._correction))


class Activations(Nodes):
    """Channels of a hidden layer: whole feature maps (the mean over their units), or single units.

    Args:
        subject: an image in the classifier.
        targets: channels of one layer, or units of one that share row and column.
    """

    unit = "activation"

    def __init__(self, subject: Subject, targets: Sequence[Channel] | Sequence[Unit]) -> None:
        self._net, self._first = subject.net, targets[0]
        self._layer = str(targets[0].layer)
        self.indices = [cast(int, target.index) for target in targets]
        self._outputs = self._nodes(subject.activations(self._layer))

    def read(self, pixels: Tensor) -> Tensor:
        """All channels ``(N, C)``."""
        return self._nodes(self._net.activations(pixels, self._layer))

    def _nodes(self, activations: Tensor) -> Tensor:
        if activations.ndim == 2:
            return activations
        if isinstance(self._first, Unit):
            return activations[:, :, self._first.row, self._first.column]
        return activations.mean((2, 3))


def nodes_of(
    subject: Subject, targets: Sequence[Resolved], measure: Measure, training_size: int = 0
) -> Nodes:
    """The nodes that targets mean.

    Args:
        subject: an image in the classifier.
        targets: classes, channels of one layer, or units at one place of one.
        measure: of classes.
        training_size: N of the Laplace correction, for evidence.

    Raises:
        ValueError: for targets of several kinds.
    """
    kinds = {(type(target), *target.facts.values()) for target in targets}
    if len(kinds) > 1:
        raise ValueError(
            "targets are of several kinds or places; ask for classes, for feature maps of one "
            "layer, or for units at one place, in one call"
        )
    if isinstance(targets[0], Above):
        raise ValueError(
            f"what windows say for {targets[0].label(subject.net)} is not known; give a class, an "
            "xw.Channel or an xw.Unit, or use excitation backprop or saliency"
        )
    if not isinstance(targets[0], Class):
        return Activations(subject, cast(Sequence[Channel], targets))
    classes = [cast(int, target.index) for target in targets]
    if measure == "evidence":
        return Evidence(subject, classes, training_size)
    kind = {"difference": Logits, "drop": Probabilities, "probability": Remaining}[measure]
    return kind(subject, classes)


def units_of(measure: Measure) -> str:
    """The unit of a measure of classes."""
    return {"evidence": "bits", "difference": "logits"}.get(measure, "probability")


def training_size_on(value: int | None, subject: Subject) -> int:
    """N of the Laplace correction; ``None`` for how many images the network was trained on."""
    return subject.net.training_size if value is None else int(value)
