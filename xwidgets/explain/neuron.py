"""Neurons: channels of a layer's output."""

from collections.abc import Sequence

from xwidgets.errors import index_within, shown
from xwidgets.networks import Layer, Network


def neuron_of(net: Network, neuron: object) -> tuple[Layer, int]:
    """Layer and channel of a neuron, a pair of a layer's name or number and a channel.

    Raises:
        ValueError: when it is no such pair, or there is no such layer or channel.
    """
    if not isinstance(neuron, Sequence) or isinstance(neuron, str) or len(neuron) != 2:
        raise ValueError(f"neuron {shown(neuron)} is no pair of a layer and a channel")
    layer = net.layer(neuron[0])
    return layer, index_within("channel", neuron[1], layer.channels, f"layer {layer.name!r}")
