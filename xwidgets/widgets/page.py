"""Views in a page of one file that needs neither kernel nor network.

The page holds the views' own ES modules and styles, their states, and a stand-in for the widget
model (``page.mjs``) that offers each module what it would find in a notebook. All of it is one
inline script, so that it runs where a page may load nothing, and its content policy lets it load
nothing.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from xwidgets.files import whole

from .group import PREFIX, Group
from .modules import function_of, joined
from .view import View

HERE = Path(__file__).parent


def write_page(
    path: str | Path,
    title: str | None,
    about: Sequence[str],
    views: Sequence[tuple[View, dict[str, Any]]],
    shared: Sequence[str] = (),
) -> None:
    """Write views as a page.

    Args:
        path: of the HTML file.
        title: of the page; ``None`` for the first line of ``about``.
        about: lines that say what is shown, below the title.
        views: of this package, each with the traits that have another value on the page; their
            other synchronised traits are as they are. A group stands on the page with those of its
            parts that are among them.
        shared: names of traits that stay the same in all views.
    """
    modules = list(dict.fromkeys(str(view._esm) for view, _ in views))
    places = {id(view): place for place, (view, _) in enumerate(views)}
    held = {
        id(view): {
            name: f"{PREFIX}{places[id(part)]}"
            for name, part in view.parts.items()
            if id(part) in places
        }
        for view, _ in views
        if isinstance(view, Group)
    }
    inside = {reference for references in held.values() for reference in references.values()}
    parts = [
        {
            "module": modules.index(str(view._esm)),
            "state": _state(view)
            | ({"parts": held[id(view)]} if id(view) in held else {})
            | changes,
            "inside": f"{PREFIX}{place}" in inside,
        }
        for place, (view, changes) in enumerate(views)
    ]
    heading, *lines = [escape(line) for line in (title, *about) if line]
    page = Template((HERE / "page.html").read_text("utf-8")).substitute(
        title=heading,
        about="".join(f"<p>{line}</p>\n" for line in lines),
        style="\n".join(dict.fromkeys(str(view._css) for view, _ in views)),
        views=_json({"parts": parts, "shared": list(shared)}),
        runtime=_inline(joined(HERE / "page.mjs").module),
        modules=_inline(",\n".join(map(function_of, modules))),
    )
    with whole(path) as part:
        part.write_text(page, "utf-8")


def _state(view: View) -> dict[str, Any]:
    inherited = {"_anywidget_id", "_css", "_esm", *View.class_trait_names()}
    names = [name for name in view.trait_names(sync=True) if name not in inherited]
    return {name: getattr(view, name) for name in names}


def _inline(code: str) -> str:
    """Code that can stand inside a script element."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _json(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, default=_binary, allow_nan=False).replace("<", "\\u003c")


def _binary(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode()}
