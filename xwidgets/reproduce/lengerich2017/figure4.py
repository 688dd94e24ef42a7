"""Figure 4: where the neurons that a metric picks look."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from xwidgets.errors import at_least, listed
from xwidgets.results import NeuronPatch
from xwidgets.results.render import depth_color


def drawn_boxes(patches: Iterable[NeuronPatch], size: int = 256) -> NDArray[np.uint8]:
    """Where the neurons of one image look (Figure 4), enlarged to ``size`` pixels in width.

    The boxes of VGG-16's convolutions up to 4 are red, of 5 to 7 green, of later ones blue.

    Args:
        patches: what :func:`xwidgets.neuron_patches` gave.
        size: width of the picture in pixels; the height follows.

    Returns:
        8-bit ``(size * H / W, size, 3)``.

    Raises:
        ValueError: when there is no patch.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("street"), xw.scenes.street(seed=3, person=True)
        >>> patches = xw.neuron_patches(net, scene.image, [(3, 11), (9, 4)], start="maximum")
        >>> drawn_boxes(patches).shape
        (256, 256, 3)
    """
    patches = listed("patches", patches, NeuronPatch, "what xw.neuron_patches returned")
    at_least("size", size, 1)
    if not patches:
        raise ValueError("there is no patch to draw; give those of at least one neuron")
    picture = Image.fromarray(patches[0].image)
    scale = size / picture.width
    enlarged = picture.resize((size, round(picture.height * scale)), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(enlarged)
    for patch in reversed(patches):  # small boxes last
        if patch.box is not None:
            top, left, bottom, right = (round(edge * scale) for edge in patch.box)
            edges = (left, top, right - 1, bottom - 1)
            draw.rectangle(edges, outline=depth_color(patch.depth), width=2)
    return np.asarray(enlarged)
