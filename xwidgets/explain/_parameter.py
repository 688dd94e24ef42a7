"""Parameters of methods, each defined once: type, default, range, one line that explains it.

Checks, documentation, controls and what results tell of their parameters come from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from numbers import Integral, Real
from textwrap import indent, wrap
from typing import Any, TypeVar, get_args

from xwidgets.errors import a_flag, a_seed, at_least, number, one_of
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks.subject import Subject

F = TypeVar("F", bound=Callable[..., Any])
Limit = Callable[[Any, Subject], Any]
"""Takes a method and its subject, and returns a bound, or the values to choose from."""
Resolve = Callable[[Any, Subject], Any]
"""Takes a value and the subject, and returns what the value means there."""


@dataclass(frozen=True)
class Parameter:
    """Facts about a parameter of a method, beside its type and default.

    Attributes:
        line: one line that explains it.
        check: takes name and value; raises a ValueError for an invalid one.
        resolve: takes a value and the subject; returns what the value means there, such as the name
            of a layer for its number, or raises a ValueError. ``None`` where it means itself.
        least, most: bounds, or functions of method and subject; ``None`` for no bound.
        span: ends of its control, where valid values go beyond them.
        choices: the valid values, or a function of method and subject; ``None`` for numbers.
        label: of its control; "" for a parameter without one.
        unit: of its values.
        step: of its control.
        told: whether results list it among their parameters.
        compared: whether methods that differ in it are different questions.
        sides: largest (height, width), or a function of method and subject, of one whose value is a
            side or both; ``None`` for others.
    """

    line: str
    check: Callable[[str, Any], object]
    resolve: Resolve | None
    least: float | Limit | None
    most: float | Limit | None
    span: tuple[float, float] | None
    choices: Sequence[Any] | Limit | None
    label: str
    unit: str
    step: float
    told: bool
    compared: bool
    sides: Limit | None = None


@dataclass(frozen=True)
class Control:
    """Control of one parameter of a method on one subject: its kind, range and value.

    Attributes:
        name: of the parameter.
        label: of the control.
        line: one line that explains the parameter.
        kind: ``"range"`` of numbers, ``"choice"`` among values, or ``"switch"``.
        value: current value.
        least, most, step: of a range.
        unit: of the values.
        choices: values to choose from.
        sides: largest (height, width) of a range of a side or both; empty for others.
    """

    name: str
    label: str
    line: str
    kind: str
    value: Any
    least: float = 0
    most: float = 1
    step: float = 1
    unit: str = ""
    choices: tuple[Any, ...] = ()
    sides: tuple[int, ...] = ()


def parameter(
    default: Any,
    line: str,
    *,
    least: float | Limit | None = None,
    most: float | Limit | None = None,
    above: float | None = None,
    span: tuple[float, float] | None = None,
    choices: Sequence[Any] | Limit | None = None,
    check: Callable[[str, Any], object] | None = None,
    resolve: Resolve | None = None,
    label: str = "",
    unit: str = "",
    step: float = 1,
    told: bool = True,
    compared: bool = True,
    sides: Limit | None = None,
) -> Any:
    """Dataclass field that defines a parameter of a method.

    Args:
        default: value of the parameter, whose type decides which values are valid.
        line: one line that explains it.
        least, most: bounds, or functions of the method and its subject that return them.
        above: instead of ``least``, a value that it must exceed.
        span: ends of its control, where it has no ``least`` or ``most``, or they are too far apart.
        choices: the valid values, or a function of the method and its subject.
        check: takes name and value; raises a ValueError in place of the checks that follow from the
            other arguments.
        resolve: takes a value and the subject; returns what the value means there.
        label: of its control; "" for none.
        unit: of its values.
        step: of its control.
        told: whether results list it among their parameters.
        compared: whether methods that differ in it are different questions.
        sides: where its value is a side or (height, width), a function of the method and its
            subject that returns the largest of these.
    """
    sliding = label and choices is None and not isinstance(default, bool)
    if sliding and span is None and None in (least, most):
        raise ValueError(f"the control {label!r} has no ends; give least and most, or span")
    checked = check or _checks(default, least, most, above, choices)
    facts = Parameter(
        line, checked, resolve, least, most, span, choices, label, unit, step, told, compared, sides
    )
    return field(default=default, metadata={"parameter": facts})


def layer_parameter(default: str | int, line: str, maps: bool = True) -> Any:
    """Field for a layer, by name or by number of the convolution, with a control.

    Args:
        default: value of the parameter.
        line: one line that explains it.
        maps: whether only layers whose output is maps ``(C, H, W)`` are offered.
    """
    dimensions = (3,) if maps else (1, 3)
    return parameter(
        default,
        line,
        choices=lambda method, subject: names_of_layers(subject, dimensions),
        resolve=lambda value, subject: name_of_layer(value, subject, dimensions),
        label="Layer",
    )


def name_of_layer(layer: str | int, subject: Subject, dimensions: Sequence[int]) -> str:
    """Name of a layer whose output has one of these numbers of dimensions.

    Raises:
        ValueError: when there is no such layer.
    """
    chosen = subject.net.layer(layer)
    if chosen.channels and len(chosen.shape) not in dimensions:
        raise ValueError(
            f"layer {chosen.name!r} puts out {chosen.shape}; choose one that puts out maps "
            "(C, H, W)"
        )
    return chosen.name


def names_of_layers(subject: Subject, dimensions: Sequence[int] = (3,)) -> list[str]:
    """Names of the layers by dimensions of their outputs: 3 for maps, 1 for vectors."""
    return [
        layer.name
        for layer in subject.net.layers
        if len(layer.shape) in dimensions and layer.rows == 1
    ]


def seed_parameter(line: str) -> Any:
    """Field for the seed of random numbers."""
    return parameter(0, line, check=lambda name, value: a_seed(value))


def memory_parameter() -> Any:
    """Field for the memory that a call may add in bytes, which changes no result."""

    def check(name: str, value: Any) -> None:
        if value is not None:
            number(name, value, lambda size: 0 <= size < inf, "of bytes, at least 0")

    return parameter(
        None,
        "how many bytes the call may add to what is there already; 0 for one at a time, whatever "
        "that takes. ``None`` for a quarter of what is free, within the limits of a container or "
        "shell too. A batch takes at most 48 MB of it for each of up to four cores; on a GPU all "
        "that is given, else an eighth of its memory. Where memory runs out, batches are halved",
        check=check,
        told=False,
        compared=False,
    )


def compute_dtype_parameter() -> Any:
    """Field for the type in which differences are multiplied."""
    return parameter(
        "float32",
        'type in which differences are multiplied: ``"float32"`` for the network\'s own, whichever '
        'it is; ``"bfloat16"``, faster on some devices, where it keeps the effects of two windows '
        "or units to a twentieth, and else the network's own, as the result's note then says; "
        '``"auto"`` for what a stopwatch finds faster, so that maps of two processes can differ',
        choices=get_args(ComputeDtype),
    )


def front(method: Any) -> Callable[[F], F]:
    """Decorate a function that runs a method: its documentation gets the method's parameters."""

    def complete(function: F) -> F:
        function.__doc__ = documented(function.__doc__, method.parameters)
        return function

    return complete


