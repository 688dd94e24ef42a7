"""Excitation backprop and c-MWP: attribution of a unit to lower activations (Zhang et al. 2016).

A probability of 1 is put on the unit and passed down. Through an operation f with non-negative
weights, every output's probability p is distributed over its inputs in proportion to their
contributions:

    p_in = x * f^T(p / f(x))                                       (0 where f(x) = 0)

f is the operation itself for averages and sums of branches. A convolution or linear layer excites
by its positive weights alone: f has max(W, 0) and no bias. Of a batch norm's scale only the sign
matters, which is moved into the convolution before it; where there is none, a negative scale
excites nothing. Rectifiers and other activations, and gates that scale a signal, pass p on. Max
pools send it to the maximum, and operations that move values move it back: there the gradient does
the same.

The contrastive form (c-MWP) passes p through the first weights on the way once with W and once with
-W, takes the difference, and clips it at zero at the very end. What a branch carries around the
first weights, to others further on, is passed with W alone.

Inputs count by their positive part. So the mass that arrives is 1 as long as no activation on the
way is negative, and less otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.func import vjp
from torch.nn.functional import interpolate

from xwidgets.aliases import formerly
from xwidgets.networks import Network
from xwidgets.networks.forward_trace import BackwardRule, go_back, nodes, refuse_hidden, undefined
from xwidgets.networks.operation_table import Kind
from xwidgets.networks.operations import Operation, factors, producer
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Above, Resolved, Target
from xwidgets.results import Relevance

from ._parameter import front, names_of_layers, parameter
from .method import MapMethod

Excitation = Callable[..., Sequence[Tensor]]


def stop_parameter(line: str) -> Any:
    """Field for the layer to stop at, whose default depends on the layer of the target."""
    return parameter(
        None,
        line,
        choices=lambda method, subject: [None, "pixels", *names_of_layers(subject)],
        resolve=lambda value, subject: value and stop_layer(subject.net, value),
        label="Stop at",
    )


@formerly(layer="stop_at")
@dataclass(frozen=True)
class ExcitationBackprop(MapMethod):
    """Excitation backprop or c-MWP (Zhang et al. 2016): attribution of a unit to the pixels.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> ExcitationBackprop(contrastive=False).run(net, scene.image, xw.Channel(13, 7))
        <Relevance 64 x 64: excitation backprop for 'features.28, channel 7' (birds), in ...>
    """

    stop_at: str | int | None = stop_parameter(
        'where to stop: a layer by name, a convolution by its number, or ``"pixels"``; by default '
        "the deepest pooled layer with maps of at least 12 x 12, else the pixels"
    )
    contrastive: bool = parameter(
        True,
        "c-MWP, excitation of the unit less that of its opposite; otherwise plain MWP",
        label="Contrast",
    )

    unit, signed = "share of the excitation", False

    @property
    def name(self) -> str:
        """Name of the method in results."""
        return "contrastive excitation backprop" if self.contrastive else "excitation backprop"

    def explain(self, subject: Subject, target: Resolved) -> Relevance:
        """Compute the map of one target."""
        layer = target.layers[0] if target.layers else None
        stop_at = stop_layer(subject.net, self.stop_at, layer)
        watched = subject.watched([] if stop_at == "pixels" else [stop_at], target, RULES)
        units = target.units(watched)
        seed = _seed(units, cast(int, target.index), target.label(subject.net))
        to = watched.pixels if stop_at == "pixels" else watched.activations[stop_at]
        arrived = excitations(units, seed[None], to, self.contrastive)[0, 0]
        values = arrived.sum(0)
        values = values.clamp(min=0) if self.contrastive else values
        return self.relevance(
            subject,
            target,
            at_pixels(values[None], subject.image.shape[1:])[0],
            mass=float(arrived.sum()),
            parameters={"layer": layer, "top": None}
            | dict(target.facts)
            | {"stop_at": stop_at, "contrastive": bool(self.contrastive)},
        )


@formerly(layer="stop_at")
@front(ExcitationBackprop)
def excitation_backprop(
    net: Network,
    image: object,
    target: Target = None,
    stop_at: str | int | None = None,
    contrastive: bool = True,
    *,
    source: str | int | None = None,
    top: nn.Module | None = None,
) -> Relevance:
    """Excitation backprop or c-MWP from a class, any unit, or a module on top of a layer.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score. With ``source``
            or ``top``, the index of the unit; of a layer ``(C, H, W)`` a channel, whose locations
            start in proportion to their activations.
        source: layer of the unit; ``None`` for the classes.
        top: a module of the caller's, such as an encoder, that takes the output of ``source`` (or
            the logits) and returns units ``(1, K)`` or ``(1, C, H, W)``, among them ``target``.

    Returns:
        Relevance whose values are summed over the channels of ``stop_at`` and resized to the
        picture; its ``mass`` is the probability that arrived, before negative values are clipped:
        1 (contrastive: 0) when nothing was lost at negative activations or at units that nothing
        excites.

    Raises:
        ValueError: for a layer, class or unit that does not exist or does not lead to the other, an
            operation that excitation backprop is not defined for, or a channel that is silent.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> relevance = excitation_backprop(net, scene.image, contrastive=False)
        >>> relevance.values.shape, round(relevance.mass, 4)
        ((64, 64), 1.0)
    """
    if source is not None or top is not None:
        target = Above(source, cast(int, target), top)
    return ExcitationBackprop(stop_at, contrastive).run(net, image, target)


def excitations(units: Tensor, seeds: Tensor, to: Tensor, contrastive: bool) -> Tensor:
    """Probabilities that arrive at ``to`` in a forward pass traced with :data:`RULES`.

    Args:
        units: ``(N, ...)``, where the passes start.
        seeds: ``(M, N, ...)``, M distributions over the units.
        to: ``(N, ...)``, activations or pixels.
        contrastive: pass through the first weights once with W, once with -W, and subtract. This
            marks the traced pass: further calls on it are contrastive too.

    Returns:
        ``(M, N, ...)``, of the shape of ``to``; signed when contrastive.
    """
    refuse_hidden(units, (_Share, _Pass))
    if contrastive:
        first = _first_weights(units, to)
        if not first:
            raise ValueError(
                "there are no weights between the unit and the layer to stop at, which contrastive "
                "excitation backprop needs; pass contrastive=False"
            )
        for node in first:
            node.contrastive = True
    return go_back(units, seeds, to)


def _first_weights(units: Tensor, to: Tensor) -> list[Any]:
    """Graph nodes with weights that are the first such on their way from ``units`` to ``to``."""

    def has_weights(node: Any) -> bool:
        return getattr(node, "negative", None) is not None

    def ends(node: Any) -> bool:
        return node is to.grad_fn or has_weights(node)

    weighted = [node for node in nodes(units.grad_fn, ends) if has_weights(node)]
    weighted = [node for node in weighted if node is not to.grad_fn]
    below = {
        node
        for upper in weighted
        for following, _ in upper.next_functions
        for node in nodes(following, lambda node: node is to.grad_fn)
    }
    return [node for node in weighted if node not in below]


class _Share(Function):
    """Forward: the operation. Backward: p_in = x+ * f^T(p / f(x+)), f being its positive part."""

    @staticmethod
    def forward(
        ctx: Any,
        operation: Operation,
        positive: Excitation,
        negative: Excitation | None,
        *inputs: Tensor,
    ) -> Any:
        # networks write over what goes into sums and averages, whose gradient does not need it
        kept = [x.clone() for x in inputs] if negative is None else inputs
        ctx.save_for_backward(*kept)
        ctx.positive, ctx.negative, ctx.contrastive = positive, negative, False
        return operation()

    @staticmethod
    def backward(ctx: Any, p: Tensor) -> tuple[Any, ...]:
        inputs = [x.relu() for x in ctx.saved_tensors]
        signals = ctx.positive(p, *inputs)
        if ctx.contrastive:
            against = ctx.negative(p, *inputs)
            signals = [plus - minus for plus, minus in zip(signals, against, strict=True)]
        return None, None, None, *(x * s for x, s in zip(inputs, signals, strict=True))


def _back(f: Callable[..., Tensor], p: Tensor, *inputs: Tensor) -> Sequence[Tensor]:
    """f^T(p / f(x)) for a linear function f without negative weights."""
    total, back = cast(tuple[Tensor, Excitation], vjp(f, *inputs))
    return back(_ratio(p, total))


def _back_matrix(weight: Tensor, sign: Tensor | None, p: Tensor, x: Tensor) -> Sequence[Tensor]:
    """f^T(p / f(x)) for the positive part f of a matrix, in blocks of rows that fit the cache."""
    p, x = p.to(weight.dtype), x.to(weight.dtype)  # autocast multiplies in another type
    signal = torch.zeros_like(x)
    rows = max(1, 2**20 // weight.shape[1])
    for start in range(0, len(weight), rows):
        part = slice(start, start + rows)
        positive = (weight[part] if sign is None else weight[part] * sign[part]).relu()
        signal = signal + _ratio(p[..., part], x @ positive.T) @ positive
    return (signal,)


def _ratio(p: Tensor, total: Tensor) -> Tensor:
    least = min(torch.finfo(total.dtype).tiny ** 0.5, 1e-4)
    return torch.where(total > least, p / total, 0)


class _Pass(Function):
    """Forward: the operation. Backward: p where the scale is positive, elsewhere 0."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, positive: Tensor | bool, x: Tensor) -> Any:
        ctx.positive, ctx.shape = positive, x.shape
        return operation()

    @staticmethod
    def backward(ctx: Any, p: Tensor) -> tuple[None, None, Tensor]:
        return None, None, (p * ctx.positive).sum_to_size(ctx.shape)


