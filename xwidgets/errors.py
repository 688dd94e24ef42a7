"""Errors and warnings in one sentence that names problem and fix; checks of arguments."""

import operator
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Any

_PACKAGE = str(Path(__file__).parent) + os.sep


def unknown(what: str, name: object, known: Iterable[str], hint: str = "") -> ValueError:
    """ValueError for an unknown name, with the nearest known names, and a hint.

    >>> print(unknown("network", "brids", ["birds", "street"]))
    unknown network 'brids'; did you mean 'birds'?
    """
    choices = list(known)
    near = get_close_matches(str(name), choices, n=3, cutoff=0.5)
    if near:
        advice = "did you mean " + " or ".join(repr(match) for match in near) + "?"
    else:
        shown = ", ".join(choices[:8]) + (" ..." if len(choices) > 8 else "")
        advice = f"known: {shown}" if shown else "none are known"
    return ValueError(f"unknown {what} {name!r}; {advice}{' ' + hint if hint else ''}")


def index_within(what: str, number: object, count: int, owner: str) -> int:
    """Index ``number`` as an int, checked against the ``count`` of things that ``owner`` has.

    >>> index_within("channel", 7, 4, "layer 'features.0'")
    Traceback (most recent call last):
    ValueError: channel 7 does not exist: layer 'features.0' has channels 0 to 3
    """
    try:
        index = operator.index(number)  # type: ignore[arg-type]  # also for the result of argmax
    except TypeError:
        index = -1
    if not 0 <= index < count:
        several = f"{what}es" if what.endswith("s") else f"{what}s"
        raise ValueError(
            f"{what} {number!r} does not exist: {owner} has {several} 0 to {count - 1}"
        )
    return index


def at_least(name: str, value: int, least: int) -> None:
    """Check that ``value``, called ``name``, is a whole number of at least ``least``.

    >>> at_least("samples", 0, 1)
    Traceback (most recent call last):
    ValueError: samples is 0, but must be a whole number of at least 1
    """
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} is {value!r}, but must be a whole number of at least {least}")


def number(name: str, value: Any, holds: Callable[[Any], bool], condition: str) -> None:
    """Check that ``value``, called ``name``, is a number for which ``holds`` is true.

    >>> number("sigma", -1, lambda sigma: sigma > 0, "above 0")
    Traceback (most recent call last):
    ValueError: sigma is -1, but must be a number above 0
    """
    if not isinstance(value, Real) or not holds(value):
        raise ValueError(f"{name} is {value!r}, but must be a number {condition}")


def of_kind(name: str, value: object, kinds: Any, needed: str) -> None:
    """Check that ``value``, called ``name``, is one of the ``kinds``, which ``needed`` describes.

    >>> of_kind("study", 3, str, "an xw.Study")
    Traceback (most recent call last):
    ValueError: study is a int, but must be an xw.Study
    """
    if not isinstance(value, kinds):
        raise ValueError(f"{name} is a {type(value).__name__}, but must be {needed}")


def a_seed(value: int) -> int:
    """Seed as an int, checked to be valid for all random generators.

    >>> a_seed(-1)
    Traceback (most recent call last):
    ValueError: seed is -1, but must be a whole number from 0 to 2**63 - 1
    """
    if not isinstance(value, Integral) or not 0 <= value < 2**63:
        raise ValueError(f"seed is {value!r}, but must be a whole number from 0 to 2**63 - 1")
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
