"""Shift invariance: a network whose first bias cancels a constant that is added to all pixels.

Qi et al. 2018, figure 10, after Kindermans et al. 2017: the shifted network gives the outputs for
shifted pictures that the original gives for the pictures, so a method whose explanations differ
depends on a meaningless constant.
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
"""Constant that is added to all pixels, in standard deviations of the normalisation."""
DIM = 0.8
"""Factor that darkens pictures before, so that they stay in [0, 1]."""


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
        >>> net, image = xw.network("birds"), DIM * xw.scenes.bird(seed=3).image[None]
        >>> shifted, offset = shifted_network(net)
        >>> torch.allclose(net(image), shifted(image + offset), atol=1e-4)
        True
    """
    module = deepcopy(net.module)
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


class ThreeMaps(NamedTuple):
    """Maps of three methods for the score of one picture.

    Attributes:
        score: of the class, before softmax.
        maps: ``"x-features"`` ``(n, H, W)``, ``"excitation"`` (c-MWP of the score) and
            ``"gradient * input"``, both ``(H, W)``.
    """

    score: float
    maps: dict[str, NDArray[np.floating]]


def three_maps(net: Network, module: ExplanationModule, image: Tensor) -> ThreeMaps:
    """Score and maps of three methods, to compare with and without a shift.

    Args:
        net: the classifier, or the shifted one.
        module: explanation module of the class.
        image: ``(C, H, W)``, pixels as this network takes them.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> three = three_maps(net, module, xw.scenes.bird(seed=3).image)
        >>> [maps.shape for maps in three.maps.values()]
        [(5, 64, 64), (64, 64), (64, 64)]
    """
    features = x_features(net, module, image)
    target = module.facts.target
    watched = net.watched(image[None])
    (gradient,) = torch.autograd.grad(watched.logits[0, target], watched.pixels)
    product = (gradient * watched.pixels.detach())[0].sum(0)
    return ThreeMaps(
        features.score,
        {
            "x-features": features.maps,
            "excitation": excitation_backprop(net, image, target).values,
            "gradient * input": product.float().cpu().numpy(),
        },
    )


def agreement(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[float, float]:
    """Correlation of two maps, and their largest difference as a share of the first's maximum.

    Example:
        >>> agreement(np.array([0.0, 1.0, 2.0]), np.array([2.0, 1.0, 0.0]))
        (-1.0, 1.0)
    """
    largest = np.abs(first).max()
    difference = float(np.abs(first - second).max() / largest) if largest else 0.0
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1]), difference