def _linear(operation: Operation) -> Any:
    return _share_weights(operation, operation, None)


def _share_weights(operation: Operation, before: Operation, sign: Tensor | None) -> Any:
    """Forward: ``operation``. Backward: through ``before``, with its outputs times ``sign``."""
    weight, linear = before.weight, before.released()
    signed = weight.new_ones(len(weight), *[1] * (weight.ndim - 1)) if sign is None else sign
    positive, negative = (
        partial(_back_matrix, weight, signs)
        if linear.facts.outputs_first and not linear.facts.axes
        else partial(_back, partial(_excitation, linear, signs))
        for signs in (sign, -signed)
    )
    return _Share.apply(operation, positive, negative, *before.inputs)


def _excitation(linear: Operation, sign: Tensor | None, x: Tensor) -> Tensor:
    weight = linear.weight
    return linear.weighted(x.to(weight.dtype), (weight if sign is None else weight * sign).relu())


def _normalization(operation: Operation) -> Any:
    scale, (x,) = operation.argument("weight"), operation.inputs
    if scale is None:
        return _passed(operation)
    before = producer(x)
    if before is not None and before.facts.outputs_first:
        sign = scale.sign().view(-1, *[1] * (before.weight.ndim - 1))
        return _share_weights(operation, before, sign)
    return _Pass.apply(operation, scale.view(-1, *[1] * (x.ndim - 2)) > 0, x)


