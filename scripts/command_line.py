"""Write the page of the documentation on the command line from its own help.

``python -m scripts.command_line`` writes ``docs/command_line.md``; a test holds that it is current.
"""

import io
import os
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

from xwidgets.commands import main
from xwidgets.commands.lists import methods
from xwidgets.files import whole

PAGE = Path(__file__).parents[1] / "docs" / "command_line.md"
HEAD = """\
# Command line

`pip install` brings the command `xwidgets`; `python -m xwidgets` is the same. Everything below is
what `--help` prints.
"""


def printed(*words: str) -> str:
    """Output of a command, with lines that fit the page."""
    with patch.dict(os.environ, COLUMNS="91"), redirect_stdout(io.StringIO()) as text:
        code = main(words)
    assert code == 0, words
    return text.getvalue().strip()


def page() -> str:
    """The help of all commands, and of all methods, as a page."""
    parts = [HEAD, _block(printed("--help"))]
    for command in ("lab", "explain", "survey", "show", "notebook", "networks", "methods"):
        parts += [f"## xwidgets {command}\n", _block(printed(command, "--help"))]
    parts.append("## Parameters of the methods\n")
    for name in methods():
        _, _, own = printed("explain", "--method", name, "--help").partition("\nparameters of ")
        parts += [f"### {name}\n", _block(own.partition(":\n")[2])]
    return "\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.strip(chr(10))}\n```\n"


if __name__ == "__main__":
    with whole(PAGE) as part:
        part.write_text(page(), "utf-8")
