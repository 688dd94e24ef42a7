"""Mean and spread over repetitions, as text."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xwidgets.errors import at_least, listed

from .a_table import a_table

REPEATED = ("class", "scene", "seed")
"""Columns that number repetitions of one measurement, in tables of results."""


def spread(values: pd.Series, digits: int = 2) -> str:
    """Mean ± standard deviation over repetitions, without those that are not known.

    Example:
        >>> spread(pd.Series([1.0, 2.0, 3.0])), spread(pd.Series([1.0, np.nan]), digits=3)
        ('2.00 ± 1.00', '1.000')
    """
    deviation = f" ± {values.std():.{digits}f}" if values.notna().sum() > 1 else ""
    return f"{values.mean():z.{digits}f}{deviation}"


def spread_table(
    frame: pd.DataFrame, by: str | Sequence[str], columns: Sequence[str], digits: int = 2
) -> pd.DataFrame:
    """Means with their spread, as text, such as ``mean ± over classes ± over seeds``.

    Args:
        frame: a table of results; those of :data:`REPEATED` that it has tell the repetitions apart.
        by: the columns that say what a row of the result is of.
        columns: those that are averaged.
        digits: after the point.

    Returns:
        The standard deviation over the classes is that of the classes' means over the seeds, and
        the other way round; where there is only one of them, it is left out. Infinite values are
        counted and not averaged. Nothing is known of a column that is empty: ``""``.

    Example:
        >>> rows = {"method": ["nn"] * 3, "class": [1, 2, 2], "seed": [0, 0, 1], "o2": [1, 3, 5]}
        >>> spread_table(pd.DataFrame(rows), "method", ["o2"]).loc["nn", "o2"]
        '3.00 ± 2.12 ± 2.12'
    """
    keys = [by] if isinstance(by, str) else listed("by", by, str, "names of columns")
    if not keys:
        raise ValueError("by is empty; give the columns that say what a row is of")
    columns = listed("columns", columns, str, "names of columns")
    at_least("digits", digits, 0)
    a_table("frame", frame, [*keys, *columns])
    groups = frame.groupby(keys if len(keys) > 1 else keys[0], sort=False)
    return groups[[*columns, *(name for name in REPEATED if name in frame)]].apply(
        lambda rows: pd.Series({name: _cell(rows, name, digits) for name in columns})
    )


def _cell(rows: pd.DataFrame, name: str, digits: int) -> str:
    values = rows[name].astype(float)
    if values.isna().all():
        return ""
    finite = rows[np.isfinite(values)]
    infinite = int(np.isinf(values).sum())
    numbers = [finite[name].mean()]
    for over in REPEATED:
        if over in finite and finite[over].nunique() > 1:
            numbers.append(finite.groupby(over)[name].mean().std())
    text = " ± ".join(f"{number:z.{digits}f}" for number in numbers)
    return f"{text} ({infinite} infinite)" if infinite else text
