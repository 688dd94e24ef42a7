"""Text on a terminal: lines that are no wider than it, and names that cannot command it."""

import shutil
from collections.abc import Iterable, Sequence
from textwrap import TextWrapper

WIDEST = 100
"""Characters of a line, on a wider terminal too."""


def width() -> int:
    """Characters of a line; the variable ``COLUMNS`` of the environment sets them, too."""
    return max(40, min(WIDEST, shutil.get_terminal_size().columns - 1))


def plain(text: object) -> str:
    r"""Text in which characters that are not printed, such as escape codes, are spelled out.

    Example:
        >>> print(plain("cat\x1b[2J.jpg"))
        cat\x1b[2J.jpg
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in str(text)
    )


def wrapped(text: str, indent: int = 0) -> str:
    """Paragraph of lines that are not too wide, each ``indent`` spaces from the left.

    Example:
        >>> print(wrapped("One sentence.", indent=2))
          One sentence.
    """
    margin = " " * indent
    wrapper = TextWrapper(
        width(), initial_indent=margin, subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return wrapper.fill(text)


def entries(items: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Names with paragraphs below each, indented.

    Example:
        >>> print(entries([("saliency", ["How much?"]), ("occlusion", ["What is lost?"])]))
          saliency
            How much?
          occlusion
            What is lost?
    """
    return "\n".join(
        "\n".join([f"  {name}", *(wrapped(each, 4) for each in paragraphs)])
        for name, paragraphs in items
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns that are as wide as the longest of their texts, the first row above.

    Example:
        >>> print(table([("name", "classes"), ("birds", "20")]))
        name   classes
        birds  20
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(size) for text, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
