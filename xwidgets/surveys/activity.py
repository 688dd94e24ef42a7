"""Activity of the channels of a layer over the pictures of a survey, in all and by class.

In a picture, a channel counts by its largest activation x. It stands out in a class by Hedges' g,
the standardised difference of means, corrected for few pictures: with n pictures of the class and
n' others, means m and m', and s^2 their sums of squares about these by n + n' - 2,

    g = (1 - 3 / (4 (n + n') - 9)) (m - m') / s
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.extras import needed

if TYPE_CHECKING:
    import pandas as pd


def activity(values: NDArray[np.float32], classes: pd.Series | None = None) -> pd.DataFrame:
    """Table of the activity of the channels of a layer over pictures.

    Args:
        values: largest and mean activation of each channel in each picture, ``(N, 2, C)``.
        classes: of the pictures, ``(N,)``, named as their column is to be; pictures without one do
            not count. ``None`` for all together.

    Returns:
        A row for each channel, or for each class and channel: ``channel``, the class, ``count`` of
        its pictures; over them, ``largest``, the mean of the largest activation, and its standard
        error ``sem`` (NaN for one picture); ``active``, the share of the pictures in which the
        largest is above 0; ``mean``, the mean of the mean activation; and of classes ``g``, how far
        the largest activation stands out there from the other pictures, in standard deviations
        (Hedges' g; NaN for a channel that is the same in all pictures, or without other pictures).

    Example:
        >>> import pandas as pd
        >>> values = np.array([[[5]], [[7]], [[1]], [[3]]], np.float32).repeat(2, 1)
        >>> table = activity(values, pd.Series(["wren", "wren", "finch", "finch"], name="label"))
        >>> table[["label", "largest", "sem"]].values.tolist()
        [['finch', 2.0, 1.0], ['wren', 6.0, 1.0]]
        >>> table["g"].round(3).tolist()
        [-1.616, 1.616]
    """
    pandas = needed("pandas", "survey")
    codes, names = np.zeros(len(values), np.int64), None
    if classes is not None:
        codes, names = pandas.factorize(classes, sort=True)
        codes, values = codes[codes >= 0], values[codes >= 0]
    order = np.argsort(codes, kind="stable")
    groups, starts = np.unique(codes[order], return_index=True)
    columns = _statistics(values[order].astype(np.float64), starts)
    channels = values.shape[2]
    table: dict[str, Any] = {"channel": np.tile(np.arange(channels), len(groups))}
    if classes is not None and names is not None:
        table[str(classes.name)] = names.repeat(channels)
    else:
        del columns["g"]
    return pandas.DataFrame(table | {name: column.ravel() for name, column in columns.items()})


def _statistics(
    values: NDArray[np.float64], starts: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Columns of the table, ``(G, C)`` each, of pictures that are sorted by class.

    Sums are of the differences from the first picture, which are exact for activations in float32,
    and 0 of a channel that is the same in all.
    """

    def sums(several: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(several, starts) if len(starts) else several[:0]

    largest, average = values[:, 0], values[:, 1]
    changes = largest - largest[:1]
    count = sums(np.ones_like(largest))
    total, squares = sums(changes), sums(changes**2)
    others = count.sum(0) - count
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, mean_of_others = total / count, (total.sum(0) - total) / others
        spread = np.maximum(squares - count * mean**2, 0)
        spread_of_others = np.maximum(squares.sum(0) - squares - others * mean_of_others**2, 0)
        freedom = count + others - 2
        deviation = np.sqrt((spread + spread_of_others) / freedom)
        return {
            "count": count.astype(np.int64),
            "largest": sums(largest) / count,
            "sem": np.sqrt(spread / (count - 1) / count),
            "active": sums((largest > 0).astype(np.float64)) / count,
            "mean": sums(average) / count,
            "g": (1 - 3 / (4 * freedom - 1)) * (mean - mean_of_others) / deviation,
        }