def _average(operation: Operation) -> Any:
    return _Share.apply(operation, partial(_back, operation.released()), None, *operation.inputs)


def _sum(operation: Operation) -> Any:
    coefficients = operation.facts.coefficients
    if len(operation.inputs) == 2:
        return _average(operation) if min(coefficients) > 0 else _undefined(operation)
    (x,) = operation.inputs
    return _Pass.apply(operation, coefficients[x is not operation.input] > 0, x)


def _product(operation: Operation) -> Any:
    signal_and_scale = factors(operation)
    if signal_and_scale is None:
        return _undefined(operation)
    x, scale = signal_and_scale
    positive = scale.detach() > 0 if isinstance(scale, Tensor) else scale > 0
    return _Pass.apply(operation, positive, x)


def _passed(operation: Operation) -> Any:
    return _Pass.apply(operation, True, *operation.inputs)


_undefined = undefined("excitation backprop")
RULES: Mapping[Kind, BackwardRule] = {
    "linear": _linear,
    "normalization": _normalization,
    "average": _average,
    "sum": _sum,
    "mul": _product,
    "rectifier": _passed,
    "gate": _passed,
    "unknown": _undefined,
}


def stop_layer(net: Network, stop_at: str | int | None, before: str | None = None) -> str:
    """Name of the layer to stop at, or ``"pixels"``.

    Args:
        net: the classifier.
        stop_at: name, number of a convolution, or ``"pixels"``; ``None`` for the deepest pooled
            layer with maps of at least 12 x 12, else the pixels.
        before: name of the layer that the default stands before; ``None`` for any.

    Raises:
        ValueError: when there is no such layer, or its output is no map.
    """
    if stop_at == "pixels":
        return "pixels"
    if stop_at is not None:
        layer = net.layer(stop_at)
        if len(layer.shape) != 3:
            raise ValueError(
                f"layer {layer.name!r} puts out {layer.shape}, which is no map (C, H, W); choose a "
                "layer before the maps are flattened (list them with net.layers)"
            )
        return layer.name
    deepest, jump = "pixels", (1, 1)
    for layer in net.layers:
        if layer.name == before:
            break
        maps = len(layer.shape) == 3 and min(layer.shape[1:]) >= 12
        if maps and "Pool" in layer.kind and layer.fields.jump > jump:
            deepest = layer.name
        jump = max(jump, layer.fields.jump)
    return deepest


def _seed(units: Tensor, index: int, label: str) -> Tensor:
    seed = torch.zeros_like(units)
    weights = units[0, index].detach().clamp(min=0) if units.ndim > 2 else seed.new_ones(())
    if not weights.sum() > 0:
        raise ValueError(f"{label} is silent for this image, so there is nothing to share out")
    seed[0, index] = weights / weights.sum()
    return seed


def at_pixels(values: Tensor, size: Sequence[int]) -> Tensor:
    """Maps ``(N, h, w)`` resized to ``(N, H, W)``, each scaled to its sum before."""
    resized = interpolate(values[:, None], list(size), mode="bilinear")[:, 0]
    before, after = (maps.sum((1, 2), keepdim=True) for maps in (values, resized))
    return resized * torch.where(after == 0, 1, before / after)
