"""One sentence or two on what a result shows, from its numbers.

What is not told from noise, or too small to matter, is never called an effect; what is not known
yet is not spoken of.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._difference import ends
from .hatching import EFFECTS, SURE
from .numbers import brief, number, percent, signed
from .ranking import Ranking
from .region_removal import RegionRemoval
from .relevance import Relevance
from .top_images import TopImages
from .unit_relevance import UnitRelevance
from .x_features import XFeatures

EVEN = "× an even spread"
"""Unit in which the values of shares are told: multiples of the value that each pixel would have if
everything were spread evenly over the picture."""

ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")
CALLS = {"prediction difference": "xw.prediction_difference", "occlusion": "xw.occlusion"}
MOST, THIRD = 0.5, 0.65
"""Shares of a map beyond which a named part or a ninth, or a third, of the picture is said to have
most of it."""

Parts = Mapping[str, NDArray[np.bool_]]
"""Masks ``(H, W)`` of the named parts of a picture, such as ``scene.masks``."""


@singledispatch
def sentence(result: object) -> str:
    """What a result shows, in words; "" for one of another kind.

    Example:
        >>> from xwidgets.results import Relevance
        >>> values, image = np.zeros((6, 6), np.float32), np.zeros((6, 6, 3), np.uint8)
        >>> values[:2, :2] = 0.4
        >>> sentence(Relevance(values, image, "bits", "occlusion", "birds", 0, "wren",
        ...                    {"window": 2}))
        "Most of what speaks for 'wren' is in the upper left; ... 89 % of the picture is hatched."
    """
    return ""


@sentence.register
def relevance(
    result: Relevance,
    effect: float | None = None,
    uncertain: bool = True,
    parts: Parts | None = None,
) -> str:
    """What a map shows, and how much of it is hatched; arguments as of :func:`found`."""
    return with_hatching(found(result, effect, uncertain, parts), result, effect, uncertain)


def with_hatching(
    words: str, result: Relevance, effect: float | None = None, uncertain: bool = True
) -> str:
    """What a map was found to show, with how much of it is hatched; or that and why it is nothing.

    Args:
        words: of :func:`found`.
        result, effect, uncertain: as there.
    """
    empty = nothing(result, effect, uncertain)
    if empty:
        return " ".join(filter(None, (empty, sure(result))))
    known = np.isfinite(result.values)
    share = float(result.hatched(effect, uncertain).sum() / max(known.sum(), 1))
    return " ".join(filter(None, (words, hatched_share(share, bool(known.all())))))


def found(
    result: Relevance,
    effect: float | None = None,
    uncertain: bool = True,
    parts: Parts | None = None,
) -> str:
    """What a map shows, without what is hatched; "" where everything is.

    Args:
        result: a map.
        effect, uncertain: as of :meth:`xwidgets.Relevance.hatched`.
        parts: by which places are named where they can be; ``None`` for thirds of the picture.

    Example:
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> found(Relevance(np.zeros((2, 2), np.float32), image, "bits", "", "", 0, "wren", {}))
        ''
    """
    known = np.isfinite(result.values)
    if not known.any():
        return "Nothing is computed yet."
    values = np.where(known & ~result.hatched(effect, uncertain), result.values, 0)
    if not values.any() and not result.remaining:
        return ""
    tell = _signed if result.signed else _unsigned
    told = tell(result, values, parts or {})
    if known.all():
        return told
    return f"In the {percent(result.covered)} of the picture known so far: {told}"


def nothing(result: Relevance, effect: float | None = None, uncertain: bool = True) -> str:
    """Sentence on a map of which all is known and all is hatched, or zero; else "".

    Example:
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> nothing(Relevance(np.zeros((2, 2), np.float32), image, "bits", "", "", 0, "wren", {}))
        'Nothing here changes the score at all.'
    """
    limit = result.effect if effect is None else effect
    size = np.abs(result.values)
    empty = result.hatched(effect, uncertain) | (size == 0)
    if result.remaining or not np.isfinite(size).all() or not empty.all():
        return ""
    changes = ABOUT[about(result)]
    if not size.any():
        return f"{changes} at all."
    error = 0 if result.standard_error is None else np.nan_to_num(2 * result.standard_error)
    if limit and (size + error <= limit).all():
        return f"{changes} by more than {brief(limit)} {result.unit}."
    if limit and (size <= limit).all():
        return f"{changes} by more than {brief(limit)} {result.unit} as far as is known; {NOISE}."
    return f"Nothing here is told from zero: {NOISE}."


NOISE = "the values are not larger than their noise"

ABOUT = {
    "score": "Nothing here changes the score",
    "windows": "On average over the windows, nothing here changes the score",
    "reaction": "The score does not react to tiny changes of a pixel",
    "activation": "Nothing here changes the activation",
    "maps": "The two maps do not differ",
}
"""Beginnings of the sentence on a map of nothing, by what the map is of."""


def about(result: Relevance) -> str:
    """What the values of a map are of: a key of :data:`ABOUT`, or what remains of a probability."""
    if "left" in result.parameters and "right" in result.parameters:
        return "maps"
    if result.remaining:
        return "remaining"
    if " per " in result.unit:
        return "reaction"
    if _windows(result):
        return "windows"
    return "activation" if result.unit.startswith("activation") else "score"


def hatched_share(share: float, whole: bool = True) -> str:
    """Sentence on the hatched share of what is known; "" for none.

    Example:
        >>> hatched_share(0.379), hatched_share(0.999), hatched_share(0.0)
        ('38 % of the picture is hatched.', 'More than 99 % of the picture is hatched.', '')
    """
    if share == 0:
        return ""
    return f"{_rounded(share)} of {'the picture' if whole else 'that'} is hatched."


def sure(result: Relevance) -> str:
    """Why the odds of a class hardly change: the network is sure; "" where it is not, or unknown.

    Example:
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> sure(Relevance(np.zeros((2, 2), np.float32), image, "bits", "", "", 0, "wren", {},
        ...                probability=0.9995))
        "The network is sure of 'wren' (> 99.9 %), so that hiding a part hardly moves ..."
    """
    p = result.probability
    if p is None or result.unit not in EFFECTS or 1 - SURE <= p <= SURE:
        return ""
    of = f"of {result.label!r}" if p > SURE else f"that it is not {result.label!r}"
    return (
        f"The network is sure {of} ({percent(p)}), so that hiding a part hardly moves its "
        "probability; the score before softmax has more to say."
    )


def advice(result: Relevance) -> str:
    """What to call for the score before softmax; "" where that is shown, or cannot be."""
    call = CALLS.get(result.method)
    if call is None or result.parameters.get("measure") in (None, "difference"):
        return ""
    return f'Call {call}(..., measure="difference") for it.'


def is_share(result: Relevance) -> bool:
    """Whether the values of a map are shares of a whole that is spread over the picture."""
    return not result.signed and result.unit.startswith("share")


@sentence.register
def region_removal(result: RegionRemoval) -> str:
    """What the likeliest class loses without a region."""
    top = int(result.before.argmax())
    before, after = result.before[top], result.after[top]
    if np.isnan(after):
        return "Nothing is computed yet."
    label, lost, error = result.classes[top], result.evidence[top], result.evidence_error[top]
    from_to = f"from {percent(before)} to {percent(after)}"
    so_far = "" if result.completed >= 1 else "So far: "
    noise = 0 if np.isnan(error) else 2 * error
    if noise and abs(lost) <= noise:
        change = f"no change of {label!r} is told from noise"
    elif abs(lost) < EFFECTS["bits"]:
        change = f"the score of {label!r} changes by less than {EFFECTS['bits']} bits"
    else:
        verb = "falls" if lost > 0 else "rises"
        change = f"the score of {label!r} {verb} by {number(abs(lost), 2)} bits"
    still = int(result.after.argmax())
    if still != top:
        end = f"; {result.classes[still]!r} becomes the likeliest"
    else:
        end = ", still sure" if min(before, after) > 0.99 else ""
    return f"{so_far}Without the painted region {change}: {from_to}{end}."


@sentence.register
def ranking(result: Ranking) -> str:
    """Which neuron comes first."""
    metric, frame = result.metric.replace("_", " "), result.frame()
    so_far = "" if result.completed >= 1 else "So far: "
    if not len(frame) or not np.isfinite(frame["value"]).any():
        return f"No neuron has a value by {metric}."
    best = frame.loc[frame["value"].idxmax()]
    return (
        f"{so_far}Channel {best['channel']} of {best['layer']} has the largest {metric} for "
        f"{result.label!r}, {number(best['value'])}; {int(result.kept.sum())} of "
        f"{len(result.layer)} neurons are ranked."
    )


@sentence.register
def x_features(result: XFeatures) -> str:
    """Which x-feature contributes most, and how near their sum is to the score."""
    parts = result.contributions
    if not parts.any():
        return f"No x-feature is active in this picture, so none explains {result.label!r}."
    best = int(np.abs(parts).argmax())
    total = float(parts.sum()) + result.intercept
    verb = "adds" if parts[best] > 0 else "takes"
    return (
        f"X-feature {best} {verb} most: {signed(float(parts[best]))}; together the "
        f"{len(parts)} x-features give {number(total)} of the score of {result.label!r}, "
        f"{number(result.score)}."
    )


@sentence.register
def top_images(result: TopImages) -> str:
    """How strong the strongest images are."""
    if not len(result.activations):
        return "No image is found yet."
    first, last = result.activations[0], result.activations[-1]
    so_far = (
        "" if result.searched >= result.total else f"Of the {result.searched} searched so far: "
    )
    if first <= 0:
        return f"{so_far}{result.name} is active in no image."
    return (
        f"{so_far}{result.name} is strongest in {result.sources[0]} ({number(first)}); "
        f"the {len(result.activations)} images shown reach down to {number(last)}."
    )


@sentence.register
def unit_relevance(result: UnitRelevance) -> str:
    """Which channel of a layer speaks most for, and which against."""
    sums = result.frame()["value"].dropna()
    if not len(sums):
        return "Nothing is computed yet."
    so_far = "" if result.completed >= 1 else "So far: "
    sides = [
        f"channel {at} {side} {result.label!r}, {signed(sums[at])} {result.unit}"
        for at, side, sign in ((sums.idxmax(), "for", 1), (sums.idxmin(), "against", -1))
        if sign * sums[at] > 0
    ]
    if not sides:
        return f"{so_far}No channel of {result.layer} changes the score of {result.label!r}."
    return f"{so_far}Of {result.layer}, what speaks most is {'; '.join(sides)}."


def _signed(result: Relevance, values: NDArray[Any], named: Parts) -> str:
    """Where the values that are not hatched speak for and against."""
    against, speaks = ends(result)
    parts = []
    for sign, side in ((1, speaks), (-1, against)):
        strength = (sign * values).clip(min=0)
        if not strength.any():
            continue
        at = np.unravel_index(strength.argmax(), values.shape)
        peak = _amount(result, at)
        parts.append((_side(result, side, strength, named), peak))
    how = others = ", at most {}"
    if about(result) == "maps":
        how = others = ", by up to {}"
    elif _windows(result):
        how = "; there the windows change the score by {} on average"
    (where, peak), *rest = parts
    less = "".join(f"; {place[0].lower()}{place[1:]}{others.format(up)}" for place, up in rest)
    return f"{where}{how.format(peak)}{less}."


def _side(result: Relevance, side: str, strength: NDArray[Any], named: Parts) -> str:
    """Where there is most of one sign."""
    if about(result) == "maps":
        what = f"what is {side}"
    else:
        what = f"what speaks {side.replace(result.label, repr(result.label))}"
    place = _place(strength, named)
    if place:
        return f"Most of {what} is {place}"
    return f"{what[0].upper()}{what[1:]} is spread out, strongest {_peak(strength, named)}"


def _unsigned(result: Relevance, values: NDArray[Any], named: Parts) -> str:
    """How far a map without signs is gathered, and where."""
    if result.remaining:
        least = _ninth(np.where(np.isfinite(result.values), -result.values, -np.inf))
        lowest = percent(float(np.nanmin(result.values)))
        return f"What is left is lowest, {lowest} on average, with windows over the {least}."
    count = max(1, round(values.size / 100))
    largest = np.sort(values, axis=None)[-count:]
    share = float(largest.sum() / values.sum())
    what, place = "mass" if is_share(result) else "total", _place(values, named)
    where = f"most of it is {place}" if place else f"it peaks {_peak(values, named)}"
    return f"{_rounded(share)} of the map's {what} is in the strongest 1 % of the pixels; {where}."


def _place(strength: NDArray[Any], named: Parts) -> str:
    """Named part, part of a ninth, or third of the picture that has most of a map; "" for none.

    A ninth may lie anywhere, and is named by its centre of mass.
    """
    shape, total = strength.shape, strength.sum()
    held = {part: float(strength[mask].sum()) for part, mask in named.items()}
    most = max(held, key=lambda part: held[part], default="")
    if most and held[most] > MOST * total:
        return f"on the {most}"
    height, width = (-(-side // 3) for side in shape)
    sums = np.pad(strength.cumsum(0, dtype=float).cumsum(1), ((1, 0), (1, 0)))
    parts = sums[height:, width:] - sums[:-height, width:]
    parts += sums[:-height, :-width] - sums[height:, :-width]
    if parts.max() > MOST * total:
        top, left = np.unravel_index(parts.argmax(), parts.shape)
        part = strength[top : top + height, left : left + width]
        centre = (
            first + (part.sum(1 - axis) @ (np.arange(length) + 0.5)) / part.sum()
            for axis, first, length in ((0, top, height), (1, left, width))
        )
        ninth = (int(3 * place // side) for place, side in zip(centre, shape, strict=True))
        return f"in the {_name(*ninth)}"
    rows, columns = (np.eye(3)[np.arange(side) * 3 // side] for side in shape)
    ninths = rows.T @ strength @ columns
    sides = zip(ROWS + COLUMNS, [*ninths.sum(1), *ninths.sum(0)], strict=True)
    thirds = {name: float(part) for name, part in sides if name != "middle"}
    name = max(thirds, key=lambda name: thirds[name])
    return f"in the {name} third" if thirds[name] > THIRD * total else ""


def _peak(strength: NDArray[Any], named: Parts) -> str:
    """Place of the largest value: on the smallest named part that has it, or in a ninth."""
    at = np.unravel_index(strength.argmax(), strength.shape)
    sizes = {part: int(mask.sum()) for part, mask in named.items() if mask[at]}
    part = min(sizes, key=lambda part: sizes[part], default="")
    return f"on the {part}" if part else f"in the {_ninth(strength)}"


def _ninth(strength: NDArray[Any]) -> str:
    """Ninth of the picture with the largest value."""
    at = np.unravel_index(strength.argmax(), strength.shape)
    row, column = (int(3 * place // side) for place, side in zip(at, strength.shape, strict=True))
    return _name(row, column)


def _name(row: int, column: int) -> str:
    return "centre" if row == column == 1 else f"{ROWS[row]} {COLUMNS[column]}"


def _windows(result: Relevance) -> bool:
    return "window" in result.parameters and result.unit in (*EFFECTS, "logits")


def _amount(result: Relevance, at: Any) -> str:
    """A value of a map, its standard error where that is known, and its unit."""
    value = float(result.values[at])
    error = np.nan if result.standard_error is None else float(result.standard_error[at])
    unit, factor = result.unit, 1
    if unit == "probability":
        unit, factor = "percentage points", 100
    margin = f" ± {number(factor * error, 1)}" if error > abs(value) / 1000 else ""
    return f"{signed(factor * value, 2)}{margin} {unit}"


def _rounded(share: float) -> str:
    """A share in whole per cent that begins a sentence, but never 0 or 100 where it is neither."""
    if 0 < share < 0.01:
        return "Less than 1 %"
    if 0.99 < share < 1:
        return "More than 99 %"
    return f"{round(100 * share)} %"
