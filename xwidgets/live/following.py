"""Following the traits of other objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets


class Following:
    """Mixin that calls functions when traits of other objects change."""

    def follow(
        self, subject: traitlets.HasTraits, update: Callable[[], None], names: str | Sequence[str]
    ) -> None:
        """Call ``update`` whenever one of these traits of ``subject`` changes."""

        def observer(_: object) -> None:
            update()

        subject.observe(observer, names)
        self._followed = [*getattr(self, "_followed", []), (subject, observer, names)]

    def unfollow(self) -> None:
        """Stop following all of them."""
        for subject, observer, names in getattr(self, "_followed", []):
            subject.unobserve(observer, names)
        self._followed = []
