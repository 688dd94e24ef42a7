"""Excitation backprop and c-MWP: attribution of a unit to lower activations (Zhang et al. 2016).

A probability of 1 is put on the unit and passed down. Through an operation f with non-negative
weights, every output's probability p is distributed over its inputs in proportion to their
contributions:

    p_in = x * f^T(p / f(x))                                       (0 where f(x) = 0)

f is the operation itself for averages and sums of branches. A convolution or linear layer excites
by its positive weights alone: f has max(W, 0) and no bias. Of the scale of a batch norm, or of any
affine map of each channel, only the sign matters, which is moved into the weights before it; where
there are none, a negative scale excites nothing. Rectifiers and other activations, and gates that
scale a signal, pass p on. Max pools send it to the maximum, and operations that move values move it
back: there the gradient does the same.

The contrastive form (c-MWP) passes p through the first weights on the way once with W and once with
-W, takes the difference, and clips it at zero at the very end. What a branch carries around the
first weights, to others further on, is passed with W alone.

Inputs count by their positive part. Pixels are not negative, but normalised ones are: what scales
and shifts them belongs to the layer that they go into, the scale to its weights and the shift to
its bias. So each counts by its distance from black, and with weights of the scale's sign.
The mass that arrives is then 1 as long as no activation on the way is negative, and less otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.functional import interpolate

from xwidgets.aliases import formerly
from xwidgets.networks import Network
from xwidgets.networks._network import Watched
from xwidgets.networks.forward_trace import BackwardRule, go_back, nodes, refuse_hidden, undefined
from xwidgets.networks.on_black import on_black
from xwidgets.networks.operation_table import Kind
from xwidgets.networks.operations import Operation
from xwidgets.networks.provenance import factors, producer
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Above, Resolved, Target, Unit
from xwidgets.results import Relevance
from xwidgets.results.numbers import percent

from ._parameter import front, names_of_layers, parameter
from .method import MapMethod

Excitation = Callable[..., Sequence[Tensor]]


def stop_parameter(line: str) -> Any:
    """Field for the layer to stop at, whose default depends on the layer of the target."""
    return parameter(
        None,
        line,
        choices=lambda method, subject: [None, "pixels", *names_of_layers(subject)],
        resolve=lambda value, subject: None if value is None else stop_layer(subject.net, value),
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
    contrastive: bool | None = parameter(
        None,
        "c-MWP, excitation of the unit less that of its opposite; otherwise plain MWP. ``None`` "
        "for c-MWP where one linear layer stands between the unit and the maps, and MWP where "
        "contrast would cancel: above a convolution, or several linear layers",
        choices=(None, True, False),
        label="Contrast",
    )

    pictures_at_once = 32
    asks = "Where does the activity come from that adds up to the score, layer by layer?"
    cost = "A pass forward and back, and another back for contrast."
    unit, signed = "share of the excitation", False

    @property
    def name(self) -> str:
        """Name of the method in results."""
        return "contrastive excitation backprop" if self.contrastive else "excitation backprop"

    def explain(self, subject: Subject, target: Resolved) -> Relevance:
        """Compute the map of one target."""
        watched = self._watched(subject.net, subject.image[None], [target])
        start = self._started(subject.net, watched, [target])
        contrast = start.contrast
        kinds = [False, True] if contrast.wanted else [False]
        seeds = start.seeds.expand(len(kinds), *start.seeds.shape)
        arrived = excitations(start.units, seeds, start.to, kinds)[:, 0]
        plain_mass = float(arrived[0].sum())
        return self.changed(contrastive=contrast.wanted).relevance(
            subject,
            target,
            _mapped(arrived[-1:], contrast, subject.image.shape[1:])[0],
            mass=float(arrived[-1].sum()),
            plain_mass=plain_mass,
            note=f"{contrast.reason} {share_that_arrived([plain_mass])}",
            parameters={"layer": target.layers[0] if target.layers else None, "top": None}
            | dict(target.facts)
            | {"stop_at": start.stop_at, "contrastive": contrast.wanted},
        )

    def explain_pictures(
        self, net: Network, images: Tensor, targets: Sequence[Sequence[Resolved]]
    ) -> Tensor:
        """Compute the maps of several pictures ``(N, C, H, W)`` in one pass."""
        watched = self._watched(net, images, targets[0])
        maps = []
        for column in zip(*targets, strict=True):
            start = self._started(net, watched, column)
            wanted = start.contrast.wanted
            arrived = excitations(start.units, start.seeds[None], start.to, [wanted])[0]
            maps.append(_mapped(arrived[: len(targets)], start.contrast, images.shape[2:]))
        return torch.stack(maps, 1)

    def _watched(self, net: Network, images: Tensor, targets: Sequence[Resolved]) -> Watched:
        """Pass of images, with what targets set out from and end at."""
        layers = [
            name for target in targets for name in (*target.layers, self._stop_layer(net, target))
        ]
        kept = [name for name in dict.fromkeys(layers) if name != "pixels"]
        return net.watched(images, kept, RULES)

    def _stop_layer(self, net: Network, target: Resolved) -> str:
        """Where the excitation of a target stops, as of :func:`stop_layer`."""
        return stop_layer(net, self.stop_at, target.layers[0] if target.layers else None)

    def _started(self, net: Network, watched: Watched, targets: Sequence[Resolved]) -> _Start:
        """Distributions over units of a pass, one for each of its first images."""
        stop_at = self._stop_layer(net, targets[0])
        units = targets[0].units(watched)
        to = watched.pixels if stop_at == "pixels" else watched.activations[stop_at]
        contrast = contrast_of(units, to, self.contrastive, isinstance(targets[0], Unit))
        seeds = torch.zeros_like(units)
        for row, target in enumerate(targets):
            index = cast(int, target.index)
            seeds[row, index] = _shares(units[row, index], target.label(net))
        return _Start(units, seeds, to, contrast, stop_at)


@formerly(layer="stop_at")
@front(ExcitationBackprop)
def excitation_backprop(
    net: Network,
    image: object,
    target: Target = None,
    stop_at: str | int | None = None,
    contrastive: bool | None = None,
    *,
    source: str | int | None = None,
    top: nn.Module | None = None,
) -> Relevance:
    """Excitation backprop or c-MWP from a class, any unit, or a module on top of a layer.

    Contrast is worth having where a single linear layer follows the maps. Of two birds side by
    side, the share of a map that lies on the one that is explained rises by it from .66 to .89 in
    EfficientNet-Lite0. In SqueezeNet, whose scores come from a 1 x 1 convolution, it stays at .68,
    and the maximum lies on that bird in 42 % of the pictures in place of 80 %. Below three linear
    layers 1 % of the mass is left, and the correlation of the map with the true effects of the
    parts of drawn birds falls from .49 to .05.

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
        picture. Its ``mass`` is the probability that arrived, before negative values are clipped,
        and its ``plain_mass`` that without contrast, which is 1 when nothing was lost at negative
        activations or at units that nothing excites. Its ``note`` tells the latter, and why
        there is contrast or none.

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


