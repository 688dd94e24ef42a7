"""Files that are whole at any time, whoever reads or writes them meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes its place when nothing went wrong.

    Example:
        >>> with whole("names.txt") as part:
        ...     _ = part.write_text("beak")
        >>> Path("names.txt").read_text()
        'beak'
    """
    part = Path(path).with_name(f"{uuid4().hex}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
