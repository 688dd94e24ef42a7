"""What hidden units contribute: how a node changes when one of them is unknown.

Section 3.3 of Zintgraf et al. (2016): for the units h of a layer and a node z = g(h) behind it,

    g(z | h \\ i) = E_{p(h_i)} g(z | h with unit i replaced)                          (7, 8)
    AD_i(z | h)   = g(z | h) - g(z | h \\ i)                                           (9)

The unit's distribution is the empirical one: its activations in other images. For a class behind
softmax the difference is that of log2 odds, as for pixels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf

import numpy as np
import torch
from torch import Tensor

from xwidgets.errors import a_seed, at_least, number
from xwidgets.images import as_pixels, picture
from xwidgets.incremental import UnitInference
from xwidgets.networks import Network
from xwidgets.networks.network import image_for
from xwidgets.results import UnitRelevance

from .nodes import Measure, Target, finite, nodes_of
from .samplers import other_images
from .tally import Tally


def unit_relevance(
    net: Network,
    image: object,
    layer: str | int,
    target: Target = None,
    images: object = None,
    samples: int = 20,
    seed: int = 0,
    measure: Measure = "evidence",
    training_size: int | None = None,
    memory: float | None = None,
    target_layer: str | int | None = None,
    seconds: float | None = None,
) -> UnitRelevance:
    """Relevance of every unit of a hidden layer by prediction difference (Zintgraf et al. 2016).

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        layer: name, or number of a convolution; its units are removed one at a time, behind the
            batch norm and rectifier that directly follow it.
        target: class index or name; ``None`` for the class with the highest score. With a
            ``target_layer``, a channel or unit of that, as of
            :func:`xwidgets.prediction_difference`.
        images: ``(N, C, H, W)`` in [0, 1] of the image's size, in which units have the values that
            they could have had; ``None`` for the network's examples.
        samples: S, in how many of them, chosen at random.
        seed: of the choice of images.
        measure: of classes, ``"evidence"`` in bits, or ``"difference"`` of scores before softmax.
        training_size: N of the Laplace correction; ``None`` for what the network says.
        memory: roughly how many bytes a batch may take; ``None`` as for
            :func:`xwidgets.prediction_difference`.
        target_layer: of the node, where it is no class; behind ``layer``.
        seconds: after which the result is returned as it is by then; ``None`` for the complete one.

    Returns:
        The relevance of the units, positive where one speaks for the node.

    Raises:
        ValueError: for arguments that cannot be; in a sentence.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> xw.unit_relevance(net, scene.image, "classifier.1", samples=2)
        <UnitRelevance 128: units of classifier.1 for ...>
    """
    start = time.monotonic()
    x = image_for(net, image).to(net.device, net.dtype)
    at_least("samples", samples, 1)
    seed = a_seed(seed)
    if memory is not None:
        number("memory", memory, lambda size: 0 <= size < inf, "of bytes, at least 0")
    if seconds is not None:
        number("seconds", seconds, lambda limit: limit > 0, "above 0, or None for no limit")
    training_size = net.training_size if training_size is None else training_size
    nodes = nodes_of(net, x, [target], target_layer, measure, training_size)
    name = net.layer(layer).name
    inference = UnitInference(net, x, name, nodes.read, memory)
    base = inference.activations
    others = _in_other_images(net, name, x, images, int(samples), seed)
    tally = Tally(base.numel(), 1)
    for units, sample in _turns(base.numel(), inference.batch, int(samples), seed):
        changes = others[sample, units] - base.flatten()[units]
        outputs = finite(net, inference.outputs(units, changes))
        tally.add(units, nodes.values(outputs))
        if seconds is not None and time.monotonic() - start >= seconds:
            break
    known = tally.count[:, None] > 0
    values = torch.where(known, nodes.whole - nodes.evidence(tally.mean), torch.nan)
    error = (tally.variance / tally.count[:, None]).sqrt() * nodes.slope(tally.mean)
    return UnitRelevance(
        values=values.float().reshape(base.shape).numpy(),
        standard_error=error.float().reshape(base.shape).numpy(),
        image=picture(x),
        layer=name,
        unit=nodes.unit,
        network=net.name,
        target=nodes.indices[0],
        label=nodes.labels[0],
        parameters={
            "samples": int(samples),
            "seed": seed,
            "measure": measure,
            "training_size": int(training_size),
            "target": dict(nodes.parameters),
        },
        completed=float(tally.count.mean()) / samples,
        note=inference.note,
    )


def _in_other_images(
    net: Network, layer: str, image: Tensor, images: object, samples: int, seed: int
) -> Tensor:
    """The layer's units in as many images as there are samples, ``(S, units)``."""
    if images is None:
        if net.examples is None:
            raise ValueError(
                f"{net.name} brings no images in which its units could have other values; give "
                "images=(N, C, H, W) like those it was trained on"
            )
        images = net.examples()
    pool = other_images(as_pixels(images, net.channels), image)
    chosen = np.random.default_rng(seed).choice(len(pool), samples, replace=len(pool) < samples)
    with net.evaluating():
        parts = [
            net.activations(part.to(memory_format=net.memory_format), layer).flatten(1)
            for part in pool[torch.from_numpy(chosen)].split(_AT_ONCE)
        ]
    others = torch.cat(parts)
    if len(others) < samples:
        raise ValueError(
            f"layer {layer!r} puts out the same for every image, so that its units have no other "
            "values; choose another layer"
        )
    return others


_AT_ONCE = 8  # images whose activations are computed together


def _turns(units: int, batch: int, samples: int, seed: int) -> Iterator[tuple[Tensor, int]]:
    """All units with their first sample, then with their second ..., each time shuffled."""
    order = torch.Generator().manual_seed(seed)
    for sample in range(samples):
        for part in torch.randperm(units, generator=order).split(batch):
            yield part, sample
