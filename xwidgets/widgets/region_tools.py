"""The brush, and how a region is filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets

from xwidgets import live
from xwidgets.live.traits import Whole

from .closing import Held
from .view import View

if TYPE_CHECKING:
    from xwidgets.live.regions import Regions
    from xwidgets.live.study import Study


class RegionTools(View, module="region_tools.mjs"):
    """Tools to paint a region: brush, eraser, rectangles by number, and what fills it.

    Args:
        study: whose region it is.

    Attributes:
        brush: its diameter, in pixels of the picture.
        erase: whether it takes pixels out of the region.
        fill: of :class:`xwidgets.widgets.Regions`.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> RegionTools(study).fills
        ['conditional', 'marginal', 'grey']
        >>> study.close()
    """

    needs_kernel = True
    _regions: Held[Regions] = Held()
    brush = Whole(1, min=1).tag(sync=True)
    largest = Whole(1).tag(sync=True)
    erase = traitlets.Bool(False).tag(sync=True)
    fill = traitlets.Unicode().tag(sync=True)
    fills = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(Whole()).tag(sync=True)
    pixels = Whole().tag(sync=True)

    def __init__(self, study: Study) -> None:
        regions = self._regions = live.Regions.of(study)
        super().__init__(fill=regions.fill, fills=list(regions.fills))
        self._turn_to(regions)
        self.observe(lambda change: setattr(regions, "fill", change.new), "fill")
        self.follow(regions, lambda: setattr(self, "fill", regions.fill), "fill")
        self.follow(regions, lambda: self._turn_to(regions), "mask")

    def _turn_to(self, regions: Regions) -> None:
        shape = list(regions.mask.shape)
        with self.hold_sync():
            if shape != self.shape:
                self.shape, self.largest = shape, max(1, min(shape) // 2)
                self.brush = max(1, round(min(shape) / 10))
            self.pixels = int(regions.mask.sum())

    def preview(self) -> dict[str, str]:
        """Description of the tools."""
        return {"text/plain": f"The brush, and what a region is filled with: {self.fill}"}

    def hear_clear(self) -> None:
        """Take all pixels out of the region."""
        self._regions.mask = np.zeros_like(self._regions.mask)

    def hear_rectangle(self, top: int, left: int, height: int, width: int) -> None:
        """Put a rectangle into the region, or take it out."""
        mask = self._regions.mask.copy()
        top, left, height, width = (max(0, edge) for edge in (top, left, height, width))
        mask[top : top + height, left : left + width] = not self.erase
        self._regions.mask = mask