class Contrast(NamedTuple):
    """Whether excitation backprop is contrastive, and why, in a sentence."""

    wanted: bool
    reason: str


class _Start(NamedTuple):
    """A traced pass, and where excitation sets out in it.

    Attributes:
        units: ``(N, ...)``, among which the targets are.
        seeds: of their shape, 1 in each picture that has a target.
        to: ``(N, C, h, w)``, activations or pixels where it ends.
        contrast: whether it is contrastive, and why.
        stop_at: name of the layer where it ends, or ``"pixels"``.
    """

    units: Tensor
    seeds: Tensor
    to: Tensor
    contrast: Contrast
    stop_at: str


def contrast_of(
    units: Tensor,
    to: Tensor,
    wanted: bool | None,
    one_place: bool = False,
    x_features: bool = False,
) -> Contrast:
    """Contrast as asked for, or by default as far as it is of use.

    The weights of a convolution divide what arrives at a place among its inputs, W and -W the same.
    So where p arrives at many places, as it does from a pooled score, the difference has the sum 0
    in each window, and in a 1 x 1 convolution at each place. Weights that are applied once, to all
    places, leave a difference between places. Further linear layers below them mix all again, and
    leave little of it; that of x-features was found to outlive the layers of their encoder in most
    networks (docs/benchmarks.md).

    Args:
        units: where the passes start, in a forward pass traced with :data:`RULES`.
        to: activations or pixels where they end.
        wanted: ``None`` for the default.
        one_place: whether the units are those at one place of a map.
        x_features: whether they are those of an encoder.
    """
    first, of_use = _first_weights(units, to), False
    if not first:
        reason = "there are no weights on the way"
    elif not one_place and any(node.places > 1 for node in first):
        reason = (
            "the first weights on the way are applied at every place of a map, where it cancels"
        )
    elif not x_features and any(node.places == 1 for node in _below(first, to)):
        reason = "further linear layers follow on the way, which mix it away"
    else:
        reason, of_use = "the first weights on the way are applied once", True
    if wanted is None:
        return Contrast(of_use, f"{'With' if of_use else 'Without'} contrast, as {reason}.")
    but = f", though {reason}" if wanted and not of_use else ""
    with_or_without = "With" if wanted else "Without"
    return Contrast(bool(wanted), f"{with_or_without} contrast, as asked for{but}.")


