"""Do neurons look at the object? (Lengerich et al. 2017, section 5.3)"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from xwidgets.box import Box
from xwidgets.results import NeuronPatch


def localisation(patches: Iterable[NeuronPatch], where: NDArray[np.bool_] | Sequence[Box]) -> float:
    """The share of patches that contain pixels of the class.

    One pixel is enough, so large patches score high wherever they lie: compare with the patches of
    random neurons of the same layers.

    Args:
        patches: of the chosen neurons, of one image. A silent neuron's, which has no box, counts
            as one that contains nothing.
        where: the pixels that show the class: a mask ``(H, W)``, or boxes around the objects.

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
    patches = list(patches)
    if not patches:
        raise ValueError("there is no patch; give those of at least one neuron")
    size = patches[0].image.shape[:2]
    mask = where if isinstance(where, np.ndarray) else _filled(where, size)
    if mask.shape != size:
        raise ValueError(f"the mask is {mask.shape}, the image {size}; give one of the same size")
    return float(np.mean([patch.box is not None and mask[patch.box.slices].any()
                          for patch in patches]))  # fmt: skip


def _filled(boxes: Sequence[Box], size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    for box in boxes:
        mask[box.slices] = True
    return mask
