"""Deconvnet: reconstruction of a neuron's input (Zeiler & Fergus 2014; Lengerich et al. 2017).

All activations of a layer but the neuron's are set to zero, and the rest is passed down to the
pixels: through max pools by their switches, through convolutions by the transposed kernels without
bias, through rectifiers by rectifying the signal itself. Of these, only the last differs from the
gradient: the gradient masks the signal where the forward input was negative, a deconvnet where the
signal is negative. Sums, concatenations, average pools and batch norm are linear, and their
transpose is that of the gradient. So one rule changes. (Overlapping pools sum what comes back, as
their gradient does.)

Leaky and parametric rectifiers scale a negative signal by their slope; smooth and capped ones
(SiLU, GELU, ReLU6 ...) set it to zero. What is written as several operations, such as
x * sigmoid(x), is one rectifier. A gate that scales a signal by another tensor, such as that of a
squeeze-and-excitation block, is a constant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from xwidgets.errors import index_within
from xwidgets.incremental.budget import Budget
from xwidgets.networks import Network
from xwidgets.networks._network import Watched
from xwidgets.networks.forward_trace import BackwardRule, go_back, nodes, refuse_hidden, undefined
from xwidgets.networks.operation_table import Kind
from xwidgets.networks.operations import Operation
from xwidgets.networks.provenance import factors
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Class, Resolved, layers_of
from xwidgets.results import Relevance

from ._parameter import front, parameter
from .method import MapMethod

Start = Literal["map", "maximum"]


@dataclass(frozen=True)
class Deconvnet(MapMethod):
    """Deconvnet (Zeiler & Fergus 2014): reconstruction of a neuron's input, summed over colours.

    The signal of a class, which has no rectifier, is 1.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> Deconvnet(start="maximum").run(net, scene.image, xw.Channel("features.3", 5))
        <Relevance 64 x 64: deconvnet for 'features.3, channel 5' (birds), in ...>
    """

    start: Start = parameter(
        "map",
        'from the neuron\'s whole ``"map"`` (Lengerich et al.) or its ``"maximum"`` alone '
        "(Zeiler & Fergus)",
        choices=("map", "maximum"),
        label="Start from",
    )

    pictures_at_once = 32
    name, unit = "deconvnet", "logits per pixel value"
    cost = "A pass forward and back."
    asks = "Which pixels do the layers paint for the score when they are run backwards?"

    def explain(self, subject: Subject, target: Resolved) -> Relevance:
        """Compute the reconstruction of one target, summed over the colours."""
        maps = self.explain_pictures(subject.net, subject.image[None], [[target]])
        of_class = isinstance(target, Class)
        unit = self.unit if of_class else "activation squared per pixel value"
        return self.relevance(subject, target, maps[0, 0], unit=unit)

    def explain_pictures(
        self, net: Network, images: Tensor, targets: Sequence[Sequence[Resolved]]
    ) -> Tensor:
        """Compute the reconstructions of several pictures ``(N, C, H, W)`` in one pass."""
        watched = net.watched(images, layers_of(targets[0]), RULES)
        maps = []
        for column in zip(*targets, strict=True):
            units = column[0].units(watched)
            _check_rectified(units, column[0].label(net))
            seeds = torch.zeros_like(units)
            for row, target in enumerate(column):
                values = units[row, target.index].detach()
                of_class = isinstance(target, Class)
                signal = torch.ones_like(values) if of_class else started(values, self.start)
                seeds[row, target.index] = signal
            maps.append(go_back(units, seeds[None], watched.pixels)[0, : len(targets)].sum(1))
        return torch.stack(maps, 1)


@front(Deconvnet)
def deconvolve(
    net: Network,
    image: object,
    layer: str | int,
    channel: int | Sequence[int],
    start: Start = "map",
) -> Tensor:
    """Reconstructions at the pixels of one neuron, or of several neurons of one layer.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        layer: the neuron's layer, by name, or a convolution by its number. Activations are read
            behind the batch norm and the rectifier that directly follow a convolution.
        channel: the neuron, a channel of the layer's output; or several.

    Returns:
        ``(C, H, W)``, signed, in units of activation squared per pixel value; ``(M, C, H, W)`` for
        M channels.

    Raises:
        ValueError: when there is no such layer or channel, no rectifier on the way, or an operation
            that a deconvnet is not defined for.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> deconvolve(net, scene.image, "features.3", channel=[5, 7]).shape
        torch.Size([2, 3, 64, 64])
    """
    subject = Subject(net, image)
    method = Deconvnet(start)
    method.check_parameters()
    chosen = net.layer(layer)
    if isinstance(channel, Tensor | np.ndarray):
        channel = channel.tolist()
    several = channel if isinstance(channel, Sequence) else [channel]
    if not several:
        raise ValueError("channel is empty; give the number of a channel, or several")
    label = f"layer {chosen.name!r}"
    channels = [index_within("channel", number, chosen.shape[0], label) for number in several]
    watched = subject.watched([chosen.name], rules=RULES)
    maps, begin = watched.activations[chosen.name], partial(started, start=start)
    pixels = torch.cat(list(reconstructions(net, watched, maps, label, channels, begin)))
    return pixels if several is channel else pixels[0]


def reconstructions(
    net: Network,
    watched: Watched,
    units: Tensor,
    owner: str,
    channels: Sequence[int],
    begin: Callable[[Tensor], Tensor],
) -> Iterator[Tensor]:
    """Reconstructions of channels, a few ``(M, C, H, W)`` at a time.

    Args:
        net: the network.
        watched: a forward pass of it, traced with :data:`RULES`.
        units: ``(1, C', ...)``, activations of that pass.
        owner: name of the units in errors.
        channels: of ``units``.
        begin: takes a channel's values and returns its signal.

    Raises:
        ValueError: as :func:`deconvolve`.
    """
    _check_rectified(units, owner)
    together = _together(net, watched.pixels)
    for first in range(0, len(channels), together):
        some = channels[first : first + together]
        seeds = units.new_zeros(len(some), *units.shape)
        for seed, channel in zip(seeds, some, strict=True):
            seed[0, channel] = begin(units[0, channel].detach())
        yield go_back(units, seeds, watched.pixels)[:, 0]


def _check_rectified(units: Tensor, owner: str) -> None:
    """Check that all that lies before units was seen, a rectifier among it."""
    refuse_hidden(units, (_Rectify,))
    if not any(node.name() == "_RectifyBackward" for node in nodes(units.grad_fn)):
        raise ValueError(
            f"there is no rectifier between the pixels and {owner}, so that a deconvnet "
            "would be the gradient; for that there is xw.saliency"
        )


def started(values: Tensor, start: Start) -> Tensor:
    """Signal that a reconstruction starts from: a neuron's whole map, or its maximum and else 0."""
    if start == "map":
        return values
    others = torch.arange(values.numel(), device=values.device) != values.argmax()
    return values.masked_fill(others.view_as(values), 0)


_SIGNAL = 6  # largest maps that a signal takes on its way
_LEAST, _MOST = 2, 6
"""How many signals go back at once on a processor, where two to six were fastest."""


def _together(net: Network, pixels: Tensor) -> int:
    """How many signals go back to ``pixels`` ``(1, C, H, W)`` at once."""
    area = pixels.shape[2] * pixels.shape[3] / prod(net.size)
    largest = area * max(prod(layer.shape) for layer in net.layers) * pixels.element_size()
    return max(_LEAST, Budget.of(None, net.device).size(_SIGNAL * largest, _MOST))


class _Rectify(Function):
    @staticmethod
    def forward(ctx: Any, operation: Operation, x: Tensor) -> Any:
        ctx.plain = operation.facts.plain
        ctx.slope = -operation(torch.full_like(x, -1)) if operation.facts.leaky else 0
        ctx.gain = operation.gain
        return operation()

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[None, Tensor]:
        if ctx.plain:
            return None, signal.relu()
        return None, torch.where(signal > 0, ctx.gain * signal, ctx.slope * signal)


def _rectifier(operation: Operation) -> Any:
    return _Rectify.apply(operation, *operation.inputs)


def _product(operation: Operation) -> Any:
    signal_and_scale = factors(operation)
    if signal_and_scale is None:
        return _undefined(operation)
    x, _ = signal_and_scale
    return operation(*(value if value is x else value.detach() for value in operation.inputs))


_undefined = undefined("a deconvnet")
RULES: Mapping[Kind, BackwardRule] = {
    "rectifier": _rectifier,
    "mul": _product,
    "gate": _undefined,
    "unknown": _undefined,
}
