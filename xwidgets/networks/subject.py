"""One image in one network: what every explanation is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import index_within
from xwidgets.images import picture

from ._network import Network, Watched, image_for, unused
from .forward_trace import BackwardRule
from .layers import Layer
from .operation_table import Kind
from .random_draws import refusing_random
from .target import Above, Channel, Class, Resolved, Target, Unit, means


class Subject:
    """An image in a network, and what the network says of it, which is computed once.

    Two subjects are equal when they are of one network and of equal images, so that what is known
    of an image is found again.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.

    Attributes:
        net, image: as given, the image ``(C, H, W)``.

    Raises:
        ValueError: for what is no network, or an image that it cannot take; in a sentence.

    Example:
        >>> import xwidgets as xw
        >>> subject = Subject(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> subject.target(None)
        Class(index=...)
    """

    def __init__(self, net: Network, image: object) -> None:
        self.image = image_for(net, image)
        self.net = net
        self._logits = torch.empty(0)
        self._state: object = None

    @cached_property
    def pixels(self) -> Tensor:
        """The image ``(C, H, W)`` on the network's device and in its type."""
        return self.image.to(self.net.device, self.net.dtype)

    @cached_property
    def picture(self) -> NDArray[np.uint8]:
        """The image to look at, 8-bit ``(H, W, 3)``."""
        return picture(self.image)

    @property
    def logits(self) -> Tensor:
        """``(1, K)``, whatever the network returns; computed again when its weights changed.

        Raises:
            ValueError: for a network that is random in evaluation mode.
        """
        net, state = self.net, self.net.state
        if self._state != state:
            pixels = self.image[None].to(net.device, net.dtype)
            with net.evaluating() as module, refusing_random(net.name, module, pixels):
                self._logits = net.logits(pixels)
            self._state = state
        return self._logits

    def activations(self, layer: str) -> Tensor:
        """``(1, C, h, w)`` or ``(1, K)``: a layer's output, finite.

        Raises:
            ValueError: when some are not, or the layer is not used.
        """
        with self.net.evaluating():
            return finite(self.net, self.net.activations(self.pixels[None], layer))

    def watched(
        self,
        layers: Sequence[str] = (),
        target: Resolved | None = None,
        rules: Mapping[Kind, BackwardRule] | None = None,
    ) -> Watched:
        """A pass that can be gone back through; see :meth:`xwidgets.Network.watched`.

        The activations of ``layers`` are kept, and those of the target's.
        """
        kept = [*layers, *(target.layers if target is not None else ())]
        return self.net.watched(self.image[None], list(dict.fromkeys(kept)), rules)

    def target(self, target: Target) -> Resolved:
        """A target of this network, by number and by name of its layer.

        Raises:
            ValueError: when there is no such class, layer, channel or unit.
        """
        match target:
            case Channel(layer, index):
                chosen = self._layer(layer)
                name, channels = chosen.name, chosen.channels
                if index is None:
                    index = int(means(self.activations(name)).argmax())
                return Channel(name, index_within("channel", index, channels, f"layer {name!r}"))
            case Unit(layer, channel, row, column):
                place = channel, row, column
                chosen = self._layer(layer)
                where = f"layer {chosen.name!r}"
                if chosen.channels and len(chosen.shape) != 3:
                    raise ValueError(f"target {place} is no node of {where}; give a channel")
                axes = zip(("channel", "row", "column"), place, chosen.shape, strict=True)
                return Unit(chosen.name, *(index_within(*axis, where) for axis in axes))
            case Above(layer, index, top):
                return Above(None if layer is None else self.net.layer(layer).name, index, top)
            case Class(index):
                return Class(self.net.target_index(index, self.logits))
        return Class(self.net.target_index(target, self.logits))

    def probability(self, target: Resolved) -> float | None:
        """Probability of a class; ``None`` for other targets, and where it is not finite."""
        if not isinstance(target, Class):
            return None
        value = float(self.net.probabilities(self.logits)[0, target.index])
        return value if isfinite(value) else None

    def _layer(self, layer: str | int) -> Layer:
        """A layer as this image passes it."""
        name = self.net.layer(layer).name
        channels, height, width = self.image.shape
        for listed in self.net.layers_for((channels, height, width)):
            if listed.name == name:
                return listed
        raise unused(self.net, name)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Subject)
            and self.net is other.net
            and self.image.dtype == other.image.dtype
            and self.image.device == other.image.device
            and torch.equal(self.image, other.image)
        )

    @cached_property
    def _digest(self) -> bytes:
        values = self.image.cpu().float() + 0  # of the two zeros, which are equal, the positive one
        return sha256(values.numpy().tobytes()).digest()

    def __hash__(self) -> int:
        return hash((id(self.net), self._digest))


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
