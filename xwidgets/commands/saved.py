"""The command ``show``: saved results as a page, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import output, terminal
from .parser import Parser

if TYPE_CHECKING:
    from xwidgets.results.result import Result

DESCRIPTION = (
    "Writes results that were saved, by xwidgets explain or by result.save(path) in Python, as one "
    "page, which needs neither a kernel nor a network. Maps of one picture stand in one view.\n\n"
    "torch is not needed for it."
)


def run(words: Sequence[str]) -> None:
    """Write results as a page.

    Raises:
        ValueError: for files that hold no result.
        OSError: where the page cannot be written.
        SystemExit: where the words cannot be understood.
    """
    parser = Parser("show", "RESULT [RESULT ...] --out PAGE [--title TITLE]", DESCRIPTION)
    parser.add_argument("results", metavar="RESULT", nargs="+", help="file that ends in .npz")
    parser.add_argument("--out", metavar="PAGE", required=True, help="file that ends in .html")
    parser.add_argument("--title", help="of the page (default: what is shown)")
    arguments = parser.parse(words)
    page = Path(arguments.out)
    if page.suffix != ".html":
        parser.error(f"argument --out: {arguments.out!r} does not end in .html")
    output.check([page])
    results = [loaded(path) for path in arguments.results]
    from xwidgets.results.sentences import sentence
    from xwidgets.widgets.result_page import results_page

    results_page(results, arguments.title).save(page)
    for path, result in zip(arguments.results, results, strict=True):
        print(terminal.plain(f"{path}: {getattr(result, 'title', result)}"))
        if told := sentence(result):
            print(terminal.wrapped(terminal.plain(told), 2))
    print(f"written to {terminal.plain(page)}")


def loaded(path: str) -> Result:
    """Result of any kind from its file.

    Raises:
        ValueError: when the file is missing, damaged, or holds no result of this package.
    """
    from xwidgets import results
    from xwidgets.results.result import kind_of

    kind = kind_of(path)
    if kind not in results.__all__:
        raise ValueError(f"{path!r} holds a {kind}, which is no result that can be shown")
    result: Result = getattr(results, kind).load(path)
    return result
