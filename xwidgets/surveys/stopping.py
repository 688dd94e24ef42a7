"""Stopping of a survey: pictures in a random order, until means are known well enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan

import numpy as np

from xwidgets.errors import WrongType, number, shown, unknown

from .plan import Batch, Row

LEAST = 64
"""Pictures with a measure before which it stops nothing."""


class StoppingRule:
    """Rule by which a survey ends: the largest standard errors of the means of some measures.

    Means are over the pictures of the first target that have the measure; their sums are added
    batch by batch.

    Args:
        until: by measure, the largest standard error with which its mean counts as known; of no
            measures, the survey never ends by it.

    Raises:
        ValueError: for another argument.

    Example:
        >>> rule = StoppingRule({"half_area": 0.1})
        >>> rule.add([{"place": 0, "half_area": value} for value in [0.0, 1.0] * 31])
        >>> rule.reached
        False
        >>> rule.add([{"place": 0, "half_area": 0.5}] * 2)
        >>> rule.reached, round(rule.errors["half_area"], 4)
        (True, 0.062)
    """

    def __init__(self, until: Mapping[str, float] | None) -> None:
        if until is not None and not (isinstance(until, Mapping) and until):
            raise WrongType(
                f"until is {shown(until)}, but must hold standard errors by measure, such as "
                '{"half_area": 0.01}'
            )
        self._until = dict(until or {})
        for name, most in self._until.items():
            number(f"until[{name!r}]", most, lambda most: most > 0, "above 0")
        self._moments = dict.fromkeys(self._until, (0, 0.0, 0.0))

    def check(self, measures: Sequence[str]) -> None:
        """Check that these measures are those of a survey.

        Raises:
            ValueError: where one is not.
        """
        for name in self._until:
            if name not in measures:
                raise unknown("measure", name, measures, "(until goes by those in measures)")

    def add(self, rows: Iterable[Row]) -> None:
        """Add the rows of a batch."""
        first = [row for row in rows if row["place"] == 0]
        for name, (count, mean, squares) in self._moments.items():
            values = np.array([row.get(name) for row in first], np.float64)
            values = values[~np.isnan(values)]
            if len(values):
                total, change = count + len(values), float(values.mean()) - mean
                squares += float(((values - values.mean()) ** 2).sum())
                squares += change**2 * count * len(values) / total
                self._moments[name] = total, mean + change * len(values) / total, squares

    @property
    def errors(self) -> dict[str, float]:
        """Standard error of the mean of each measure; NaN for less than two pictures."""
        return {
            name: (squares / (count - 1) / count) ** 0.5 if count > 1 else nan
            for name, (count, _, squares) in self._moments.items()
        }

    @property
    def larger(self) -> list[str]:
        """Measures whose mean is not known well enough, however many pictures have them."""
        errors = self.errors
        return [name for name, most in self._until.items() if not errors[name] <= most]

    @property
    def reached(self) -> bool:
        """Whether all means are known well enough, from :data:`LEAST` pictures each at least."""
        fewest = min((count for count, _, _ in self._moments.values()), default=0)
        return fewest >= LEAST and not self.larger


def in_order(batches: Iterable[Batch], numbers: Iterable[int]) -> Iterator[Batch]:
    """Yield batches, which come in any order, in that of their ``numbers``."""
    waiting: dict[int, Batch] = {}
    computed = iter(batches)
    for awaited in numbers:
        while awaited not in waiting:
            batch = next(computed)
            waiting[batch.number] = batch
        yield waiting.pop(awaited)
