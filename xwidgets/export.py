"""A view in a page of one file that needs neither kernel nor network.

The page holds the view's own ES module and style, its state, and a stand-in for the widget model
(``page.mjs``) that offers the module what it would find in a notebook.
"""

import json
from base64 import b64encode
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import anywidget

HERE = Path(__file__).parent


def write_page(view: anywidget.AnyWidget, path: str | Path, title: str, **state: Any) -> None:
    """Write ``view`` as a page.

    Args:
        view: any view of this package; its synchronised traits become the page's state.
        path: of the HTML file.
        title: of the page.
        **state: traits that have another value on the page.
    """
    inherited = {"_anywidget_id", "_css", "_esm", *anywidget.AnyWidget.class_trait_names()}
    names = [name for name in view.trait_names(sync=True) if name not in inherited]
    values = {name: getattr(view, name) for name in names} | state
    page = Template((HERE / "page.html").read_text("utf-8")).substitute(
        title=escape(title),
        style=str(view._css),
        state=_script(values),
        view=_script(str(view._esm)),
        runtime=(HERE / "page.mjs").read_text("utf-8"),
    )
    Path(path).write_text(page, "utf-8")


def _script(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, default=_binary).replace("<", "\\u003c")


def _binary(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode()}
