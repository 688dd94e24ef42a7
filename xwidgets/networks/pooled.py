"""Networks whose head is global average pooling and one linear layer."""

from __future__ import annotations

from torch import Tensor, nn


class Pooled(nn.Module):
    """A module up to one of its layers, whose maps are pooled over all places; a linear layer.

    Args:
        body: the module, which is run as far as that layer.
        layer: name of the layer in it, which puts out maps ``(N, C, h, w)``.
        rectified: whether the maps are rectified first, as by a function behind the layer.
        head: from ``(N, C)`` to scores ``(N, K)``.

    Example:
        >>> import torch
        >>> body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(180, 2))
        >>> Pooled(body, "0", True, nn.Linear(5, 4))(torch.rand(1, 3, 8, 8)).shape
        torch.Size([1, 4])
    """

    def __init__(self, body: nn.Module, layer: str, rectified: bool, head: nn.Linear) -> None:
        super().__init__()
        self.body, self.head = body, head
        self.layer, self.rectified = layer, rectified

    def maps(self, x: Tensor) -> Tensor:
        """Maps ``(N, C, h, w)`` that are pooled."""
        kept: list[Tensor] = []

        def stop(module: nn.Module, inputs: object, output: Tensor) -> None:
            kept.append(output)
            raise _Reached

        handle = self.body.get_submodule(self.layer).register_forward_hook(stop)
        try:
            self.body(x)
        except _Reached:
            pass
        finally:
            handle.remove()
        return kept[0].relu() if self.rectified else kept[0]

    def forward(self, x: Tensor) -> Tensor:
        """Scores ``(N, K)`` of what the body takes."""
        scores: Tensor = self.head(self.maps(x).mean((2, 3)))
        return scores


class _Reached(Exception):
    """The layer has put out its maps."""
