"""A network as something to look into."""

from .embedded import EMBEDDED, embedded
from .layers import Layer
from .network import Network
from .subject import Subject
from .target import Channel, Class, Unit
from .zoo import torchvision_network

__all__ = ["Channel", "Class", "Layer", "Network", "Subject", "Unit", "network"]


def network(name: str) -> Network:
    """A trained network by name.

    Args:
        name: ``"birds"`` or ``"street"`` (shipped with the package), or any torchvision classifier
            such as ``"squeezenet1_1"``, with torchvision's own weights, transforms and class names.

    Returns:
        The network in evaluation mode, on the CPU.

    Raises:
        ValueError: for an unknown name, or weights that cannot be had or read.

    Example:
        >>> import torch
        >>> network("birds")(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 20])
    """
    if name in EMBEDDED:
        return embedded(name)
    return torchvision_network(name)
