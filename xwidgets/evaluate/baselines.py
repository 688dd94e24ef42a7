"""Baseline maps that do not depend on the network."""

import numpy as np
from numpy.typing import NDArray
from skimage.filters import sobel
from torch import Tensor


def random_map(image: Tensor, seed: int = 0) -> NDArray[np.float32]:
    """Map of independent standard normal numbers ``(H, W)`` for an image ``(C, H, W)``.

    Example:
        >>> random_map(torch.rand(3, 8, 8)).shape
        (8, 8)
    """
    return np.random.default_rng(seed).standard_normal(image.shape[1:], dtype=np.float32)


def edge_map(image: Tensor) -> NDArray[np.float32]:
    """Sobel gradient magnitude ``(H, W)`` of an image ``(C, H, W)``, averaged over channels.

    Example:
        >>> float(edge_map(torch.ones(3, 8, 8)).max())
        0.0
    """
    edges = np.stack([sobel(channel) for channel in image.cpu().numpy()])
    return np.asarray(edges.mean(0), np.float32)
