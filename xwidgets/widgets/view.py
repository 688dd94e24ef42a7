"""Base class of all views."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Protocol

import anywidget
import ipywidgets
import traitlets

from xwidgets.errors import of_kind

from .exporting import Exporting
from .line import listen
from .modules import joined
from .page import Page, Part

COMPLETE = {"state": "complete", "share": 1.0}
"""Progress of work that is done."""


class Work(Protocol):
    """Protocol of work that a view shows while it is computed, such as a study."""

    def stop(self) -> None:
        """Stop computing, and keep what is known."""

    def resume(self) -> None:
        """Go on after :meth:`stop`."""

    def watched(self, viewers: int) -> None:
        """Tell that the number of views on screen changed by ``viewers``."""


class View(Exporting, anywidget.AnyWidget):
    """A view of something that follows it until it is closed.

    A subclass names its ES module, a file beside its own, ``class Mine(View, module="mine.mjs")``;
    the module may import others, and each may have a style sheet of its name beside it, see
    :func:`xwidgets.widgets.modules.joined`. It answers to a message ``{"type": "look", ...}`` of
    the browser in a method ``hear_look``, whose arguments are the rest of the message.

    Args:
        **traits: as they are at first.

    Raises:
        ValueError: when the class is made, for modules that cannot be joined.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "hello.mjs")
        ...     _ = path.write_text("export default { render: ({ el }) => el.append('hello') };")
        ...     class Hello(View, module=str(path)):
        ...         def preview(self):
        ...             return {"text/plain": "hello"}
        >>> Hello()._repr_mimebundle_()[0]["text/plain"]
        'hello'
    """

    needs_kernel: ClassVar[bool] = False
    """Whether it does nothing without a kernel; a view that holds it has a page without it."""

    _on_line = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init_subclass__(cls, module: str | None = None, **options: Any) -> None:
        if module is not None:
            source = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
            assets = joined(Path(source).parent / module)
            cls._esm, cls._css = assets.module, assets.style
        super().__init_subclass__(**options)

    def __init__(self, **traits: Any) -> None:
        self._works: Mapping[str, Work] = {}
        self._beside: Work | None = None
        self._viewers = 0
        super().__init__(**traits)
        self.on_msg(lambda _, message, __: self._dispatch(message))
        listen()
        self.bring_along(self)

    def bring_along(self, widget: ipywidgets.Widget) -> None:
        """Let a widget beside the view be heard while a cell runs, as the view is."""
        self._on_line = [*self._on_line, widget.model_id]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends of the traits; what is refused is put back there too."""
        before = {name: getattr(self, name) for name in self.keys if name in sync_data}
        try:
            super().set_state(sync_data)
        except Exception:
            with self.hold_trait_notifications():
                for name, value in before.items():
                    self.set_trait(name, value)
            self.send_state(before)
            raise

    def show_work(self, beside: Work | None = None, **works: Work) -> None:
        """Stop, continue and rest these works as the view is told to.

        Args:
            beside: what is computed for other views, and rests when none of them is on screen.
            **works: each by the trait that tells how far it is.
        """
        self._works, self._beside = works, beside

    def hear_shown(self) -> None:
        """A browser shows the view."""
        self.seen = True
        self._watch(1)

    def hear_hidden(self) -> None:
        """A browser shows the view no more."""
        self._watch(-1)

    def hear_stop(self, of: str | None = None) -> None:
        """Stop the work that a trait tells of, or all."""
        for work in self._named(of):
            work.stop()

    def hear_resume(self, of: str | None = None) -> None:
        """Go on with it."""
        for work in self._named(of):
            work.resume()

    def about(self) -> list[str]:
        """Lines that say what is shown, for a page; the first is its title.

        Raises:
            ValueError: in a sentence, when there is nothing to show yet.
        """
        return self.preview()["text/plain"].splitlines()[:1]

    def still(self) -> dict[str, Any]:
        """Traits that differ where there is no kernel, after waiting for what is shown."""
        return {"alive": False} if self.has_trait("alive") else {}

    def to_page(self, title: str | None = None) -> Page:
        """The view, and those that it holds, as they are now, for where there is no kernel.

        Args:
            title: of the page; what is shown by default.

        Raises:
            ValueError: when there is nothing to show yet.
            Exception: what ended a computation, when it failed.
        """
        views = self.stills()
        return page_of(title, self.about(), views)

    def held_views(self) -> dict[str, dict[str, View]]:
        """Views that stand within this one: by name, for each trait that holds some."""
        return {}

    def page_state(self) -> dict[str, Any]:
        """Values of the traits that a browser needs to draw the view, but for views it holds."""
        inherited = {"_anywidget_id", "_css", "_esm", *View.class_trait_names(), *self.held_views()}
        names = [name for name in self.trait_names(sync=True) if name not in inherited]
        state: dict[str, Any] = self.get_state(names)
        return state

    def stills(self) -> list[tuple[View, dict[str, Any]]]:
        """The view and all within it, at any depth, with their traits that differ on a page."""
        held = [view for views in self.held_views().values() for view in views.values()]
        alive = [view for view in held if not view.needs_kernel]
        return [(self, self.still()), *(each for view in alive for each in view.stills())]

    def _let_go(self) -> None:
        if self._viewers:  # their browsers cannot say any more that it is hidden
            self._watch(-self._viewers)
        self._works, self._beside = {}, None

    def _watch(self, viewers: int) -> None:
        viewers = max(viewers, -self._viewers)  # a page that is left may say so twice
        self._viewers += viewers
        for work in self._works.values():
            work.watched(viewers)
        if self._beside is not None:
            self._beside.watched(0)

    def _named(self, of: str | None) -> list[Work]:
        return [work for name, work in self._works.items() if of in (None, name)]

    def _dispatch(self, message: Any) -> None:
        """Let the method for this kind of message answer; others are refused without a word."""
        if not isinstance(message, dict):
            return
        content = dict(message)
        hear = getattr(self, f"hear_{content.pop('type', None)}", None)
        if hear is None:
            return
        try:
            signature(hear).bind(**content)
        except TypeError:  # not the arguments of such a message
            return
        hear(**content)


def page_of(
    title: str | None,
    about: Sequence[str],
    views: Sequence[tuple[View, Mapping[str, Any]]],
    shared: Sequence[str] = (),
) -> Page:
    """Page of views.

    Args:
        title: of the page; ``None`` for the first line of ``about``.
        about: lines that say what is shown.
        views: each with the traits that have another value on the page; their other synchronised
            traits are as they are. A view that holds others stands on the page with those of them
            that are among the views.
        shared: names of traits that stay the same in all views.
    """
    of_kind("title", title, str | None, "a text, or None for what is shown")
    heading, *lines = [line for line in (title, *about) if line]
    places = {id(view): place for place, (view, _) in enumerate(views)}
    parts = [
        Part(
            str(view._esm),
            str(view._css),
            {**view.page_state(), **changes},
            {
                trait: {name: places[id(part)] for name, part in held.items() if id(part) in places}
                for trait, held in view.held_views().items()
            },
        )
        for view, changes in views
    ]
    return Page(heading, lines, parts, shared)
