"""Results of experiments in a folder, found again by the next run.

All files of one setting begin with the same name. Tables are CSV files; a JSON file beside them
says what they are of and by which versions of the packages they were written.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from xwidgets.files import whole
from xwidgets.results.result import versions

from .setting import NamedSetting

T = TypeVar("T")


class SavedFiles:
    """Files in a folder whose names begin alike.

    Args:
        folder: made when the first file is written; ``None`` saves nothing.
        name: what the names of files begin with.

    Example:
        >>> files = SavedFiles("results", "small")
        >>> files.write("sum.txt", lambda path: path.write_text("5"))
        >>> files.path("sum.txt").name, files.has("sum.txt")
        ('small-sum.txt', True)
    """

    def __init__(self, folder: str | Path | None, name: str) -> None:
        self._folder = None if folder is None else Path(folder)
        self._name = name

    def path(self, ending: str) -> Path | None:
        """Where a file is or would be; ``None`` without a folder."""
        return None if self._folder is None else self._folder / f"{self._name}-{ending}"

    def has(self, ending: str) -> bool:
        """Whether a file is there."""
        path = self.path(ending)
        return path is not None and path.exists()

    def write(self, ending: str, save: Callable[[Path], object]) -> None:
        """Let ``save`` write a file, if there is a folder."""
        path = self.path(ending)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            save(path)

    def kept(
        self,
        ending: str,
        compute: Callable[[], T],
        load: Callable[[Path], T],
        save: Callable[[T, Path], object],
        recompute: bool = False,
    ) -> T:
        """What a file holds, or else what is computed, which it holds afterwards."""
        path = self.path(ending)
        if path is not None and path.exists() and not recompute:
            return load(path)
        value = compute()
        self.write(ending, partial(save, value))
        return value


class SavedTables(SavedFiles):
    """Tables of one setting, and other files that belong to them.

    Args:
        folder: see :class:`SavedFiles`.
        setting: what the results are of, together with ``facts``.
        recompute: whether to remove what is there.
        name: what the names of files begin with; the setting's name by default.
        facts: what else must be the same, such as where images come from.

    Raises:
        ValueError: for a folder that holds the results of another setting of this name.

    Example:
        >>> small = NamedSetting("small")
        >>> saved = SavedTables("results", small, source="streets")
        >>> saved.save({"table": pd.DataFrame({"seed": [0, 1]})})
        >>> saved.load(["table", "curves"])["table"]["seed"].tolist()
        [0, 1]
        >>> SavedTables("results", small, source="photographs")
        Traceback (most recent call last):
        ValueError: 'results/small.json' is of another setting called 'small', or of ...
    """

    def __init__(
        self,
        folder: str | Path | None,
        setting: NamedSetting,
        recompute: bool = False,
        name: str | None = None,
        **facts: str,
    ) -> None:
        super().__init__(folder, setting.name if name is None else name)
        self._facts: dict[str, Any] = json.loads(json.dumps(asdict(setting) | facts))
        if recompute:
            self._clear()
        self._check()

    def load(self, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Those of the tables that are there, by name."""
        if self._json is None or not self._json.exists():
            return {}
        return {
            name: _read(path)
            for name in names
            if (path := self.path(f"{name}.csv")) is not None and path.exists()
        }

    def save(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Write tables one after another, each whole at any time."""
        for name, table in tables.items():
            self.write(f"{name}.csv", partial(_write, table))

    def write(self, ending: str, save: Callable[[Path], object]) -> None:
        """Let ``save`` write a file beside what says what it is of."""
        if self._json is not None:
            self._json.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._facts | {"versions": versions()}, indent=1)
            with whole(self._json) as part:
                part.write_text(f"{text}\n", "utf-8")
        super().write(ending, save)

    @property
    def _json(self) -> Path | None:
        return None if self._folder is None else self._folder / f"{self._name}.json"

    def _check(self) -> None:
        if self._json is None or not self._json.exists():
            return
        saved = json.loads(self._json.read_text("utf-8"))
        saved.pop("versions", None)
        if saved != self._facts:
            raise ValueError(
                f"{str(self._json)!r} is of another setting called {self._facts['name']!r}, or of "
                "other images; take another folder, or start anew with recompute=True"
            )

    def _clear(self) -> None:
        """Remove all files of this setting, and none of one whose longer name begins alike."""
        if self._folder is None or self._json is None:
            return
        self._json.unlink(missing_ok=True)
        begins = f"{self._name}-"
        longer = tuple(f"{path.stem}-" for path in self._folder.glob(f"{begins}*.json"))
        for path in self._folder.glob(f"{begins}*"):
            if path.suffix != ".json" and not path.name.startswith(longer):
                path.unlink()


def _write(table: pd.DataFrame, path: Path) -> None:
    with whole(path) as part:
        table.to_csv(part, index=False)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # a table without rows
        return pd.DataFrame()
