"""How much goes through a network at once."""

import torch

_PROCESSOR = 48e6
_SHARE = 0.25


def budget(memory: float | None, device: torch.device) -> float:
    """Bytes that a batch may take: those that are asked for, or what the device is good at.

    A processor is fastest while a batch stays in its cache, and cancelling is prompt between small
    ones; a GPU wants large ones, and gets a quarter of its free memory.

    Example:
        >>> budget(None, torch.device("cpu"))
        48000000.0
    """
    if memory is not None:
        return memory
    if device.type == "cuda":
        return _SHARE * torch.cuda.mem_get_info(device)[0]
    return _PROCESSOR


def batch_size(memory: float, need: float, device: torch.device, most: int) -> int:
    """How many of ``need`` bytes fit, on a processor at ``most``, and at least one.

    Example:
        >>> batch_size(100, 7, torch.device("cpu"), most=64)
        14
    """
    count = max(1, int(memory // need))
    return min(count, most) if device.type == "cpu" else count