def share_that_arrived(masses: Sequence[float]) -> str:
    """Sentence on the masses of plain excitation that arrived, of one unit or of several."""
    ends = min(masses), max(masses)
    shares = dict.fromkeys(percent(round(mass, 4)) for mass in ends)
    arrived = f"{' to '.join(shares)} of the plain excitation arrived"
    if min(ends) > 0.995:
        return f"{arrived}."
    return f"{arrived}; the rest was lost at negative activations or where nothing excites a unit."


def excitations(units: Tensor, seeds: Tensor, to: Tensor, contrastive: Sequence[bool]) -> Tensor:
    """Probabilities that arrive at ``to`` in a forward pass traced with :data:`RULES`.

    Contrastive ones set out with a negative sign, by which the first weights tell them from plain
    ones, and which is taken back at the end.

    Args:
        units: ``(N, ...)``, where the passes start.
        seeds: ``(M, N, ...)``, M distributions over the units.
        to: ``(N, ...)``, activations or pixels.
        contrastive: for each, whether it passes through the first weights once with W, once with
            -W, and the difference goes on.

    Returns:
        ``(M, N, ...)``, of the shape of ``to``; signed where contrastive.
    """
    refuse_hidden(units, (_Share, _Pass))
    first = _first_weights(units, to) if any(contrastive) else []
    if any(contrastive) and not first:
        raise ValueError(
            "there are no weights between the unit and the layer to stop at, which contrastive "
            "excitation backprop needs; pass contrastive=False"
        )
    signs = seeds.new_tensor([-1 if contrasted else 1 for contrasted in contrastive])
    for node in first:
        node.first = True
    try:
        arrived = go_back(units, signs.view(-1, *[1] * units.ndim) * seeds, to)
    finally:
        for node in first:
            node.first = False
    return signs.view(-1, *[1] * to.ndim) * arrived


def _first_weights(units: Tensor, to: Tensor) -> list[Any]:
    """Graph nodes with weights that are the first such on their way from ``units`` to ``to``."""

    def ends(node: Any) -> bool:
        return node is to.grad_fn or _has_weights(node)

    weighted = [node for node in nodes(units.grad_fn, ends) if _has_weights(node)]
    weighted = [node for node in weighted if node is not to.grad_fn]
    below = set(_below(weighted, to))
    return [node for node in weighted if node not in below]


