"""Region removal: change of the class scores when the contents of a region are unknown.

Prediction difference analysis for one region of any shape instead of many windows (Zintgraf et al.
2016, equations 2 and 6): for every class c,

    p(c | x \\ r) = 1/S sum_s p(c | x with the region r replaced by sample s of p(r | rest)).

The random numbers of a sample depend only on the seed and its number, so that more samples begin
with the same ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.images import picture
from xwidgets.images.sampler import Sampler
from xwidgets.incremental.budget import Batches, Budget
from xwidgets.networks import Network
from xwidgets.networks.subject import Subject, finite
from xwidgets.networks.target import Resolved
from xwidgets.results import RegionRemoval

from ._parameter import front, memory_parameter, parameter, seed_parameter
from .method import Method
from .removal.region import fill_region
from .removal.samplers import drawing_bytes, sampler_on
from .run import Run

BATCH = 4
"""Samples that are scored at a time: few, so that cancelling is prompt."""
_PICTURES = 2
"""Bytes of a sample for each pixel and channel beside its number: a picture, and its next copy."""


@dataclass(frozen=True)
class Mask:
    """Region of a picture as a hashable value.

    Attributes:
        shape: (H, W).
        bits: of a bool array ``(H, W)``, true in the region.
    """

    shape: tuple[int, ...]
    bits: bytes

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """Region that is true in a bool tensor ``(H, W)`` on the CPU."""
        return cls(tuple(mask.shape), mask.numpy().tobytes())

    def numpy(self) -> NDArray[np.bool_]:
        """Region as a bool array ``(H, W)``."""
        return np.frombuffer(self.bits, bool).reshape(self.shape).copy()


@dataclass(frozen=True)
class RegionDifference(Method[RegionRemoval]):
    """Prediction difference of one region of any shape, for all classes at once.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> RegionDifference(scene.masks["beak"]).run(xw.network("birds"), scene.image)
        <RegionRemoval: region of ... pixels for ...>
    """

    mask: Any = parameter(None, "bool ``(H, W)``, true in the region that is removed", told=False)
    sampler: Sampler | None = parameter(
        None,
        "fills the region; ``None`` for the network's own conditional Gaussian",
        resolve=sampler_on,
    )
    samples: int = parameter(20, "S, the number of samples that fill it", least=1)
    seed: int = seed_parameter("of the random contents")
    memory: float | None = memory_parameter()

    name, unit = "prediction difference of a region", "bits"

    def __post_init__(self) -> None:
        if not isinstance(self.mask, Mask):
            object.__setattr__(self, "mask", Mask.of(mask_of(self.mask)))
        super().__post_init__()

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the region is not empty, and of the image's size."""
        _, height, width = subject.image.shape
        region_of(self.mask.numpy(), (height, width))

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Run[RegionRemoval]:
        """Prepare to fill the region; the result is the same for every target."""
        assert self.sampler is not None
        return _Filled(self, subject, self.sampler, len(targets))


