"""A notebook that was run, as one HTML file in which its views live.

nbconvert makes the page; each view of this package is put into it as a :class:`.page.Page` from the
state that the notebook keeps of its widgets.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from importlib import import_module
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from traitlets.config import Config

from xwidgets.errors import of_kind, one_line

from .page import REFERENCE, Page, Part
from .view import View

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
CHILD = "IPY_MODEL_"
PICTURE = re.compile(r"""(<img\b[^>]*?\bsrc=")(?!\w+:|//)([^"]+)(")""")
"""Image element that refers to a file, in three parts."""

States = Mapping[str, Mapping[str, Any]]
"""Models of widgets by their identity, as a notebook's metadata keep them."""


def notebook_page(path: str | Path) -> str:
    """HTML of a notebook that was run, which needs neither kernel nor network.

    Its views stay alive; of widgets of other packages, and of views that no browser can draw
    without a kernel, the page has the picture or table that the notebook keeps beside them.

    Args:
        path: of the notebook, saved with the state of its widgets: run by
            ``jupyter nbconvert --execute --to notebook``, or in JupyterLab with *Save Widget State
            Automatically* in the menu *Settings*.

    Raises:
        ValueError: for a file that is no notebook, or where nbconvert is missing.

    Example:
        >>> "no notebook" in str(notebook_page("missing.ipynb"))
        Traceback (most recent call last):
        ...
        ValueError: 'missing.ipynb' is no notebook that can be read (...); ...
    """
    of_kind("path", path, str | Path, "the path of a notebook")  # a number would be an open file
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise ValueError(
            "pages of notebooks need nbconvert; install it with pip install 'xwidgets[lab]'"
        ) from error
    try:
        notebook = nbformat.read(path, 4)
    except Exception as error:  # of many kinds
        raise ValueError(
            f"{str(path)!r} is no notebook that can be read ({one_line(error)}); give an .ipynb"
        ) from error
    told = notebook.metadata.pop("widgets", {})
    states = told.get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).pop(VIEW, None)
            page = None if shown is None else page_of_state(shown["model_id"], states)
            if page is not None:
                output.data = {"text/html": page.fragment}
    nowhere = {"mathjax_url": "", "require_js_url": "", "jquery_url": "", "widget_renderer_url": ""}
    exporter = HTMLExporter(config=Config(HTMLExporter=nowhere))
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": Path(path).stem}})
    return PICTURE.sub(partial(_embedded, Path(path).parent), html)


def _embedded(folder: Path, tag: re.Match[str]) -> str:
    """An image element with the file that it refers to in it, where that is there.

    nbconvert's ``embed_images`` would unfold answers in ``<details>``: it closes every element of a
    piece of Markdown at the next blank line.
    """
    before, source, after = tag.groups()
    file = folder / unquote(source)
    kind, _ = guess_type(file.name)
    if not file.is_file() or not (kind or "").startswith("image/"):
        return tag.group()
    return f"{before}data:{kind};base64,{b64encode(file.read_bytes()).decode()}{after}"


def page_of_state(model: str, states: States) -> Page | None:
    """A widget and the views in it on a page; ``None`` where there is no view of this package.

    Args:
        model: identity of the widget.
        states: of all widgets.
    """
    views = list(_views(model, states))
    places = {identity: place for place, identity in enumerate(views)}
    parts = [_part(states[identity], places) for identity in views]
    return Page("", [], parts, _linked(views, states)) if parts else None


def _views(model: str, states: States) -> Iterator[str]:
    """Views of this package in a widget, itself included, but for those that need a kernel."""
    told = states.get(model)
    if told is None:
        return
    state = told["state"]
    kind = _class_of(state)
    if kind is None:  # maybe a box of others
        for child in state.get("children", []):
            yield from _views(str(child).removeprefix(CHILD), states)
    elif not kind.needs_kernel:
        yield model
        for held in _held(state).values():
            for reference in held.values():
                yield from _views(reference.removeprefix(REFERENCE), states)


def _class_of(state: Mapping[str, Any]) -> type[View] | None:
    """Class of a view of this package, by the identity that anywidget gives it."""
    module, _, name = str(state.get("_anywidget_id", "")).rpartition(".")
    if not module.startswith("xwidgets."):
        return None
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError):  # of another version
        return None
    return kind if issubclass(kind, View) else None


def _held(state: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Traits that hold other views, as anywidget refers to them."""
    return {
        trait: value
        for trait, value in state.items()
        if isinstance(value, dict)
        and value
        and all(isinstance(one, str) and one.startswith(REFERENCE) for one in value.values())
    }


def _part(told: Mapping[str, Any], places: Mapping[str, int]) -> Part:
    state = deepcopy({**told["state"]})
    for buffer in told.get("buffers", []):
        *path, last = buffer["path"]
        place: Any = state
        for key in path:
            place = place[key]
        place[last] = {"base64": buffer["data"]}
    held = {
        trait: {
            name: places[identity]
            for name, reference in references.items()
            if (identity := reference.removeprefix(REFERENCE)) in places
        }
        for trait, references in _held(state).items()
    }
    traits = {name: _still(value) for name, value in state.items() if not name.startswith("_")}
    if "alive" in traits:
        traits["alive"] = False
    return Part(state["_esm"], state.get("_css", ""), traits, held)


def _still(value: Any) -> Any:
    """A trait's value; work that it says goes on has stopped."""
    computing = isinstance(value, dict) and value.get("state") == "computing"
    return {**value, "state": "stopped"} if computing else value


def _linked(views: list[str], states: States) -> list[str]:
    """Names of traits that links in the browser keep alike among these views."""
    names = set()
    for told in states.values():
        state = told["state"]
        if state.get("_model_name") in {"LinkModel", "DirectionalLinkModel"}:
            ends = [state["source"], state["target"]]
            if all(str(end[0]).removeprefix(CHILD) in views for end in ends):
                names |= {end[1] for end in ends}
    return sorted(names)
