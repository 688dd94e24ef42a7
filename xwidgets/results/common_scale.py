"""One colour scale for all maps that are looked at one after another."""

from __future__ import annotations

import json
from collections.abc import Hashable

import numpy as np

from . import render
from .relevance import Relevance


class CommonScale:
    """Magnitude at the ends of the colours of maps of one picture, target, method and unit.

    It is the largest magnitude of the map at hand and of those with other parameters before it, so
    that a map of a tenth of the effect looks a tenth as strong. A map counts for the others from
    the moment when all its pixels are known; the first values of a map that has only begun are too
    noisy to pale the others.

    Example:
        >>> image, scale = np.zeros((1, 1, 3), np.uint8), CommonScale()
        >>> def of(value, window):
        ...     values = np.full((1, 1), value, np.float32)
        ...     about = "bits", "occlusion", "birds", 0, "wren", {"window": window}
        ...     return scale.of(Relevance(values, image, *about))
        >>> of(2.0, 8), of(0.25, 4)
        (2.0, 2.0)
    """

    def __init__(self) -> None:
        self._largest: dict[Hashable, dict[str, float]] = {}

    def of(self, result: Relevance) -> float:
        """Magnitude at the ends of the colours for this map, which is remembered."""
        maps = self._largest.setdefault(_family(result), {})
        known, parameters = np.isfinite(result.values), _key(result)
        own = float(np.abs(result.values[known]).max(initial=0))
        if known.all():
            maps[parameters] = own
        else:
            maps.pop(parameters, None)
        return max([own, *maps.values()]) or 1.0

    def clear(self) -> None:
        """Forget all maps, as when the weights of the network have changed."""
        self._largest.clear()


def _family(result: Relevance) -> Hashable:
    sides = [result.parameters.get(side) for side in ("left", "right")]
    methods = [side["method"] for side in sides if side] or [result.method]
    about = result.unit, result.signed, result.network_name, result.label
    return (*methods, *about, render.digest(result.image))


def _key(result: Relevance) -> str:
    return json.dumps(dict(result.parameters), sort_keys=True, default=repr)
