"""In which type the products of differences are computed.

Differences have no large values to round: eight bits of each keep most effects to about a
hundredth, where plain forwards in such a type would lose them.
"""

import time
from functools import cache
from statistics import median

import torch
from torch.nn.functional import conv2d

_GAIN = 1.3  # how much faster the smaller type has to be


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
