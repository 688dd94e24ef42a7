"""Digests of methods and targets, by which a survey is known again in another process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from torch import Tensor, nn


def digest(value: Any) -> str:
    """Digest of a value, down to the arrays in it, that is the same in every process.

    Args:
        value: plain values, arrays, tensors and modules, also within lists, mappings and
            dataclasses, of which what they are made with counts. Others count by how they are
            written.

    Example:
        >>> digest(np.zeros(3)) == digest(np.zeros(3)), digest(np.zeros(3)) == digest(np.ones(3))
        (True, False)
    """
    whole = sha256()
    for part in _parts(value):
        whole.update(len(part).to_bytes(8, "little") + part)
    return whole.hexdigest()


def steady(text: str) -> str:
    """Text of an object without its address.

    Example:
        >>> steady("<Mine object at 0x7f00>")
        '<Mine object>'
    """
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, nn.Module):
        value = [repr(value), dict(value.state_dict())]
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield type(value).__qualname__.encode()
        for field in fields(value):
            if field.init:
                yield field.name.encode()
                yield from _parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from _parts([*value.items()])
    elif isinstance(value, list | tuple):
        yield f"{len(value)} items".encode()
        for item in value:
            yield from _parts(item)
    else:
        yield steady(repr(value)).encode("utf-8", "backslashreplace")
