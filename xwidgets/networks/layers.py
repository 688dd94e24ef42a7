"""The layers of a network, with output shapes and receptive fields.

The receptive field grows along the data: a convolution or pool with a (dilated) kernel of size k
turns a field of size f, sampled every j pixels, into one of size f + (k - 1) j, sampled every
j s pixels, where s is its stride. Every other operation that keeps height and width passes the
field on, and padding does; after any other, a unit counts as seeing everything. Where branches
meet, the largest field counts. Padding that wraps around counts as if it held zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from xwidgets.aliases import FormerName
from xwidgets.box import Box

from .operations import Operation
from .propagation import Propagation, hooked


@dataclass(frozen=True)
class Layer:
    """Output of one module of a network.

    Attributes:
        name: the module's name in the network, such as ``"features.3"``.
        kind: its class, such as ``"Conv2d"``.
        shape: its output for one image, ``(C, H, W)`` or ``(K,)``.
        convolution: 1 for the first convolution, 2 for the second ...; ``None`` for other layers.
        receptive_field: height and width, in pixels, of what one output unit can see; at most the
            image.
        fields: where its units look; see :meth:`field_of`.
        rows: number of rows of its output for one image: 1, but where the network makes a batch of
            its own, such as one of crops. Of other layers no activations are read.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    convolution: int | None
    receptive_field: tuple[int, int]
    fields: ReceptiveFields = field(repr=False)
    rows: int = field(default=1, repr=False)

    extent = FormerName("fields")

    @property
    def channels(self) -> int:
        """How many channels it puts out: C or K.

        Raises:
            ValueError: when its output is neither ``(C, H, W)`` nor ``(K,)``.
        """
        if len(self.shape) not in (1, 3):
            raise ValueError(
                f"layer {self.name!r} puts out {self.shape} and has no channels; choose one that "
                "puts out (C, H, W) or (K,)"
            )
        return self.shape[0]

    def field_of(self, row: int, column: int, size: tuple[int, int]) -> Box:
        """The pixels of an image of ``size`` (H, W) that the unit at ``(row, column)`` sees."""
        first = [
            start + place * jump
            for place, start, jump in zip(
                (row, column), self.fields.start, self.fields.jump, strict=True
            )
        ]
        last = [start + side for start, side in zip(first, self.fields.field, strict=True)]
        (top, left), (bottom, right) = (
            [min(max(0, edge), side) for edge, side in zip(edges, size, strict=True)]
            for edges in (first, last)
        )
        return Box(top, left, bottom, right)


def list_layers(module: nn.Module, image: Tensor) -> tuple[Layer, ...]:
    """Run ``image`` ``(1, C, H, W)`` through ``module`` and list its layers.

    A layer is a submodule that returns one tensor: a single operation or a block of them. They come
    in the order in which they return, one that is used several times where it returns first.
    """
    names = {child: name for name, child in module.named_modules() if name}
    seen: dict[str, Layer] = {}
    height, width = image.shape[2:]

    def record(child: nn.Module, _: object, output: object) -> None:
        name = names[child]
        if name in seen or not isinstance(output, Tensor):
            return
        convolutions = sum(layer.convolution is not None for layer in seen.values())
        fields = propagation.read(output) or _EVERYTHING
        field_y, field_x = fields.field
        seen[name] = Layer(
            name=name,
            kind=type(child).__name__,
            shape=tuple(output.shape[1:]),
            convolution=convolutions + 1 if isinstance(child, nn.Conv2d) else None,
            receptive_field=(min(field_y, height), min(field_x, width)),
            fields=fields,
            rows=len(output) if output.ndim else 1,
        )

    with hooked(list(names), record), _Fields() as propagation:
        module(propagation.write(image, _PIXEL))
    return tuple(seen.values())


class ReceptiveFields(NamedTuple):
    """Where a unit looks: everything vertical, horizontal, in pixels."""

    field: tuple[int, int]
    jump: tuple[int, int]  # from a unit to its neighbour
    start: tuple[int, int]  # of the first unit's field; negative in the padding


_PIXEL = ReceptiveFields((1, 1), (1, 1), (0, 0))
_EVERYTHING = ReceptiveFields((2 * 10**9, 2 * 10**9), (1, 1), (-(10**9), -(10**9)))


class _Fields(Propagation[ReceptiveFields]):
    def follow(self, operation: Operation, noted: list[Tensor], outputs: list[Tensor]) -> None:
        noted_fields = [fields for value in noted if (fields := self.read(value))]
        shapes = {value.shape[2:] for value in noted if value.ndim == 4}
        facts = operation.facts
        for output in outputs:
            if facts.reads == "window" and facts.axes == 2:
                fields = _widen(noted_fields[0], operation)
            elif output.ndim == 4 and facts.moves == "padded":
                fields = _shift(noted_fields[0], operation.argument("pad"))
            elif output.ndim == 4 and output.shape[2:] in shapes:
                fields = _meet(noted_fields)
            else:
                fields = _EVERYTHING
            self.write(output, fields)


def _widen(fields: ReceptiveFields, operation: Operation) -> ReceptiveFields:
    weight = operation.argument("weight")
    kernel = _pair(operation.argument("kernel_size")) if weight is None else weight.shape[2:]
    stride = _pair(operation.argument("stride") or (kernel if weight is None else 1))
    dilation = _pair(operation.argument("dilation", 1))
    padding = operation.argument("padding", 0)
    if padding == "same":
        padding = [(side - 1) * gap // 2 for side, gap in zip(kernel, dilation, strict=True)]
    padding = _pair(0 if padding == "valid" else padding)
    (field_y, field_x), (jump_y, jump_x), (start_y, start_x) = fields
    return ReceptiveFields(
        (
            field_y + (kernel[0] - 1) * dilation[0] * jump_y,
            field_x + (kernel[1] - 1) * dilation[1] * jump_x,
        ),
        (jump_y * stride[0], jump_x * stride[1]),
        (start_y - padding[0] * jump_y, start_x - padding[1] * jump_x),
    )


def _shift(fields: ReceptiveFields, padding: Sequence[int]) -> ReceptiveFields:
    left, _, top, _ = (*padding, 0, 0)[:4]
    (start_y, start_x), (jump_y, jump_x) = fields.start, fields.jump
    return fields._replace(start=(start_y - top * jump_y, start_x - left * jump_x))


def _meet(noted_fields: list[ReceptiveFields]) -> ReceptiveFields:
    start = tuple(min(fields.start[axis] for fields in noted_fields) for axis in (0, 1))
    end = (
        max(fields.start[axis] + fields.field[axis] for fields in noted_fields) for axis in (0, 1)
    )
    jump = tuple(max(fields.jump[axis] for fields in noted_fields) for axis in (0, 1))
    field = tuple(last - first for last, first in zip(end, start, strict=True))
    return ReceptiveFields(field, jump, start)  # type: ignore[arg-type]
