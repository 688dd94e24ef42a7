"""How much goes through a network at once."""

from math import prod

import torch
from torch import Tensor

from xwidgets.errors import number
from xwidgets.networks import Network

_PROCESSOR = 48e6
_SHARE = 0.125


def budget(memory: float | None, device: torch.device) -> float:
    """Bytes that a batch may take: those that are asked for, or what the device is good at.

    A processor is fastest while a batch stays in its cache, and cancelling is prompt between small
    ones; a GPU wants large ones, and gets an eighth of its memory: of all of it, not of what is
    free, as the size of a batch decides on the last bits of a result.

    Example:
        >>> budget(None, torch.device("cpu"))
        48000000.0
    """
    if memory is not None:
        number("memory", memory, lambda size: size >= 0, "of bytes, at least 0")
        return memory
    if device.type == "cuda":
        return _SHARE * torch.cuda.get_device_properties(device).total_memory
    return _PROCESSOR


def batch_size(memory: float, need: float, device: torch.device, most: int) -> int:
    """How many of ``need`` bytes fit, on a processor at ``most``, and at least one.

    Example:
        >>> batch_size(100, 7, torch.device("cpu"), most=64)
        14
    """
    count = max(1, int(memory // need))
    return min(count, most) if device.type == "cpu" else count


def images_at_once(net: Network, image: Tensor, memory: float | None, what: str) -> int:
    """How many copies of ``image`` ``(C, H, W)`` can go through a network whole, at least one.

    Args:
        net: the classifier.
        image: ``(C, H, W)``, on the network's device.
        memory: as of :func:`budget`.
        what: differs in each copy, such as ``"window"``.

    Raises:
        ValueError: when not even one fits into ``memory``.

    Example:
        >>> import xwidgets as xw
        >>> images_at_once(xw.network("birds"), torch.zeros(3, 64, 64), 1e7, "window")
        9
    """
    channels, height, width = image.shape
    layers = net.layers_for((channels, height, width))
    largest = max([image.numel(), *(prod(layer.shape) for layer in layers)])
    room = budget(memory, net.device)
    need = 4 * largest * image.element_size()  # a layer's input, its output, and as much to work
    if memory and memory < need:
        raise ValueError(
            f"memory is {memory:.3g} bytes, but one image of this size in {net.name} takes "
            f"{need:.3g}; give at least that, or 0 for one {what} at a time"
        )
    return max(1, int(room // need))
