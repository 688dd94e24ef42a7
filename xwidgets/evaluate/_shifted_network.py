"""Shift invariance: a network whose first bias cancels a constant that is added to all pixels.

Qi et al. 2018, figure 10, after Kindermans et al. 2017: the shifted network gives the outputs for
shifted pictures that the original gives for the pictures, so a method whose explanations differ
depends on a meaningless constant.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from xwidgets.networks import Network
from xwidgets.networks._network import a_network

SHIFT = 0.5
"""Constant that is added to all pixels, in standard deviations of the normalisation."""


def shifted_network(net: Network) -> tuple[Network, Tensor]:
    """Network whose first bias cancels a constant that is added to its images.

    The constant is the same multiple of the normalisation's standard deviation for every colour, so
    that the zero padding of a convolution can be shifted with it.

    Args:
        net: a network whose first layer with weights is a convolution; it is not changed.

    Returns:
        The network, and the constant ``(C, 1, 1)`` to add to its images.

    Raises:
        ValueError: when the first layer is not a convolution that pads with zeros.

    Example:
        >>> import xwidgets as xw
        >>> net, image = xw.network("birds"), 0.8 * xw.scenes.bird(seed=3).image[None]
        >>> shifted, offset = shifted_network(net)
        >>> torch.allclose(net(image), shifted(image + offset), atol=1e-4)
        True
    """
    module = deepcopy(a_network(net).module)
    place = next(
        (name for name, part in module.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)),
        "",
    )
    first = module.get_submodule(place)
    if not (
        isinstance(first, nn.Conv2d)
        and first.padding_mode == "zeros"
        and isinstance(first.padding, tuple)
    ):
        raise ValueError(
            f"{net.name} does not begin with a convolution that pads with zeros; nothing can be "
            "shifted in it"
        )
    weight = first.weight.detach()
    bias = weight.new_zeros(len(weight)) if first.bias is None else first.bias.detach()
    first.bias = nn.Parameter(bias - SHIFT * weight.sum((1, 2, 3)), requires_grad=False)
    height, width = first.padding
    first.padding = (0, 0)
    padded = nn.Sequential(nn.ConstantPad2d((width, width, height, height), SHIFT), first)
    module.set_submodule(place, padded)
    colors = weight.shape[1] * first.groups
    normalize = net._normalize
    mean, std = (
        (part.flatten().tolist() for part in normalize)
        if normalize is not None
        else ([0.0] * colors, [1.0] * colors)
    )
    shifted = Network(
        module,
        normalize=None if normalize is None else (mean, std),
        size=net.size,
        classes=net.classes,
        name=net.name,
    )
    return shifted, SHIFT * torch.tensor(std)[:, None, None]
