"""Values for a black picture of tensors of a traced pass that are nothing but pixels.

Networks take pixels scaled and shifted, so that dark ones are negative numbers. Their distance from
black is not negative.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .operation_table import Kind
from .operations import Operation, tensors

_ON_BLACK = "xwidgets_on_black"
_AFFINE: tuple[Kind, ...] = ("normalization", "sum", "mul", "average")


def on_black(tensor: Tensor) -> Tensor | None:
    """Values for a black picture of a tensor of a watched pass that is nothing but pixels: moved,
    scaled and shifted by constants, or averaged. ``None`` for any other tensor.
    """
    return torch.zeros_like(tensor) if tensor.is_leaf else getattr(tensor, _ON_BLACK, None)


def mark_on_black(output: object, operation: Operation) -> None:
    """Note what :func:`on_black` tells of the output of an operation."""
    known = [on_black(x) for x in operation.inputs]
    blacks = [black for black in known if black is not None]
    alike = operation.kind == "movement" or (operation.kind in _AFFINE and len(known) == 1)
    written = operation.overwrites and not operation.inplace
    is_pixels = alike and not written and 0 < len(blacks) == len(known)
    outputs_on_black = tensors(operation(*blacks) if is_pixels else None)
    for value in tensors(output):
        setattr(value, _ON_BLACK, next(outputs_on_black, None))
