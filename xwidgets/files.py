"""Atomic writing of files, and changes of files that others change, too."""

import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from .errors import one_line

LEFT_OVER = 3600
"""Seconds after which a temporary file is one that a killed process left."""
PATIENCE = 10
"""Seconds that a change waits for that of another process."""


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Context of a temporary path to write to, which replaces ``path`` unless an error is raised.

    Of a link, the file that it points to is replaced. Permissions are kept. What killed processes
    left of the same file is removed.

    Raises:
        OSError: when the folder is missing, ``path`` is not a writable file, or it cannot be
            written, as on a full disk; what was there stays.

    Example:
        >>> with whole("names.txt") as part:
        ...     _ = part.write_text("beak")
        >>> Path("names.txt").read_text()
        'beak'
    """
    file = _behind(path)
    if file.exists() and not (file.is_file() and os.access(file, os.W_OK)):
        raise OSError(f"{str(path)!r} is no file that may be written; give another path")
    part = file.with_name(f"{_prefix(file)}{uuid4().hex}.part")
    stays = "what was there stays, so make room or give another path, and write again"
    with explained(path, "could not be written", stays):
        try:
            _sweep(file)
            part.touch()
            mode = (file if file.exists() else part).stat().st_mode
            yield part
            part.chmod(mode)
            os.replace(part, file)
        finally:
            with suppress(OSError):  # it was not made, or is the file by now
                part.unlink()


@contextmanager
def explained(path: str | Path, fault: str, fix: str) -> Iterator[None]:
    """Context whose errors of the system say in a sentence what happened to ``path``.

    Example:
        >>> with explained("names.txt", "could not be removed", "remove it yourself"):
        ...     Path("names.txt").unlink()
        Traceback (most recent call last):
        OSError: 'names.txt' could not be removed (No such file or directory); remove it yourself
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # it says already what is wrong
            raise
        raise OSError(f"{str(path)!r} {fault} ({error.strerror}); {fix}") from error


def made(folder: Path) -> Path:
    """The folder, which is made where it is missing, with those above it.

    Raises:
        OSError: when that is not possible.
    """
    with explained(folder, "could not be made", "give a folder that may be written to"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def fault_of(error: Exception) -> str:
    """What is wrong in a sentence of this package, without how to mend it.

    Example:
        >>> fault_of(OSError("there is no folder 'gone'; make it first"))
        "there is no folder 'gone'"
    """
    text = one_line(error)
    return text.rpartition("; ")[0] or text


def _behind(path: str | Path) -> Path:
    """The file that a path or link points to, in a folder that there is."""
    file = Path(os.path.realpath(path))
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(file.parent)!r}; make it first")
    return file


def _prefix(file: Path) -> str:
    """How the names of temporary files of a file begin, which are not too long for a name."""
    return f".{file.name[:50]}."


def _sweep(file: Path) -> None:
    """Remove temporary files of a file that killed processes left."""
    for part in file.parent.glob(f"{glob.escape(_prefix(file))}*.part"):
        with suppress(OSError):  # it is another's, or another process sweeps, too
            if time.time() - part.stat().st_mtime > LEFT_OVER:
                part.unlink()


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Context in which no other process changes a file that it changes in such a context.

    Raises:
        OSError: when the folder cannot be written to, or another process holds the file for long.

    Example:
        >>> with locked("names.txt"), whole("names.txt") as part:
        ...     _ = part.write_text("wing")
    """
    file = _behind(path)
    lock = FileLock(file.with_name(f".{file.name}.lock"), timeout=PATIENCE)
    with explained(path, "could not be changed", "give a path in a folder that may be written to"):
        try:
            lock.acquire()
        except Timeout as error:
            raise OSError(
                f"{str(path)!r} is being changed by another process; try again when that has ended"
            ) from error
    try:
        yield
    finally:
        lock.release()
