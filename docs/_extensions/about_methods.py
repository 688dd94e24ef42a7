"""Directive that tells what the class of a method says: question, unit, a table of parameters."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import xwidgets as xw
from xwidgets.explain import Method


class AboutMethod(SphinxDirective):
    """Question, unit and parameters of a method, as its class tells them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the question, the unit and the table."""
        self.env.note_reread()  # the package may have changed
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known to Sphinx."""
    app.add_directive("about-method", AboutMethod)
    return {"parallel_read_safe": True}
