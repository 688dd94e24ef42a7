"""Atomic writing of files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Context of a temporary path to write to, which replaces ``path`` unless an error is raised.

    Of a link, the file that it points to is replaced. Permissions are kept.

    Raises:
        OSError: when the folder is missing, or ``path`` is not a writable file.

    Example:
        >>> with whole("names.txt") as part:
        ...     _ = part.write_text("beak")
        >>> Path("names.txt").read_text()
        'beak'
    """
    file = Path(os.path.realpath(path))
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(file.parent)!r}; make it first")
    if file.exists() and not (file.is_file() and os.access(file, os.W_OK)):
        raise OSError(f"{str(path)!r} is no file that may be written; give another path")
    part = file.with_name(f"{uuid4().hex}.part")
    part.touch()
    mode = (file if file.exists() else part).stat().st_mode
    try:
        yield part
        part.chmod(mode)  # safetensors writes what only the owner may read
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
