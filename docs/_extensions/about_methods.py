"""Directives that run code and show the view that it makes, and that tell what a method is.

``live-view`` runs its code as a notebook runs a cell, in one namespace for each document, shows the
code and, where its last line is a view, a page of one or a table, that: a view is alive.
``about-method`` tells of a method what its class says: question, unit, and a table of parameters.
"""

import ast
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

import xwidgets as xw
from xwidgets.explain import Method
from xwidgets.widgets.exporting import Exporting

NAMESPACE = "live_views"


class LiveView(SphinxDirective):
    """Code, and the view that it makes."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Run the code and show what its last line is."""
        self.env.note_reread()  # the package may have changed
        source = "\n".join(self.content)
        namespace = self.env.temp_data.setdefault(NAMESPACE, {"__name__": self.env.docname})
        shown = self._value(source, namespace)
        page = shown.to_page() if isinstance(shown, Exporting) else shown
        code = nodes.literal_block(source, source, language="python")
        if page is None:
            return [code]
        html = page.fragment if isinstance(page, xw.Page) else page._repr_html_()
        return [
            code,
            nodes.container("", nodes.raw("", html, format="html"), classes=["live-view"]),
        ]

    def _value(self, source: str, namespace: dict[str, Any]) -> Any:
        """Value of the last line, ``None`` where that is a statement."""
        place, line = self.get_source_info()
        try:
            tree = ast.increment_lineno(ast.parse(source), line)
            *_, last = tree.body
            expression = isinstance(last, ast.Expr) and ast.Expression(tree.body.pop().value)
            exec(compile(tree, place, "exec"), namespace)
            return eval(compile(expression, place, "eval"), namespace) if expression else None
        except Exception as error:
            raise ExtensionError(
                f"{place}:{line}: the code of a view cannot be run", error
            ) from error


class AboutMethod(SphinxDirective):
    """Question, unit and parameters of a method, as its class tells them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the question, the unit and the table."""
        self.env.note_reread()
        kind: type[Method[Any]] = getattr(xw, self.arguments[0])
        return self.parse_text_to_nodes(f"````{{eval-rst}}\n{_about(kind)}\n````")


def _about(kind: type[Method[Any]]) -> str:
    """Text about a method in reStructuredText, as docstrings are."""
    method = kind.__new__(kind)  # some have parameters without a valid default
    for name in kind.parameters:
        object.__setattr__(method, name, getattr(kind, name))
    signed = "evidence against it is negative" if method.signed else "never negative"
    rows = [
        f"* - ``{name}``\n  - ``{getattr(kind, name)!r}``\n  - {known.line.rstrip('.')}."
        for name, known in kind.parameters.items()
    ]
    return (
        f".. epigraph::\n\n   {method.asks}\n\n"
        f":py:class:`xwidgets.{kind.__name__}`, in {method.unit}; {signed}.\n\n"
        ".. list-table::\n   :header-rows: 1\n   :widths: 18 16 66\n\n"
        + "   * - parameter\n     - default\n     - meaning\n"
        + "\n".join(f"   {line}" for row in rows for line in row.splitlines())
    )


def close_studies(app: Sphinx, _: nodes.document) -> None:
    """Stop the studies of a document that was read."""
    for value in app.env.temp_data.get(NAMESPACE, {}).values():
        if isinstance(value, xw.Study):
            value.close()


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known to Sphinx."""
    app.add_directive("live-view", LiveView)
    app.add_directive("about-method", AboutMethod)
    app.connect("doctree-read", close_studies)
    return {"parallel_read_safe": False}
