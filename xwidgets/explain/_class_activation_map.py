"""Class activation maps: where the maps behind a score are (Zhou et al. 2016; cs230).

In a network that ends in global average pooling and one linear layer, the score of a class before
softmax is the mean of a map over its places, and a bias:

    score_c = mean of M_c + b_c,    M_c = sum over channels k of w_ck A_k

where A are the maps that are pooled and w the weights of the linear layer. A 1 x 1 convolution
before the pooling is the same in another order: its bias is then b_c, not a part of the map. Where
the map of such a convolution is rectified before it is pooled, as in SqueezeNet, the score is the
mean of the rectified map; M_c is the map before the rectifier, bias included, and b_c is 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from xwidgets.networks import Class, Network
from xwidgets.networks.pooled_maps import PooledMaps, pooled_maps
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Resolved, Target
from xwidgets.results import Relevance

from ._parameter import front, name_of_layer, parameter
from .method import MapMethod


@dataclass(frozen=True)
class ClassActivationMap(MapMethod):
    """Class activation map (Zhou et al. 2016) of a network that ends in global average pooling.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> import xwidgets as xw
        >>> module = nn.Sequential(nn.Conv2d(3, 2, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> net = xw.Network(module, size=(16, 16), classes=["wren", "finch"], name="small")
        >>> ClassActivationMap().run(net, torch.rand(3, 16, 16), "finch")
        <Relevance 16 x 16: class activation map for 'finch' (small), in logits>
    """

    layer: str | int | None = parameter(
        None,
        "whose output is pooled, by name or number of the convolution; ``None`` for what is pooled "
        "last",
        resolve=lambda value, subject: (
            None if value is None else name_of_layer(value, subject, [3])
        ),
    )

    pictures_at_once = 32
    name, unit = "class activation map", "logits"
    cost = "A pass; only for networks that end in global average pooling."
    asks = "Which places of the last maps add up to the score?"

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the targets are classes."""
        for target in targets:
            if not isinstance(target, Class):
                raise ValueError(
                    f"{target.label(subject.net)} is no class, but a class activation map is of "
                    "one; give a class, or explain it with xw.saliency(net, image, target)"
                )

    def explain(self, subject: Subject, target: Resolved) -> Relevance:
        """Compute the map of one class."""
        [pooled] = self._pooled(subject.net, subject.image[None], [target])
        rectified = "The score is the mean of this map with its negative values set to 0."
        return self.relevance(
            subject,
            target,
            pooled.values,
            raw=pooled.values.cpu().numpy().astype(np.float32),
            bias=pooled.bias,
            note=rectified if pooled.rectified else "",
        )

    def explain_pictures(
        self, net: Network, images: Tensor, targets: Sequence[Sequence[Resolved]]
    ) -> Tensor:
        """Compute the maps of several pictures ``(N, C, H, W)`` in a pass for each class."""
        maps = [
            torch.stack([pooled.values for pooled in self._pooled(net, images, column)])
            for column in zip(*targets, strict=True)
        ]
        return interpolate(torch.stack(maps, 1), size=images.shape[2:], mode="bilinear")

    def _pooled(
        self, net: Network, images: Tensor, targets: Sequence[Resolved]
    ) -> list[PooledMaps]:
        classes = [cast(int, target.index) for target in targets]
        return pooled_maps(net, images, classes, cast(str | None, self.layer))


@front(ClassActivationMap)
def class_activation_map(
    net: Network, image: object, target: Target = None, layer: str | int | None = None
) -> Relevance:
    """Map of a class over the places of the picture whose mean, with a bias, is the class's score.

    Args:
        net: a classifier that ends in global average pooling and one linear layer, or in a 1 x 1
            convolution and the pooling; :func:`xwidgets.pooled_network` gives one such a head.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score.

    Returns:
        The map in logits: ``raw`` ``(h, w)`` as it is, ``values`` ``(H, W)`` interpolated to the
        pixels, and ``bias``. The score is the mean of ``raw`` and the bias; where the map is
        rectified, as ``note`` then says, the mean of its positive values, others counted as 0.

    Raises:
        ValueError: for a network without maps or with another head, or a target that is no class.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> class_activation_map(xw.network("birds"), scene.image)
        Traceback (most recent call last):
        ValueError: birds does not end in global average pooling and one linear layer...
    """
    return ClassActivationMap(layer).run(net, image, target)
