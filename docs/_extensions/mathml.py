"""Formulas as MathML, which browsers draw themselves: pages ask no network for a script."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def within_a_line(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a sentence."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def on_its_own(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands between paragraphs."""
    translator.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the renderer known to Sphinx."""
    app.add_html_math_renderer("mathml", (within_a_line, None), (on_its_own, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
