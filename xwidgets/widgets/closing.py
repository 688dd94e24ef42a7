"""Widgets that let go of everything when they are closed.

ipywidgets keeps each widget until it is closed, and closes neither the layout of a widget, nor its
style or children.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar, overload

import ipywidgets

from xwidgets.live.following import Following

T = TypeVar("T")


class Held(Generic[T]):
    """Attribute of a :class:`Closing` widget that it holds until it is closed, such as its study.

    Reading it afterwards raises a ``ValueError``.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, widget: None, kind: type) -> Held[T]: ...
    @overload
    def __get__(self, widget: object, kind: type) -> T: ...
    def __get__(self, widget: object | None, kind: type) -> Held[T] | T:
        if widget is None:
            return self
        if self._name not in vars(widget):
            raise ValueError(f"this {kind.__name__} is closed; make a new one")
        value: T = vars(widget)[self._name]
        return value

    def __set__(self, widget: object, value: T) -> None:
        vars(widget)[self._name] = value


class Closing(Following):
    """Mixin of widgets that close their parts too, and then hold nothing that they followed.

    Example:
        >>> class Pair(Closing, ipywidgets.VBox):
        ...     subject = Held()
        >>> pair = Pair([ipywidgets.Button(), ipywidgets.Button()])
        >>> pair.subject = "a study"
        >>> pair.close()
        >>> [button.comm for button in pair.children], pair.layout.comm
        ([None, None], None)
        >>> pair.subject
        Traceback (most recent call last):
        ValueError: this Pair is closed; make a new one
    """

    def close(self) -> None:
        """Take it off the page with its parts, and hold and follow nothing any more."""
        if self.comm is None:  # type: ignore[attr-defined]  # closed before, or never made
            return
        self._let_go()
        self.unfollow()
        self.unobserve_all()  # type: ignore[attr-defined]
        parts = list(parts_of(self))
        super().close()  # type: ignore[misc]
        close_all(parts)
        for kind in type(self).__mro__:
            for name in (name for name, value in vars(kind).items() if isinstance(value, Held)):
                vars(self).pop(name, None)

    def _let_go(self) -> None:
        """End what it began itself, just before it is closed."""


def close_all(widgets: Iterable[ipywidgets.Widget]) -> None:
    """Close widgets with their layouts, styles and children."""
    for widget in widgets:
        if isinstance(widget, Closing):
            widget.close()
        elif widget.comm is not None:
            parts = list(parts_of(widget))
            widget.close()
            close_all(parts)


def parts_of(widget: Any) -> Iterator[ipywidgets.Widget]:
    """Widgets in the public traits of a widget: its layout, style, children, marks and others."""
    for name, value in widget._trait_values.items():
        if not name.startswith("_"):
            several = value.values() if isinstance(value, dict) else value
            values = several if isinstance(value, dict | list | tuple) else [value]
            yield from (part for part in values if isinstance(part, ipywidgets.Widget))
