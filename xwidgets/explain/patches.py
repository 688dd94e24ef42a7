"""Neuron patches: the part of the image that a neuron responds to (Lengerich et al. 2017).

The neuron's deconvnet reconstruction is zero where the image cannot have activated it. The bounding
box of the non-zero pixels, cut from the image, is the neuron's patch. It lies inside the neuron's
receptive field, and touches its border where the reconstruction reaches as far.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import cast

from torch import Tensor

from xwidgets.box import Box
from xwidgets.errors import listed, number, of_kind
from xwidgets.networks import Layer, Network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Channel, Resolved
from xwidgets.results import NeuronPatch

from ._parameter import front, parameter
from .deconvnet import RULES, Start, reconstructions, started
from .method import Method
from .neuron import neuron_of
from .run import InOneGo, Run


@dataclass(frozen=True)
class NeuronPatches(Method[NeuronPatch]):
    """Patch of the image that a channel of a layer responds to (Lengerich et al. 2017).

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> NeuronPatches(start="maximum").run(net, scene.image, xw.Channel(3, 11))
        <NeuronPatch: features.5 channel 11 (birds), box ...>
    """

    start: Start = parameter(
        "map",
        'from a neuron\'s whole ``"map"`` or its ``"maximum"`` alone, as of '
        ":func:`xwidgets.deconvolve`",
        choices=("map", "maximum"),
        label="Start from",
    )
    threshold: float = parameter(
        0.0,
        "share of the reconstruction's largest absolute value that a pixel has to exceed to be in "
        "the box, 0 to below 1",
        check=lambda name, value: number(name, value, lambda x: 0 <= x < 1, "from 0 to below 1"),
    )

    name, unit = "neuron patches", "activation squared per pixel value"

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the targets are channels."""
        for target in targets:
            of_kind("a target", target, Channel, "an xw.Channel(layer, number), a neuron")

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Run[NeuronPatch]:
        """Prepare to compute the patches of all neurons in one pass."""
        return InOneGo(lambda: self._patches(subject, cast(Sequence[Channel], targets)))

    def _patches(self, subject: Subject, neurons: Sequence[Channel]) -> list[NeuronPatch]:
        net = subject.net
        begin = partial(started, start=self.start)
        layers = {str(neuron.layer): net.layer(neuron.layer) for neuron in neurons}
        watched = subject.watched(list(layers), rules=RULES)
        patches: dict[Channel, NeuronPatch] = {}
        for name, layer in layers.items():
            in_layer = [neuron for neuron in dict.fromkeys(neurons) if neuron.layer == name]
            maps = watched.activations[name]
            channels = [cast(int, neuron.index) for neuron in in_layer]
            parts = reconstructions(net, watched, maps, f"layer {name!r}", channels, begin)
            for neuron, pixels in zip(in_layer, chain.from_iterable(parts), strict=True):
                activation = maps[0, cast(int, neuron.index)].detach()
                strength = pixels.abs().amax(0)
                patches[neuron] = NeuronPatch(
                    network_name=net.name,
                    layer=name,
                    channel=cast(int, neuron.index),
                    convolution=layer.convolution,
                    depth=_depth(net, layer),
                    activation=float(activation.max()),
                    image=subject.picture,
                    pixels=pixels.float().cpu().numpy(),
                    box=Box.around((strength > self.threshold * strength.max()).cpu().numpy()),
                    field=_field(layer, begin(activation), subject.picture.shape[:2]),
                )
        return [patches[neuron] for neuron in neurons]


@front(NeuronPatches)
def neuron_patches(
    net: Network,
    image: object,
    neurons: Iterable[tuple[str | int, int]],
    start: Start = "map",
    threshold: float = 0.0,
) -> list[NeuronPatch]:
    """Patches of one image that several neurons, of any layers, respond to.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        neurons: pairs of a layer, by name or number of the convolution, and a channel.

    Returns:
        A patch for each neuron, in the same order.

    Raises:
        ValueError: as :func:`xwidgets.deconvolve`, or for a threshold outside [0, 1).

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> [patch] = neuron_patches(net, scene.image, [(3, 11)], start="maximum")
        >>> patch.crop.shape <= net.layer(3).receptive_field + (3,)
        True
    """
    subject = Subject(net, image)
    method = NeuronPatches(start, threshold)
    method.check_parameters()
    pairs = listed("neurons", neurons, object, "pairs of a layer and a channel")
    chosen = [
        Channel(layer.name, channel) for layer, channel in map(partial(neuron_of, net), pairs)
    ]
    return method.complete(subject, chosen) if chosen else []


def _depth(net: Network, layer: Layer) -> float:
    passed = net.layers[: net.layers.index(layer) + 1]
    count, total = (
        sum(layer.convolution is not None for layer in layers) for layers in (passed, net.layers)
    )
    return count / total if total else 1.0


def _field(layer: Layer, units: Tensor, size: tuple[int, int]) -> Box | None:
    """Union of the receptive fields of the units of a map that are not zero."""
    map_ = units if units.ndim == 2 else units.reshape(1, 1)
    active = Box.around((map_ != 0).cpu().numpy())
    if active is None:
        return None
    first = layer.field_of(active.top, active.left, size)
    last = layer.field_of(active.bottom - 1, active.right - 1, size)
    return Box(first.top, first.left, last.bottom, last.right)
