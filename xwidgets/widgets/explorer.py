"""The views of a study in one piece."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from .class_chooser import ClassChooser
from .parameter_control import MethodControls
from .preview import Preview
from .relevance_overlay import RelevanceOverlay

if TYPE_CHECKING:
    from xwidgets.live.study import Study


class Explorer(Preview, ipywidgets.VBox):
    """Class chooser, controls of the method and relevance overlay of one study, linked.

    The controls are those of whichever method the study has.

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
        super().__init__([ClassChooser(study), MethodControls(study), self._overlay])
        self.refresh_after(study)

    def preview(self) -> dict[str, str]:
        """Preview of the overlay."""
        return self._overlay.preview()

    def to_html(
        self,
        path: str | Path,
        windows: Iterable[int] | None = None,
        title: str | None = None,
        **values: Iterable[Any],
    ) -> None:
        """Write a page without a kernel; see :meth:`RelevanceOverlay.to_html`."""
        self._overlay.to_html(path, windows, title, **values)
