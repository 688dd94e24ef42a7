"""Arrays of an ``.npz`` file, read only when all that it claims to hold can be in it."""

import zlib
from math import prod
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

DAMAGE = (OSError, KeyError, TypeError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error)
"""Errors of reading a damaged file."""

_DEFLATED = 1032
"""Largest number of bytes that one byte of a deflated file stands for."""


def read(path: str | Path) -> dict[str, NDArray[np.generic]]:
    """Arrays of a file by name.

    Raises:
        ValueError: for an array that is longer or shorter than it claims, or than a file of this
            size can hold, before memory is asked for.
        OSError, zipfile.BadZipFile, zlib.error: for a file that is missing or damaged.

    Example:
        >>> np.savez("arrays.npz", ones=np.ones(3))
        >>> read("arrays.npz")["ones"].tolist()
        [1.0, 1.0, 1.0]
    """
    limit = _DEFLATED * Path(path).stat().st_size
    with ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                version = npy.read_magic(file)
                header = (
                    npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                )
                try:
                    shape, _, dtype = header(file)
                except (TokenError, MemoryError) as error:  # of what is no literal
                    raise ValueError(f"the header of {member.filename} is damaged") from error
                claimed = file.tell() + prod(shape) * dtype.itemsize
            if claimed != member.file_size or claimed > limit:
                raise ValueError(f"its {member.filename} claims to be of {claimed:,} bytes")
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