def _below(upper: Sequence[Any], to: Tensor) -> Iterator[Any]:
    """Graph nodes with weights below others, on the way to ``to``."""
    for above in upper:
        for following, _ in above.next_functions:
            for node in nodes(following, lambda node: node is to.grad_fn):
                if _has_weights(node) and node is not to.grad_fn:
                    yield node


def _has_weights(node: Any) -> bool:
    return getattr(node, "negative", None) is not None


class _Share(Function):
    """Forward: the operation. Backward: p_in = x+ * f^T(p / f(x+)), f being its positive part.

    Where ``ctx.first``, a negative p marks contrast: what -f sends back of it is subtracted.
    """

    @staticmethod
    def forward(
        ctx: Any,
        operation: Operation,
        positive: Excitation,
        negative: Excitation | None,
        *inputs: Tensor,
    ) -> Any:
        # networks write over what goes into sums and averages, whose gradient does not need it
        kept = [x.clone().requires_grad_() for x in inputs] if negative is None else inputs
        ctx.save_for_backward(*kept)
        ctx.positive, ctx.negative, ctx.first = positive, negative, False
        return operation()

    @staticmethod
    def backward(ctx: Any, p: Tensor) -> tuple[Any, ...]:
        with torch.enable_grad():
            inputs = [x.relu() for x in ctx.saved_tensors]
        signals = ctx.positive(p, *inputs)
        if ctx.first:
            against = ctx.negative((-p).relu(), *inputs)
            signals = [plus + minus for plus, minus in zip(signals, against, strict=True)]
        return None, None, None, *(x * s for x, s in zip(inputs, signals, strict=True))


def _back(f: Callable[..., Tensor], p: Tensor, *inputs: Tensor) -> Sequence[Tensor]:
    """f^T(p / f(x)) for a linear function f without negative weights."""
    with torch.enable_grad():
        total = f(*inputs)
    return torch.autograd.grad(total, inputs, _ratio(p, total.detach()))


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
    return p / torch.threshold(total, least, torch.inf)


class _Pass(Function):
    """Forward: the operation. Backward: p where the scale is positive, elsewhere 0."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, positive: Tensor | bool, x: Tensor) -> Any:
        ctx.positive, ctx.shape = positive, x.shape
        return operation()

    @staticmethod
    def backward(ctx: Any, p: Tensor) -> tuple[None, None, Tensor]:
        passed = p if ctx.positive is True else p * ctx.positive
        return None, None, passed.sum_to_size(ctx.shape)


def _linear(operation: Operation) -> Any:
    return _share_weights(operation, operation, None)


def _share_weights(operation: Operation, before: Operation, sign: Tensor | None) -> Any:
    """Forward: ``operation``. Backward: through ``before``, with its outputs times ``sign``."""
    weight, linear = before.weight, before.released()
    if before.sign is not None:
        sign = before.sign if sign is None else before.sign * sign
    (x,) = before.inputs
    above = _above_black(x)
    inverted = None if above is None else above < 0
    dense = linear.facts.outputs_first and not linear.facts.axes and inverted is None
    against = weight.new_full((len(weight) if dense else 1,), -1) if sign is None else -sign
    positive, negative = (
        partial(_back_matrix, weight, None if signs is None else signs.expand(len(weight))[:, None])
        if dense
        else partial(_back, partial(_excitation, linear, signs, inverted))
        for signs in (sign, against)
    )
    counted = x if above is None else _Pass.apply(above.abs, True, x)
    output = cast(Tensor, _Share.apply(operation, positive, negative, counted))
    channels = output.shape[1 if linear.facts.axes else -1]
    output.grad_fn.places = output[0].numel() // channels  # type: ignore[union-attr]
    return output


def _excitation(
    linear: Operation, sign: Tensor | None, inverted: Tensor | None, x: Tensor
) -> Tensor:
    """Sum of what excites; inputs that are ``inverted`` pixels do so by negative weights."""
    weight = linear.weight if sign is None else linear.weight_times(sign)
    x = x.to(weight.dtype)
    if inverted is None:
        return linear.weighted(x, weight.relu())
    upright = linear.weighted(x.where(~inverted, 0), weight.relu())
    return upright + linear.weighted(x.where(inverted, 0), (-weight).relu())


def _above_black(x: Tensor) -> Tensor | None:
    """Difference that the pixels make to black ones, where ``x`` is nothing but pixels."""
    black = on_black(x)
    return None if black is None else x.detach() - black


def _normalization(operation: Operation) -> Any:
    scale, (x,) = operation.scale, operation.inputs
    before = producer(x)
    if before is not None and before.kind == "linear":
        return _share_weights(operation, before, scale.sign().to(before.weight))
    return _scaled(operation, operation.spread(scale.to(x)) > 0, x)


def _scaled(operation: Operation, positive: Tensor | bool, x: Tensor) -> Any:
    """Pass p on where the scale is positive; all of it where what follows takes pixels' signs."""
    return _Pass.apply(operation, positive if on_black(x) is None else True, x)


