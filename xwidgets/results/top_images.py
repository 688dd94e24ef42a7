"""Top images: the images of a data set in which a neuron, class or x-feature is strongest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xwidgets.aliases import formerly
from xwidgets.box import Box

from . import render
from .facts import limits
from .result import Result, versions


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class TopImages(Result):
    """Images of a data set in which an activation is largest, the largest first.

    Attributes:
        network_name: name of the network.
        layer: the layer's name, "" for class scores; and ``channel`` the number of the neuron,
            class or x-feature.
        activations: float32 ``(k,)``, maximum of the neuron's map in each image; the score before
            softmax of a class; or the activation of an x-feature.
        images: the images as the network takes them, 8-bit ``(k, H, W, 3)``.
        fields: patch in each image: receptive field of the most active unit of the map; the image
            itself for classes and x-features.
        sources: file of each image, or its number in the data set.
        searched: number of images so far, of ``total``; fewer in a partial result.
        skipped: sources of the images that could not be read.
        versions: of the packages that computed it.
        label: name of the class, unit or x-feature; "" for a channel.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(20))
        >>> [top] = xw.search_images(xw.network("birds"), images, [(13, 7)], k=3, cache=False)
        >>> len(top.crops), top.images.shape
        (3, (3, 64, 64, 3))
    """

    network_name: str
    layer: str
    channel: int = field(metadata=limits(least=0))
    activations: NDArray[np.float32] = field(metadata=limits("k"))
    images: NDArray[np.uint8] = field(metadata=limits("k H W 3"))
    fields: tuple[Box, ...] = field(metadata=limits("k"))
    sources: tuple[str, ...] = field(metadata=limits("k"))
    searched: int = field(metadata=limits(least=0))
    total: int = field(metadata=limits(least=1))
    skipped: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=versions)
    label: str = ""

    @property
    def crops(self) -> list[NDArray[np.uint8]]:
        """Patches of the images, 8-bit ``(h, w, 3)`` each."""
        return [image[box.slices] for image, box in zip(self.images, self.fields, strict=True)]

    @property
    def lit(self) -> NDArray[np.uint8]:
        """Images, dark outside of their patches, 8-bit ``(k, H, W, 3)``."""
        shown = self.images // 3
        for image, box, crop in zip(shown, self.fields, self.crops, strict=True):
            image[box.slices] = crop
        return shown

    @property
    def completed(self) -> float:
        """Share of the images that are searched."""
        return self.searched / self.total

    @property
    def name(self) -> str:
        """Name of what was searched for."""
        return self.label or f"{self.layer} channel {self.channel}"

    @property
    def title(self) -> str:
        """One-line description."""
        share = "" if self.searched >= self.total else f", {self.searched} searched"
        return (
            f"{len(self.images)} for {self.name} ({self.network_name}), "
            f"of {self.total} images{share}"
        )

    def png(self) -> bytes:
        """PNG file of the images in a row, dark outside of their patches."""
        return render.png(np.concatenate(self.lit, 1))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        if self.searched > self.total:
            return f"it has searched {self.searched} of {self.total} images"
        if not all(box.is_in(self.images.shape[1:3]) for box in self.fields):
            return f"its boxes are not in its pictures of {self.images.shape[1:3]} pixels"
        return None

    def __repr__(self) -> str:
        return f"<TopImages: {self.title}>"
