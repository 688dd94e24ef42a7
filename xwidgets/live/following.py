"""Following the traits of other objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakMethod

import traitlets


def weakly(method: Callable[..., Any]) -> Callable[..., None]:
    """Function that calls a method of an object while somebody else holds the object.

    Example:
        >>> class Door:
        ...     def ring(self):
        ...         print("ding")
        >>> door = Door()
        >>> ring = weakly(door.ring)
        >>> ring()
        ding
        >>> del door
        >>> ring()
    """
    held = WeakMethod(method)

    def call(*arguments: Any) -> None:
        bound = held()
        if bound is not None:
            bound(*arguments)

    return call


class Following:
    """Mixin that calls functions when traits of other objects change."""

    def follow(
        self, subject: traitlets.HasTraits, update: Callable[[], None], names: str | Sequence[str]
    ) -> None:
        """Call ``update`` whenever one of these traits of ``subject`` changes."""

        key = object()

        def observer(_: object) -> None:
            if key in self._followed:  # or else another thread unfollows just now
                update()

        self._followed = {**getattr(self, "_followed", {}), key: (subject, observer, names)}
        subject.observe(observer, names)

    def unfollow(self) -> None:
        """Stop following all of them."""
        followed, self._followed = getattr(self, "_followed", {}), {}
        for subject, observer, names in followed.values():
            subject.unobserve(observer, names)