class _Filled:
    """Run that fills the region in all samples, then scores these, a few a step."""

    def __init__(
        self, method: RegionDifference, subject: Subject, sampler: Sampler, targets: int
    ) -> None:
        net, count, seed = subject.net, int(method.samples), int(method.seed)
        self._net, self._count, self._targets = net, count, targets
        rngs = [np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, s, 0]))
                for s in range(count)]  # fmt: skip
        region = torch.from_numpy(method.mask.numpy())
        pixels = subject.pixels
        held = count * (pixels.element_size() + _PICTURES) * pixels.numel()
        held += drawing_bytes(sampler, sampler.largest(pixels))
        budget = Budget.of(method.memory, net.device).beside(held)
        size = min(BATCH, budget.image_size(net, subject.pixels, "sample"))
        self._batches = Batches(size, "sample")
        self._fillings = fill_region(sampler, subject.pixels, region, rngs)
        before = net.probabilities(finite(net, subject.logits)).numpy()
        self._newest = RegionRemoval(
            image=subject.picture,
            mask=region.numpy(),
            before=before[0],
            classes=tuple(net.class_name(index) for index in range(before.shape[1])),
            network_name=net.name,
            training_size=net.training_size,
            alternatives=net.alternatives(subject.logits),
            parameters=method.told(),
            probabilities=np.empty((0, before.shape[1])),
            samples=np.empty((0, *subject.picture.shape), np.uint8),
            completed=0.0,
        )

    def steps(self) -> Iterator[None]:
        """Fill and score; each counts as half of the work."""
        newest = self._newest
        for filling in self._fillings:
            self._newest = replace(newest, completed=filling.completed / 2)
            yield
        for batch in filling.pictures.split(self._batches.size):
            logits = self._batches.run(self._net.logits, batch)
            scores = self._net.probabilities(finite(self._net, logits)).numpy()
            pictures = np.stack([picture(sample.clamp(0, 1)) for sample in batch])
            newest = self._newest
            samples = np.concatenate([newest.samples, pictures])
            self._newest = replace(
                newest,
                probabilities=np.concatenate([newest.probabilities, scores]),
                samples=samples,
                completed=0.5 + len(samples) / self._count / 2,
            )
            yield

    def results(self) -> list[RegionRemoval]:
        """Result so far, the same for every target."""
        return [self._newest] * self._targets


@front(RegionDifference)
def remove_region(
    net: Network,
    image: object,
    mask: object,
    sampler: Sampler | None = None,
    samples: int = 20,
    seed: int = 0,
    memory: float | None = None,
) -> RegionRemoval:
    """Class probabilities when the contents of a region of the image are unknown.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.

    Returns:
        Probabilities before and after, in every sample, and the evidence for each class in bits.

    Raises:
        ValueError: for an invalid image, region or other argument.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> remove_region(xw.network("birds"), scene.image, scene.masks["beak"])
        <RegionRemoval: region of ... pixels for ...>
    """
    return RegionDifference(mask, sampler, samples, seed, memory).run(net, image)


@front(RegionDifference)
def remove_region_steps(
    net: Network,
    image: object,
    mask: object,
    sampler: Sampler | None = None,
    samples: int = 20,
    seed: int = 0,
    memory: float | None = None,
) -> Iterator[RegionRemoval]:
    """Yield the result of :func:`remove_region` as it grows.

    The arguments are checked at once. First the region is filled in all samples, then they are
    scored, a few a step; each counts as half of the work. Closing the generator cancels; nothing is
    computed between steps.

    Args:
        net, image: as of :func:`remove_region`.

    Yields:
        The result so far, with the samples that are scored. The last is that of
        :func:`remove_region`.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> steps = remove_region_steps(xw.network("birds"), scene.image, scene.masks["beak"])
        >>> [len(step.samples) for step in steps]
        [0, 4, 8, 12, 16, 20]
    """
    return RegionDifference(mask, sampler, samples, seed, memory).steps(net, image)


def region_of(mask: object, shape: tuple[int, int]) -> Tensor:
    """Mask as of :func:`mask_of` that is not empty.

    Raises:
        ValueError: when it is empty or invalid.

    Example:
        >>> region_of(np.eye(3, dtype=bool), (3, 3)).sum()
        tensor(3)
    """
    region = mask_of(mask, shape)
    if not region.any():
        raise ValueError("the region is empty; mark one pixel of it at least with True")
    return region


def mask_of(mask: object, shape: tuple[int, int] | None = None) -> Tensor:
    """Mask as a bool tensor ``(H, W)`` on the CPU, checked against the ``shape`` of an image.

    Raises:
        ValueError: when it is no bool array of this shape.
    """
    try:
        mask = mask.copy() if isinstance(mask, np.ndarray) else mask
        region = torch.as_tensor(mask).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"mask is a {type(mask).__name__}, but must be a bool array (H, W)"
        ) from error
    if region.dtype != torch.bool:
        raise ValueError(
            f"mask holds {region.dtype}, but must be bool, true in the region; try mask > 0"
        )
    if shape is not None and tuple(region.shape) != shape:
        raise ValueError(
            f"mask is {tuple(region.shape)}, but must be {shape}, as high and wide as the image"
        )
    return region.clone()
