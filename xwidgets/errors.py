"""Errors and warnings in one sentence that names problem and fix; checks of arguments."""

import operator
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from math import inf
from numbers import Integral, Real
from pathlib import Path
from typing import Any

_LARGEST = 2**63 - 1
_PACKAGE = str(Path(__file__).parent) + os.sep
_RAN_OUT = (
    "out of memory",
    "not enough memory",
    "allocate memory",
    "bad_alloc",
    "bad allocation",
    "could not create a primitive",  # of oneDNN, which does not tell why
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


class WrongType(TypeError, ValueError):
    """A value of another type than is needed.

    A ``TypeError``, which it says; and a ``ValueError``, as all of this package's errors for
    arguments are, so that one ``except`` catches them.
    """


def unknown(what: str, name: object, known: Iterable[str], hint: str = "") -> ValueError:
    """ValueError for an unknown name, with the nearest known names, and a hint.

    A WrongType when it is no text.

    >>> print(unknown("network", "brids", ["birds", "street"]))
    unknown network 'brids'; did you mean 'birds'?
    """
    choices = list(known)
    near = get_close_matches(str(name), choices, n=3, cutoff=0.5)
    if near:
        advice = "did you mean " + " or ".join(repr(match) for match in near) + "?"
    else:
        some = ", ".join(choices[:8]) + (" ..." if len(choices) > 8 else "")
        advice = f"known: {some}" if some else "none are known"
    kind = ValueError if isinstance(name, str) else WrongType
    return kind(f"unknown {what} {shown(name)}; {advice}{' ' + hint if hint else ''}")


def index_within(what: str, number: object, count: int, owner: str) -> int:
    """Index ``number`` as an int, checked against the ``count`` of things that ``owner`` has.

    >>> index_within("channel", 7, 4, "layer 'features.0'")
    Traceback (most recent call last):
    ValueError: channel 7 does not exist: layer 'features.0' has channels 0 to 3
    """
    try:
        index = operator.index(number)  # type: ignore[arg-type]  # also for the result of argmax
    except (TypeError, ValueError):
        index = None
    if index is None or isinstance(number, bool) or not 0 <= index < count:
        several = f"{what}es" if what.endswith("s") else f"{what}s"
        kind = WrongType if index is None or isinstance(number, bool) else ValueError
        raise kind(f"{what} {shown(number)} does not exist: {owner} has {several} 0 to {count - 1}")
    return index


def at_least(name: str, value: object, least: int) -> None:
    """Check that ``value``, called ``name``, is a whole number of at least ``least``.

    >>> at_least("samples", 0, 1)
    Traceback (most recent call last):
    ValueError: samples is 0, but must be a whole number of at least 1
    """
    _whole(name, value, least, _LARGEST, f"of at least {least}")


def number(name: str, value: Any, holds: Callable[[Any], bool], condition: str) -> None:
    """Check that ``value``, called ``name``, is a finite number for which ``holds`` is true.

    >>> number("sigma", -1, lambda sigma: sigma > 0, "above 0")
    Traceback (most recent call last):
    ValueError: sigma is -1, but must be a number above 0
    """
    right = isinstance(value, Real) and not isinstance(value, bool)
    if not right or not -inf < value < inf or _is_long(value) or not holds(value):
        kind = ValueError if right else WrongType
        raise kind(f"{name} is {shown(value)}, but must be a number {condition}")


def memory_ran_out(error: BaseException) -> bool:
    """Whether an error tells that memory could not be allocated, by Python, torch or a device.

    >>> memory_ran_out(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    True
    """
    told = isinstance(error, RuntimeError) and any(words in str(error) for words in _RAN_OUT)
    return told or isinstance(error, MemoryError)


def one_of(name: str, value: object, choices: Iterable[Any]) -> None:
    """Check that ``value``, called ``name``, is one of the ``choices``.

    >>> one_of("reduce", "mean", ("max", "signed"))
    Traceback (most recent call last):
    ValueError: reduce is 'mean', but must be "max" or "signed"
    """
    known = list(choices)
    if not any(isinstance(value, type(choice)) and value == choice for choice in known):
        right = any(isinstance(value, type(choice)) for choice in known)
        *others, last = (f'"{choice}"' for choice in known)
        needed = f"{', '.join(others)} or {last}" if others else last
        raise (ValueError if right else WrongType)(
            f"{name} is {shown(value)}, but must be {needed}"
        )


def of_kind(name: str, value: object, kinds: Any, needed: str) -> None:
    """Check that ``value``, called ``name``, is one of the ``kinds``, which ``needed`` describes.

    >>> of_kind("study", 3, str, "an xw.Study")
    Traceback (most recent call last):
    xwidgets.errors.WrongType: study is a int, but must be an xw.Study
    """
    if not isinstance(value, kinds):
        raise WrongType(f"{name} is a {type(value).__name__}, but must be {needed}")


def a_flag(name: str, value: object) -> None:
    """Check that ``value``, called ``name``, is ``True`` or ``False``.

    >>> a_flag("contrastive", "yes")
    Traceback (most recent call last):
    xwidgets.errors.WrongType: contrastive is 'yes', but must be True or False
    """
    if not isinstance(value, bool):
        raise WrongType(f"{name} is {shown(value)}, but must be True or False")


def listed(name: str, values: Any, kinds: Any, needed: str) -> list[Any]:
    """Members of ``values``, called ``name``, checked to be several of the ``kinds``.

    >>> listed("rows", "birds", str, "a list of titles")
    Traceback (most recent call last):
    xwidgets.errors.WrongType: rows is 'birds', but must be a list of titles
    """
    several = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    members = list(values) if several and getattr(values, "ndim", True) else []
    right = all(isinstance(one, kinds) and not isinstance(one, bool) for one in members)
    if not several or not right:
        raise WrongType(f"{name} is {shown(values)}, but must be {needed}")
    return members


def a_seed(value: Any) -> int:
    """Seed as an int, checked to be valid for all random generators.

    >>> a_seed(-1)
    Traceback (most recent call last):
    ValueError: seed is -1, but must be a whole number from 0 to 2**63 - 1
    """
    _whole("seed", value, 0, _LARGEST, "from 0 to 2**63 - 1")
    return int(value)


def one_line(error: Exception) -> str:
    """Message of an error in one line.

    >>> one_line(ValueError("no\\n  picture"))
    'no picture'
    """
    return " ".join(str(error).split())


def warn(sentence: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the nearest line of the call stack outside of this package, the user's."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, category, stacklevel=level)


def _whole(name: str, value: Any, least: int, most: float, span: str) -> None:
    right = isinstance(value, Integral) and not isinstance(value, bool)
    if not right or not least <= value <= most:
        kind = ValueError if right else WrongType
        raise kind(f"{name} is {shown(value)}, but must be a whole number {span}")


def _is_long(value: Any) -> bool:
    """Whether it is a whole number that 64 bits cannot hold."""
    return isinstance(value, Integral) and not -_LARGEST <= int(value) <= _LARGEST


def shown(value: object) -> str:
    """A value in a sentence, in one line that is not long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."
