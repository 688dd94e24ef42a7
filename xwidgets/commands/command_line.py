"""The command ``xwidgets``: which command it is, and what becomes of errors.

Exit codes are 0, 1 where something could not be done, 2 where the words cannot be understood, and
130 after Ctrl-C. An error is one sentence.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

from xwidgets._version import __version__
from xwidgets.errors import one_line, unknown

from . import explanation, lab, lists, notebooks, saved, surveying
from .parser import USAGE, Parser
from .terminal import plain

COMMANDS: Mapping[str, tuple[Callable[[Sequence[str]], int | None], str]] = {
    "lab": (lab.run, "JupyterLab on the quickstart notebook"),
    "explain": (explanation.run, "what speaks for a class in a photograph, as page or picture"),
    "survey": (surveying.run, "the same for all pictures of a folder, with a table of them"),
    "show": (saved.run, "saved results as a page"),
    "notebook": (notebooks.run, "a notebook that was run as a page, its views alive"),
    "networks": (lists.run_networks, "the networks that are known by name"),
    "methods": (lists.run_methods, "what each method asks, and what it costs"),
}
"""What runs a command, and a line on it."""

FAILED, INTERRUPTED = 1, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: behind ``xwidgets``; those of the process by default.

    Returns:
        Exit code.

    Example:
        >>> main(["show", "--help"])
        usage: xwidgets show RESULT [RESULT ...] --out PAGE [--title TITLE]
        ...
        0
    """
    try:
        with _terminal():
            code = _run(sys.argv[1:] if words is None else words)
            sys.stdout.flush()  # while it can be told that nobody reads on
            return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        print(plain(f"xwidgets: {_sentence(error)}"), file=sys.stderr)
        return FAILED


def _run(words: Sequence[str]) -> int:
    """Run the command that is the first of the words, whether it returns or ends."""
    try:
        return _dispatch(words) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0


def _dispatch(words: Sequence[str]) -> int | None:
    """Run the command that is the first of the words."""
    lines = "\n".join(f"  {name:10}{line}" for name, (_, line) in COMMANDS.items())
    parser = Parser("", "COMMAND ...", "See what a convolutional network is doing.", epilog=(
        f"commands:\n{lines}\n\nxwidgets COMMAND --help tells more.\n\n"
        "exit codes: 0; 1 where something could not be done; 2 where a command line cannot be\n"
        "understood; 130 after Ctrl-C"
    ))  # fmt: skip
    parser.add_argument("--version", action="version", version=f"xwidgets {__version__}")
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    name, *rest = words
    if name in COMMANDS:
        run, _ = COMMANDS[name]
        return run(rest)
    if name.startswith("-"):
        parser.parse(words)
    parser.error(str(unknown("command", name, COMMANDS)))


def _sentence(error: Exception) -> str:
    """Error in a sentence."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("torch", "torchvision"):
        return (
            f"{error.name} is not installed, and only xwidgets show does without; see "
            "https://pytorch.org/get-started/locally/"
        )
    if isinstance(error, ValueError | OSError):
        return one_line(error)
    return f"{type(error).__name__}: {one_line(error)}".removesuffix(": ")


@contextmanager
def _terminal() -> Iterator[None]:
    """Context in which any text can be printed, and warnings are sentences."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(plain(f"xwidgets: {' '.join(str(message).split())}"), file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
