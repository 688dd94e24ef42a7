"""Choice of a method on the command line, which brings the options of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xwidgets.errors import unknown

from .lists import described, methods
from .parameters import add_parameters
from .parser import Parser

if TYPE_CHECKING:
    from xwidgets.explain import MapMethod


def add_method(
    parser: Parser, words: Sequence[str], default: str, examples: str
) -> type[MapMethod] | None:
    """Add the parameters of the method that ``words`` name, and what the help says of methods.

    Args:
        parser: of the command, which has an option ``--method``.
        words: behind the command.
        default: name of the method where none is named.
        examples: at the end of the help.

    Returns:
        The method; ``None`` where there is only help to print, which is done, as torch is missing.

    Raises:
        SystemExit: for an unknown method.
    """
    try:
        kinds = methods()
    except ModuleNotFoundError as error:
        if not {"-h", "--help"} & {*words}:
            raise
        parser.epilog = f"{examples}\n\n{error.name} is not installed, so no method is listed."
        parser.print_help()
        return None
    choice = Parser(parser.prog.partition(" ")[2], "", "", add_help=False)
    choice.add_argument("--method")
    named: str | None = choice.parse_known_args(words)[0].method
    if named is not None and named not in kinds:
        choice.error(str(unknown("method", named, kinds)))
    kind = kinds[named or default]
    add_parameters(parser, kind, help_shown=named is not None)
    if named is None:
        parser.epilog = f"methods:\n{described(kinds)}\n\n{examples}"
    return kind
