"""Sentences for what cannot be."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral


def unknown(what: str, name: object, known: Iterable[str], hint: str = "") -> ValueError:
    """An error that names what was not found, the nearest known names, and where to list them.

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


def at_least(name: str, value: int, least: int) -> None:
    """Raise when the number that is called ``name`` is too small or no whole number.

    >>> at_least("samples", 0, 1)
    Traceback (most recent call last):
    ValueError: samples is 0, but must be a whole number of at least 1
    """
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} is {value!r}, but must be a whole number of at least {least}")
