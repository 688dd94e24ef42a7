"""Number of channels of the images that a module takes, found out by trying.

The first convolution tells as a rule. But some networks fold pixels into channels before it (a
focus layer, a space-to-depth stem) or add channels of coordinates.
"""

from torch import Tensor, nn

from .propagation import hooked

_USUAL = (3, 1, 4, 2)


def input_channels(module: nn.Module, image: Tensor) -> int | None:
    """Number of channels with which a module's convolutions run.

    Args:
        module: in evaluation mode; it is run until one of its convolutions has.
        image: ``(1, 1, H, W)``.

    Returns:
        That of its first convolution, if it takes it; otherwise 3, 1, 4 or 2, whichever it takes
        first; ``None`` for a module without convolutions.

    Example:
        >>> import torch
        >>> module = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 8, 3))
        >>> input_channels(module, torch.zeros(1, 1, 8, 8))
        3
    """
    convolutions = [child for child in module.modules() if isinstance(child, nn.Conv2d)]
    if not convolutions:
        return None
    first = convolutions[0].in_channels

    def stop(*_: object) -> None:
        raise _Ran

    with hooked(convolutions, stop):
        for channels in dict.fromkeys((first, *_USUAL)):
            try:
                module(image.expand(-1, channels, -1, -1).clone())
            except _Ran:
                return channels
            except Exception:  # whatever a forward pass raises on other images than it takes
                continue
    return first


class _Ran(Exception):
    """A convolution has run."""