def documented(text: str | None, parameters: Mapping[str, Parameter]) -> str | None:
    """Docstring with a line for each parameter at the end of its "Args:".

    Example:
        >>> print(documented("Sum up.", {"n": parameter(3, "how often.").metadata["parameter"]}))
        Sum up.
        <BLANKLINE>
        Args:
            n: how often.
    """
    if text is None or not parameters:
        return text
    lines = [
        "\n".join(wrap(f"{name}: {known.line.rstrip('.')}.", 88, subsequent_indent="    "))
        for name, known in parameters.items()
    ]
    margin = re.search(r"\n( +)\S", text)
    inner = margin.group(1) if margin else ""
    block = indent("\n".join(lines), inner + "    ")
    section = re.search(r"\n *Args:\n.*?(?=\n\n|\n *$|$)", text, re.S)
    if section:
        return text[: section.end()] + "\n" + block + text[section.end() :]
    block = f"\n\n{inner}Args:\n{block}"
    after = re.search(r"\n\n *(Returns|Raises|Example|Attributes):\n|\s*$", text)
    assert after is not None
    return text[: after.start()] + block + text[after.start() :]


def _checks(
    default: Any,
    least: float | Limit | None,
    most: float | Limit | None,
    above: float | None,
    choices: Sequence[Any] | Limit | None,
) -> Callable[[str, Any], object]:
    """Check that raises for values that are invalid on any subject."""
    lowest = least if isinstance(least, Real) else None
    highest = most if isinstance(most, Real) else None

    def chosen(name: str, value: Any) -> None:
        if isinstance(choices, Sequence):
            one_of(name, value, choices)

    def whole(name: str, value: Any) -> None:
        if lowest is not None:
            at_least(name, value, int(lowest))
        number(name, value, lambda x: isinstance(x, Integral), "without a fraction")
        if highest is not None and value > highest:
            raise ValueError(f"{name} is {value!r}, but must be at most {highest:g}")

    def real(name: str, value: Any) -> None:
        if above is not None:
            number(name, value, lambda x: above < x < inf, f"above {above:g}")
        elif highest is not None:
            low = lowest if lowest is not None else -inf
            number(name, value, lambda x: low <= x <= highest, f"from {low:g} to {highest:g}")
        elif lowest is not None:
            number(name, value, lambda x: lowest <= x < inf, f"of at least {lowest:g}")
        else:
            number(name, value, lambda x: -inf < x < inf, "that is finite")

    def optional(name: str, value: Any) -> None:
        if value is not None:
            whole(name, value)

    if choices is not None:
        return chosen
    if default is None and lowest is not None:
        return optional
    if isinstance(default, bool):
        return a_flag
    if not isinstance(default, Real):
        return lambda name, value: None
    return whole if isinstance(default, Integral) else real
