"""Masked classification: accuracy on what heat maps highlight (Qi et al. 2018, tables 2b and 3).

Pixels where a heat map is low are blanked and then inpainted smoothly from the others, so that the
network sees no black shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import restoration
from torch import Tensor

from xwidgets.errors import listed, number
from xwidgets.images import as_pixels, one_image
from xwidgets.networks import Network
from xwidgets.networks._network import a_network

from ._locality import not_negative

BATCH = 16
"""Number of images that are classified at once."""


@dataclass(frozen=True, eq=False)
class MaskedClassification:
    """Accuracy of a network on images that are masked at G thresholds.

    Attributes:
        gammas: ``(G,)``, thresholds, shares of a heat map's maximum.
        accuracy: ``(G,)``, accuracy on the inpainted images.
        kept: ``(G,)``, mean share of the pixels that are not blanked.
        original: accuracy on the unmasked images.
    """

    gammas: tuple[float, ...]
    accuracy: NDArray[np.float64]
    kept: NDArray[np.float64]
    original: float


def masked_classification(
    net: Network,
    images: Tensor,
    maps: NDArray[np.floating],
    labels: Tensor | Sequence[int | str],
    gammas: Sequence[float] = (0.01, 0.05, 0.1, 0.3),
) -> MaskedClassification:
    """Classify images masked to what their heat maps highlight, and inpainted.

    Args:
        net: the classifier; a single output is a sigmoid, whose classes are 0 and 1.
        images: ``(N, C, H, W)`` in [0, 1].
        maps: not negative, ``(N, n, H, W)`` for n x-features, which :func:`union_map` merges, or
            ``(N, H, W)``.
        labels: ``(N,)``, the true classes, as indices or names.
        gammas: see :func:`inpainted`.

    Returns:
        The accuracy for each gamma, and on the unmasked images.

    Raises:
        ValueError: for invalid images, maps or labels, or ones that do not match.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> edges = xw.evaluate.edge_map(scene.image)
        >>> net = xw.network("birds")
        >>> masked = masked_classification(net, scene.image[None], edges[None], [scene.label])
        >>> masked.original, masked.accuracy, masked.kept.round(2)
        (1.0, array([1., 1., 1., 1.]), array([0.87, 0.33, 0.25, 0.1 ]))
    """
    images = as_pixels(images, a_network(net).channels).detach()
    labels = listed("labels", labels, object, "a class for each image")
    gammas = listed("gammas", gammas, object, "shares of the maximum")
    if not gammas:
        raise ValueError("gammas is empty; give at least one share of the maximum")
    maps = np.asarray(maps)
    maps = not_negative("maps", maps[:, None] if maps.ndim == 3 else maps, "(N, n, H, W)")
    count, _, height, width = images.shape
    if (len(maps), *maps.shape[2:]) != (count, height, width) or len(labels) != count:
        raise ValueError(
            f"{count} images of {height} x {width} are given with maps {maps.shape} and "
            f"{len(labels)} labels; give maps (N, n, H, W) and labels (N,) of the same images"
        )
    unions = [union_map(of_image) for of_image in maps]
    kept = [np.mean([_kept(union, gamma) for union in unions]) for gamma in gammas]
    logits = _logits(net, images)
    classes = max(2, logits.shape[1])
    truth = torch.tensor([net.class_index(label, classes) for label in labels])
    accuracy = []
    for gamma in gammas:
        masked = [inpainted(*pair, gamma) for pair in zip(images, unions, strict=True)]
        accuracy.append(_accuracy(_logits(net, torch.stack(masked)), truth))
    return MaskedClassification(
        gammas=tuple(gammas),
        accuracy=np.array(accuracy),
        kept=np.array(kept),
        original=_accuracy(logits, truth),
    )


def union_map(maps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Maximum ``(H, W)`` over heat maps ``(n, H, W)``, each scaled to a maximum of 1.

    A silent map, which is zero everywhere, adds nothing.

    Raises:
        ValueError: for maps that are negative or not finite.

    Example:
        >>> union_map(np.array([[[1.0, 4.0, 0.0]], [[3.0, 0.0, 0.0]]]))
        array([[1., 1., 0.]])
    """
    maps = not_negative("maps", maps, "(n, H, W)").astype(np.float64)
    highest = maps.max((1, 2), keepdims=True)
    return np.asarray((maps / np.where(highest > 0, highest, 1)).max(0))


def inpainted(image: Tensor, heat_map: NDArray[np.floating], gamma: float) -> Tensor:
    """Image masked to what its heat map highlights, with the rest inpainted.

    Pixels where the map is below ``gamma`` times its maximum, or 0, are blanked and inpainted by
    scikit-image's ``inpaint_biharmonic``. A silent map, which is zero everywhere, leaves nothing to
    inpaint from: the image is black.

    Args:
        image: ``(C, H, W)`` in [0, 1].
        heat_map: ``(H, W)``, not negative.
        gamma: above 0, up to 1.

    Returns:
        ``(C, H, W)`` in [0, 1].

    Raises:
        ValueError: for an invalid image, map or gamma, or a map of another size.

    Example:
        >>> inpainted(torch.tensor([[[0.2, 0.9, 0.4]]]), np.array([[2.0, 0.1, 1.0]]), gamma=0.3)
        tensor([[[0.2000, 0.3000, 0.4000]]])
    """
    pixels = one_image(image).detach()
    heat_map = not_negative("map", heat_map, "(H, W)")
    if heat_map.shape != tuple(pixels.shape[1:]):
        raise ValueError(
            f"the map is {heat_map.shape}, the image {tuple(pixels.shape[1:])}; "
            "give one of the same size"
        )
    kept = _kept(heat_map, gamma)
    if not kept.any():
        return torch.zeros_like(pixels)
    known = pixels.cpu().double().numpy()  # in float32, large holes come out wrong
    filled = restoration.inpaint_biharmonic(known, ~kept, channel_axis=0)
    return torch.from_numpy(filled).to(pixels)


def _kept(heat_map: NDArray[np.floating], gamma: float) -> NDArray[np.bool_]:
    number("gamma", gamma, lambda gamma: 0 < gamma <= 1, "above 0, up to 1")
    kept: NDArray[np.bool_] = (heat_map >= gamma * heat_map.max()) & (heat_map > 0)
    return kept


def _logits(net: Network, images: Tensor) -> Tensor:
    return torch.cat([net.logits(batch).cpu() for batch in images.split(BATCH)])


def _accuracy(logits: Tensor, truth: Tensor) -> float:
    predicted = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
    return float((predicted == truth).double().mean())
