"""Logits of one image with windows replaced, by a whole forward for each."""

from math import prod

import torch
from torch import Tensor

from xwidgets.networks import Network
from xwidgets.networks.layers import list_layers


class WholeInference:
    """Logits of ``image`` with windows of other content, at the full price, but without set-up.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1], on the network's device.
        window: k, the side of the windows, in pixels.
        memory: roughly how many bytes a batch may take; a window at a time goes in any case.

    Attributes:
        batch: how many windows are computed at a time.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> inference = WholeInference(net, scene.image, window=10)
        >>> inference.logits(torch.tensor([[20, 30]]), torch.full((1, 3, 10, 10), 0.5)).shape
        torch.Size([1, 20])
    """

    def __init__(self, net: Network, image: Tensor, window: int, memory: float = 48e6) -> None:
        self._net, self._image, self._window = net, image, window
        self.batch = max(1, int(memory // self._need()))

    def logits(self, corners: Tensor, contents: Tensor) -> Tensor:
        """Logits ``(n, K)`` of the image with one window replaced in each.

        Args:
            corners: ``(n, 2)``, the windows' upper left corners as (y, x).
            contents: ``(n, C, k, k)``, pixels in [0, 1].
        """
        parts = zip(corners.split(self.batch), contents.split(self.batch), strict=True)
        return torch.cat([self._net.logits(self._replaced(*part)) for part in parts])

    def _replaced(self, corners: Tensor, contents: Tensor) -> Tensor:
        images = self._image.repeat(len(corners), 1, 1, 1)
        for one, content, (y, x) in zip(images, contents, corners.tolist(), strict=True):
            one[:, y : y + self._window, x : x + self._window] = content
        return images

    def _need(self) -> int:
        """Bytes an image takes: a layer needs its input, its output, and as much to work with."""
        with self._net.evaluating():
            layers = list_layers(self._net.module, torch.zeros_like(self._image)[None])
        largest = max([self._image.numel(), *(prod(layer.shape) for layer in layers)])
        return 4 * largest * self._image.element_size()
