"""Localisation: overlap of neuron patches with the object (Lengerich et al. 2017, section 5.3)."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from xwidgets.box import Box
from xwidgets.errors import listed
from xwidgets.results import NeuronPatch

from .a_map import a_map


def localisation(patches: Iterable[NeuronPatch], where: NDArray[np.bool_] | Sequence[Box]) -> float:
    """Share of the patches that contain pixels of the class.

    One pixel is enough, so large patches score high anywhere: compare with patches of random
    neurons of the same layers.

    Args:
        patches: of the chosen neurons, of one image. That of a silent neuron, which has no box,
            counts as empty.
        where: pixels of the class: a mask ``(H, W)``, or boxes around the objects.

    Returns:
        0 to 1.

    Raises:
        ValueError: when there is no patch, or the mask is not of the image's size.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("street"), xw.scenes.street(seed=3, person=True)
        >>> patches = xw.neuron_patches(net, scene.image, [(3, 11), (9, 4)], start="maximum")
        >>> localisation(patches, scene.boxes)
        1.0
    """
    patches = listed("patches", patches, NeuronPatch, "neuron patches")
    if not patches:
        raise ValueError("there is no patch; give those of at least one neuron")
    size = patches[0].image.shape[:2]
    mask = a_map("where", where, "b") if isinstance(where, np.ndarray) else _filled(where, size)
    if mask.shape != size:
        raise ValueError(f"the mask is {mask.shape}, the image {size}; give one of the same size")
    return float(np.mean([patch.box is not None and mask[patch.box.slices].any()
                          for patch in patches]))  # fmt: skip


def _filled(boxes: Sequence[Box], size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    for box in listed("where", boxes, Box, "a mask (H, W), or boxes"):
        mask[box.slices] = True
    return mask
