"""Extension of Sphinx: a directive that runs code, and shows the view that it makes, alive.

``extensions = ["xwidgets.sphinx"]`` in ``conf.py`` makes ``live-view`` known. It runs its code as a
notebook runs a cell, in one namespace for each document, and shows the code; where its last line is
a view, a page of one or a table, it shows that too. A view is alive, and loads nothing.
"""

from __future__ import annotations

import ast
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from xwidgets.live.kind import is_study
from xwidgets.widgets.exporting import Exporting
from xwidgets.widgets.page import Page

NAMESPACE = "xwidgets.live_views"


class LiveView(SphinxDirective):
    """Code, and the view that it makes."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Run the code and show what its last line is."""
        self.assert_has_content()
        self.env.note_reread()  # what the code uses may have changed
        source = "\n".join(self.content)
        html = _html(self._value(source, _namespace(self.env)))
        code = nodes.literal_block(source, source, language="python")
        if not html:
            return [code]
        return [
            code,
            nodes.container("", nodes.raw("", html, format="html"), classes=["live-view"]),
        ]

    def _value(self, source: str, namespace: dict[str, Any]) -> object:
        """Value of the last line, ``None`` where that is a statement."""
        place, line = self.get_source_info()
        try:
            tree = ast.increment_lineno(ast.parse(source), line)
            last = tree.body[-1] if tree.body else None
            expression = ast.Expression(last.value) if isinstance(last, ast.Expr) else None
            if expression is not None:
                tree.body.pop()
            exec(compile(tree, place, "exec", dont_inherit=True), namespace)
            if expression is None:
                return None
            return eval(compile(expression, place, "eval", dont_inherit=True), namespace)
        except Exception as error:
            raise ExtensionError(
                f"{place}:{line}: the code of a view cannot be run", error
            ) from error


def _namespace(env: BuildEnvironment) -> dict[str, Any]:
    """Variables of the document that is read."""
    return cast(dict[str, Any], env.temp_data.setdefault(NAMESPACE, {"__name__": env.docname}))


def _html(shown: Any) -> str:
    """HTML of a view, a page or a table; "" of anything else."""
    page = shown.to_page() if isinstance(shown, Exporting) else shown
    if isinstance(page, Page):
        return page.fragment
    return str(page._repr_html_() or "") if hasattr(page, "_repr_html_") else ""


def close_studies(app: Sphinx, _: nodes.document) -> None:
    """Stop the studies of a document that was read."""
    for value in _namespace(app.env).values():
        if is_study(value):
            value.close()


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known to Sphinx."""
    app.add_directive("live-view", LiveView)
    app.connect("doctree-read", close_studies)
    return {"parallel_read_safe": False}
