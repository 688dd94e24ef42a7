"""In which type the products of differences are computed.

Differences have no large values to round: eight bits of each keep most effects to about a
hundredth, where plain forwards in such a type would lose them.
"""

import time
from functools import cache
from statistics import median
from typing import Literal, get_args

import torch
from torch.nn.functional import conv2d

from xwidgets.errors import one_of

ComputeDtype = Literal["float32", "bfloat16", "auto"]
"""Asked type: the network's own, bfloat16, or what the device is faster in."""

_GAIN = 1.3  # how much faster the smaller type has to be


def asked_type(asked: ComputeDtype, own: torch.dtype, device: torch.device) -> torch.dtype:
    """Type to multiply in, for a network whose ``own`` type is given.

    Only a network in float32 has a faster type that ``"auto"`` could choose.

    Example:
        >>> asked_type("float32", torch.float64, torch.device("cpu"))
        torch.float64
    """
    one_of("compute_dtype", asked, get_args(ComputeDtype))
    if asked == "bfloat16":
        return torch.bfloat16
    return fast_type(device) if asked == "auto" and own == torch.float32 else own


def fallback_note(used: torch.dtype, asked: torch.dtype) -> str:
    """Sentence for a type that is used because the asked one is not exact enough; else "".

    Example:
        >>> fallback_note(torch.float32, torch.bfloat16)
        'differences are multiplied in float32, as bfloat16 is not exact enough here'
    """
    if used == asked:
        return ""
    types = (str(dtype).removeprefix("torch.") for dtype in (used, asked))
    return "differences are multiplied in {}, as {} is not exact enough here".format(*types)


@cache
def fast_type(device: torch.device) -> torch.dtype:
    """The type in which ``device`` is to multiply: bfloat16 where that is clearly faster.

    A short convolution is measured, once; a device that has none in bfloat16 keeps float32.

    Example:
        >>> fast_type(torch.device("cpu")) in (torch.float32, torch.bfloat16)
        True
    """
    try:
        single, small = (_seconds(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    except (RuntimeError, TypeError):
        return torch.float32
    return torch.bfloat16 if _GAIN * small < single else torch.float32


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    count = 16 if device.type == "cpu" else 2048  # a GPU has to be kept busy
    boxes, weight = (
        torch.ones(shape, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
        for shape in ((count, 64, 14, 14), (64, 64, 3, 3))
    )
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        conv2d(boxes, weight).sum().item()  # which waits for a GPU
        taken.append(time.perf_counter() - start)
    return median(taken)
