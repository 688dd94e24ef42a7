"""Preview that a reader without widgets sees in place of a view."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any
from uuid import uuid4

import traitlets
from IPython.display import display, update_display

from .closing import Closing

DONE = frozenset({"complete", "stopped", "failed"})
"""The states in which work stands still, and what is shown stays as it is."""

RESULTS = ("answer", "relevance", "progress")
"""The traits of which one changes when work is done."""

_logger = logging.getLogger(__name__)


def _displayed() -> bool:
    """Whether a cell's value or :func:`display` is shown, and not the bundle asked for elsewhere.

    An output widget and others that format a view put the bundle where they want it, and one who
    gives a display id updates it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        match frame.f_globals.get("__name__"):
            case "IPython.core.display_functions":
                return frame.f_locals.get("display_id") is None
            case "IPython.core.displayhook":
                return True
        frame = frame.f_back
    return False


class Preview(Closing):
    """A picture or a table beside a widget, with words for who sees neither.

    Saved notebooks show it on pages without widgets; where no browser looks while a notebook runs,
    it is brought up to date when the work is done.
    """

    seen = False
    """Whether a browser has shown the view; its own output is left alone from then on."""

    def preview(self) -> dict[str, str]:
        """Data by MIME type; ``"text/plain"`` is the alternative text of a picture."""
        return {"text/plain": type(self).__name__}

    def refresh_after(self, work: traitlets.HasTraits) -> None:
        """Bring the preview up to date whenever this work is done; called after what follows it."""

        def refresh() -> None:
            if work.progress.state in DONE:  # type: ignore[attr-defined]
                try:
                    self.refresh()
                except Exception:  # the work itself is well
                    _logger.exception("a preview could not be brought up to date")

        self.follow(work, refresh, [name for name in RESULTS if work.has_trait(name)])

    def refresh(self) -> None:
        """Bring the preview up to date where the view is displayed and no browser shows it."""
        children = getattr(self, "children", ())
        if self.seen or any(getattr(child, "seen", False) for child in children):
            return
        for display_id in getattr(self, "_displays", ()):
            data, metadata = self._repr_mimebundle_()
            update_display(data, raw=True, metadata=metadata, display_id=display_id)

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        if bundle is None:
            return
        if not _displayed():
            raise NotImplementedError  # IPython takes the bundle then
        display_id = uuid4().hex
        self._displays = (*getattr(self, "_displays", ()), display_id)
        data, metadata = bundle
        display(data, raw=True, metadata=metadata, display_id=display_id)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if bundle is None:
            return None
        data: Mapping[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
        shown = self.preview()
        alternative = {"alt": shown["text/plain"]}
        metadata = {kind: alternative for kind in shown if kind.startswith("image/")}
        return {**data, **shown}, metadata
