"""Nodes of a network that window removal explains: class scores, feature maps or units.

The value of a node is averaged over samples of the contents of a window; the relevance of the
window is the *evidence* that is lost by that. For a class behind softmax the evidence is the log2
odds of its probability (equations 4 and 5 of Zintgraf et al. 2016); for any other node it is the
value, and the loss is their activation difference (equation 9).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, cast

import torch
from torch import Tensor

from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Above, Channel, Class, Resolved, Unit, means
from xwidgets.results.evidence import flat, log_odds, log_odds_slope, told_flat

Measure = Literal["evidence", "difference", "drop", "probability"]
"""Measures for classes: loss of log2 odds, of the score before softmax, of the probability, or the
remaining probability."""


class Nodes(ABC):
    """M nodes of one kind.

    Attributes:
        indices: class or channel of each.
        unit: of the evidence.
        signed: whether the loss can be negative.
    """

    indices: Sequence[int]
    unit: str
    signed = True
    _outputs: Tensor

    @cached_property
    def whole(self) -> Tensor:
        """Evidence ``(1, M)`` in the unchanged image."""
        return self.evidence(self.values(self._outputs))

    @abstractmethod
    def read(self, pixels: Tensor) -> Tensor:
        """Outputs ``(N, K)`` of the network, in evaluation mode, for pixels ``(N, C, H, W)``."""

    def values(self, outputs: Tensor) -> Tensor:
        """Values of the nodes, float64 ``(N, M)`` on the CPU, from outputs ``(N, K)``."""
        return outputs[:, list(self.indices)].cpu().double()

    def evidence(self, values: Tensor) -> Tensor:
        """Evidence ``(n, M)`` of mean values ``(n, M)``."""
        return values

    def lost(self, values: Tensor) -> Tensor:
        """Loss of evidence ``(n, M)`` where the nodes have these mean values ``(n, M)``."""
        return self.whole - self.evidence(values)

    def slope(self, values: Tensor) -> Tensor:
        """Derivative of the evidence by the mean values, ``(n, M)``."""
        return torch.ones_like(values)

    def note(self, node: int) -> str:
        """Limitation of what is said of a node, by its number; else ""."""
        return ""


class Logits(Nodes):
    """Scores of classes before softmax.

    Args:
        subject: an image in the classifier.
        classes: indices.
    """

    unit = Class.unit

    def __init__(self, subject: Subject, classes: Sequence[int]) -> None:
        self._net, self._outputs = subject.net, finite(subject.net, subject.logits)
        self.indices = classes

    def read(self, pixels: Tensor) -> Tensor:
        """Logits ``(N, K)``."""
        return self._net.classify(pixels)


class Probabilities(Logits):
    """Probabilities of classes, behind softmax."""

    unit = "probability"

    def values(self, outputs: Tensor) -> Tensor:
        """Probabilities ``(N, M)``."""
        return self._net.probabilities(outputs)[:, list(self.indices)]


class Remaining(Probabilities):
    """Probabilities of classes, whose remainder counts in place of the loss."""

    signed = False

    def lost(self, values: Tensor) -> Tensor:
        """Remaining probability, the mean value itself."""
        return values


class Evidence(Probabilities):
    """Log2 odds of the probabilities of classes.

    Args:
        subject: an image in the classifier.
        classes: indices.
        training_size: N of the Laplace correction.
    """

    unit = "bits"

    def __init__(self, subject: Subject, classes: Sequence[int], training_size: int) -> None:
        super().__init__(subject, classes)
        self._correction = training_size, subject.net.alternatives(subject.logits)

    def evidence(self, values: Tensor) -> Tensor:
        """Log2 odds ``(n, M)`` of mean probabilities."""
        return torch.from_numpy(log_odds(values.numpy(), *self._correction))

    def slope(self, values: Tensor) -> Tensor:
        """Derivative of the log2 odds, ``(n, M)``."""
        return torch.from_numpy(log_odds_slope(values.numpy(), *self._correction))

    def note(self, node: int) -> str:
        """Sentence where the probability leaves no room for evidence."""
        probability = self.values(self._outputs)[0, node].numpy()
        if not flat(probability, *self._correction):
            return ""
        told = told_flat(self._net.class_name(self.indices[node]), float(probability))
        return f"{told}; the measure 'difference' shows the score before softmax or sigmoid"


class Activations(Nodes):
    """Channels of a hidden layer: whole feature maps (the mean over their units), or single units.

    Args:
        subject: an image in the classifier.
        targets: channels of one layer, or units of one that share row and column.
    """

    def __init__(self, subject: Subject, targets: Sequence[Channel] | Sequence[Unit]) -> None:
        self._net, self._first = subject.net, targets[0]
        self._layer, self.unit = str(targets[0].layer), targets[0].unit
        self.indices = [cast(int, target.index) for target in targets]
        self._outputs = self._nodes(subject.activations(self._layer))

    def read(self, pixels: Tensor) -> Tensor:
        """Activations of all channels, ``(N, C)``."""
        return self._nodes(self._net.activations(pixels, self._layer))

    def _nodes(self, activations: Tensor) -> Tensor:
        return means(self._first.among(activations))


MEASURES: Mapping[Measure, type[Logits]] = {
    "evidence": Evidence,
    "difference": Logits,
    "drop": Probabilities,
    "probability": Remaining,
}
"""The nodes of classes, by what is measured of them."""


def nodes_of(
    subject: Subject, targets: Sequence[Resolved], measure: Measure, training_size: int = 0
) -> Nodes:
    """Nodes of some targets of one kind.

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
    return MEASURES[measure](subject, classes)


def training_size_on(value: int | None, subject: Subject) -> int:
    """N of the Laplace correction; ``None`` for the size of the network's training set."""
    return subject.net.training_size if value is None else int(value)
