"""Changing the activations of a layer in the middle of a forward pass."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from .forward_trace import ForwardTrace


class Intervention(ForwardTrace):
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
        >>> with Intervention(module, "0") as first:
        ...     output = module(pixels)
        >>> with Intervention(module, "0", changes, first.stages):
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

    def __enter__(self) -> Self:
        super().__enter__()
        self._versions: list[int] = []
        self._handles += [child.register_forward_pre_hook(self._depart) for child in self._names]
        return self

    def _depart(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._versions = [one._version for one in inputs if isinstance(one, Tensor)]

    def _in_place(self, inputs: tuple[Any, ...], output: Tensor) -> bool:
        """Only what was written over is written again: what is handed on may be used elsewhere."""
        given = [one for one in inputs if isinstance(one, Tensor)]
        before = zip(given, self._versions, strict=True)
        return any(output is one and one._version != version for one, version in before)

    def _copies(self) -> bool:
        return True

    def _onward(self, kept: Tensor) -> Tensor:
        self.stages += 1
        if self._changes is None or self.stages != self._stage:
            return super()._onward(kept)
        return kept + self._changes
