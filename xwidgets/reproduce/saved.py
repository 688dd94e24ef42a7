"""Results of experiments in a folder, where the next run finds them.

All files of one setting begin with its name. Tables are CSV files; a JSON file beside them says
what they are of, and which versions of the packages wrote them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from xwidgets.errors import a_flag, of_kind, one_line
from xwidgets.files import explained, made, whole
from xwidgets.results.facts import parsed
from xwidgets.results.result import versions

from .setting import NamedSetting

T = TypeVar("T")


class SavedFiles:
    """Files in a folder whose names begin alike.

    Args:
        folder: made when the first file is written; ``None`` saves nothing.
        name: what the names of files begin with.
    """

    def __init__(self, folder: str | Path | None, name: str) -> None:
        of_kind("folder", folder, str | Path | None, "the path of a folder, or None")
        self._folder = None if folder is None else Path(folder)
        self._name = name

    def has(self, ending: str) -> bool:
        """Whether there is a file whose name ends so, such as with ``"-table.csv"``."""
        path = self._path(ending)
        return path is not None and path.exists()

    def write(self, ending: str, save: Callable[[Path], object]) -> None:
        """Let ``save`` write a file, if there is a folder."""
        path = self._path(ending)
        if path is not None:
            made(path.parent)
            save(path)

    def kept(
        self,
        ending: str,
        compute: Callable[[], T],
        load: Callable[[Path], T],
        save: Callable[[T, Path], object],
        recompute: bool = False,
    ) -> T:
        """Content of a file; it is computed and written where there is no file."""
        path = self._path(ending)
        if path is not None and path.exists() and not recompute:
            return load(path)
        value = compute()
        self.write(ending, partial(save, value))
        return value

    def _path(self, ending: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{self._name}{ending}"


class SavedTables(SavedFiles):
    """Tables of one setting, and other files that belong to them.

    Args:
        folder: made when the first file is written; ``None`` saves nothing.
        setting: what the results are of, together with ``facts``.
        recompute: whether to remove what is there.
        name: what the names of files begin with; the setting's name by default.
        facts: what else must be the same, such as where images come from.

    Raises:
        ValueError: for a folder that holds the results of another setting of this name.

    Example:
        >>> saved = SavedTables("results", NamedSetting("small"), source="streets")
        >>> saved.save({"table": pd.DataFrame({"seed": [0, 1]})})
        >>> saved.load(["table", "curves"])["table"]["seed"].tolist()
        [0, 1]
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
        a_flag("recompute", recompute)
        self._facts: dict[str, Any] = json.loads(json.dumps(asdict(setting) | facts))
        if recompute:
            self._clear()
        path = self._path(".json")
        if path is None or not path.exists():
            return
        try:
            saved = parsed(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{str(path)!r} cannot be read ({one_line(error)}); take another folder, or start "
                "anew with recompute=True"
            ) from error
        saved.pop("versions", None)
        if _defaults(setting) | saved != self._facts:
            raise ValueError(
                f"{str(path)!r} is of another setting called {setting.name!r}, or of other images; "
                "take another folder, or start anew with recompute=True"
            )

    def load(self, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Saved tables, by name."""
        if not self.has(".json"):
            return {}
        paths = {name: self._path(f"-{name}.csv") for name in names}
        return {name: _read(path) for name, path in paths.items() if path and path.exists()}

    def save(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Write tables one after another, each whole at any time."""
        for name, table in tables.items():
            self.write(f"-{name}.csv", partial(_write, table))

    def write(self, ending: str, save: Callable[[Path], object]) -> None:
        """Let ``save`` write a file beside what says what it is of."""
        super().write(".json", self._write_facts)
        super().write(ending, save)

    def _write_facts(self, path: Path) -> None:
        facts = json.dumps(self._facts | {"versions": versions()}, indent=1)
        with whole(path) as part:
            part.write_text(f"{facts}\n", "utf-8")

    def _clear(self) -> None:
        """Remove all files of this setting, and none of one whose longer name begins alike."""
        files = [] if self._folder is None else [*self._folder.glob("*")]
        own = [path for path in files if path.name.startswith(f"{self._name}-")]
        longer = tuple(f"{path.stem}-" for path in own if path.suffix == ".json")
        for path in files:
            results = path in own and path.suffix != ".json" and not path.name.startswith(longer)
            if results or path.name == f"{self._name}.json":
                with explained(path, "could not be removed", "take another folder"):
                    path.unlink()


def _defaults(setting: NamedSetting) -> dict[str, Any]:
    """Values of a setting's fields where a file of a build without them says nothing."""
    known = {item.name: item.default for item in fields(setting) if item.default is not MISSING}
    return cast(dict[str, Any], json.loads(json.dumps(known)))


def _write(table: pd.DataFrame, path: Path) -> None:
    with whole(path) as part:
        table.to_csv(part, index=False)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:  # a table without rows
        return pd.DataFrame()
    except (OSError, ValueError) as error:  # pandas' own errors among them
        raise ValueError(
            f"{str(path)!r} is no readable table ({one_line(error)}); remove it, and it is "
            "computed again"
        ) from error
