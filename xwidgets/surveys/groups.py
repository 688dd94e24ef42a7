"""Groups of a survey's pictures that people gave names to, in a file of its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xwidgets.errors import index_within, of_kind, one_line
from xwidgets.files import locked, whole
from xwidgets.results.facts import parsed


class Groups:
    """Named groups in a survey's folder, which several people may change.

    Args:
        folder: of the survey.
        count: number of its pictures.

    Example:
        >>> Path("birds").mkdir()
        >>> groups = Groups(Path("birds"), count=100)
        >>> groups.put("water mark", [3, 5, 8])
        >>> Groups(Path("birds"), count=100).all()
        {'water mark': [3, 5, 8]}
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._path, self._count = folder / "groups.json", count

    def all(self) -> dict[str, list[int]]:
        """Numbers of the pictures of each group.

        Raises:
            ValueError: for a file that holds something else.
        """
        return {name: list(numbers) for name, numbers in self._read()["groups"].items()}

    def put(self, name: str, numbers: Sequence[int]) -> None:
        """Add a group, or replace the one of this name.

        Raises:
            ValueError: for an empty name, no pictures, or those that the survey has not.
            OSError: when the file cannot be written.
        """
        of_kind("name", name, str, "a text")
        name = " ".join(name.split())
        if not name:
            raise ValueError("the group has no name; give it one")
        chosen = sorted(
            {index_within("picture", each, self._count, "the survey") for each in numbers}
        )
        if not chosen:
            raise ValueError("no pictures are selected; select some that belong together")
        with self._changing() as groups:
            groups[name] = chosen

    def remove(self, name: str) -> None:
        """Remove a group; nothing where there is none of this name.

        Raises:
            OSError: when the file cannot be written.
        """
        with self._changing() as groups:
            groups.pop(name, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Context of the groups as they are in the file, which are written when it ends."""
        with locked(self._path):
            held = self._read()
            yield held["groups"]
            with whole(self._path) as part:
                part.write_text(json.dumps(held, ensure_ascii=False), "utf-8")

    def _read(self) -> dict[str, Any]:
        """All that the file holds, also what other versions have in it."""
        try:
            held = parsed(self._path.read_text("utf-8"))
            for numbers in held["groups"].values():
                for number in numbers:
                    index_within("picture", number, self._count, "the survey")
        except FileNotFoundError:
            return {"groups": {}}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{str(self._path)!r} cannot be read as groups ({one_line(error)}); correct it, "
                "or move it away"
            ) from error
        return held
