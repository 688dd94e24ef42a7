"""Maps that a network pools over all their places, and the affine head behind them.

Behind global average pooling and one linear layer, or a 1 x 1 convolution and the pooling, a score
is an affine function of the last maps A, with the same weights at every place:

    s_c = mean over places (sum over k of w_ck A_k) + b_c

However the head is written, running it shows that: the gradient by A_k is w_ck over the number of
places, the same at each; on zeros the score is b_c; and on -100 A, beyond the bends of any hidden
layer, it is b_c - 100 (s_c - b_c). The three are rows of one batch, for several pictures three
blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ._network import Network
from .operations import Operation, constant


class PooledMaps(NamedTuple):
    """Map of one class whose mean and bias are its score.

    Attributes:
        values: float64 ``(h, w)``; of a rectified map those before the rectifier.
        bias: what the score has beside the mean.
        rectified: whether the score is the mean of the rectified map.
    """

    values: Tensor
    bias: float
    rectified: bool


def pooled_maps(
    net: Network, images: Tensor, targets: Sequence[int], layer: str | None = None
) -> list[PooledMaps]:
    """Compute the maps whose means and biases are the scores of a class in each of n pictures.

    Args:
        net: the classifier.
        images: ``(N, C, H, W)``.
        targets: indices of the classes in the first n images; others only fill up the batch.
        layer: name of the layer whose output is pooled; ``None`` for what is pooled last.

    Raises:
        ValueError: for a network without maps, or one that does not end in global average pooling
            and one linear layer, or in a 1 x 1 convolution and the pooling.

    Example:
        >>> net = Network(
        ...     nn.Sequential(
        ...         nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2)
        ...     ),
        ...     size=(8, 8),
        ... )
        >>> images = torch.rand(1, 3, 8, 8)
        >>> [pooled] = pooled_maps(net, images, [1])
        >>> score = net(images)[0, 1].item()
        >>> abs(pooled.values.mean().item() + pooled.bias - score) < 1e-5
        True
    """
    pixels = images.repeat(3, 1, 1, 1).to(net.device, net.dtype)
    with net.evaluating(gradients=True) as module:
        with torch.no_grad(), _Pooling() as counted:
            net.classify(pixels[:1])
        trace = _Pooling(counted.count if layer is None else 0)
        read = [] if layer is None else [dict(module.named_modules())[layer]]
        handles = [child.register_forward_hook(trace.read) for child in read]
        try:
            with trace:
                pooled = _affine(trace, net.classify(pixels), targets)
        except (RuntimeError, ValueError):  # such as of shapes that three rows do not fit
            pooled = None
        finally:
            for handle in handles:
                handle.remove()
    if pooled is None:
        _check_maps(net, images[0])
        behind = "" if layer is None else f" behind {layer!r}"
        raise ValueError(
            f"{net.name} does not end in global average pooling and one linear layer{behind}, so "
            "that no maps add up to its scores; give it such a head with "
            "xw.pooled_network(net, images, labels)"
        )
    return pooled


_FAR = -100.0
"""Factor of the maps at which a head that only looks affine has bent."""


def _check_maps(net: Network, image: Tensor) -> None:
    """Check that a network has maps at all."""
    channels, height, width = image.shape
    shapes = [layer.shape for layer in net.layers_for((channels, height, width))]
    if not any(len(shape) == 3 and shape[1:] != (1, 1) for shape in shapes):
        raise ValueError(
            f"{net.name} has no maps (C, H, W) of several places, so that its scores come from no "
            "place in the picture; explain it with xw.occlusion(net, image)"
        )


def _affine(trace: _Pooling, logits: Tensor, targets: Sequence[int]) -> list[PooledMaps] | None:
    """Maps, when each score is an affine function of A with the same weights at all places."""
    maps = trace.maps
    if maps is None or len(maps) != len(logits) or not logits.requires_grad:
        return None
    pictures = len(logits) // 3
    chosen = torch.stack([logits[row, target] for row, target in enumerate(targets)])
    (gradient,) = torch.autograd.grad(chosen.sum(), maps)
    maps_of_targets = []
    for row, target in enumerate(targets):
        scores = logits.detach()[row::pictures, target].double()
        pooled = _affine_map(trace.origin, row, gradient[row].double(), maps.detach()[row], scores)
        if pooled is None:
            return None
        maps_of_targets.append(pooled)
    return maps_of_targets


def _affine_map(
    origin: _Origin, row: int, slopes: Tensor, maps: Tensor, scores: Tensor
) -> PooledMaps | None:
    """Map of a picture's row, from the slopes of its score and its scores on A, zeros, -100 A."""
    tolerance = torch.finfo(maps.dtype).eps ** 0.5
    score, bias, far = scores.tolist()
    weights, first = slopes.mean((1, 2)) * slopes[0].numel(), maps.double()
    values = torch.einsum("k, khw -> hw", weights, first)
    terms = float(weights.abs() @ first.abs().mean((1, 2))) + abs(bias)
    even = slopes - slopes.mean((1, 2), keepdim=True)
    fits = (
        float(even.abs().max()) <= tolerance * float(slopes.abs().max())
        and abs(far - bias - _FAR * (score - bias)) <= tolerance * abs(_FAR) * terms
        and abs(float(values.mean()) + bias - score) <= tolerance * terms
    )
    if not fits:
        return None
    if origin.before is not None and not bias and _is_one_hot(weights, tolerance):
        return PooledMaps(origin.before[row, weights.argmax()].double(), 0.0, True)
    if origin.bias is not None:
        offset = float(weights @ origin.bias.double())
        return PooledMaps(values - offset, bias + offset, False)
    return PooledMaps(values, bias, False)


