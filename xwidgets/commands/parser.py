"""Parser of the words behind a command, which says in one sentence what is wrong with them."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from xwidgets.errors import unknown

from . import terminal

USAGE = 2
"""Exit code where a command line cannot be understood."""


class Parser(argparse.ArgumentParser):
    """Parser of one command.

    Args:
        command: its name; "" for that of all commands.
        usage: what stands behind the name.
        description: paragraphs above the arguments in the help.
        **options: of :class:`argparse.ArgumentParser`.

    Example:
        >>> parser = Parser("show", "RESULT", "Shows a result.")
        >>> parser.prog
        'xwidgets show'
    """

    def __init__(self, command: str, usage: str, description: str, **options: Any) -> None:
        program = f"xwidgets {command}".strip()
        super().__init__(
            prog=program,
            usage=f"{program} {usage}".strip(),
            description="\n\n".join(map(terminal.wrapped, description.split("\n\n"))),
            formatter_class=_Help,
            allow_abbrev=False,
            **options,
        )

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Arguments in ``words``.

        Raises:
            SystemExit: for others, after a sentence, with :data:`USAGE`; after help with 0.
        """
        arguments, rest = self.parse_known_intermixed_args(words)
        strange = next((word for word in rest if word.startswith("-")), None)
        if strange is not None:
            name = strange.partition("=")[0]
            own_first = [*reversed(self._option_string_actions)]
            self.error(str(unknown("option", name, own_first)))
        if rest:
            self.error(f"{rest[0]!r} is one argument too many; the options come before or behind")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Say in a sentence what is wrong, and end."""
        sentence = terminal.plain(" ".join(f"{self.prog}: {message}".split()))
        print(f"{sentence} ({self.prog} --help tells more)", file=sys.stderr)
        raise SystemExit(USAGE)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, whose paragraphs are wrapped already."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=terminal.width())
