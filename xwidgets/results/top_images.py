"""The pictures of a data set that drive a neuron most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from xwidgets.box import Box

from . import render
from .result import Result, versions


@dataclass(frozen=True, eq=False, repr=False)
class TopImages(Result):
    """The images of a data set in which a neuron is most active, the most active first.

    Attributes:
        network: the network's name.
        layer: the layer's name, and ``channel`` the neuron's number in it.
        activations: float32 ``(k,)``, the largest of the neuron's map in each image.
        images: the pictures as the network sees them, 8-bit ``(k, H, W, 3)``.
        fields: the patch in each: what the most active unit of the map can see.
        sources: the file of each image, or its number in the data set.
        searched: how many images were looked at, of ``total``; fewer in a partial result.
        skipped: those among them that could not be read.
        versions: of the packages that computed it.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(20))
        >>> [top] = xw.search_images(xw.network("birds"), images, [(13, 7)], k=3, cache=False)
        >>> len(top.crops), top.images.shape
        (3, (3, 64, 64, 3))
    """

    network: str
    layer: str
    channel: int
    activations: NDArray[np.float32]
    images: NDArray[np.uint8]
    fields: tuple[Box, ...]
    sources: tuple[str, ...]
    searched: int
    total: int
    skipped: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=versions)

    _forms: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "fields": lambda boxes: tuple(Box(*edges) for edges in boxes),
        "sources": tuple,
        "skipped": tuple,
    }

    @property
    def crops(self) -> list[NDArray[np.uint8]]:
        """The patches, 8-bit ``(h, w, 3)`` each."""
        return [image[box.slices] for image, box in zip(self.images, self.fields, strict=True)]

    @property
    def completed(self) -> float:
        """The share of the images that were looked at."""
        return self.searched / self.total

    @property
    def title(self) -> str:
        """One line that says what this is."""
        share = "" if self.searched >= self.total else f", {self.searched} searched"
        return (
            f"{len(self.images)} for {self.layer} channel {self.channel} ({self.network}), "
            f"of {self.total} images{share}"
        )

    def png(self) -> bytes:
        """The pictures in a row, dark outside of their patches, as a PNG file."""
        shown = self.images // 3
        for image, box, crop in zip(shown, self.fields, self.crops, strict=True):
            image[box.slices] = crop
        return render.png(np.concatenate(shown, 1))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        counts = {len(self.activations), len(self.images), len(self.fields), len(self.sources)}
        if len(counts) > 1:
            return "its pictures are not as many as their activations"
        if self.images.ndim != 4 or not len(self.images):
            return f"its pictures are {self.images.shape}"
        return None

    def __repr__(self) -> str:
        return f"<TopImages: {self.title}>"
