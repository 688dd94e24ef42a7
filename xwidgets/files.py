"""Files that are whole at any time, whoever reads or writes them meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes its place when nothing went wrong.

    A link stays one, and the file that it points to is replaced. Permissions stay as they are.

    Raises:
        OSError: when there is no such folder, or what is at ``path`` is no file that may be
            written.

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
