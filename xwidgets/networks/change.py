"""Changing the activations of a layer in the middle of a forward pass."""

from __future__ import annotations

from torch import Tensor, nn

from .watch import Watch


class Change(Watch):
    """A context in which a module's forward pass goes on with other activations of a layer.

    Whether a batch norm or a rectifier follows the layer, and the change belongs behind it, is not
    known before it ran. So a first pass, without a change, counts the :attr:`stages`.

    Args:
        module: the module, which is watched.
        layer: the name of the submodule, whose first use counts.
        changes: ``(N, ...)``, what is added to the activations.
        stage: the number of the stage at which they are final.

    Attributes:
        stages: how many the layer's activations went through: 1 for its own output, and one each
            for the batch norm and the rectifier that directly follow it.
        activations: those of the layer, without the change.

    Raises:
        ValueError: for a module that hides its operations.

    Example:
        >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
        >>> pixels, changes = torch.rand(1, 3, 8, 8), torch.rand(1, 4, 6, 6)
        >>> with Change(module, "0") as first:
        ...     output = module(pixels)
        >>> with Change(module, "0", changes, first.stages):
        ...     changed = module(pixels)
        >>> first.stages, torch.equal(changed, output + changes)
        (2, True)
    """

    def __init__(
        self, module: nn.Module, layer: str, changes: Tensor | None = None, stage: int = 0
    ) -> None:
        super().__init__(module, [layer])
        self._changes, self._stage = changes, stage
        self.stages = 0

    def _copies(self) -> bool:
        return True

    def _onward(self, kept: Tensor) -> Tensor:
        self.stages += 1
        if self._changes is None or self.stages != self._stage:
            return super()._onward(kept)
        return kept + self._changes
