"""All 24 bits of float32 in the convolutions of a GPU, which else rounds their factors to 11."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cudnn

from .process_setting import ProcessSetting

_TF32 = ProcessSetting(
    lambda: cudnn.allow_tf32, lambda allowed: setattr(cudnn, "allow_tf32", allowed)
)


@contextmanager
def exact_products(device: torch.device) -> Iterator[None]:
    """A context without TF32, which lost effects of a thousandth of a score.

    The setting is of the whole process: it is as it was when the last of several threads is done.
    Who chose a precision by ``fp32_precision`` keeps that.
    """
    if device.type != "cuda" or _chosen():
        yield
        return
    with _TF32.held(False):
        yield


def _chosen() -> bool:
    try:
        return cudnn.allow_tf32 is None
    except RuntimeError:  # torch does not let both ways of choosing mix
        return True
