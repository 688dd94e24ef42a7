"""Prediction difference of hidden units: change of a node when one of them is unknown.

Section 3.3 of Zintgraf et al. (2016): for the units h of a layer and a node z = g(h) above it,

    g(z | h \\ i) = E_{p(h_i)} g(z | h with unit i replaced)                          (7, 8)
    AD_i(z | h)   = g(z | h) - g(z | h \\ i)                                           (9)

The unit's distribution is the empirical one: its activations in other images. For a class behind
softmax the difference is that of log2 odds, as for pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from xwidgets.aliases import formerly
from xwidgets.images import as_pixels
from xwidgets.incremental import UnitInference
from xwidgets.incremental.precision import ComputeDtype
from xwidgets.networks import Network
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Node, Resolved, in_layer
from xwidgets.results import UnitRelevance

from ._parameter import (
    compute_dtype_parameter,
    front,
    layer_parameter,
    memory_parameter,
    parameter,
    seed_parameter,
)
from .method import Method
from .nodes import MEASURES, nodes_of, training_size_on
from .removal.samplers import other_images
from .running_moments import RunningMoments
from .standard_errors import standard_errors

Measure = Literal["evidence", "difference"]


@formerly(layer="removed_layer")
@dataclass(frozen=True)
class UnitDifference(Method[UnitRelevance]):
    """Prediction difference of every unit of a hidden layer (Zintgraf et al. 2016, section 3.3).

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> UnitDifference("classifier.1", samples=2).run(net, scene.image)
        <UnitRelevance 128: units of classifier.1 for ...>
    """

    removed_layer: str | int = layer_parameter(
        1,
        "name, or number of a convolution; its units are removed one at a time, behind the batch "
        "norm and rectifier that directly follow it",
        maps=False,
    )
    images: object = parameter(
        None,
        "``(N, C, H, W)`` in [0, 1] of the image's size, from which the other values of units are "
        "drawn; ``None`` for the network's examples",
        told=False,
        compared=True,
    )
    samples: int = parameter(20, "S, the number of these images, chosen at random", least=1)
    seed: int = seed_parameter("of the choice of images")
    measure: Measure = parameter(
        "evidence",
        'of classes, ``"evidence"`` in bits, or ``"difference"`` of scores before softmax',
        choices=("evidence", "difference"),
        label="Measure",
    )
    training_size: int | None = parameter(
        None,
        "N of the Laplace correction; ``None`` for what the network says",
        least=1,
        resolve=training_size_on,
    )
    memory: float | None = memory_parameter()
    compute_dtype: ComputeDtype = compute_dtype_parameter()

    name = "prediction difference of units"

    @property
    def unit(self) -> str:
        """Unit of the values of its results for a class."""
        return MEASURES[self.measure].unit

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that there is a single target."""
        if len(targets) > 1:
            raise ValueError("units are removed for one target at a time; give one")

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> _Removal:
        """Prepare to remove units."""
        return _Removal(self, subject, targets[0])


