"""A region of a study's picture, and what the network says without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets.errors import unknown
from xwidgets.explain import (
    ConditionalSampler,
    ConstantSampler,
    MarginalSampler,
    RegionDifference,
    Sampler,
)
from xwidgets.explain.region_removal import Mask, mask_of
from xwidgets.explain.removal.samplers import own_sampler
from xwidgets.networks.subject import Subject
from xwidgets.results import RegionRemoval

from .live_result import LiveResult, Question
from .study import Study


class Removal(NamedTuple):
    """What is asked: which pixels of which image are removed, and how they are filled."""

    subject: Subject
    mask: Mask
    fill: str
    samples: int


class Regions(traitlets.HasTraits):
    """A region of a study's picture, and what the network says of the picture without it.

    All views of a study share the one that :meth:`of` gives.

    Args:
        study: whose picture it is. Where its method has a sampler then, regions are filled with it.

    Attributes:
        mask: bool ``(H, W)``, true in the region. Set it to see what is predicted without; all of
            it is false at first, and again when the study turns to another image.
        fill: what the region is filled with, one of :attr:`fills`. Set it to fill it otherwise.
        fills: ``"conditional"``, ``"marginal"`` and ``"grey"``, as far as there are images for
            them: contents that go with the surroundings, those of other images, or one value.
        samples: how many times the region is filled; once with grey.
        removal: a :class:`LiveResult` whose answer is a :class:`xwidgets.RegionRemoval`.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> with xw.Study(xw.network("birds"), scene.image) as study:
        ...     regions = Regions.of(study)
        ...     regions.mask = scene.masks["beak"]
        ...     regions.removal.wait().probabilities.shape
        (20, 20)
    """

    mask: traitlets.TraitType[Any, Any] = traitlets.TraitType()  # whatever may become an array
    fill = traitlets.Unicode()
    samples = traitlets.Int(20, min=1)

    def __init__(self, study: Study) -> None:
        self._study = study
        self._samplers = _samplers(study)
        self.fills = tuple(self._samplers)
        super().__init__(mask=self._nothing(), fill=self.fills[0])
        self.removal: LiveResult[Removal, RegionRemoval] = study.live(
            self._remove, urgent=True, keep=8
        )
        study.observe(lambda _: self._turn_to(), "image")
        self.observe(lambda _: self._ask(), ["mask", "fill", "samples"])

    @classmethod
    def of(cls, study: Study) -> Regions:
        """The one that all views of a study share."""
        return study.companion(cls)

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
        self.removal.abandon()
        self.mask = self._nothing()

    def _ask(self) -> None:
        if self.mask.any():
            mask = Mask.of(mask_of(self.mask))
            self.removal.ask(Removal(self._study.subject, mask, self.fill, self.samples))
        else:
            self.removal.drop()

    def _remove(self, removal: Removal) -> Iterator[RegionRemoval]:
        samples = 1 if removal.fill == "grey" else removal.samples
        method = RegionDifference(removal.mask, self._samplers[removal.fill](), samples)
        return Question(removal.subject, removal.subject.target(None), method).steps()


def _samplers(study: Study) -> dict[str, Callable[[], Sampler]]:
    """What regions can be filled with; those that need images are made when first used."""
    net, examples = study.network, study.network.examples
    sampler = getattr(study.method, "sampler", None)
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
