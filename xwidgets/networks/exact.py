"""All 24 bits of float32 in the convolutions of a GPU, which else rounds their factors to 11."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch
from torch.backends import cudnn

_lock = Lock()
_users = 0
_before = True


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """A context without TF32, which lost effects of a thousandth of a score.

    The setting is of the whole process: it is as it was when the last of several threads is done.
    Who chose a precision by ``fp32_precision`` keeps that.
    """
    global _users, _before
    if device.type != "cuda" or _chosen():
        yield
        return
    with _lock:
        if _users == 0:
            _before, cudnn.allow_tf32 = cudnn.allow_tf32, False
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                cudnn.allow_tf32 = _before


def _chosen() -> bool:
    try:
        return cudnn.allow_tf32 is None
    except RuntimeError:  # torch does not let both ways of choosing mix
        return True
