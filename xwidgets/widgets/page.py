"""Pages that show views without a kernel, from one file and without a network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from xwidgets.errors import at_least
from xwidgets.files import whole

from .modules import function_of, joined

HERE = Path(__file__).parent

REFERENCE = "anywidget:"
"""Stands before the identity of a widget where anywidget's browser side finds one by it."""


@dataclass(frozen=True)
class Part:
    """A view on a page.

    Attributes:
        module: its ES module, joined to one text.
        style: its style sheets.
        state: its traits by name. Bytes stand for what a view takes as a ``DataView``.
        held: names of traits that hold other parts by name, as their places on the page.
    """

    module: str
    style: str
    state: Mapping[str, Any]
    held: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Page:
    """Views, their states and all that draws them, in one HTML text that loads nothing.

    It holds the views' own ES modules and styles, and a stand-in for the widget model that offers
    each module what it would find in a notebook. All of it is one inline script, which runs from
    disk, in a frame with ``sandbox="allow-scripts"``, and where a content policy allows no more
    than inline scripts, inline styles and ``data:`` pictures.

    Attributes:
        title: of the page; "" for none.
        about: lines that say what is shown, below the title.
        parts: the views.
        shared: names of traits that stay the same in all views.

    Example:
        >>> import xwidgets as xw
        >>> relevance = xw.saliency(xw.network("birds"), xw.scenes.bird(seed=3).image)
        >>> page = xw.RelevanceOverlay(relevance).to_page(title="A bird")
        >>> page
        <Page 'A bird', ... kB>
        >>> page.iframe(height=480)[:50]
        '<iframe title="A bird" sandbox="allow-scripts allo'
    """

    title: str
    about: Sequence[str]
    parts: Sequence[Part]
    shared: Sequence[str] = ()

    @property
    def fragment(self) -> str:
        """Element that can stand in any HTML document, also several times."""
        return self._fragment("h2")

    @property
    def html(self) -> str:
        """Whole HTML document, whose own content policy lets it load nothing."""
        template = Template((HERE / "page.html").read_text("utf-8"))
        return template.substitute(title=escape(self.title), fragment=self._fragment("h1"))

    def iframe(self, height: int = 640) -> str:
        """Frame that holds the whole document, for a site that takes HTML but no scripts.

        Args:
            height: of the frame, in CSS pixels.

        Raises:
            ValueError: for a height below 1.
        """
        at_least("height", height, 1)
        return (
            f'<iframe title="{escape(self.title)}" sandbox="allow-scripts allow-downloads" '
            f'style="width: 100%; height: {height}px; border: 0" srcdoc="{escape(self.html)}">'
            "</iframe>"
        )

    def save(self, path: str | Path) -> None:
        """Write the document to a file; one that was there is replaced as a whole.

        Raises:
            OSError: when that is not possible; a file that was there stays as it was.
        """
        with whole(path) as part:
            part.write_text(self.html, "utf-8")

    def _fragment(self, heading: str) -> str:
        modules = list(dict.fromkeys(part.module for part in self.parts))
        inside = {
            place for part in self.parts for held in part.held.values() for place in held.values()
        }
        parts = [
            {
                "module": modules.index(part.module),
                "state": {**part.state, **_references(part.held)},
                "inside": place in inside,
            }
            for place, part in enumerate(self.parts)
        ]
        return Template((HERE / "fragment.html").read_text("utf-8")).substitute(
            title=f"<{heading}>{escape(self.title)}</{heading}>" if self.title else "",
            about="".join(f"<p>{escape(line)}</p>\n" for line in self.about),
            style="\n".join(dict.fromkeys(part.style for part in self.parts)),
            views=_json({"parts": parts, "shared": list(self.shared)}),
            runtime=_inline(joined(HERE / "page.mjs").module),
            modules=_inline(",\n".join(map(function_of, modules))),
        )

    def __repr__(self) -> str:
        return f"<Page {self.title!r}, {len(self.html.encode()) / 1000:.0f} kB>"


def _references(held: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, str]]:
    return {
        trait: {name: f"{REFERENCE}{place}" for name, place in places.items()}
        for trait, places in held.items()
    }


def _inline(code: str) -> str:
    """Code that can stand inside a script element."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _json(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, default=_binary, allow_nan=False).replace("<", "\\u003c")


def _binary(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode()}
