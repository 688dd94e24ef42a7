"""A network whose first bias takes off again what is added to all pixels.

Qi et al. 2018, figure 10, after Kindermans et al. 2017: the shifted network sees shifted pictures
as the original sees the pictures, so a method that explains both differently depends on a constant
that means nothing.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xwidgets.explain._excitation_backprop import excitation_backprop
from xwidgets.explain._x_features import x_features
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.networks import Network

SHIFT = 0.5
"""How much is added to all pixels, in standard deviations of the network's normalisation."""
DIM = 0.8
"""How much pictures are darkened before, so that they stay in [0, 1]."""


def shifted_network(net: Network) -> tuple[Network, Tensor]:
    """A network that takes pixels to which a constant is added, and takes it off in its first bias.

    The constant is the same multiple of the normalisation's standard deviation for every colour, so
    that the frame of zeros that a convolution pads with can be shifted along.

    Args:
        net: whose first layer with weights is a convolution; it stays as it is.

    Returns:
        The network, and the constant ``(C, 1, 1)`` to add to its images.

    Raises:
        ValueError: when the first layer is not a convolution that pads with zeros.

    Example:
        >>> import xwidgets as xw
        >>> net, image = xw.network("birds"), DIM * xw.scenes.bird(seed=3).image[None]
        >>> shifted, offset = shifted_network(net)
        >>> torch.allclose(net(image), shifted(image + offset), atol=1e-4)
        True
    """
    module = deepcopy(net.module)
    place = next(
        (name for name, one in module.named_modules() if isinstance(one, nn.Conv2d | nn.Linear)), ""
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


class ThreeMaps(NamedTuple):
    """How three methods explain the score of one picture.

    Attributes:
        score: of the class, before softmax.
        maps: ``"x-features"`` ``(n, H, W)``, ``"excitation"`` (c-MWP of the score) and
            ``"gradient * input"``, both ``(H, W)``.
    """

    score: float
    maps: dict[str, NDArray[np.floating]]


def three_maps(net: Network, module: ExplanationModule, image: Tensor) -> ThreeMaps:
    """What a shift may change, or not.

    Args:
        net: the classifier, or the shifted one.
        module: whose class is explained.
        image: ``(C, H, W)``, pixels as this network takes them.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> found = three_maps(net, module, xw.scenes.bird(seed=3).image)
        >>> [maps.shape for maps in found.maps.values()]
        [(5, 64, 64), (64, 64), (64, 64)]
    """
    found = x_features(net, module, image)
    target = module.facts.target
    watched = net.watched(image[None])
    (gradient,) = torch.autograd.grad(watched.logits[0, target], watched.pixels)
    product = (gradient * watched.pixels.detach())[0].sum(0)
    return ThreeMaps(
        found.score,
        {
            "x-features": found.maps,
            "excitation": excitation_backprop(net, image, target).values,
            "gradient * input": product.float().cpu().numpy(),
        },
    )


def agreement(one: NDArray[np.floating], other: NDArray[np.floating]) -> tuple[float, float]:
    """The correlation of two maps, and their largest difference in shares of the maximum.

    Example:
        >>> agreement(np.array([0.0, 1.0, 2.0]), np.array([2.0, 1.0, 0.0]))
        (-1.0, 1.0)
    """
    largest = np.abs(one).max()
    difference = float(np.abs(one - other).max() / largest) if largest else 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]), difference