class _Removal:
    """Run that removes the units of a layer one after another."""

    def __init__(self, method: UnitDifference, subject: Subject, target: Resolved) -> None:
        assert method.training_size is not None
        self._method, self._subject, self._target = method, subject, target
        net, layer = subject.net, str(method.removed_layer)
        self._samples, self._seed = int(method.samples), int(method.seed)
        self._nodes = nodes_of(subject, [target], method.measure, int(method.training_size))
        pixels = subject.pixels
        self._inference = UnitInference(
            net,
            pixels,
            layer,
            self._nodes.read,
            method.memory,
            method.compute_dtype,
            _UNIT + self._samples * pixels.element_size(),
        )
        self._base = self._inference.activations
        at_once = min(_AT_ONCE, self._inference.budget.image_size(net, pixels, "image"))
        self._others = _in_other_images(
            net, layer, pixels, method.images, self._samples, self._seed, at_once
        )
        self._moments = RunningMoments(self._base.numel(), 1)

    def steps(self) -> Iterator[None]:
        """Remove a batch of units in each step."""
        inference, base = self._inference, self._base
        for units, sample in _turns(base.numel(), inference.batch, self._samples, self._seed):
            changes = self._others[sample, units] - base.flatten()[units]
            outputs = finite(self._subject.net, inference.outputs(units, changes))
            self._moments.add(units, self._nodes.values(outputs))
            yield

    def results(self) -> list[UnitRelevance]:
        """Relevance of the units so far."""
        moments, nodes, base = self._moments, self._nodes, self._base
        known = moments.count[:, None] > 0
        values = torch.where(known, nodes.lost(moments.mean), torch.nan)
        variance = moments.variance * nodes.slope(moments.mean) ** 2
        error = standard_errors(variance[:, 0], moments.count - 1, moments.count)
        told = self._method.told()
        return [
            UnitRelevance(
                values=values.float().reshape(base.shape).numpy(),
                standard_error=error.float().reshape(base.shape).numpy(),
                image=self._subject.picture,
                layer=told["removed_layer"],
                unit=nodes.unit,
                network_name=self._subject.net.name,
                target=nodes.indices[0],
                label=self._target.label(self._subject.net),
                parameters=told | {"target": dict(self._target.facts)},
                completed=float(moments.count.mean()) / self._samples,
                note="; ".join(filter(None, (nodes.note(0), self._inference.note))),
                compute_dtype=str(self._inference.compute_dtype).removeprefix("torch."),
            )
        ]


@formerly(layer="removed_layer", target_layer="layer")
@front(UnitDifference)
def unit_relevance(
    net: Network,
    image: object,
    removed_layer: str | int,
    target: Node = None,
    images: object = None,
    samples: int = 20,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float | None = None,
    layer: str | int | None = None,
    seconds: float | None = None,
    compute_dtype: ComputeDtype = "float32",
) -> UnitRelevance:
    """Relevance of every unit of a hidden layer by prediction difference (Zintgraf et al. 2016).

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer above ``removed_layer``.
            With a ``layer``, a channel or unit of that, as of
            :func:`xwidgets.prediction_difference`.
        layer: of the target, where it is no class.
        seconds: time limit, after which the result so far is returned; ``None`` for the complete.

    Returns:
        The relevance of the units, positive where one speaks for the node.

    Raises:
        ValueError: for invalid arguments.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> xw.unit_relevance(net, scene.image, "classifier.1", samples=2)
        <UnitRelevance 128: units of classifier.1 for ...>
    """
    method = UnitDifference(
        removed_layer, images, samples, seed, measure, training_size, memory, compute_dtype
    )
    return method.run(net, image, in_layer(target, layer), seconds)


def _in_other_images(
    net: Network,
    layer: str,
    image: Tensor,
    images: object,
    samples: int,
    seed: int,
    at_once: int,
) -> Tensor:
    """Activations ``(S, units)`` of the layer in S other images, chosen at random, some at once."""
    if images is None:
        if net.examples is None:
            raise ValueError(
                f"{net.name} brings no images in which its units could have other values; give "
                "images=(N, C, H, W) like those it was trained on"
            )
        images = net.examples()
    pool = other_images(as_pixels(images, net.channels), image)
    chosen = np.random.default_rng(seed).choice(len(pool), samples, replace=len(pool) < samples)
    others: Tensor | None = None
    with net.evaluating():
        for numbers in torch.arange(samples).split(at_once):
            part = pool[torch.from_numpy(chosen)[numbers]].to(memory_format=net.memory_format)
            activations = net.activations(part, layer).flatten(1)
            if len(activations) < len(part):
                raise ValueError(
                    f"layer {layer!r} puts out the same for every image, so that its units have "
                    "no other values; choose another layer"
                )
            if others is None:
                others = activations.new_empty(samples, activations.shape[1])
            others[numbers] = activations
    assert others is not None
    return others


_AT_ONCE = 8  # images whose activations are computed together, at most
_UNIT = 80  # bytes of a unit's moments and results


def _turns(units: int, batch: int, samples: int, seed: int) -> Iterator[tuple[Tensor, int]]:
    """Batches of units with the number of a sample: all with the first, then the second ..."""
    order = torch.Generator().manual_seed(seed)
    for sample in range(samples):
        shuffled = torch.randperm(units, generator=order)
        for first in range(0, units, batch):
            yield shuffled[first : first + batch], sample
