"""Outputs for one image with hidden units changed, by a whole forward for each."""

from __future__ import annotations

import torch
from torch import Tensor

from xwidgets.networks import Network
from xwidgets.networks.intervention import Intervention

from .budget import Batches, Budget
from .differences import agree
from .whole import Read


class WholeUnitInference:
    """Values read off ``image`` with one unit of a layer changed at a time, at the full price.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1], on the network's device.
        layer: the layer's name; it puts out ``(1, C, h, w)`` or ``(1, C)`` for the image.
        read: what is read.
        budget: bytes that may be added.

    Attributes:
        batches: run the changes, one at a time where an image would be given other values when
            others are beside it.

    Raises:
        ValueError: when nothing depends on the layer, or not even one unit fits into ``memory``.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> budget = Budget.of(None, net.device)
        >>> inference = WholeUnitInference(net, scene.image, "features.28", net.classify, budget)
        >>> inference.outputs(torch.tensor([0, 17]), torch.tensor([0.5, -0.1])).shape
        torch.Size([2, 20])
    """

    def __init__(self, net: Network, image: Tensor, layer: str, read: Read, budget: Budget) -> None:
        self._net, self._image, self._layer, self._read = net, image, layer, read
        self.batches = Batches(budget.image_size(net, image, "unit"), "unit")
        with net.evaluating() as module, Intervention(module, layer) as first:
            base = read(self._images(1))
        self._stage, self._activations = first.stages, first.activations[layer]
        self._check(base)

    def _check(self, base: Tensor) -> None:
        """All units changed at once, up and down, alone and beside each other."""
        activations = self._activations
        random = torch.rand(activations.shape, generator=torch.Generator().manual_seed(0))
        change = random.to(activations) * activations.abs().max().clamp_min(1)
        changes = torch.cat([change, -change])
        alone = torch.cat([self._changed(one) for one in changes.split(1)])
        if torch.equal(alone, base.expand_as(alone)):
            raise ValueError(
                f"{self._net.name} cannot be run from {self._layer!r} on: what is explained does "
                "not depend on that layer; choose a layer before it"
            )
        if self.batches.size > 1 and not agree(self._changed(changes), alone, base):
            self.batches.size = 1

    def outputs(self, units: Tensor, changes: Tensor) -> Tensor:
        """``(n, K)``, what is read with one unit changed in each.

        Args:
            units: ``(n,)``, their numbers in the flattened activations.
            changes: ``(n,)``, what is added to them.
        """
        return self.batches.run(self._one_changed, units, changes)

    def _one_changed(self, units: Tensor, changes: Tensor) -> Tensor:
        return self._changed(self._spread(units, changes))

    def _spread(self, units: Tensor, changes: Tensor) -> Tensor:
        """``(n, C, h, w)``, 0 but for one unit in each."""
        spread = self._activations.new_zeros(len(units), self._activations.numel())
        spread[torch.arange(len(units)), units] = changes.to(spread)
        return spread.reshape(-1, *self._activations.shape[1:])

    def _changed(self, changes: Tensor) -> Tensor:
        with (
            self._net.evaluating() as module,
            Intervention(module, self._layer, changes, self._stage),
        ):
            return self._read(self._images(len(changes)))

    def _images(self, count: int) -> Tensor:
        images = self._image.repeat(count, 1, 1, 1)
        return images.to(memory_format=self._net.memory_format)
