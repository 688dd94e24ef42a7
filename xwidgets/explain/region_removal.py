"""Removing a region: how the class scores change when what stands in it is unknown.

Prediction difference analysis for one region of any shape instead of many windows (Zintgraf et al.
2016, equations 2 and 6): for every class c,

    p(c | x \\ r) = 1/S sum_s p(c | x with the region r replaced by sample s of p(r | rest)).

The randomness of a sample depends only on the seed and its number, so that the first samples of
many are those of few.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import a_seed, at_least
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks.network import image_for
from xwidgets.results import RegionRemoval

from .nodes import finite
from .region import fill_region
from .samplers import Sampler, own_sampler

BATCH = 4
"""How many samples are scored at a time: few, so that cancelling is prompt."""


def remove_region(
    net: Network,
    image: object,
    mask: object,
    sampler: Sampler | None = None,
    samples: int = 20,
    seed: int = 0,
) -> RegionRemoval:
    """The class probabilities when a region of the image is unknown.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        mask: bool ``(H, W)``, true in the region that is removed.
        sampler: fills the region; ``None`` for the network's own conditional Gaussian.
        samples: S, how many times it is filled.
        seed: of the random contents.

    Returns:
        Probabilities before and after, in every sample, and the evidence for each class in bits.

    Raises:
        ValueError: for an image, region or other argument that cannot be; in a sentence.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> remove_region(xw.network("birds"), scene.image, scene.masks["beak"])
        <RegionRemoval: region of ... pixels for ...>
    """
    return deque(remove_region_steps(net, image, mask, sampler, samples, seed), maxlen=1).pop()


def remove_region_steps(
    net: Network,
    image: object,
    mask: object,
    sampler: Sampler | None = None,
    samples: int = 20,
    seed: int = 0,
) -> Iterator[RegionRemoval]:
    """The result of :func:`remove_region` as it grows.

    The arguments are those of :func:`remove_region`, checked at once. First the region is filled in
    all samples, then they are scored, a few a step; each counts as half of the work. Closing the
    generator cancels; nothing is computed between steps.

    Yields:
        The result so far, with the samples that are scored. The last one is what
        :func:`remove_region` returns.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> steps = remove_region_steps(xw.network("birds"), scene.image, scene.masks["beak"])
        >>> [len(step.samples) for step in steps]
        [0, 4, 8, 12, 16, 20]
    """
    x = image_for(net, image).to(net.device, net.dtype)
    region = region_of(mask, (x.shape[1], x.shape[2]))
    at_least("samples", samples, 1)
    samples, seed = int(samples), a_seed(seed)
    before = _probabilities(net, x[None])
    sampler = own_sampler(net) if sampler is None else sampler
    rngs = [np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, s, 0]))
            for s in range(samples)]  # fmt: skip
    fillings = fill_region(sampler, x, region, rngs)
    facts: dict[str, Any] = {
        "image": picture(x),
        "mask": region.numpy(),
        "before": before[0],
        "classes": tuple(net.class_name(index) for index in range(before.shape[1])),
        "network": net.name,
        "training_size": net.training_size,
        "parameters": {"sampler": repr(sampler), "samples": samples, "seed": seed},
    }

    def steps() -> Iterator[RegionRemoval]:
        scored: dict[str, Any] = {
            "probabilities": np.empty((0, before.shape[1])),
            "samples": np.empty((0, *facts["image"].shape), np.uint8),
        }
        for filling in fillings:
            yield RegionRemoval(**facts, **scored, completed=filling.completed / 2)
        for batch in filling.pictures.split(BATCH):
            new = {
                "probabilities": _probabilities(net, batch),
                "samples": np.stack([picture(one.clamp(0, 1)) for one in batch]),
            }
            scored = {name: np.concatenate([scored[name], new[name]]) for name in new}
            yield RegionRemoval(
                **facts, **scored, completed=0.5 + len(scored["samples"]) / samples / 2
            )

    return steps()


def region_of(mask: object, shape: tuple[int, int]) -> Tensor:
    """``mask`` as :func:`mask_of` has it, when something is in the region.

    Raises:
        ValueError: when it is empty, or no mask.

    Example:
        >>> region_of(np.eye(3, dtype=bool), (3, 3)).sum()
        tensor(3)
    """
    region = mask_of(mask, shape)
    if not region.any():
        raise ValueError("the region is empty; mark one pixel of it at least with True")
    return region


def mask_of(mask: object, shape: tuple[int, int]) -> Tensor:
    """``mask`` as a bool tensor on the CPU, when it fits an image of ``shape`` (H, W).

    Raises:
        ValueError: when it does not.
    """
    try:
        region = torch.as_tensor(mask).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"mask is a {type(mask).__name__}, but must be a bool array (H, W)"
        ) from error
    if region.dtype != torch.bool:
        raise ValueError(
            f"mask holds {region.dtype}, but must be bool, true in the region; try mask > 0"
        )
    if tuple(region.shape) != shape:
        raise ValueError(
            f"mask is {tuple(region.shape)}, but must be {shape}, as high and wide as the image"
        )
    return region.clone()


def _probabilities(net: Network, pixels: Tensor) -> NDArray[np.float64]:
    return net.probabilities(finite(net, net.logits(pixels))).numpy()
