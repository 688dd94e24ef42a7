"""Neuron patches: the part of a picture that a neuron responds to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xwidgets.aliases import formerly
from xwidgets.box import Box

from .facts import limits
from .result import Result


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class NeuronPatch(Result):
    """Patch of an image that a neuron responds to.

    Attributes:
        network_name: name of the network.
        layer: the layer's name, and ``channel`` the neuron's number in it.
        convolution: number of the layer among the network's convolutions; ``None`` for others.
        depth: share of the network's convolutions up to and with the layer.
        activation: maximum of the neuron's map.
        image: the picture, 8-bit ``(H, W, 3)``.
        pixels: reconstruction by deconvnet, float32 ``(C, H, W)``, signed.
        box: bounding box of the reconstruction; ``None`` for a silent neuron.
        field: receptive field of the active units of the map; ``None`` when there are none.
    """

    network_name: str
    layer: str
    channel: int = field(metadata=limits(least=0))
    convolution: int | None = field(metadata=limits(least=1))
    depth: float = field(metadata=limits(least=0, most=1))
    activation: float
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    pixels: NDArray[np.float32] = field(metadata=limits("C H W"))
    box: Box | None
    field: Box | None

    @property
    def crop(self) -> NDArray[np.uint8]:
        """Patch of the picture in the box, 8-bit ``(h, w, 3)``; empty for a silent neuron."""
        return self.image[(self.box or Box(0, 0, 0, 0)).slices]

    @property
    def contact(self) -> tuple[str, ...]:
        """Sides on which the box touches the border of the receptive field."""
        if self.box is None or self.field is None:
            return ()
        sides = zip(Box._fields, self.box, self.field, strict=True)
        return tuple(side for side, edge, limit in sides if edge == limit)

    def _fault(self) -> str | None:
        if not all(
            box is None or box.is_in(self.image.shape[:2]) for box in (self.box, self.field)
        ):
            return f"its boxes are not in its picture of {self.image.shape[:2]} pixels"
        return None

    def __repr__(self) -> str:
        return (
            f"<NeuronPatch: {self.layer} channel {self.channel} ({self.network_name}), "
            f"box {self.box}>"
        )
