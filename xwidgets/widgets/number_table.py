"""Numbers of a lesson, as text and as a table where there are no widgets."""

import re
from collections.abc import Sequence
from html import escape

from xwidgets.results.numbers import number


def short(value: float) -> str:
    """A number in as few characters as can be.

    Example:
        >>> [short(value) for value in (-1.0, 0.5, 1e-12, 3.14159)]
        ['−1', '0.5', '0', '3.1']
    """
    whole = round(value)
    if abs(value - whole) < 1e-9:
        return f"{'−' if whole < 0 else ''}{abs(whole)}"
    return re.sub(r"(\.\d*[1-9])0+$", r"\1", number(value, 2))


def html_table(rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table of texts, of which the first of each row is its heading.

    Example:
        >>> html_table([["x", "1"]], "a signal")
        '<table><caption>a signal</caption><tr><th>x</th><td>1</td></tr></table>'
    """
    body = "".join(
        f"<tr><th>{escape(first)}</th>{''.join(f'<td>{escape(text)}</td>' for text in rest)}</tr>"
        for first, *rest in rows
    )
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"
