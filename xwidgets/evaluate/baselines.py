"""Baseline maps that do not depend on the network."""

import numpy as np
from numpy.typing import NDArray
from skimage.filters import sobel

from xwidgets.errors import a_seed
from xwidgets.images import one_image


def random_map(image: object, seed: int = 0) -> NDArray[np.float32]:
    """Map of independent standard normal numbers ``(H, W)`` for an image ``(C, H, W)``.

    Raises:
        ValueError: for what is no such image with pixels in [0, 1].

    Example:
        >>> random_map(torch.rand(3, 8, 8)).shape
        (8, 8)
    """
    _, *size = one_image(image).shape
    return np.random.default_rng(a_seed(seed)).standard_normal(size, dtype=np.float32)


def edge_map(image: object) -> NDArray[np.float32]:
    """Sobel gradient magnitude ``(H, W)`` of an image ``(C, H, W)``, averaged over channels.

    Raises:
        ValueError: as :func:`random_map`.

    Example:
        >>> float(edge_map(torch.ones(3, 8, 8)).max())
        0.0
    """
    edges = np.stack([sobel(channel) for channel in one_image(image).detach().cpu().numpy()])
    return np.asarray(edges.mean(0), np.float32)
