"""Features Z of an explanation module: outputs of a layer for the images of a data set."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isqrt, prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from xwidgets.aliases import formerly
from xwidgets.explain.data_set import (
    Cached,
    DataSet,
    cache_file,
    cache_folder,
    keep,
    recalled,
)
from xwidgets.networks import Layer, Network
from xwidgets.results.facts import limits
from xwidgets.results.result import versions

LARGEST = 4096
"""Largest number of features, that of the first fully connected layer of a VGG."""


@formerly(network="network_name")
@dataclass(frozen=True, eq=False)
class Features(Cached):
    """Outputs of a layer, and the scores of the same images.

    Attributes:
        values: float32 ``(N, S)``.
        scores: float32 ``(N, K)``, before softmax.
        numbers: int64 ``(N,)``, numbers of the images in the data set.
        total: number of images of the data set.
        network_name: name of the network, and ``layer`` the name of the layer.
        versions: of the packages that computed them.
    """

    values: NDArray[np.float32] = field(metadata=limits("N S"))
    scores: NDArray[np.float32] = field(metadata=limits("N K", gaps=True))
    numbers: NDArray[np.int64] = field(metadata=limits("N", least=0))
    total: int
    network_name: str
    layer: str
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def skipped(self) -> list[int]:
        """Numbers of the images that could not be read."""
        return sorted({*range(self.total)}.difference(self.numbers.tolist()))

    def fits(self, net: Network, layer: Layer, total: int) -> bool:
        """Whether they can be outputs of this layer for ``total`` images, in their order."""
        of_layer = as_features(torch.empty(1, *layer.shape)).shape[1]
        return (
            self.values.shape[1] == of_layer
            and self.scores.shape[1] == net.layers[-1].shape[0]
            and self.total == total > self.numbers[-1]
            and bool((np.diff(self.numbers) > 0).all())
        )


def as_features(activations: Tensor) -> Tensor:
    """Outputs of a layer as features ``(N, S)``, with S of at most 4096.

    Maps ``(N, C, H, W)`` with more values are averaged in the cells of the finest square grid with
    which they have no more, then flattened.

    Example:
        >>> as_features(torch.rand(2, 512, 13, 13)).shape, as_features(torch.rand(2, 7)).shape
        (torch.Size([2, 2048]), torch.Size([2, 7]))
    """
    if activations.ndim == 4 and prod(activations.shape[1:]) > LARGEST:
        side = max(1, isqrt(LARGEST // activations.shape[1]))
        height, width = activations.shape[2:]
        activations = adaptive_avg_pool2d(activations, (min(side, height), min(side, width)))
    return activations.flatten(1)


def feature_layer(net: Network, layer: str | int | None) -> Layer:
    """Layer whose outputs are the features, by name or number of the convolution.

    ``None`` is the first fully connected layer, as in the paper; where a network has no other than
    that of the scores, what goes into the last layer with weights.

    Raises:
        ValueError: when there is no such layer, or none before the scores.
    """
    if layer is not None:
        return net.layer(layer)
    linear = [layer for layer in net.layers if layer.kind == "Linear"]
    if len(linear) > 1:
        return linear[0]
    weighted = ("Linear", "Conv2d")
    places = [place for place, layer in enumerate(net.layers) if layer.kind in weighted]
    if not places or not places[-1]:
        raise ValueError(f"{net.name} has no layer before its scores; name one with layer=")
    return net.layers[places[-1] - 1]


def read_features(
    net: Network, data: DataSet, layer: Layer, cache: bool | str | Path
) -> Iterator[tuple[int, Features | None]]:
    """Compute the features of a data set, or read them from their cache file.

    Yields:
        The number of images so far and ``None`` after each batch; at the end the features.

    Raises:
        ValueError: when outputs are not finite, or outputs or scores differ from run to run.
    """
    folder = cache_folder(cache, "features")
    key = data.key() if folder else None
    file = cache_file(folder, key, layer.name, LARGEST) if folder and key else None
    known = recalled(Features, file, lambda kept: kept.fits(net, layer, len(data)))
    if known is not None:
        data.check_skipped(known.skipped)
        yield len(data), known
        return
    outputs: dict[int, tuple[Tensor, Tensor]] = {}
    looked = 0
    for batch in data.batches():
        images = {number: image for number, image in batch.items() if image is not None}
        if images:
            pixels = data.filled(list(images.values()))
            values, scores = _read(net, layer, pixels)
            if not outputs:
                again = _read(net, layer, pixels)
                if not (
                    torch.allclose(again[0], values, rtol=1e-3)
                    and torch.allclose(again[1], scores, rtol=1e-3, atol=1e-4)
                ):
                    raise ValueError(
                        f"layer {layer.name!r} of {net.name}, or its scores, are other values each "
                        "time for the same images; switch off what is random in it"
                    )
            outputs |= zip(images, zip(values, scores, strict=True), strict=False)
        looked += len(batch)
        yield looked, None
    data.check_skipped(sorted({*range(len(data))}.difference(outputs)))
    features = Features(
        values=torch.stack([values for values, _ in outputs.values()]).numpy(),
        scores=torch.stack([scores for _, scores in outputs.values()]).numpy(),
        numbers=np.array(list(outputs), np.int64),
        total=len(data),
        network_name=net.name,
        layer=layer.name,
    )
    if file:
        keep({file: features})
    yield len(data), features


def _read(net: Network, layer: Layer, pixels: Tensor) -> tuple[Tensor, Tensor]:
    watched = net.watched(pixels, [layer.name], gradients=False)
    values = as_features(watched.activations[layer.name])
    if not values.isfinite().all():
        raise ValueError(
            f"the values of layer {layer.name!r} of {net.name} are not all finite; check its "
            "weights"
        )
    return values.float().cpu(), watched.logits.float().cpu()


def classes(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Predicted classes ``(N,)`` for scores ``(N, K)``.

    For a single output, 0 where the score is above 0, and else 1.

    Example:
        >>> classes(np.array([[1.0, 2.0], [3.0, 0.0]])), classes(np.array([[-1.0], [2.0]]))
        (array([1, 0]), array([1, 0]))
    """
    several = scores.shape[1] > 1
    return np.asarray(scores.argmax(1) if several else (scores[:, 0] <= 0).astype(np.int64))
