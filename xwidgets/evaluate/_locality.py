"""Locality of x-features: entropy of their heat maps over the parts (Qi et al. 2018, section 4.1).

A heat map, divided by its sum, is P(pixel | x-feature); its share on a part is
S = sum over pixels of P(part | pixel) P(pixel | x-feature). The mean of S over pictures is the
x-feature's histogram over the parts, and its locality is the histogram's entropy: 0 for one part
alone, log P for P parts in equal shares.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xwidgets.errors import WrongType, a_flag, shown

from .parts import points_inside

if TYPE_CHECKING:
    from xwidgets.images.scenes import Point


def part_shares(
    maps: NDArray[np.floating], parts: NDArray[np.floating], raw: bool = False
) -> NDArray[np.float64]:
    """Shares S of each heat map of one picture on each part (Algorithm 1).

    Args:
        maps: ``(n, H, W)``, not negative, of any scale: one for each x-feature.
        parts: ``(P + 1, H, W)``, P(part | pixel) as from :func:`voronoi_parts` or
            :func:`mask_parts`.
        raw: whether S is as Algorithm 1 prints it, whose rows sum to less than 1 as pixels far from
            a part's point count for less; otherwise every row is scaled to sum 1.

    Returns:
        ``(n, P + 1)``. The row of a silent x-feature, whose map is zero everywhere, is NaN; unless
        ``raw``, so is that of a map on pixels with probability 0 for every part.

    Raises:
        ValueError: for maps or parts that are negative, not finite or not of one size.

    Example:
        >>> maps = np.array([[[1.0, 3.0, 0.0]], [[0.0, 0.0, 0.0]]])
        >>> part_shares(maps, np.array([[[1.0, 0.5, 0.0]], [[0.0, 0.5, 0.0]], [[0.0, 0.0, 1.0]]]))
        array([[0.625, 0.375, 0.   ],
               [  nan,   nan,   nan]])
    """
    a_flag("raw", raw)
    maps = not_negative("maps", maps, "(n, H, W)")
    parts = not_negative("parts", parts, "(P + 1, H, W)")
    if maps.shape[1:] != parts.shape[1:]:
        raise ValueError(
            f"the maps are {maps.shape[1:]}, the parts {parts.shape[1:]}; give both of one picture"
        )
    shares = _distributions(maps) @ parts.reshape(len(parts), -1).T.astype(np.float64)
    return shares if raw else _normalized(shares)


def point_shares(maps: NDArray[np.floating], points: Collection[Point]) -> NDArray[np.float64]:
    """P(pixel | x-feature) at the point of each part (Qi et al. 2018, appendix, figure 5a).

    Args:
        maps: ``(n, H, W)``, not negative, of any scale: one for each x-feature of one picture.
        points: one for each of the P parts.

    Returns:
        ``(n, P)``; NaN for parts that are not visible and for silent x-features.

    Raises:
        ValueError: for maps that are negative or not finite, or points outside the picture.

    Example:
        >>> from xwidgets.images.scenes import Point
        >>> point_shares(np.array([[[1.0, 3.0]]]), [Point(1, 0, True), Point(0, 0, False)])
        array([[0.75,  nan]])
    """
    maps = not_negative("maps", maps, "(n, H, W)")
    points_inside(points, maps.shape[1:])
    if not points:
        raise ValueError("there is no point; give one for each part")
    chances = _distributions(maps).reshape(maps.shape)
    shares = np.full((len(maps), len(points)), np.nan)
    for number, point in enumerate(points):
        if point.visible:
            shares[:, number] = chances[:, point.y, point.x]
    return shares


@dataclass(frozen=True, eq=False)
class Locality:
    """Locality of n x-features.

    Attributes:
        entropies: ``(n,)``, in nats; NaN for an x-feature that is silent in all pictures.
        histograms: ``(n, P + 1)``, over the parts; rows sum to 1, or are NaN.
        silent: ``(n,)``, number of pictures in which each x-feature is silent.
    """

    entropies: NDArray[np.float64]
    histograms: NDArray[np.float64]
    silent: NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean entropy of the x-features that are active in some picture; NaN if none is."""
        known = self.entropies[~np.isnan(self.entropies)]
        return float(known.mean()) if len(known) else np.nan


def locality(shares: ArrayLike) -> Locality:
    """Entropy, in nats, of each x-feature's mean histogram over the parts.

    The mean is over the pictures in which the x-feature is not silent, of unscaled shares: shares
    that sum to 1 weigh every picture alike, raw ones or counts by their sum. Only the mean is
    scaled to sum 1.

    Args:
        shares: ``(N, n, P + 1)``, not negative: the :func:`part_shares` of N pictures, with the
            same parts; or counts of a human study ``(1, n, P + 1)``. A row of zeros or NaN is one
            of a silent x-feature.

    Returns:
        Entropies, histograms, and the numbers of pictures in which each x-feature is silent.

    Raises:
        ValueError: for shares that are negative, infinite or, within a row, partly NaN.

    Example:
        >>> measured = locality([[[3, 0, 0], [2, 2, 0], [0, 0, 0]]])
        >>> measured.entropies.round(3), round(measured.mean, 3), measured.silent
        (array([0.   , 0.693,   nan]), 0.347, array([0, 0, 1]))
    """
    shares = np.array(an_array("shares", shares, "(N, n, P + 1)"), np.float64)
    shares[np.isnan(shares).all(-1)] = 0
    shares = not_negative("shares", shares, "(N, n, P + 1)")
    silent = (~shares.any(2)).sum(0)
    histograms = _normalized(shares.sum(0))
    surprise = -np.log(np.where(histograms > 0, histograms, 1))
    return Locality((histograms * surprise).sum(1), histograms, silent)


def an_array(what: str, values: ArrayLike, axes: str) -> NDArray[np.floating]:
    """Array of ``values``, checked to be of numbers and to have these axes.

    >>> an_array("maps", ["a"], "(n, H, W)")
    Traceback (most recent call last):
    xwidgets.errors.WrongType: maps is ['a'], but must be an array (n, H, W) of numbers
    """
    try:
        array = np.asarray(values)
    except ValueError:  # of several lengths
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise WrongType(f"{what} is {shown(values)}, but must be an array {axes} of numbers")
    least = axes.count(",") + 1
    if not (array.size and (array.ndim == least or (array.ndim > least and "..." in axes))):
        raise ValueError(f"the {what} have the shape {array.shape}, but must be {axes}")
    return array


def not_negative(what: str, values: ArrayLike, axes: str) -> NDArray[np.floating]:
    """Array of ``values``, checked to have these axes, and to be finite and not negative.

    >>> not_negative("maps", np.zeros((8, 8)), "(n, H, W)")
    Traceback (most recent call last):
    ValueError: the maps have the shape (8, 8), but must be (n, H, W)
    """
    array = an_array(what, values, axes)
    low, high = array.min(), array.max()
    if not (low >= 0 and np.isfinite(high)):
        raise ValueError(
            f"the {what} must be finite and not negative, but range from {low:.3g} to {high:.3g}"
        )
    return array


def _distributions(maps: NDArray[np.floating]) -> NDArray[np.float64]:
    """P(pixel | x-feature), ``(n, H * W)``; NaN where a map is silent."""
    return _normalized(maps.reshape(len(maps), -1).astype(np.float64))


def _normalized(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total = rows.sum(1, keepdims=True)
    return rows / np.where(total > 0, total, np.nan)
