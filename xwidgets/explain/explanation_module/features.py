"""What a layer puts out for the images of a data set: the space Z of an explanation module."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isqrt, prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from xwidgets.explain.data_set import DataSet, cache_file, cache_folder, keep
from xwidgets.networks import Layer, Network
from xwidgets.results.result import Result, versions

LARGEST = 4096
"""How many features Z has at most, as many as the first fully connected layer of a VGG."""


@dataclass(frozen=True, eq=False)
class Features(Result):
    """A layer's outputs, and the scores of the same images.

    Attributes:
        values: float32 ``(N, S)``.
        scores: float32 ``(N, K)``, before softmax.
        numbers: int64 ``(N,)``, which images of the data set they are.
        total: how many images the data set has.
        network: the network's name, and ``layer`` the layer's.
        versions: of the packages that computed them.
    """

    values: NDArray[np.float32]
    scores: NDArray[np.float32]
    numbers: NDArray[np.int64]
    total: int
    network: str
    layer: str
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def skipped(self) -> list[int]:
        """The numbers of the images that could not be read."""
        return sorted({*range(self.total)}.difference(self.numbers.tolist()))

    def _fault(self) -> str | None:
        counts = {len(self.values), len(self.scores), len(self.numbers)}
        if len(counts) > 1 or self.values.ndim != 2 or self.scores.ndim != 2:
            return "its numbers are not those of the same images"
        return None


def as_features(activations: Tensor) -> Tensor:
    """A layer's outputs as features: ``(N, S)`` with S of at most 4096.

    Maps ``(N, C, H, W)`` with more values are averaged in fields of a grid, the finest of equal
    height and width with which they have no more; then they are flattened.

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
    """The layer by name or number of the convolution.

    ``None`` is the first fully connected layer, as in the paper; where a network has no other than
    that of the scores, what goes into the last layer with weights.

    Raises:
        ValueError: when there is no such layer, or none before the scores.
    """
    if layer is not None:
        return net.layer(layer)
    linear = [one for one in net.layers if one.kind == "Linear"]
    if len(linear) > 1:
        return linear[0]
    places = [place for place, one in enumerate(net.layers) if one.kind in ("Linear", "Conv2d")]
    if not places or not places[-1]:
        raise ValueError(f"{net.name} has no layer before its scores; name one with layer=")
    return net.layers[places[-1] - 1]


def read_features(
    net: Network, data: DataSet, layer: Layer, cache: bool | str | Path
) -> Iterator[tuple[int, Features | None]]:
    """Read the features of a data set, or find them in a file.

    Yields:
        After each batch, how many images were looked at, and ``None``; at the end the features.

    Raises:
        ValueError: when the layer's outputs are not finite, or they or the scores others each time.
    """
    folder = cache_folder(cache, "features")
    key = data.key() if folder else None
    file = cache_file(folder, key, layer.name, LARGEST) if folder and key else None
    try:
        known = Features.load(file) if file else None
    except ValueError:  # there are none yet, or they are damaged
        known = None
    if known is not None:
        data.check_skipped(known.skipped)
        yield len(data), known
        return
    found: dict[int, tuple[Tensor, Tensor]] = {}
    looked = 0
    for batch in data.batches():
        images = {number: image for number, image in batch.items() if image is not None}
        if images:
            pixels = data.filled(list(images.values()))
            values, scores = _read(net, layer, pixels)
            if not found:
                again = _read(net, layer, pixels)
                if not (
                    torch.allclose(again[0], values, rtol=1e-3)
                    and torch.allclose(again[1], scores, rtol=1e-3, atol=1e-4)
                ):
                    raise ValueError(
                        f"layer {layer.name!r} of {net.name}, or its scores, are other values each "
                        "time for the same images; switch off what is random in it"
                    )
            found |= zip(images, zip(values, scores, strict=True), strict=False)
        looked += len(batch)
        yield looked, None
    data.check_skipped(sorted({*range(len(data))}.difference(found)))
    features = Features(
        values=torch.stack([values for values, _ in found.values()]).numpy(),
        scores=torch.stack([scores for _, scores in found.values()]).numpy(),
        numbers=np.array(list(found), np.int64),
        total=len(data),
        network=net.name,
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
    """``(N,)``, the class that each image is taken for, by its scores ``(N, K)``.

    Of a single output it is 0 where the score is above 0, and else 1.

    Example:
        >>> classes(np.array([[1.0, 2.0], [3.0, 0.0]])), classes(np.array([[-1.0], [2.0]]))
        (array([1, 0]), array([1, 0]))
    """
    found = scores.argmax(1) if scores.shape[1] > 1 else (scores[:, 0] <= 0).astype(np.int64)
    return np.asarray(found)
