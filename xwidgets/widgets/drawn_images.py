"""Top images as a view takes them, each drawn once while it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xwidgets.results import render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xwidgets.box import Box
    from xwidgets.results import TopImages

Drawn = dict[str, Any]


class DrawnImages:
    """Top images with their activations and sources, beside what was drawn of each.

    Args:
        draw: takes an image ``(H, W, 3)`` and its patch, and returns what a view takes of them.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(20))
        >>> [top] = xw.search_images(xw.network("birds"), images, [(13, 7)], k=3, cache=False)
        >>> [drawn] = DrawnImages(lambda image, box: {"width": box.width}).of([top])
        >>> sorted(drawn[0])
        ['activation', 'source', 'width']
    """

    def __init__(self, draw: Callable[[NDArray[np.uint8], Box], Drawn]) -> None:
        self._draw = draw
        self._drawn: dict[tuple[bytes, Box], Drawn] = {}

    def of(self, tops: Sequence[TopImages]) -> list[list[Drawn]]:
        """Images of several results; those drawn for the last call are not drawn again."""
        before, self._drawn = self._drawn, {}
        return [self._images(top, before) for top in tops]

    def _images(self, top: TopImages, before: dict[tuple[bytes, Box], Drawn]) -> list[Drawn]:
        images = []
        values = zip(top.images, top.fields, top.activations.tolist(), top.sources, strict=True)
        for image, box, activation, source in values:
            key = (render.digest(image), box)
            self._drawn[key] = before.get(key) or self._draw(image, box)
            images.append(self._drawn[key] | {"activation": activation, "source": source})
        return images
