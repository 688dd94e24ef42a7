"""Live surveys: the rows of a survey and the layout of its maps, while its folder grows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import traitlets
from numpy.typing import NDArray

from xwidgets.errors import at_least, index_within
from xwidgets.surveys.folder import Survey, open_survey
from xwidgets.surveys.likeness import Layout, reduced

from .live_result import LiveResult
from .worker import Worker

PAUSE = 0.5
"""Seconds until a folder is looked at again in which nothing is new."""

AT_ONCE = 16
"""Batches that are read until what is known is shown."""


@dataclass(frozen=True, eq=False)
class Growth:
    """Survey so far.

    Attributes:
        survey: that grows; ``None`` while its folder holds none.
        rows: of one target, a row for each picture that is done, as of :meth:`Survey.table`.
        places: ``(n, 2)`` of the maps, row by row; NaN for a picture without a map, with one
            that is zero, or without a place yet.
        completed: share of the pictures that are done; 1 when it has ended, and all are laid out.
    """

    survey: Survey | None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    places: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    completed: float = 0.0

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Row of each picture that is done, by the picture's number."""
        return {number: at for at, number in enumerate(map(int, self.rows.get("number", [])))}

    def row(self, number: int) -> Mapping[str, Any]:
        """Row of a picture that is done; ``None`` for what is not known."""
        row = self.rows.iloc[self.row_of[number]]
        return {name: None if pd.isna(value) else value for name, value in row.items()}


class SurveyGrowth(traitlets.HasTraits):
    """Rows of a survey's pictures and layout of its maps, as a live result.

    The folder is read until the survey in it has ended, whoever computes it.

    Args:
        survey: or the folder of one, which may not have begun yet.
        target: place of the target among those of the survey.

    Attributes:
        growing: a :class:`LiveResult` whose answer is a :class:`Growth`.

    Raises:
        ValueError: for a survey without this target, or where openTSNE is missing.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed) for seed in range(16)]
        >>> done = xw.survey(xw.network("birds"), scenes, xw.Saliency(), "birds", progress=False)
        >>> growth = SurveyGrowth(done)
        >>> growth.wait().places.shape
        (16, 2)
        >>> growth.close()
    """

    def __init__(self, survey: Survey | str | Path, target: int = 0) -> None:
        super().__init__()
        at_least("target", target, 0)
        folder = survey.folder if isinstance(survey, Survey) else Path(survey)
        self.folder, self.target = folder.absolute(), target
        begun = _begun(self.folder, target)
        self._nothing = Growth(None) if begun is None else _Reading(begun, target).so_far()
        self._worker = Worker(self)
        self.growing: LiveResult[tuple[Path, int], Growth] = LiveResult(
            self._worker, lambda asked: _growth(*asked), keep=1
        )
        self.growing.ask((self.folder, target))

    @property
    def so_far(self) -> Growth:
        """The newest answer, and what the folder held at first before there is one."""
        return self.growing.answer or self._nothing

    def wait(self, timeout: float | None = None) -> Growth | None:
        """Wait until the survey has ended and is laid out; as of :meth:`LiveResult.wait`."""
        return self.growing.wait(timeout)

    def close(self) -> None:
        """Look at the folder no more."""
        self._worker.close()


def _begun(folder: Path, target: int) -> Survey | None:
    """The survey in a folder; ``None`` before it has begun.

    Raises:
        ValueError: for a survey without this target, or that cannot be read.
    """
    if not (folder / "survey.json").exists():
        return None
    survey = open_survey(folder)
    index_within("target", target, len(survey.facts.targets), "the survey")
    return survey


def _growth(folder: Path, target: int) -> Iterator[Growth]:
    """Yield what a folder holds so far, until its survey has ended."""
    nothing = Growth(None)
    while (survey := _begun(folder, target)) is None:
        yield nothing
        time.sleep(PAUSE)
    reading = _Reading(survey, target)
    layout = reading.layout
    growth = reading.so_far()
    while (awaited := reading.awaited) or layout.is_behind:
        _check_same(survey)
        if fresh := sorted(awaited & survey.done)[:AT_ONCE]:
            reading.read(fresh)
            yield (growth := reading.so_far())
        elif layout.is_due or not awaited:
            for _ in layout.steps():
                yield (growth := reading.so_far())
        else:
            yield growth
            time.sleep(PAUSE)
    yield replace(growth, completed=1.0)


def _check_same(survey: Survey) -> None:
    """Check that a folder holds the same survey still.

    Raises:
        ValueError: when it does not.
    """
    if open_survey(survey.folder).facts != survey.facts:
        raise ValueError(
            f"another survey has begun in {str(survey.folder)!r} meanwhile; look at it anew"
        )


class _Reading:
    """Reading of a survey, batch by batch in the order in which they are done."""

    def __init__(self, survey: Survey, target: int) -> None:
        self._survey, self._target = survey, target
        self._missing = set(range(survey.facts.batches))
        self.layout = Layout()
        self._rows: list[pd.DataFrame] = []
        self._mapped = np.zeros(0, bool)

    @property
    def awaited(self) -> set[int]:
        """Numbers of the batches that are to be read: all, or those that are done at the end."""
        return self._missing & self._survey.done if self._survey.ended else self._missing

    def read(self, batches: Sequence[int]) -> None:
        """Read these batches, which are done."""
        rows = self._survey.rows_of(batches)
        maps = [self._survey.maps_of(batch, self._target) for batch in batches]
        vectors = reduced(np.concatenate(maps))
        mapped = np.isfinite(vectors).all(axis=1)
        self._rows.append(rows[rows["place"] == self._target])
        self._mapped = np.concatenate([self._mapped, mapped])
        self.layout.add(vectors[mapped])
        self._missing -= {*batches}

    def so_far(self) -> Growth:
        """Growth by the batches that were read."""
        places = np.full((len(self._mapped), 2), np.nan, np.float32)
        if len(self.layout.places):
            places[self._mapped] = self.layout.places
        rows = pd.concat(self._rows or [self._survey.rows_of([])], ignore_index=True)
        return Growth(self._survey, rows, places, 0.99 * len(rows) / len(self._survey))
