"""The views of a study in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from .closing import close_all
from .exporting import Exporting
from .page import Page
from .panes import Panes
from .region_painter import RegionPainter
from .relevance_overlay import RelevanceOverlay

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class Explorer(Exporting, ipywidgets.VBox):
    """Pictures, method, classes and map of one study in one piece, and further views on demand.

    A region painter opens below the rest. Where a host has anywidgets alone, show :attr:`panes`.

    Args:
        study: what is looked at.
        pictures: others that it can turn to: a folder, paths, tensors or scenes.

    Attributes:
        panes: all but the region painter, a single widget.
        overlay: the map.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> explorer = Explorer(study, [xw.scenes.bird(seed=seed) for seed in range(3, 9)])
        >>> explorer.panes.strip.count
        6
        >>> study.close()
    """

    children: tuple[Any, ...]

    def __init__(self, study: Study, pictures: object = None) -> None:
        self.panes = Panes(study, pictures)
        super().__init__([self.panes])
        self.panes.can_paint = True
        self.panes.observe(lambda _: self._paint(study), "painting")
        self.refresh_after(study)

    @property
    def overlay(self) -> RelevanceOverlay:
        """The map."""
        return self.panes.overlay

    def preview(self) -> dict[str, str]:
        """Preview of the map."""
        return self.panes.preview()

    def with_legends(self) -> NDArray[np.uint8]:
        """The picture with its map and legend.

        Raises:
            ValueError: while there is no map.
        """
        return self.panes.with_legends()

    def save(self, path: str | Path) -> None:
        """Write a file of settings; see :meth:`Panes.save`."""
        self.panes.save(path)

    def restore(self, path: str | Path) -> None:
        """Ask and show what a file of settings tells; see :meth:`Panes.restore`."""
        self.panes.restore(path)

    def python(self) -> str:
        """Python that repeats what is shown; see :meth:`Panes.python`."""
        return self.panes.python()

    def to_page(self, *shown: Any, **choices: Any) -> Page:
        """Map, classes and open panels; see :meth:`Panes.to_page`."""
        return self.panes.to_page(*shown, **choices)

    def _paint(self, study: Study) -> None:
        _, *before = self.children
        if self.panes.painting and not before:
            painter = RegionPainter(study)
            study.history.include(study.regions)
            self.children = (self.panes, painter)
        elif before and not self.panes.painting:
            self.children = (self.panes,)
            close_all(before)
