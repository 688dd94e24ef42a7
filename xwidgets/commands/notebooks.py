"""The command ``notebook``: a notebook that was run as one page, its views alive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xwidgets.files import whole

from . import output, terminal
from .parser import Parser

DESCRIPTION = (
    "Writes a notebook that was run as one page, which needs neither a kernel nor a network. Its "
    "views stay alive; in place of other widgets the page has what the notebook keeps beside them."
    "\n\n"
    "The notebook must hold the state of its widgets: JupyterLab saves it where Save Widget State "
    "Automatically is ticked in its menu Settings, and so does jupyter nbconvert --to notebook "
    "--execute."
)


def run(words: Sequence[str]) -> None:
    """Write a notebook as a page.

    Raises:
        ValueError: for a file that is no notebook.
        OSError: where the page cannot be written.
        SystemExit: where the words cannot be understood.
    """
    parser = Parser("notebook", "NOTEBOOK [--out PAGE]", DESCRIPTION)
    parser.add_argument("notebook", metavar="NOTEBOOK", help="file that ends in .ipynb")
    parser.add_argument("--out", metavar="PAGE", help="default: beside it, ending in .html")
    arguments = parser.parse(words)
    page = Path(arguments.out or Path(arguments.notebook).with_suffix(".html"))
    if page.suffix != ".html":
        parser.error(f"argument --out: {arguments.out!r} does not end in .html")
    output.check([page])
    from xwidgets.widgets._notebook_page import notebook_page

    html = notebook_page(arguments.notebook)
    with whole(page) as part:
        part.write_text(html, "utf-8")
    print(f"written to {terminal.plain(page)}, {len(html.encode()) / 1e6:.1f} MB")
