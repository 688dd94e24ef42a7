"""The views of a study in one piece."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ipywidgets

from .class_chooser import ClassChooser
from .relevance_overlay import RelevanceOverlay
from .study import Study
from .window_slider import WindowSlider


class Explorer(ipywidgets.VBox):
    """Class chooser, window slider and relevance overlay of one study, linked.

    Args:
        study: what is looked at.

    Example:
        >>> import xwidgets as xw
        >>> study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> len(Explorer(study).children)
        3
        >>> study.close()
    """

    def __init__(self, study: Study) -> None:
        self._overlay = RelevanceOverlay(study)
        super().__init__([ClassChooser(study), WindowSlider(study), self._overlay])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | self._overlay.preview()

    def to_html(
        self, path: str | Path, windows: Iterable[int] | None = None, title: str | None = None
    ) -> None:
        """Write a page without a kernel; see :meth:`RelevanceOverlay.to_html`."""
        self._overlay.to_html(path, windows, title)
