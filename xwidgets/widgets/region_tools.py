"""The brush, and how a region is filled."""

from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from xwidgets.live.regions import Regions
from xwidgets.live.study import Study

from .view import View

HERE = Path(__file__).parent


class RegionTools(View):
    """What a region is painted with: brush, eraser, rectangles by number, and what fills it.

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

    _esm = HERE / "region_tools.mjs"
    _css = "".join((HERE / f"{name}.css").read_text("utf-8") for name in ("controls", "region"))

    brush = traitlets.Int(1, min=1).tag(sync=True)
    largest = traitlets.Int(1).tag(sync=True)
    erase = traitlets.Bool(False).tag(sync=True)
    fill = traitlets.Unicode().tag(sync=True)
    fills = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    pixels = traitlets.Int().tag(sync=True)

    def __init__(self, study: Study) -> None:
        regions = Regions.of(study)
        super().__init__(fill=regions.fill, fills=list(regions.fills))
        self._turn_to(regions)
        self.observe(lambda change: setattr(regions, "fill", change.new), "fill")
        self.follow(regions, lambda: setattr(self, "fill", regions.fill), "fill")
        self.follow(regions, lambda: self._turn_to(regions), "mask")
        self.on_msg(lambda _, content, __: self._heard(regions, content))

    def _turn_to(self, regions: Regions) -> None:
        shape = list(regions.mask.shape)
        with self.hold_sync():
            if shape != self.shape:
                self.shape, self.largest = shape, max(1, min(shape) // 2)
                self.brush = max(1, round(min(shape) / 10))
            self.pixels = int(regions.mask.sum())

    def _heard(self, regions: Regions, content: dict[str, Any]) -> None:
        match content["type"]:
            case "clear":
                regions.mask = np.zeros_like(regions.mask)
            case "rectangle":
                mask = regions.mask.copy()
                top, left, height, width = (
                    max(0, content[name]) for name in ("top", "left", "height", "width")
                )
                mask[top : top + height, left : left + width] = not self.erase
                regions.mask = mask
        # The kernel hears a widget in the thread that last wrote to it; see ParameterControl.
        self.send({"type": "heard"})
