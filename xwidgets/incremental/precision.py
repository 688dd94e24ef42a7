"""In which type the products of differences are computed.

Differences have no large values to round: eight bits of each keep an effect to about 0.3 %, where
plain forwards in such a type would lose it.
"""

from functools import cache

import torch
from torch.nn.functional import conv2d
from torch.utils.benchmark import Timer

_GAIN = 1.3  # how much faster the smaller type has to be


@cache
def fast_type(device: torch.device) -> torch.dtype:
    """The type in which ``device`` is to multiply: bfloat16 where that is clearly faster.

    A short convolution is measured, once.

    Example:
        >>> fast_type(torch.device("cpu")) in (torch.float32, torch.bfloat16)
        True
    """
    single, small = (_seconds(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    return torch.bfloat16 if _GAIN * small < single else torch.float32


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    boxes, weight = (
        torch.ones(shape, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
        for shape in ((16, 64, 14, 14), (64, 64, 3, 3))
    )
    known = {"conv2d": conv2d, "boxes": boxes, "weight": weight}
    timer = Timer("conv2d(boxes, weight)", globals=known, num_threads=torch.get_num_threads())
    seconds: float = timer.timeit(5).median
    return seconds
