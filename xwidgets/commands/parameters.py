"""Parameters of a method as options: which text means which value, and what the help says.

All of it comes from the method itself: the type of a field says how its values are written, the
facts about the parameter what it means and which values are valid.
"""

from __future__ import annotations

import re
from argparse import SUPPRESS, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from textwrap import dedent
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from xwidgets.errors import one_line, shown

from .parser import Parser
from .terminal import wrapped

if TYPE_CHECKING:
    from xwidgets.explain import Method, Parameter

M = TypeVar("M", bound="Method[Any]")
_PREFIX = "parameter "


@dataclass(frozen=True)
class Spelling:
    """Writing of the values of a type.

    Attributes:
        placeholder: for a value, in the help.
        words: what must be written, in a sentence.
        read: from a text to its value; raises a ValueError for other texts.
    """

    placeholder: str
    words: str
    read: Callable[[str], Any]


def add_parameters(parser: Parser, kind: type[Method[Any]], help_shown: bool = True) -> None:
    """Add an option for each parameter of a method that can be written.

    Args:
        parser: of the command.
        kind: of method, all of whose parameters have defaults.
        help_shown: whether the help lists them.
    """
    hints, default = get_type_hints(kind), method_of(kind, Namespace())
    about = dedent(wrapped(f"{default.asks} {default.cost}".strip(), indent=2))
    title = f"parameters of {default.name}"
    group = parser.add_argument_group(title, about) if help_shown else parser
    if default.qualities:
        group.add_argument(
            "--quality", default=_quickest(default), choices=list(default.qualities),
            metavar="|".join(default.qualities),
            help=_qualities(default) if help_shown else SUPPRESS,
        )  # fmt: skip
    for name, known in kind.parameters.items():
        spelling = spelling_of(hints[name])
        if spelling is not None:
            group.add_argument(
                option(name), dest=_PREFIX + name, default=SUPPRESS, metavar=spelling.placeholder,
                type=partial(_read, name, known, spelling),
                help=_explained(known, getattr(default, name)) if help_shown else SUPPRESS,
            )  # fmt: skip


def method_of(kind: type[M], arguments: Namespace) -> M:
    """Method with the parameters that were given, and for the others those of its quality."""
    given = {
        name.removeprefix(_PREFIX): value
        for name, value in vars(arguments).items()
        if name.startswith(_PREFIX)
    }
    method = kind(**given)
    if not method.qualities:
        return method
    others = method.qualities[getattr(arguments, "quality", _quickest(method))]
    return method.changed(**{name: value for name, value in others.items() if name not in given})


def option(parameter: str) -> str:
    """Option of a parameter.

    Example:
        >>> option("stop_at")
        '--stop-at'
    """
    return f"--{parameter.replace('_', '-')}"


def spelling_of(kind: Any) -> Spelling | None:
    """Writing of the values of a type; ``None`` for one whose values are no text.

    Example:
        >>> size = spelling_of(int | tuple[int, int])
        >>> size.placeholder, size.words
        ('N|N,N', 'a whole number, or 2 whole numbers with commas between them')
        >>> size.read("8"), size.read("8,16")
        (8, (8, 16))
    """
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    several = [spelling for spelling in map(_single, kinds) if spelling is not None]
    if all(spelling is _NONE for spelling in several):
        return None

    def read(text: str) -> Any:
        # any text is a name
        for spelling in sorted(several, key=lambda spelling: spelling.read is str):
            try:
                return spelling.read(text)
            except ValueError:
                continue
        raise ValueError(words)

    words = ", or ".join(spelling.words for spelling in several)
    return Spelling("|".join(spelling.placeholder for spelling in several), words, read)


def _single(kind: Any) -> Spelling | None:
    """Writing of the values of a type that is no union."""
    if get_origin(kind) is Literal:
        words = get_args(kind)
        return Spelling("|".join(words), " or ".join(map(repr, words)), partial(_one_of, words))
    if get_origin(kind) is tuple:
        first, *others = get_args(kind)
        inner = _single(first)
        if inner is None:
            return None
        many = ... in others
        count = "several" if many else str(1 + len(others))
        placeholders = [inner.placeholder] * (2 if many else 1 + len(others))
        return Spelling(
            ",".join(placeholders + ["..."] * many),
            f"{count} {inner.words.removeprefix('a ')}s with commas between them",
            partial(_several, inner.read, 0 if many else 1 + len(others)),
        )
    return _PLAIN.get(kind)


def _one_of(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(text)
    return text


def _several(read: Callable[[str], Any], count: int, text: str) -> tuple[Any, ...]:
    values = tuple(map(read, text.split(",")))
    if len(values) < 2 or count not in (0, len(values)):
        raise ValueError(text)
    return values


def _written(values: dict[str, Any], text: str) -> Any:
    if text not in values:
        raise ValueError(text)
    return values[text]


_NONE = Spelling("none", "'none'", partial(_written, {"none": None}))
_PLAIN = {
    NoneType: _NONE,
    bool: Spelling(
        "true|false", "'true' or 'false'", partial(_written, {"true": True, "false": False})
    ),
    int: Spelling("N", "a whole number", int),
    float: Spelling("X", "a number", float),
    str: Spelling("NAME", "a name", str),
}


def _read(name: str, known: Parameter, spelling: Spelling, text: str) -> Any:
    """Value of a parameter, as far as it can be checked without a picture."""
    try:
        value = spelling.read(text)
    except ValueError:
        raise ArgumentTypeError(f"{shown(text)} must be {spelling.words}") from None
    try:
        known.check(name, value)
    except ValueError as error:
        raise ArgumentTypeError(one_line(error)) from None
    return value


def _explained(known: Parameter, default: Any) -> str:
    """Line of a parameter, with its default, unit and range."""
    value = f"{_text(default)} {known.unit}".strip()
    return f"{_words(known.line)} (default: {value}{_range(known)})".replace("%", "%%")


def _range(known: Parameter) -> str:
    """Bounds of a number that are the same in every picture."""
    if not isinstance(known.least, int | float):
        return ""
    most = f" to {known.most:g}" if isinstance(known.most, int | float) else ""
    return f", {known.least:g}{most}" if most else f", at least {known.least:g}"


def _quickest(method: Method[Any]) -> str:
    """Name of the quality that a method has soonest."""
    return next(iter(method.qualities))


def _qualities(method: Method[Any]) -> str:
    """Options that the qualities of a method stand for."""
    told = (
        f"{quality}: {' '.join(f'{option(name)} {value}' for name, value in parameters.items())}"
        for quality, parameters in method.qualities.items()
    )
    return (
        f"parameters at once, where they are not given (default: {_quickest(method)}); "
        f"{'; '.join(told)}"
    )


def _words(line: str) -> str:
    """Explanation of a parameter as plain text, with values as they are written on a terminal."""
    line = re.sub(r":\w+:`~?([^`]*)`", r"\1", line)
    line = re.sub(r"``(None|True|False)``", lambda match: match[1].lower(), line)
    return line.replace("``", "")


def _text(value: Any) -> str:
    """Value as it is written on a terminal."""
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
