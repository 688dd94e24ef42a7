"""What all views have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anywidget
import traitlets


class View(anywidget.AnyWidget):
    """A view that follows what it shows until it is closed."""

    def follow(
        self, subject: traitlets.HasTraits, update: Callable[[], None], names: str | Sequence[str]
    ) -> None:
        """Call ``update`` when one of these traits of ``subject`` changes."""

        def heard(_: object) -> None:
            update()

        subject.observe(heard, names)
        self._followed = [*getattr(self, "_followed", []), (subject, heard, names)]

    def close(self) -> None:
        """Take it off the page, and follow nothing any more."""
        for subject, heard, names in getattr(self, "_followed", []):
            subject.unobserve(heard, names)
        self._followed = []
        super().close()
