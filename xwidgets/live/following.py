"""Following what others know, until told to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets


class Following:
    """Follows traits of other objects until it is closed."""

    def follow(
        self, subject: traitlets.HasTraits, update: Callable[[], None], names: str | Sequence[str]
    ) -> None:
        """Call ``update`` when one of these traits of ``subject`` changes."""

        def heard(_: object) -> None:
            update()

        subject.observe(heard, names)
        self._followed = [*getattr(self, "_followed", []), (subject, heard, names)]

    def unfollow(self) -> None:
        """Follow nothing any more."""
        for subject, heard, names in getattr(self, "_followed", []):
            subject.unobserve(heard, names)
        self._followed = []
