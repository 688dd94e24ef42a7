"""An experiment repeated with other seeds, scenes or networks, whose tables grow and are saved."""

from collections.abc import Callable, Collection, Container, Iterator, Sequence
from typing import NamedTuple, TypeVar

import pandas as pd
from tqdm import tqdm

from .saved import SavedTables

T = TypeVar("T")
Tables = TypeVar("Tables", bound=NamedTuple)


def progress(items: Collection[T], title: str) -> Iterator[T]:
    """The items, with a bar while there are any left."""
    return iter(tqdm(items, desc=title, leave=False, disable=not items))


def grow(
    kind: type[Tables],
    saved: SavedTables,
    by: Sequence[str],
    repetitions: Sequence[tuple[object, ...]],
    measure: Callable[..., Iterator[Tables]],
) -> Iterator[Tables]:
    """The tables of all repetitions as they grow, beginning with those that were saved.

    Args:
        kind: a named tuple of tables. The first has rows for every repetition, and is written last:
            a repetition that it has is whole.
        saved: where they are kept, repetition by repetition.
        by: the columns of all tables that tell the repetitions apart, such as ``["seed"]``.
        repetitions: their values in these columns, in order.
        measure: given these values, yields the repetition's tables, whole at last.
    """
    tables = saved.load(kind._fields)
    first = tables.get(kind._fields[0])
    done = None
    if first is not None:
        known = {*_keys(first, by)}
        done = kind(*(_only(tables[name], by, known) for name in kind._fields))
        yield done
        repetitions = [values for values in repetitions if values not in known]
    for values in progress(repetitions, ", ".join(by)):
        for part in measure(*values):
            grown = part if done is None else _joined(done, part)
            yield grown
        done = grown
        saved.save({name: getattr(done, name) for name in reversed(kind._fields)})


def _keys(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[object, ...]]:
    return zip(*(table[name] for name in by), strict=True)


def _only(
    table: pd.DataFrame, by: Sequence[str], known: Container[tuple[object, ...]]
) -> pd.DataFrame:
    if table.empty:
        return table
    return table[[values in known for values in _keys(table, by)]]


def _joined(before: Tables, after: Tables) -> Tables:
    frames = zip(before, after, strict=True)
    return type(before)(*(pd.concat(pair, ignore_index=True) for pair in frames))
