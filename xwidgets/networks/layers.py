"""The layers of a network, with output shapes and receptive fields.

The receptive field grows along the data: a convolution or pool with a (dilated) kernel of size k
turns a field of size f, sampled every j pixels, into one of size f + (k - 1) j, sampled every
j s pixels, where s is its stride. Every other operation that keeps height and width passes the
field on, and padding does; after any other, a unit counts as seeing everything. Where branches
meet, the largest field counts. A `TorchFunctionMode` carries it, so that functional calls, sums and
concatenations are seen too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Layer:
    """One module without children, in the order of the forward pass.

    Attributes:
        name: the module's name in the network, such as ``"features.3"``.
        kind: its class, such as ``"Conv2d"``.
        shape: its output for one image, ``(C, H, W)`` or ``(K,)``.
        convolution: 1 for the first convolution, 2 for the second ...; ``None`` for other layers.
        receptive_field: height and width, in pixels, of what one output unit can see; at most the
            image.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    convolution: int | None
    receptive_field: tuple[int, int]


def list_layers(module: nn.Module, image: Tensor) -> tuple[Layer, ...]:
    """Run ``image`` ``(1, C, H, W)`` through ``module`` and list the layers it passes.

    A module that is used several times is listed once, where it is used first.
    """
    names = {child: name for name, child in module.named_modules() if not list(child.children())}
    seen: dict[str, Layer] = {}
    height, width = image.shape[2:]

    def record(child: nn.Module, _: object, output: object) -> None:
        name = names[child]
        if name in seen or not isinstance(output, Tensor):
            return
        kind = type(child).__name__
        convolutions = sum(layer.convolution is not None for layer in seen.values())
        (field_y, field_x), _jump = _extent(output) or ((height, width), (0, 0))
        seen[name] = Layer(
            name=name,
            kind=kind,
            shape=tuple(output.shape[1:]),
            convolution=convolutions + 1 if isinstance(child, nn.Conv2d) else None,
            receptive_field=(min(field_y, height), min(field_x, width)),
        )

    with _hooks(names, record), _Extents():
        module(_mark(image, ((1, 1), (1, 1))))
    return tuple(seen.values())


Extent = tuple[tuple[int, int], tuple[int, int]]
"""Receptive field (height, width) and distance of neighbours (vertical, horizontal), in pixels."""

_EVERYTHING: Extent = ((10**9, 10**9), (1, 1))

_WINDOW_ARGUMENTS = {
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "max_pool2d_with_indices": ("input", "kernel_size", "stride", "padding", "dilation"),
    "avg_pool2d": ("input", "kernel_size", "stride", "padding", "ceil_mode"),
}


class _Extents(TorchFunctionMode):
    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [value for value in _flat((args, kwargs)) if isinstance(value, Tensor)]
        extents = [extent for value in tensors if (extent := _extent(value))]
        output = function(*args, **kwargs)
        if extents:
            field, jump = (
                tuple(max(extent[part][axis] for extent in extents) for axis in (0, 1))
                for part in (0, 1)
            )
            name = function.__name__
            shapes = {value.shape[2:] for value in tensors if _extent(value) and value.ndim == 4}
            for part in _flat(output):
                if not isinstance(part, Tensor):
                    continue
                if name in _WINDOW_ARGUMENTS:
                    arguments = dict(zip(_WINDOW_ARGUMENTS[name], args, strict=False)) | kwargs
                    _mark(part, _widen((field, jump), arguments))  # type: ignore[arg-type]
                elif part.ndim == 4 and (name == "pad" or part.shape[2:] in shapes):
                    _mark(part, (field, jump))  # type: ignore[arg-type]
                else:
                    _mark(part, _EVERYTHING)
        return output


def _widen(extent: Extent, arguments: dict[str, Any]) -> Extent:
    if "weight" in arguments:
        kernel = tuple(arguments["weight"].shape[2:])
        stride = _pair(arguments.get("stride", 1))
    else:
        kernel = _pair(arguments["kernel_size"])
        stride = _pair(arguments.get("stride") or kernel)
    dilation = _pair(arguments.get("dilation", 1))
    (field_y, field_x), (jump_y, jump_x) = extent
    return (
        (
            field_y + (kernel[0] - 1) * dilation[0] * jump_y,
            field_x + (kernel[1] - 1) * dilation[1] * jump_x,
        ),
        (jump_y * stride[0], jump_x * stride[1]),
    )


def _mark(tensor: Tensor, extent: Extent) -> Tensor:
    tensor.xwidgets_extent = extent  # type: ignore[attr-defined]
    return tensor


def _extent(tensor: Tensor) -> Extent | None:
    return getattr(tensor, "xwidgets_extent", None)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


@contextmanager
def _hooks(modules: dict[nn.Module, str], hook: Callable[..., None]) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
