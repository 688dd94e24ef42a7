"""Randomised weights: does a map depend on what the network has learnt?

A map that stays the same when the weights behind it are randomised shows the picture, not the
network (Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from xwidgets.errors import a_seed, of_kind
from xwidgets.explain import Method
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Target
from xwidgets.results import Relevance

from ._agreement import agreement


@dataclass(frozen=True)
class WeightRandomisation:
    """Agreement of maps of ever more randomised networks with the map of the network itself.

    Attributes:
        layers: names of all layers with weights, from the output to the first.
        agreements: for each layer that was randomised so far, in this order, the agreement of the
            map with the original one, when this layer and all before it in the list are random; as
            :func:`agreement` says.
        relevance: the map of the network itself.
    """

    layers: tuple[str, ...]
    agreements: tuple[float, ...]
    relevance: Relevance = field(repr=False)

    @property
    def completed(self) -> float:
        """Share of the layers that were randomised."""
        return len(self.agreements) / len(self.layers)


def weight_randomisation(
    net: Network, image: object, method: Method[Relevance], target: Target = None, seed: int = 0
) -> WeightRandomisation:
    """Randomise the weights layer by layer from the output on, and compare the maps.

    The entries of each weight and bias are permuted, which keeps their distribution. The class
    stays the one of the network itself.

    Args:
        net: the classifier; its module is not changed.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        method: one that gives a map.
        target: class index or name, or part of a layer; ``None`` for the class with the highest
            score.
        seed: of the permutations.

    Returns:
        The agreement after each layer.

    Raises:
        ValueError: for invalid arguments, or a network without weights.

    Example:
        >>> import xwidgets as xw
        >>> net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
        >>> randomised = weight_randomisation(net, image, xw.Saliency())
        >>> len(randomised.agreements), randomised.layers[0]
        (16, 'classifier.6')
        >>> randomised.agreements[-1] < 0.5
        True
    """
    return deque(weight_randomisation_steps(net, image, method, target, seed), maxlen=1).pop()


def weight_randomisation_steps(
    net: Network, image: object, method: Method[Relevance], target: Target = None, seed: int = 0
) -> Iterator[WeightRandomisation]:
    """Yield the result of :func:`weight_randomisation` after each layer; arguments as there."""
    of_kind("method", method, Method, "a method, such as xw.Saliency()")
    a_seed(seed)
    subject = Subject(a_network(net).frozen(), image)
    resolved = subject.target(target)
    [original] = method.complete(subject, [resolved])
    randomised = net.frozen()
    layers = _layers(randomised)
    if not layers:
        raise ValueError(f"{net.name} has no weights that could be randomised")
    generator = torch.Generator().manual_seed(seed)

    def steps() -> Iterator[WeightRandomisation]:
        agreements: list[float] = []
        for _, weights in layers:
            for weight in weights:
                _permute(weight, generator)
            [changed] = method.complete(Subject(randomised, subject.image), [resolved])
            agreements.append(agreement(original, changed))
            names = tuple(name for name, _ in layers)
            yield WeightRandomisation(names, tuple(agreements), original)

    return steps()


def _layers(net: Network) -> list[tuple[str, Sequence[Tensor]]]:
    """Names and weights of the submodules that have any of their own, the output first."""
    order = {layer.name: place for place, layer in enumerate(net.layers)}
    own = [
        (name, list(part.parameters(recurse=False))) for name, part in net.module.named_modules()
    ]
    own = [(name, weights) for name, weights in own if weights]
    return sorted(own, key=lambda layer: -order.get(layer[0], -1))


def _permute(weight: Tensor, generator: torch.Generator) -> None:
    order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
    with torch.no_grad():
        weight.copy_(weight.flatten()[order].view_as(weight))
