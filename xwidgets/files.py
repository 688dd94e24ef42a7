"""Atomic writing of files, and changes of files that others change, too."""

import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

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
    try:
        _sweep(file)
        part.touch()
        mode = (file if file.exists() else part).stat().st_mode
        yield part
        part.chmod(mode)  # safetensors writes what only the owner may read
        os.replace(part, file)
    except OSError as error:
        if error.errno is None:  # it says already what is wrong
            raise
        raise OSError(
            f"{str(path)!r} could not be written ({error.strerror}); what was there stays, so make "
            "room or give another path, and write again"
        ) from error
    finally:
        part.unlink(missing_ok=True)


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
    try:
        lock.acquire()
    except Timeout as error:
        raise OSError(
            f"{str(path)!r} is being changed by another process; try again when that has ended"
        ) from error
    except OSError as error:
        raise OSError(
            f"{str(path)!r} could not be changed ({error.strerror}); give a path in a folder that "
            "may be written to"
        ) from error
    try:
        yield
    finally:
        lock.release()
