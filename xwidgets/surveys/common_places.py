"""Places where the maps of a class are strong in common, such as that of a mark on its pictures.

What is to be recognised moves from picture to picture; a watermark, a border or a date does not. A
map is looked at through square windows, an eighth of its sides long and half a window apart. Those
with the largest sums of absolute values, one in 50, are its strong places. For a class with n
pictures among N, and a place that is strong in k of these and in K of all, the shares are compared:
k/n with that of the others. If the classes were drawn by lot, k would be hypergeometric,

    P(k or more) = sum over j >= k of  C(K, j) C(N - K, n - j) / C(N, n),

which is multiplied with the number of places and classes looked at (Bonferroni). Small P alone says
little, as classes do differ in where their subjects lie: a place is unusual where P < 0.01 and the
shares differ by more than a half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.stats import hypergeom

from xwidgets.box import Box
from xwidgets.extras import needed

if TYPE_CHECKING:
    import pandas as pd

PARTS = 8
"""Number of windows that a side of a map is long."""

STRONG = 50
"""Number of places of which one is strong."""

DIFFERENCE, CHANCE = 0.5, 0.01
"""Difference of the shares above which, and probability below which, a place is unusual."""


def windows(size: tuple[int, int]) -> list[Box]:
    """P windows of maps ``(H, W)``, row by row.

    Example:
        >>> windows((16, 16))[:2], len(windows((16, 16)))
        ([Box(top=0, left=0, bottom=2, right=2), Box(top=0, left=1, bottom=2, right=3)], 225)
    """
    rows, columns = map(_starts, size)
    height, width = map(_side, size)
    return [Box(row, column, row + height, column + width) for row in rows for column in columns]


def strong_places(maps: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether each window of each map is one of its strong places.

    Args:
        maps: ``(n, H, W)``.

    Returns:
        ``(n, P)``; windows that are equal at the limit are not, nor are any in a map of NaN.

    Example:
        >>> maps = np.zeros((1, 16, 16))
        >>> maps[0, 15, 0] = -1
        >>> [windows((16, 16))[place] for place in np.flatnonzero(strong_places(maps))]
        [Box(top=14, left=0, bottom=16, right=2)]
    """
    size = maps.shape[1], maps.shape[2]
    rows, columns = map(_starts, size)
    views = sliding_window_view(np.abs(maps), (_side(size[0]), _side(size[1])), (1, 2))
    sums = views[:, rows][:, :, columns].sum((3, 4), dtype=np.float64).reshape(len(maps), -1)
    count = max(1, sums.shape[1] // STRONG)
    strong: NDArray[np.bool_] = sums > np.sort(sums, 1)[:, -count - 1 :][:, :1]
    return strong


def common_places(
    strong: NDArray[np.bool_], size: tuple[int, int], classes: pd.Series
) -> pd.DataFrame:
    """Table of the place of each class that stands out most from the other pictures.

    Args:
        strong: places of the pictures, ``(N, P)``, of :func:`strong_places`.
        size: ``(H, W)`` of the maps.
        classes: of the pictures, ``(N,)``, named as their column is to be; pictures without one do
            not count.

    Returns:
        A row for each class: the class, ``count`` of its pictures; ``top``, ``left``, ``bottom``
        and ``right`` of the window, in pixels; ``share`` of the class's pictures in which it is
        strong, and ``share_of_others``; ``p``, the probability that chance alone makes the class as
        different at any place of any class, at most; and whether it is ``unusual``.

    Example:
        >>> import pandas as pd
        >>> maps = np.random.default_rng(0).random((40, 16, 16))
        >>> maps[:20, 3, 5] = 9
        >>> classes = pd.Series(["wren"] * 20 + ["finch"] * 20, name="label")
        >>> table = common_places(strong_places(maps), (16, 16), classes).set_index("label")
        >>> float(table["share"]["wren"]), table["unusual"].tolist()
        (1.0, [False, True])
    """
    pandas = needed("pandas", "survey")
    codes, names = pandas.factorize(classes, sort=True)
    strong = strong[codes >= 0].astype(np.float64)
    member = codes[codes >= 0] == np.arange(len(names))[:, None]
    count, total = member.sum(1)[:, None], strong.sum(0)
    hits = member.astype(np.float64) @ strong
    rest = len(strong) - count
    best = (hits * rest - (total - hits) * count).argmax(1)  # whole numbers: ties are exact
    each = np.arange(len(names))
    with np.errstate(invalid="ignore"):
        share, share_of_others = (hits / count)[each, best], ((total - hits) / rest)[each, best]
    chance = hypergeom.sf(hits[each, best] - 1, len(strong), total[best], count[:, 0])
    p = np.minimum(chance * strong.shape[1] * len(names), 1)
    boxes = np.array(windows(size))[best]
    return pandas.DataFrame(
        {
            str(classes.name): names,
            "count": count[:, 0],
            **dict(zip(Box._fields, boxes.T, strict=True)),
            "share": share,
            "share_of_others": share_of_others,
            "p": p,
            "unusual": (p < CHANCE) & (share - share_of_others > DIFFERENCE),
        }
    )


def _side(length: int) -> int:
    """Side of windows along an axis of a map."""
    return -(-length // PARTS)


def _starts(length: int) -> list[int]:
    """First pixels of windows along an axis of a map, of which the last reaches its end."""
    last = length - _side(length)
    return [*range(0, last, max(1, _side(length) // 2)), last]
