"""What one map says more than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xwidgets.errors import of_kind

from .relevance import Relevance


def difference(left: Relevance, right: Relevance) -> Relevance:
    """The signed map of ``left - right``, of one picture and in one unit.

    Args:
        left, right: maps ``(H, W)``, by two samplers, window sizes, classes, networks or methods.

    Returns:
        A map that is positive where ``left`` speaks more for the class, NaN where either is not
        known yet. Its method, label and network name what differs: left minus right. Standard
        errors add in quadrature where both maps have them and their samples are independent, which
        those of one sampler with the same seed are not.

    Raises:
        ValueError: for maps of different pictures, in different units, or what is no map.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> wide, narrow = (
        ...     xw.prediction_difference(net, scene.image, window=k, samples=1, stride=4)
        ...     for k in (10, 4)
        ... )
        >>> xw.difference(wide, narrow).method
        'prediction difference, window 10 minus window 4'
    """
    for side in (left, right):
        of_kind("a side", side, Relevance, "an xw.Relevance, as methods return it")
    if not np.array_equal(left.image, right.image):
        raise ValueError(
            "maps of different pictures have no difference; compare maps of the same picture"
        )
    if left.unit != right.unit:
        raise ValueError(
            f"a map in {left.unit} and one in {right.unit} have no difference; compare maps in one "
            "unit, such as those of one method with the same measure"
        )
    settings = minus(*(", ".join(_settings(facts)) for facts in _apart(left, right)))
    method = minus(left.method, right.method)
    error = None
    errors = left.standard_error, right.standard_error
    if errors[0] is not None and errors[1] is not None and _independent(left, right):
        error = np.hypot(errors[0], errors[1])
    return Relevance(
        values=left.values - right.values,
        image=left.image,
        unit=left.unit,
        method=f"{method}, {settings}" if settings else method,
        network=minus(left.network, right.network),
        target=left.target,
        label=minus(left.label, right.label),
        parameters={"left": _facts(left), "right": _facts(right)},
        completed=min(left.completed, right.completed),
        standard_error=error,
        note=" ".join(dict.fromkeys(one.note for one in (left, right) if one.note)),
    )


def contrast(left: Relevance, right: Relevance) -> tuple[str, str]:
    """What each of two maps is called where only their differences matter; "" where they have none.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> contrast(
        ...     Relevance(*pixels, "bits", "occlusion", "birds", 0, "wren", {"window": 4}),
        ...     Relevance(*pixels, "bits", "occlusion", "birds", 1, "robin", {"window": 8}),
        ... )
        ('wren, window 4', 'robin, window 8')
    """
    one, other = (", ".join(_words(facts)) for facts in _apart(left, right))
    return one, other


def ends(result: Relevance) -> tuple[str, str]:
    """What negative and what positive values of a map say, in words.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> wren = Relevance(*pixels, "bits", "occlusion", "birds", 0, "wren", {"window": 4})
        >>> ends(wren)
        ('against wren', 'for wren')
        >>> ends(difference(wren, wren))
        ('less for wren', 'more for wren')
        >>> ends(Relevance(*pixels, "share", "mwp", "birds", 0, "wren", {}, signed=False))
        ('', 'for wren')
    """
    if not {"left", "right"} <= result.parameters.keys():
        return f"against {result.label}" if result.signed else "", f"for {result.label}"
    left, right = (result.parameters[side]["label"] for side in ("left", "right"))
    return f"less for {left}" if left == right else f"more for {right}", f"more for {left}"


def common_settings(results: Sequence[Relevance]) -> str:
    """The parameters that maps, or the sides of differences, have in common, in words.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> narrow, wide = (
        ...     Relevance(*pixels, "bits", "occlusion", "net", 0, "wren", {"window": k, "seed": 0})
        ...     for k in (4, 8)
        ... )
        >>> common_settings([narrow]), common_settings([difference(narrow, wide)])
        ('window 4, seed 0', 'seed 0')
    """
    each = [parameters for result in results for parameters in _sides(result.parameters)]
    first, *others = each or [{}]
    same = {
        name: value
        for name, value in first.items()
        if value is not None and all(other.get(name) == value for other in others)
    }
    return ", ".join(_settings(same))


def minus(left: str, right: str) -> str:
    """``"left minus right"``, or just the one where both are the same.

    Example:
        >>> minus("wren", "robin"), minus("wren", "wren")
        ('wren minus robin', 'wren')
    """
    return left if left == right else f"{left} minus {right}"


def _independent(left: Relevance, right: Relevance) -> bool:
    """Whether the maps come from different seeds, or samplers of different kinds."""
    seeds, samplers = (
        [one.parameters.get(name) for one in (left, right)] for name in ("seed", "sampler")
    )
    return seeds[0] != seeds[1] or _kind(samplers[0]) != _kind(samplers[1])


def _kind(sampler: object) -> str:
    return str(sampler).partition("(")[0]


def _sides(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parameters of a map; for a difference, those of all the maps that it is of."""
    if not {"left", "right"} <= parameters.keys():
        return [parameters]
    return [one for side in ("left", "right") for one in _sides(parameters[side]["parameters"])]


NAMES = ("method", "network", "label")
"""What is a name by itself, and not the value of a parameter."""


def _facts(result: Relevance) -> dict[str, Any]:
    names = {name: getattr(result, name) for name in NAMES}
    return names | {"parameters": dict(result.parameters)}


def _apart(left: Relevance, right: Relevance) -> tuple[dict[str, Any], dict[str, Any]]:
    """The names, and of one method the parameters, in which two maps differ."""
    ours, theirs = (
        {**result.parameters, **{name: getattr(result, name) for name in NAMES}}
        for result in (left, right)
    )
    order = [*NAMES, *(left.parameters if left.method == right.method else ())]
    names = [name for name in order if name in theirs and ours[name] != theirs[name]]
    one, other = ({name: facts[name] for name in names} for facts in (ours, theirs))
    if "sampler" in names:
        kinds = [_kind(facts["sampler"]) for facts in (one, other)]
        if kinds[0] != kinds[1]:
            one["sampler"], other["sampler"] = kinds
    return one, other


def _words(facts: Mapping[str, Any]) -> list[str]:
    return [str(facts[name]) for name in NAMES if name in facts] + _settings(facts)


def _settings(facts: Mapping[str, Any]) -> list[str]:
    return [
        str(value) if name in {"sampler", "measure"} else f"{name.replace('_', ' ')} {value}"
        for name, value in facts.items()
        if name not in NAMES
    ]
