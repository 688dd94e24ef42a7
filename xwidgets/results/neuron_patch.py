"""What a neuron looks at in one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from xwidgets.aliases import formerly
from xwidgets.box import Box

from .result import Result


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class NeuronPatch(Result):
    """What a neuron looks at in one image.

    Attributes:
        network_name: name of the network.
        layer: the layer's name, and ``channel`` the neuron's number in it.
        convolution: the layer's number among the network's convolutions; ``None`` for others.
        depth: how many of the network's convolutions are passed in it, as a share of all.
        activation: the largest of its map.
        image: the picture, 8-bit ``(H, W, 3)``.
        pixels: its reconstruction by deconvnet, float32 ``(C, H, W)``, signed.
        box: of the pixels that the reconstruction shows; ``None`` for a silent neuron.
        field: the pixels that the neuron can see from where it is active; ``None`` when nowhere.
    """

    network_name: str
    layer: str
    channel: int
    convolution: int | None
    depth: float
    activation: float
    image: NDArray[np.uint8]
    pixels: NDArray[np.float32]
    box: Box | None
    field: Box | None

    _forms: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        name: lambda edges: edges and Box(*edges) for name in ("box", "field")
    }

    @property
    def crop(self) -> NDArray[np.uint8]:
        """The patch of the picture in the box, 8-bit ``(h, w, 3)``; empty for a silent neuron."""
        return self.image[(self.box or Box(0, 0, 0, 0)).slices]

    @property
    def contact(self) -> tuple[str, ...]:
        """The sides on which the box reaches as far as the neuron can see."""
        if self.box is None or self.field is None:
            return ()
        sides = zip(Box._fields, self.box, self.field, strict=True)
        return tuple(side for side, edge, limit in sides if edge == limit)

    def _fault(self) -> str | None:
        if self.pixels.shape[1:] != self.image.shape[:2]:
            return f"its reconstruction is {self.pixels.shape}, its picture {self.image.shape}"
        return None

    def __repr__(self) -> str:
        return (
            f"<NeuronPatch: {self.layer} channel {self.channel} ({self.network_name}), "
            f"box {self.box}>"
        )
