"""A region of a study's picture, and what the network says without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import unknown
from xwidgets.explain import (
    ConditionalSampler,
    ConstantSampler,
    MarginalSampler,
    Sampler,
    remove_region_steps,
)
from xwidgets.explain.region_removal import mask_of
from xwidgets.explain.samplers import own_sampler
from xwidgets.results import RegionRemoval

from .inquiry import Inquiry
from .worker import Worker

if TYPE_CHECKING:
    from .study import Study


class Removal(NamedTuple):
    """What is asked: which pixels of which image are removed, and how they are filled."""

    image: Tensor
    mask: bytes
    fill: str
    samples: int


class Regions(traitlets.HasTraits):
    """What a study knows of its picture without a region.

    Args:
        study: whose picture it is.
        worker: computes.
        sampler: the study's own.

    Attributes:
        mask: bool ``(H, W)``, true in the region. Set it to see what is predicted without; all of
            it is false at first, and again when the study turns to another image.
        fill: what the region is filled with, one of :attr:`fills`. Set it to fill it otherwise.
        fills: ``"conditional"``, ``"marginal"`` and ``"grey"``, as far as there are images for
            them: contents that go with the surroundings, those of other images, or one value.
        samples: how many times the region is filled; once with grey.
        removal: an :class:`Inquiry` whose answer is a :class:`xwidgets.RegionRemoval`.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> with xw.Study(xw.network("birds"), scene.image) as study:
        ...     study.regions.mask = scene.masks["beak"]
        ...     study.regions.removal.wait().probabilities.shape
        (20, 20)
    """

    mask: traitlets.TraitType[Any, Any] = traitlets.TraitType()  # whatever may become an array
    fill = traitlets.Unicode()
    samples = traitlets.Int(20, min=1)

    def __init__(self, study: Study, worker: Worker, sampler: Sampler) -> None:
        self._study = study
        self._samplers = _samplers(study, sampler)
        self.fills = tuple(self._samplers)
        super().__init__(mask=self._nothing(), fill=self.fills[0])
        self.removal: Inquiry[Removal, RegionRemoval] = Inquiry(
            worker, self._remove, lambda removal: removal.completed, urgent=True, keep=8
        )
        study.observe(lambda _: self._turn_to(), "image")
        self.observe(lambda _: self._ask(), ["mask", "fill", "samples"])

    def stop(self) -> None:
        """Stop computing, and keep what is known."""
        self.removal.stop()

    @traitlets.validate("mask")
    def _possible(self, proposal: dict[str, Any]) -> NDArray[np.bool_]:
        height, width = self._study.image.shape[1:]
        mask: NDArray[np.bool_] = mask_of(proposal["value"], (height, width)).numpy()
        mask.flags.writeable = False
        return mask

    @traitlets.validate("fill")
    def _known(self, proposal: dict[str, Any]) -> str:
        fill: str = proposal["value"]
        if fill not in self.fills:
            raise unknown("fill", fill, self.fills)
        return fill

    def _nothing(self) -> NDArray[np.bool_]:
        return np.zeros(tuple(self._study.image.shape[1:]), bool)

    def _turn_to(self) -> None:
        self.removal.forget()
        self.mask = self._nothing()

    def _ask(self) -> None:
        if self.mask.any():
            mask = self.mask.tobytes()
            self.removal.ask(Removal(self._study.image, mask, self.fill, self.samples))
        else:
            self.removal.drop()

    def _remove(self, removal: Removal) -> Iterator[RegionRemoval]:
        mask = np.frombuffer(removal.mask, bool).reshape(tuple(removal.image.shape[1:]))
        return remove_region_steps(
            self._study.network,
            removal.image,
            mask.copy(),
            self._samplers[removal.fill](),
            1 if removal.fill == "grey" else removal.samples,
        )


def _samplers(study: Study, sampler: Sampler) -> dict[str, Callable[[], Sampler]]:
    """What regions can be filled with; those that need images are made when first used."""
    net, examples = study.network, study.network.examples
    found: dict[str, Callable[[], Sampler]] = {}
    if isinstance(sampler, ConditionalSampler):
        found["conditional"] = lambda: sampler
    elif net.sampler is not None or examples is not None:
        found["conditional"] = lambda: own_sampler(net)
    if isinstance(sampler, MarginalSampler):
        found["marginal"] = lambda: sampler
    elif examples is not None:
        found["marginal"] = cache(lambda: MarginalSampler(examples()))
    return found | {"grey": lambda: ConstantSampler(0.5)}