def _average(operation: Operation) -> Any:
    counted = [
        x if (above := _above_black(x)) is None else _Pass.apply(above.clone, True, x)
        for x in operation.inputs
    ]
    return _Share.apply(operation, partial(_back, operation.released()), None, *counted)


def _sum(operation: Operation) -> Any:
    coefficients = operation.facts.coefficients
    if len(operation.inputs) == 2:
        return _average(operation) if min(coefficients) > 0 else _undefined(operation)
    (x,) = operation.inputs
    return _scaled(operation, coefficients[x is not operation.input] > 0, x)


def _product(operation: Operation) -> Any:
    signal_and_scale = factors(operation)
    if signal_and_scale is None:
        return _undefined(operation)
    x, scale = signal_and_scale
    before = producer(x)
    negative = not isinstance(scale, Tensor) and scale < 0
    if negative and before is not None and before.kind == "linear":
        return _share_weights(operation, before, torch.tensor([scale]).sign().to(before.weight))
    positive = scale.detach() > 0 if isinstance(scale, Tensor) else scale > 0
    return _scaled(operation, positive, x)


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
    if isinstance(stop_at, str) and stop_at == "pixels":
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
        maps = len(layer.shape) == 3 and min(layer.shape[1:]) >= 12 and layer.rows == 1
        if maps and "Pool" in layer.kind and layer.fields.jump > jump:
            deepest = layer.name
        jump = max(jump, layer.fields.jump)
    return deepest


def _shares(values: Tensor, label: str) -> Tensor:
    """Shares of 1 of a unit, in proportion to the activations of its places."""
    weights = values.detach().clamp(min=0) if values.ndim else values.new_ones(())
    if not weights.sum() > 0:
        raise ValueError(f"{label} is silent for this image, so there is nothing to share out")
    return weights / weights.sum()


def _mapped(arrived: Tensor, contrast: Contrast, size: Sequence[int]) -> Tensor:
    """Maps ``(n, H, W)`` of what arrived ``(n, C, h, w)``, summed over the channels."""
    values = arrived.sum(1)
    return at_pixels(values.clamp(min=0) if contrast.wanted else values, size)


def at_pixels(values: Tensor, size: Sequence[int]) -> Tensor:
    """Maps ``(N, h, w)`` resized to ``(N, H, W)``, each scaled to its sum before."""
    resized = interpolate(values[:, None], list(size), mode="bilinear")[:, 0]
    before, after = (maps.sum((1, 2), keepdim=True) for maps in (values, resized))
    return resized * torch.where(after == 0, 1, before / after)
