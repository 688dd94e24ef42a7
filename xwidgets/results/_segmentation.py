"""Segmentation: the object in a picture, from a map of the pixels that its score depends on.

Simonyan et al. (2014, section 3.2) take the pixels of a saliency map above a high quantile for the
object, those below a low one for background, and let the picture's colours decide on the rest. Here
random walks decide (Grady 2006), which rarely cross an edge: each pixel has the probability that a
walk from it meets the object's pixels first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import random_walker

from xwidgets.box import Box
from xwidgets.errors import number, of_kind

from . import numbers, render
from .facts import limits
from .relevance import Relevance
from .result import Result, versions


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation(Result):
    """Object and background of a picture, as a map of it tells them apart.

    Attributes:
        probability: float32 ``(H, W)``, probability that a pixel is of the object.
        image: the picture, 8-bit ``(H, W, 3)``.
        threshold: probability from which on a pixel is in the mask; ``dataclasses.replace`` makes a
            segmentation with another.
        method: that gave the map, with ``network_name`` and the ``label`` of its target.
        parameters: of :func:`segment`.
        versions: of the packages that computed it.

    Example:
        >>> probability = np.array([[0.9, 0.6, 0.1]], np.float32)
        >>> image = np.zeros((1, 3, 3), np.uint8)
        >>> Segmentation(probability, image, 0.5, "saliency", "birds", "wren", {}).mask.tolist()
        [[True, True, False]]
    """

    probability: NDArray[np.float32] = field(metadata=limits("H W", least=0, most=1))
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    threshold: float
    method: str
    network_name: str
    label: str
    parameters: Mapping[str, float]
    versions: Mapping[str, str] = field(default_factory=versions)

    def __post_init__(self) -> None:
        number("threshold", self.threshold, lambda share: 0 < share <= 1, "above 0 and at most 1")

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Pixels of the object, bool ``(H, W)``."""
        return np.asarray(self.probability >= self.threshold)

    @property
    def box(self) -> Box | None:
        """Bounding box of the object; ``None`` when no pixel is of it."""
        return Box.around(self.mask)

    @property
    def title(self) -> str:
        """One-line description."""
        share = numbers.percent(float(self.mask.mean()))
        return (
            f"object by {self.method} for {self.label!r} ({self.network_name}), "
            f"{share} of the picture"
        )

    def png(self) -> bytes:
        """PNG file of the picture with the object tinted and outlined."""
        return render.png(render.marked(self.image, self.mask))

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        height, width = self.probability.shape
        return f"<Segmentation {height} x {width}: {self.title}>"


def segment(
    relevance: Relevance,
    object_share: float = 0.05,
    background_share: float = 0.3,
    beta: float = 130.0,
    threshold: float = 0.5,
) -> Segmentation:
    """Segment a picture into object and background by a map of it (Simonyan et al. 2014).

    Args:
        relevance: a complete map, such as of :func:`xwidgets.saliency`, whose picture is segmented.
        object_share: share of the pixels that are taken for the object, those of the highest
            values.
        background_share: share that is taken for background, those of the lowest.
        beta: how strongly a difference in colour keeps a walk from crossing it.
        threshold: probability from which on a pixel is in the mask.

    Returns:
        The probability of each pixel, with the mask and its bounding box.

    Raises:
        ValueError: for a map that is not complete, of one value, or lowest at the object, and for
            shares that are not above 0 or leave no pixel between them.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> found = segment(xw.saliency(net, scene.image))
        >>> found.mask.shape, found.mask.dtype
        ((64, 64), dtype('bool'))
    """
    of_kind("relevance", relevance, Relevance, "an xw.Relevance, as xw.saliency returns it")
    for name, share in (("object_share", object_share), ("background_share", background_share)):
        number(name, share, lambda share: 0 < share < 1, "between 0 and 1")
    if object_share + background_share >= 1:
        raise ValueError(
            f"object_share {object_share} and background_share {background_share} leave no pixel "
            "between them; take shares whose sum is below 1"
        )
    number("beta", beta, lambda beta: 0 < beta < np.inf, "above 0")
    values = relevance.values
    if not np.isfinite(values).all():
        raise ValueError("the map is not complete; segment it when all its values are known")
    if relevance.parameters.get("measure") == "probability":
        raise ValueError(
            "a map of the remaining probability is lowest at the object; "
            'compute it with measure="drop"'
        )
    low, high = np.quantile(values, [background_share, 1 - object_share])
    if not values.max() > values.min():
        raise ValueError("the map has the same value everywhere, so that it tells no object")
    seeds = np.zeros(values.shape, np.uint8)
    seeds[values <= low] = _BACKGROUND
    seeds[(values >= high) & (values > low)] = _OBJECT
    if low == values.max():  # which most pixels share
        seeds[values == low] = _OBJECT
    return Segmentation(
        probability=_walks(relevance.image, seeds, beta),
        image=relevance.image,
        threshold=threshold,
        method=relevance.method,
        network_name=relevance.network_name,
        label=relevance.label,
        parameters={
            "object_share": object_share,
            "background_share": background_share,
            "beta": beta,
        },
    )


_OBJECT, _BACKGROUND = 1, 2


def _walks(image: NDArray[np.uint8], seeds: NDArray[np.uint8], beta: float) -> NDArray[np.float32]:
    """Probability that a random walk from each pixel meets the object's seeds first."""
    if seeds.all():
        return np.asarray(seeds == _OBJECT, np.float32)
    colors = image / 255
    if not np.ptp(colors):  # of one colour, without a deviation to divide by
        colors[0, 0] += 1e-6
    found = random_walker(colors, seeds, beta, mode="bf", return_full_prob=True, channel_axis=-1)
    return np.asarray(found[0], np.float32).clip(0, 1)
