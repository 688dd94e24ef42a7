"""Facts in files: JSON in the types of a dataclass's annotations, and what their values may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from math import inf, isfinite
from reprlib import repr as short
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

_LIMITS = "limits"
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def limits(
    shape: str = "", least: float = -inf, most: float = inf, gaps: bool = False
) -> dict[str, Any]:
    """Metadata of a dataclass's field that says what its values may be; :func:`misfit` goes by it.

    Args:
        shape: of an array or a tuple: a number or a name for each axis, such as ``"H W 3"``, or
            several such shapes, separated by ``|``. Axes of one name in one object are equally
            long. They are not empty, unless the name ends with a question mark.
        least, most: of all values.
        gaps: whether values of an array may be NaN or infinite.
    """
    return {_LIMITS: (shape, least, most, gaps)}


def parsed(text: str) -> dict[str, Any]:
    """Facts of a JSON object whose numbers are all finite, and whole ones of 64 bits.

    Raises:
        ValueError: for other numbers, or a text that is no JSON object.

    Example:
        >>> parsed('{"score": NaN}')
        Traceback (most recent call last):
        ValueError: it has the number NaN
    """
    facts = json.loads(text, parse_float=_finite, parse_int=_whole, parse_constant=_finite)
    if not isinstance(facts, dict):
        raise ValueError("it has no facts")
    return facts


def typed(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a dataclass's fields in the types of their annotations, where JSON has others.

    Raises:
        ValueError: for a value of another type, or none where one must be.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Walk:
        ...     steps: tuple[int, ...]
        >>> typed(Walk, {"steps": [1, 2]})
        {'steps': (1, 2)}
        >>> typed(Walk, {"steps": [1, True]})
        Traceback (most recent call last):
        ValueError: its steps holds True where a whole number must be
    """
    known = {item.name: item for item in fields(kind) if item.init}
    if strange := sorted(values.keys() - known.keys()):
        raise ValueError(f"it has {', '.join(strange)}, which this version does not know")
    needed = {
        name
        for name, item in known.items()
        if item.default is MISSING and item.default_factory is MISSING
    }
    if lost := sorted(needed - values.keys()):
        raise ValueError(f"it lacks {', '.join(lost)}")
    hints = get_type_hints(kind)
    return {name: _typed(name, value, hints[name]) for name, value in values.items()}


def misfit(instance: Any) -> str | None:
    """Description of what goes beyond the :func:`limits` of a dataclass; ``None`` for nothing.

    Example:
        >>> from dataclasses import dataclass, field
        >>> @dataclass
        ... class Walk:
        ...     steps: tuple[int, ...] = field(metadata=limits("n"))
        ...     seconds: tuple[float, ...] = field(metadata=limits("n"))
        ...     share: float = field(default=1, metadata=limits(least=0, most=1))
        >>> misfit(Walk((1, 2), (0.5,)))
        'the shape of its seconds is (1,), but must be (n) with n = 2'
        >>> misfit(Walk((1,), (0.5,), 2))
        'the values of its share are not all from 0 to 1'
    """
    lengths: dict[str, int] = {}
    for item in fields(instance):
        value = getattr(instance, item.name)
        if value is None or _LIMITS not in item.metadata:
            continue
        shape, least, most, gaps = item.metadata[_LIMITS]
        told = _unshaped(value, shape, lengths) if shape else None
        if told:
            return f"the shape of its {item.name} is {told}"
        numbers = value if isinstance(value, np.ndarray) else np.asarray(value)
        if numbers.dtype.kind not in "biuf":
            continue
        if not gaps and not np.isfinite(numbers).all():
            return f"the values of its {item.name} are not all finite"
        if ((numbers < least) | (numbers > most)).any():
            span = f"from {least:g} to {most:g}" if most < inf else f"at least {least:g}"
            return f"the values of its {item.name} are not all {span}"
    return None


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"it has the number {text}")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"it has the number {short(value)}")
    return value


def _typed(name: str, value: Any, hint: Any) -> Any:
    parts, origin = get_args(hint), get_origin(hint)
    if hint is Any or (value is None and NoneType in parts):
        return value
    if origin is Union or origin is UnionType:
        (hint,) = (part for part in parts if part is not NoneType)
        return _typed(name, value, hint)
    if origin is np.ndarray:
        return _array(name, value, np.dtype(get_args(parts[1])[0]))
    if origin is tuple or origin is list or hasattr(hint, "_fields"):
        return _row(name, value, hint)
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise _other(name, value, "facts by name")
        return {key: _typed(name, part, parts[1]) for key, part in value.items()}
    if not isinstance(value, (int, float) if hint is float else hint) or (
        isinstance(value, bool) and hint is not bool
    ):
        raise _other(name, value, _KINDS[hint])
    return value


def _row(name: str, value: Any, hint: Any) -> Any:
    """List, tuple or named tuple, of the list that JSON has in its place."""
    named = hasattr(hint, "_fields")
    kinds = tuple(get_type_hints(hint).values()) if named else get_args(hint)
    several = get_origin(hint) is list or kinds[1:] == (...,)
    if not isinstance(value, list) or (not several and len(value) != len(kinds)):
        raise _other(name, value, "a list" if several else f"a list of {len(kinds)}")
    if several:
        kinds = kinds[:1] * len(value)
    row = [_typed(name, *pair) for pair in zip(value, kinds, strict=True)]
    return hint(*row) if named else row if get_origin(hint) is list else tuple(row)


def _array(name: str, value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise _other(name, value, "an array")
    if value.dtype != dtype:
        raise ValueError(f"the type of its {name} is {value.dtype}, but must be {dtype}")
    return value


def _unshaped(value: Any, shapes: str, lengths: dict[str, int]) -> str | None:
    """How the shape differs from the nearest of ``shapes``; notes the lengths of named axes."""
    shape = value.shape if isinstance(value, np.ndarray) else (len(value),)
    told = f"{shape}, but must be ({shapes})"
    axes = next((one for text in shapes.split("|") if len(one := text.split()) == len(shape)), None)
    if axes is None:
        return told
    for axis, length in zip(axes, shape, strict=True):
        if axis.isdecimal():
            if length != int(axis):
                return told
        elif length != lengths.setdefault(axis.rstrip("?"), length):
            return f"{told} with {axis.rstrip('?')} = {lengths[axis.rstrip('?')]}"
        elif not length and not axis.endswith("?"):
            return f"{told}, and not empty"
    return None


def _other(name: str, value: Any, needed: str) -> ValueError:
    return ValueError(f"its {name} holds {short(value)} where {needed} must be")
