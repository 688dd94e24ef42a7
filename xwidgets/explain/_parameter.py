"""The parameters of methods: what is known of each, said once where it is defined.

Checks, documentation, controls and what results tell come from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from numbers import Integral, Real
from textwrap import indent, wrap
from typing import Any, TypeVar

from xwidgets.errors import a_seed, at_least, number
from xwidgets.networks.subject import Subject

F = TypeVar("F", bound=Callable[..., Any])
Limit = Callable[[Any, Subject], Any]
"""Takes a method and its subject, and returns a bound, or the values to choose from."""
Resolve = Callable[[Any, Subject], Any]
"""Takes a value and the subject, and returns what the value means there."""


@dataclass(frozen=True)
class Parameter:
    """What is known of a parameter of a method beside its type and default.

    Attributes:
        line: explains it.
        check: takes name and value, and raises a sentence for one that cannot be.
        resolve: what a value means on a subject, such as the name of a layer by its number; raises
            a sentence for one that cannot be there. ``None`` where it means itself.
        least, most: what it may be on a subject; ``None`` for no limit.
        span: the ends of its control, where values may go on beyond them.
        choices: the values that it may have, or what they are on a subject; ``None`` for numbers.
        label: what its control is called; "" for one that nobody moves.
        unit: of its values.
        step: between the positions of its control.
        told: whether results tell it.
        compared: whether methods that differ in it ask something else.
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


@dataclass(frozen=True)
class Control:
    """How a person may move a parameter of a method on a subject.

    Attributes:
        name: of the parameter, and ``label`` of the control.
        line: explains it.
        kind: ``"range"`` of numbers, ``"choice"`` among values, or ``"switch"``.
        value: that it has.
        least, most, step: of a range.
        unit: of its values.
        choices: the values to choose from.
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
) -> Any:
    """A field of a method.

    Args:
        default: of the parameter, whose type says which values there are.
        line: explains it.
        least, most: the values that there are; a function of the method and its subject where they
            depend on these.
        above: instead of ``least``, a value that it must exceed.
        span: the ends of the control, where ``least`` or ``most`` are not.
        choices: the values to choose from, which may be such a function too.
        check: takes name and value, and raises where the other arguments cannot say it.
        resolve: what a value means on a subject, where that is not itself.
        label: of the control that moves it; "" when no person should.
        unit: of its values.
        step: between the positions of its control.
        told: whether results tell it among their parameters.
        compared: whether methods that differ in it ask something else.
    """
    sliding = label and choices is None and not isinstance(default, bool)
    if sliding and span is None and None in (least, most):
        raise ValueError(f"the control {label!r} has no ends; give least and most, or span")
    checked = check or _checks(default, least, most, above, choices)
    facts = Parameter(
        line, checked, resolve, least, most, span, choices, label, unit, step, told, compared
    )
    return field(default=default, metadata={"parameter": facts})


def layer_parameter(default: str | int, line: str, maps: bool = True) -> Any:
    """A field for a layer by name, or a convolution by its number, which a person may choose.

    Args:
        default: of the parameter.
        line: explains it.
        maps: whether only layers that put out maps ``(C, H, W)`` are offered.
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
    """The name of a layer whose output has so many dimensions.

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
    """Names of the layers whose outputs have so many dimensions: 3 for maps, 1 for vectors."""
    return [layer.name for layer in subject.net.layers if len(layer.shape) in dimensions]


def seed_parameter(line: str) -> Any:
    """A field for what random numbers begin with."""
    return parameter(0, line, check=lambda name, value: a_seed(value))


def memory_parameter() -> Any:
    """A field for the memory of a batch, which changes no result."""

    def check(name: str, value: Any) -> None:
        if value is not None:
            number(name, value, lambda size: 0 <= size < inf, "of bytes, at least 0")

    return parameter(
        None,
        "roughly how many bytes a batch may take in the network; 0 for one at a time. ``None`` for "
        "48 MB on a processor, which stay in its cache and make cancelling prompt, and a quarter "
        "of the free memory of a GPU",
        check=check,
        told=False,
        compared=False,
    )


def front(method: Any) -> Callable[[F], F]:
    """Complete the documentation of a function that runs a method by the method's parameters."""

    def complete(function: F) -> F:
        function.__doc__ = documented(function.__doc__, method.parameters)
        return function

    return complete


def documented(text: str | None, parameters: Mapping[str, Parameter]) -> str | None:
    """A docstring with a line for each parameter at the end of its "Args:".

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
    """What refuses values that a parameter cannot have on any subject."""
    lowest = least if isinstance(least, Real) else None
    highest = most if isinstance(most, Real) else None

    def one_of(name: str, value: Any) -> None:
        known = choices if isinstance(choices, Sequence) else ()
        if known and not any(value is one or value == one for one in known):
            *others, last = (f'"{one}"' for one in known)
            raise ValueError(f"{name} is {value!r}, but must be {', '.join(others)} or {last}")

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
        return one_of
    if default is None and lowest is not None:
        return optional
    if isinstance(default, bool) or not isinstance(default, Real):
        return lambda name, value: None
    return whole if isinstance(default, Integral) else real
