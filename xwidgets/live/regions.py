"""Live result of removing a region of a study's picture."""

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
from xwidgets.explain.removal.samplers import default_sampler, has_sampler
from xwidgets.networks.subject import Subject
from xwidgets.results import RegionRemoval

from .kind import check_study
from .live_result import LiveResult, Question
from .live_results import LiveResults
from .study import Study
from .traits import Whole


class RemovalQuestion(NamedTuple):
    """Image, region and filling whose removal is asked for."""

    subject: Subject
    mask: Mask
    fill: str
    samples: int


class Regions(traitlets.HasTraits):
    """Region of a study's picture, and the class probabilities without it as a live result.

    All views of a study share the one of :meth:`of`.

    Args:
        study: with the picture. If its method has a sampler by then, regions are filled with it.

    Attributes:
        mask: bool ``(H, W)``, true in the region; can be set. False everywhere at first, and after
            a change of the study's image.
        fill: contents of the region, one of :attr:`fills`; can be set.
        fills: ``"conditional"``, samples given the surroundings, ``"marginal"``, contents of other
            images, where there are images for them, and ``"grey"``.
        samples: number of samples that fill the region; 1 for grey.
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
    samples = Whole(20, min=1)

    def __init__(self, study: Study) -> None:
        check_study(study)
        self._study = study
        self._samplers = _samplers(study)
        self.fills = tuple(self._samplers)
        self._each: LiveResults | None = None
        self._comparing = 0  # how many views compare
        super().__init__(mask=self._nothing(), fill=self.fills[0])
        self.removal: LiveResult[RemovalQuestion, RegionRemoval] = study.live(
            self._remove, urgent=True, keep=8
        )
        study.observe(lambda _: self._turn_to(), "image")
        study.observe(lambda _: self._renew(), "renewals")
        self.observe(lambda _: self._ask(), ["mask", "fill", "samples"])

    @classmethod
    def of(cls, study: Study) -> Regions:
        """The region of a study that all its views share."""
        return study.companion(cls)

    def stop(self) -> None:
        """Stop computing, and keep the result so far."""
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
        for live in (self.removal, *(self._each or ())):
            live.abandon()
        self.mask = self._nothing()

    def _renew(self) -> None:
        for live in (self.removal, *(self._each or ())):
            live.forget()
        self._ask()

    def _ask(self) -> None:
        lives = {self.fill: [self.removal]}
        each = self._each if self._comparing and self._each else ()
        for fill, live in zip(self.fills, each, strict=False):
            lives.setdefault(fill, []).append(live)
        mask = Mask.of(mask_of(self.mask)) if self.mask.any() else None
        for fill, several in lives.items():
            for live in several:
                if mask is None:
                    live.drop()
                else:
                    live.ask(RemovalQuestion(self._study.subject, mask, fill, self.samples))

    def _remove(self, question: RemovalQuestion) -> Iterator[RegionRemoval]:
        samples = 1 if question.fill == "grey" else question.samples
        method = RegionDifference(question.mask, self._samplers[question.fill](), samples)
        return Question(question.subject, question.subject.target(None), method).steps()

    def compare(self) -> LiveResults:
        """Remove the region with every filling, from now on.

        Returns:
            A live result for each of :attr:`fills`, in their order.
        """
        if self._each is None:
            lives: list[LiveResult[RemovalQuestion, RegionRemoval]] = [
                self._study.live(self._remove, keep=8) for _ in self.fills
            ]
            self._each = LiveResults(lives)
        self._comparing += 1
        self._ask()
        return self._each

    def compare_no_more(self) -> None:
        """End what :meth:`compare` began; nothing is compared once all who began it have ended."""
        self._comparing -= 1
        if self._each is not None and not self._comparing:
            for live in self._each:
                live.drop()


def _samplers(study: Study) -> dict[str, Callable[[], Sampler]]:
    """Samplers that can fill regions, by name; those that need images are made at first use."""
    net, examples = study.network, study.network.examples
    sampler = getattr(study.method, "sampler", None)
    samplers: dict[str, Callable[[], Sampler]] = {}
    if isinstance(sampler, ConditionalSampler):
        samplers["conditional"] = lambda: sampler
    elif has_sampler(net):
        samplers["conditional"] = lambda: default_sampler(net)
    if isinstance(sampler, MarginalSampler):
        samplers["marginal"] = lambda: sampler
    elif examples is not None:
        samplers["marginal"] = cache(lambda: MarginalSampler(examples()))
    return samplers | {"grey": lambda: ConstantSampler(0.5)}
