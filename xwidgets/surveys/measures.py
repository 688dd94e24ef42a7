"""Measures of the maps of a survey: by name, or functions of one's own.

A measure takes a map ``(H, W)`` and the picture's :class:`xwidgets.images.collection.Item`, with
its image, label and drawn scene, and returns a number, or numbers by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import WrongType, one_line, shown, unknown
from xwidgets.evaluate import half_area, mask_parts, same_sign, sharpness, times_expected
from xwidgets.evaluate import part_shares as shares_of_parts
from xwidgets.images.collection import Item
from xwidgets.images.scenes import Scene

from .folder import COLUMNS

Measure = Callable[[NDArray[np.float32], Item], float | Mapping[str, float]]
"""Function of a map and its picture."""


def part_shares(values: NDArray[np.float32], item: Item) -> dict[str, float]:
    """Shares of a map's absolute values on each part of a drawn scene, and on the context.

    Raises:
        ValueError: for a picture that is no drawn scene, or of another size than the map.

    Example:
        >>> from xwidgets.images import scenes
        >>> scene = scenes.bird(seed=3)
        >>> shares = part_shares(np.ones((64, 64), np.float32), Item(scene.image, scene=scene))
        >>> round(sum(shares.values()), 6), round(shares["context"], 2) > 0.5
        (1.0, True)
    """
    scene = _scene(values, item)
    [shares] = shares_of_parts(np.abs(values)[None], mask_parts(scene.masks.values()))
    return dict(zip([*scene.masks, "context"], shares.tolist(), strict=True))


def part_means(values: NDArray[np.float32], item: Item) -> dict[str, float]:
    """Means of a map over each part of a drawn scene, in its unit; NaN for a hidden part.

    Raises:
        ValueError: for a picture that is no drawn scene, or of another size than the map.

    Example:
        >>> from xwidgets.images import scenes
        >>> scene = scenes.bird(seed=3)
        >>> part_means(np.ones((64, 64), np.float32), Item(scene.image, scene=scene))["beak"]
        1.0
    """
    masks = _scene(values, item).masks
    return {
        part: float(values[mask].mean(dtype=np.float64)) if mask.any() else np.nan
        for part, mask in masks.items()
    }


def subject_concentration(values: NDArray[np.float32], item: Item) -> float:
    """Mean magnitude of a map on the subject of a drawn scene, relative to that of the picture.

    Raises:
        ValueError: for a picture that is no drawn scene, or of another size than the map.

    Example:
        >>> from xwidgets.images import scenes
        >>> scene = scenes.bird(seed=3)
        >>> subject_concentration(np.ones((64, 64), np.float32), Item(scene.image, scene=scene))
        1.0
    """
    return times_expected(values, np.any([*_scene(values, item).masks.values()], 0))


NAMED: Mapping[str, Measure] = {
    "half_area": lambda values, item: half_area(values),
    "sharpness": lambda values, item: sharpness(values),
    "same_sign": lambda values, item: same_sign(values),
    "part_shares": part_shares,
    "part_means": part_means,
    "subject_concentration": subject_concentration,
}
"""Measures by name."""


def chosen_measures(measures: Sequence[str | Measure]) -> dict[str, Measure]:
    """Measures by name, in order.

    Raises:
        ValueError: for an unknown name, what is no function, or two of one name.

    Example:
        >>> list(chosen_measures(["half_area", part_means]))
        ['half_area', 'part_means']
    """
    if isinstance(measures, str) or not isinstance(measures, Sequence):
        raise WrongType(f"measures is {shown(measures)}, but must be a list of names or functions")
    chosen: dict[str, Measure] = {}
    for measure in measures:
        if isinstance(measure, str) and measure not in NAMED:
            raise unknown("measure", measure, NAMED)
        if not isinstance(measure, str) and not callable(measure):
            raise WrongType(f"measure {shown(measure)} must be a name, or a function of a map")
        name = measure if isinstance(measure, str) else getattr(measure, "__name__", "")
        if not name.isidentifier() or name in chosen or name in COLUMNS:
            raise ValueError(
                f"measure {shown(measure)} has no name of its own; define it by def with another"
            )
        chosen[name] = NAMED[measure] if isinstance(measure, str) else measure
    return chosen


def measured(
    measures: Mapping[str, Measure], values: NDArray[np.float32], item: Item
) -> dict[str, float]:
    """Measures of a map, by name; of one that returns several, by its name and theirs.

    Raises:
        ValueError: for a measure that fails, or returns no number.

    Example:
        >>> measured(chosen_measures(["half_area"]), np.ones((2, 2), np.float32), Item(None))
        {'half_area': 0.5}
    """
    columns: dict[str, float] = {}
    for name, measure in measures.items():
        try:
            value: Any = measure(values, item)
        except Exception as error:  # of functions of others
            raise ValueError(
                f"measure {name!r} fails ({type(error).__name__}: {one_line(error)}); mend it, or "
                "leave it out"
            ) from error
        several = value if isinstance(value, Mapping) else {"": value}
        try:
            columns |= {f"{name} {part}".strip(): float(item) for part, item in several.items()}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"measure {name!r} returns {shown(value)}, but must return a number, or numbers by "
                "name"
            ) from error
    return columns


def _scene(values: NDArray[np.float32], item: Item) -> Scene:
    """Drawn scene of a picture, of the size of its map."""
    if item.scene is None:
        raise ValueError(
            "the picture is no drawn scene, so its parts are not known; give scenes of xw.scenes, "
            "or a measure that needs no parts"
        )
    if tuple(item.scene.image.shape[1:]) != values.shape:
        height, width = values.shape
        raise ValueError(
            f"the scene is not of the size {height} x {width} of its map; draw it with that size"
        )
    return item.scene