def _is_one_hot(weights: Tensor, tolerance: float) -> bool:
    """Whether a score is the mean of one map alone."""
    one = torch.zeros_like(weights)
    one[weights.argmax()] = 1
    return bool((weights - one).abs().max() <= tolerance)


class _Origin(NamedTuple):
    """How maps came about: with which bias of a convolution, or from what by a rectifier."""

    bias: Tensor | None = None
    before: Tensor | None = None


class _Pooling(TorchFunctionMode):
    """A pass of images, repeated twice, in which maps A become A, zeros and -100 A.

    Args:
        at: number of the global average pooling, from 1, whose input A is; 0 for none.

    Attributes:
        count: number of global average poolings so far.
        maps: A, a leaf ``(3 N, C, h, w)``; ``None`` while it was not met.
        origin: how A came about.
    """

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        self._at = at
        self.count = 0
        self.maps: Tensor | None = None
        self.origin = _Origin()

    def read(self, module: nn.Module, inputs: object, output: object) -> Tensor | None:
        """Forward hook of the layer whose output A is."""
        if self.maps is None and isinstance(output, Tensor) and output.ndim == 4:
            return self._changed(output)
        return None

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        args, kwargs = constant(args), constant(dict(kwargs or {}))
        operation = Operation(function, args, kwargs)
        x = operation.input
        maps = getattr(x, "xwidgets_flat", x)
        if not isinstance(maps, Tensor) or maps.ndim != 4:
            return function(*args, **kwargs)
        origin = self._origin(operation, maps)
        output = function(*args, **kwargs)
        for made in [x] * operation.overwrites + [output]:
            if isinstance(made, Tensor):
                made.xwidgets_origin = origin  # type: ignore[attr-defined]
        if not isinstance(output, Tensor) or output.shape[:2] != maps.shape[:2]:
            return output
        if operation.facts.moves == "reshaped" and output.ndim == 3:
            output.xwidgets_flat = maps  # type: ignore[attr-defined]
        pools = operation.kind == "average" and output[0, 0].numel() == 1 < maps[0, 0].numel()
        self.count += pools
        if isinstance(x, Tensor) and pools and self.count == self._at and self.maps is None:
            changed = self._changed(maps).view_as(x)
            return operation.on(lambda value: changed if value is x else value)
        return output

    def _origin(self, operation: Operation, maps: Tensor) -> _Origin:
        if operation.kind == "linear" and operation.facts.axes == 2:
            return _Origin(bias=operation.argument("bias"))
        if operation.facts.plain:
            return _Origin(before=maps.clone())
        same = operation.facts.moves in ("kept", "copied")
        return self._of(maps) if same else _Origin()

    def _of(self, maps: Tensor) -> _Origin:
        return getattr(maps, "xwidgets_origin", _Origin())

    def _changed(self, maps: Tensor) -> Tensor:
        self.origin = self._of(maps)
        self.maps = maps.detach().clone().requires_grad_()
        factors = torch.tensor([1, 0, _FAR], device=maps.device, dtype=maps.dtype)
        return self.maps * factors.repeat_interleave(len(maps) // 3).view(-1, 1, 1, 1)
