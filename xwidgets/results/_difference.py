"""Differences of two maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xwidgets.errors import listed, of_kind

from .relevance import Relevance

_NEEDED = "an xw.Relevance, as methods return it"


def difference(left: Relevance, right: Relevance) -> Relevance:
    """Signed map ``left - right``, of one picture and in one unit.

    Args:
        left, right: maps ``(H, W)``, by two samplers, window sizes, classes, networks or methods.

    Returns:
        A map that is positive where ``left`` is larger, NaN where either is not known yet. Its
        method, label and network name tell what differs, as "left minus right". Standard errors add
        in quadrature where both maps have them and their samples are independent, which those of
        one sampler with the same seed are not.

    Raises:
        ValueError: for maps of different pictures or in different units, or anything but maps.

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
        of_kind("a side", side, Relevance, _NEEDED)
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
        network_name=minus(left.network_name, right.network_name),
        target=left.target,
        label=minus(left.label, right.label),
        parameters={"left": _facts(left), "right": _facts(right)},
        completed=min(left.completed, right.completed),
        standard_error=error,
        note=" ".join(dict.fromkeys(side.note for side in (left, right) if side.note)),
    )


def contrast(left: Relevance, right: Relevance) -> tuple[str, str]:
    """Names of two maps by what differs between them; "" where nothing does.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> contrast(
        ...     Relevance(*pixels, "bits", "occlusion", "birds", 0, "wren", {"window": 4}),
        ...     Relevance(*pixels, "bits", "occlusion", "birds", 1, "robin", {"window": 8}),
        ... )
        ('wren, window 4', 'robin, window 8')
    """
    for side in (left, right):
        of_kind("a side", side, Relevance, _NEEDED)
    ours, theirs = (", ".join(_words(facts)) for facts in _apart(left, right))
    return ours, theirs


def ends(result: Relevance) -> tuple[str, str]:
    """Meaning of negative and of positive values of a map, or of small and of large ones, in words.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> wren = Relevance(*pixels, "bits", "occlusion", "birds", 0, "wren", {"window": 4})
        >>> ends(wren)
        ('against wren', 'for wren')
        >>> ends(difference(wren, wren))
        ('less for wren', 'more for wren')
        >>> ends(Relevance(*pixels, "share", "mwp", "birds", 0, "wren", {}, signed=False))
        ('less excitation', 'more excitation of wren')
    """
    of_kind("result", result, Relevance, _NEEDED)
    if not {"left", "right"} <= result.parameters.keys():
        if result.signed:
            return f"against {result.label}", f"for {result.label}"
        return _amounts(result)
    left, right = (result.parameters[side]["label"] for side in ("left", "right"))
    return f"less for {left}" if left == right else f"more for {right}", f"more for {left}"


def _amounts(result: Relevance) -> tuple[str, str]:
    """Meaning of small and of large values of a map that has no signs, in words."""
    if result.unit.startswith("share of the excitation") or result.unit == "share":
        return "less excitation", f"more excitation of {result.label}"
    if result.unit == "probability":
        return f"{result.label} gets unlikely", f"{result.label} stays likely"
    if " per " in result.unit:
        return "less sensitive", f"{result.label} more sensitive"
    return "less", "more"


def common_settings(results: Sequence[Relevance]) -> str:
    """Parameters that maps, or the sides of differences, have in common, in words.

    Example:
        >>> pixels = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
        >>> narrow, wide = (
        ...     Relevance(*pixels, "bits", "occlusion", "net", 0, "wren", {"window": k, "seed": 0})
        ...     for k in (4, 8)
        ... )
        >>> common_settings([narrow]), common_settings([difference(narrow, wide)])
        ('window 4, seed 0', 'seed 0')
    """
    results = listed("results", results, Relevance, "maps, as methods return them")
    each = [parameters for result in results for parameters in _sides(result.parameters)]
    first, *others = each or [{}]
    same = {
        name: value
        for name, value in first.items()
        if value is not None and all(other.get(name) == value for other in others)
    }
    return ", ".join(_settings(same))


def minus(left: str, right: str) -> str:
    """``"left minus right"``, or the name itself where both are the same.

    Example:
        >>> minus("wren", "robin"), minus("wren", "wren")
        ('wren minus robin', 'wren')
    """
    return left if left == right else f"{left} minus {right}"


def _independent(left: Relevance, right: Relevance) -> bool:
    """Whether the samples are independent: of different seeds, or samplers of different kinds."""
    seeds, samplers = (
        [side.parameters.get(name) for side in (left, right)] for name in ("seed", "sampler")
    )
    return seeds[0] != seeds[1] or _kind(samplers[0]) != _kind(samplers[1])


def _kind(sampler: object) -> str:
    return str(sampler).partition("(")[0]


def _sides(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Parameters of a map; of a difference, those of all maps it was made of."""
    if not {"left", "right"} <= parameters.keys():
        return [parameters]
    left, right = (_sides(parameters[side]["parameters"]) for side in ("left", "right"))
    return left + right


NAMES = ("method", "network_name", "label")
"""Fields whose values are names by themselves, unlike the values of parameters."""


def _facts(result: Relevance) -> dict[str, Any]:
    names = {name: getattr(result, name) for name in NAMES}
    return names | {"parameters": dict(result.parameters)}


def _apart(left: Relevance, right: Relevance) -> tuple[dict[str, Any], dict[str, Any]]:
    """Names in which two maps differ, and parameters where they are of one method."""
    ours, theirs = (
        {**result.parameters, **{name: getattr(result, name) for name in NAMES}}
        for result in (left, right)
    )
    order = [*NAMES, *(left.parameters if left.method == right.method else ())]
    names = [name for name in order if name in theirs and ours[name] != theirs[name]]
    ours, theirs = ({name: facts[name] for name in names} for facts in (ours, theirs))
    if "sampler" in names:
        kinds = [_kind(facts["sampler"]) for facts in (ours, theirs)]
        if kinds[0] != kinds[1]:
            ours["sampler"], theirs["sampler"] = kinds
    return ours, theirs


def _words(facts: Mapping[str, Any]) -> list[str]:
    return [str(facts[name]) for name in NAMES if name in facts] + _settings(facts)


def _settings(facts: Mapping[str, Any]) -> list[str]:
    return [
        str(value) if name in {"sampler", "measure"} else f"{name.replace('_', ' ')} {value}"
        for name, value in facts.items()
        if name not in NAMES
    ]
