"""Tables that are handed in, checked."""

from collections.abc import Iterable

import pandas as pd

from xwidgets.errors import of_kind


def a_table(name: str, frame: object, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Table, called ``name``, that has some columns.

    Raises:
        ValueError: for anything else; a ``TypeError`` too where it is no ``DataFrame``.

    Example:
        >>> a_table("maps", pd.DataFrame({"scene": [0]}), ["window"])
        Traceback (most recent call last):
        ValueError: maps has no column 'window'; give the table that the experiment returned
    """
    of_kind(name, frame, pd.DataFrame, "a pandas.DataFrame")
    assert isinstance(frame, pd.DataFrame)
    for column in columns:
        if column not in frame:
            raise ValueError(
                f"{name} has no column {column!r}; give the table that the experiment returned"
            )
    return frame
