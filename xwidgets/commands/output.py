"""Files that results are written to: where, in which form, and whether that is possible."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xwidgets.files import made, whole

from .terminal import plain

if TYPE_CHECKING:
    from xwidgets.results import Relevance

NAME = "{name}"
"""Stands for the name of a photograph, without its ending, in a path."""


def paths_for(out: str, photographs: Sequence[str]) -> list[Path]:
    """File for each photograph.

    Args:
        out: a file, a path with :data:`NAME` in it, or a folder, for pages.
        photographs: paths, or names of pictures.

    Raises:
        ValueError: for an ending that is no form, or where two photographs have one file, or a
            photograph would be overwritten.

    Example:
        >>> paths_for("maps/{name}.png", ["a/cat.jpg", "dog.jpg"])[1].name
        'dog.png'
    """
    folder = out.endswith(("/", os.sep)) or Path(out).is_dir()
    pattern = str(Path(out, f"{NAME}.html")) if folder else out
    if Path(pattern).suffix not in FORMS:
        *others, last = FORMS
        raise ValueError(
            f"{plain(out)!r} is no folder that there is, and ends in none of {', '.join(others)} "
            f"and {last}; give a file, or a folder with / at its end"
        )
    paths = [Path(pattern.replace(NAME, Path(photo).stem)) for photo in photographs]
    for path, photo in zip(paths, photographs, strict=True):
        other = photographs[paths.index(path)]
        if other is not photo:
            raise ValueError(
                f"{plain(other)!r} and {plain(photo)!r} would both be written to "
                f"{plain(path)!r}; give a folder or a path with {NAME}, and photographs of "
                "different names"
            )
        if path.exists() and Path(photo).exists() and path.samefile(photo):
            raise ValueError(f"{plain(path)!r} is the photograph itself; write to another path")
    return paths


def prepare(paths: Sequence[Path], out: str) -> None:
    """Make the folder that was asked for, and check that files can be written there.

    Raises:
        OSError: where they cannot.
    """
    if out.endswith(("/", os.sep)):
        made(Path(out))
    check(paths)


def check(paths: Sequence[Path]) -> None:
    """Check that files can be written, before anything is computed.

    Raises:
        OSError: where they cannot.
    """
    for path in paths:
        if not path.parent.is_dir():
            raise OSError(f"there is no folder {plain(path.parent)!r}; make it first")
        if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            raise OSError(f"{plain(path)!r} may not be written to; give another path")


def write(result: Relevance, path: Path, title: str) -> None:
    """Write a map in the form that the ending of the path says, whole or not at all.

    Raises:
        OSError: where that is not possible.
    """
    FORMS[path.suffix](result, path, title)


def _page(result: Relevance, path: Path, title: str) -> None:
    from xwidgets.widgets.result_page import results_page

    results_page([result], title).save(path)


def _picture(result: Relevance, path: Path, title: str) -> None:
    from xwidgets.results import render
    from xwidgets.results.legend import with_legend

    with whole(path) as part:
        part.write_bytes(render.png(with_legend(result)))


FORMS: Mapping[str, Callable[[Relevance, Path, str], None]] = {
    ".html": _page,
    ".npz": lambda result, path, title: result.save(path),
    ".png": _picture,
}
"""What writes a map, by the ending of its file."""
