"""The patch of the image that a neuron looks at (Lengerich et al. 2017).

The neuron's deconvnet reconstruction is zero where the image cannot have driven it. The bounding
box of what is not zero, cut from the image, is the neuron's patch. It lies inside the neuron's
receptive field, and touches it where the reconstruction reaches as far as the neuron can see.
"""

from collections.abc import Iterable
from itertools import chain

from torch import Tensor

from xwidgets.box import Box
from xwidgets.errors import number
from xwidgets.images import picture
from xwidgets.networks import Layer, Network
from xwidgets.networks.network import image_for
from xwidgets.results import NeuronPatch

from .deconvnet import RULES, Start, reconstructions, started
from .neuron import neuron_of


def neuron_patches(
    net: Network,
    image: object,
    neurons: Iterable[tuple[str | int, int]],
    start: Start = "map",
    threshold: float = 0.0,
) -> list[NeuronPatch]:
    """What each of several neurons, of any layers, looks at in one image.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        neurons: pairs of a layer, by name or number of the convolution, and a channel.
        start: as for :func:`xwidgets.deconvolve`.
        threshold: share of the reconstruction's largest absolute value that a pixel has to exceed
            to be in the box, 0 to below 1.

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
    x = image_for(net, image)
    number("threshold", threshold, lambda share: 0 <= share < 1, "from 0 to below 1")
    wanted = [neuron_of(net, neuron) for neuron in neurons]
    watched = net.watched(x[None], list({layer.name for layer, _ in wanted}), RULES)
    shown = picture(x)
    found: dict[tuple[Layer, int], NeuronPatch] = {}
    for layer in dict.fromkeys(layer for layer, _ in wanted):
        channels = [channel for one, channel in dict.fromkeys(wanted) if one == layer]
        reconstructed = chain.from_iterable(reconstructions(watched, layer.name, channels, start))
        for channel, pixels in zip(channels, reconstructed, strict=True):
            activation = watched.activations[layer.name][0, channel].detach()
            strength = pixels.abs().amax(0)
            found[layer, channel] = NeuronPatch(
                network=net.name,
                layer=layer.name,
                channel=channel,
                convolution=layer.convolution,
                depth=_depth(net, layer),
                activation=float(activation.max()),
                image=shown,
                pixels=pixels.float().cpu().numpy(),
                box=Box.around((strength > threshold * strength.max()).cpu().numpy()),
                field=_field(layer, started(activation, start), shown.shape[:2]),
            )
    return [found[neuron] for neuron in wanted]


def _depth(net: Network, layer: Layer) -> float:
    passed = net.layers[: net.layers.index(layer) + 1]
    count, total = (
        sum(one.convolution is not None for one in layers) for layers in (passed, net.layers)
    )
    return count / total if total else 1.0


def _field(layer: Layer, units: Tensor, size: tuple[int, int]) -> Box | None:
    """What those units of a map that are not zero see together."""
    map_ = units if units.ndim == 2 else units.reshape(1, 1)
    active = Box.around((map_ != 0).cpu().numpy())
    if active is None:
        return None
    first = layer.field_of(active.top, active.left, size)
    last = layer.field_of(active.bottom - 1, active.right - 1, size)
    return Box(first.top, first.left, last.bottom, last.right)
