"""Class probabilities with and without a region of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from xwidgets.aliases import formerly

from . import numbers, render
from .evidence import flat, log_odds, log_odds_slope, told_flat
from .facts import limits
from .result import Result, versions


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class RegionRemoval(Result):
    """Change of the class probabilities when a region of the picture is unknown.

    Attributes:
        image: the picture, 8-bit ``(H, W, 3)``.
        mask: bool ``(H, W)``, true in the region.
        before: float64 ``(K,)``, probabilities of the unchanged picture.
        probabilities: float64 ``(S, K)``, of each sample, a picture whose region is filled with
            possible contents; in a partial result of those scored so far.
        samples: 8-bit ``(S, H, W, 3)``, the samples as pictures.
        classes: names of the K classes.
        network_name: name of the network.
        training_size: N of the Laplace correction, number of images the network was trained on.
        parameters: other parameters of the method, the seed among them.
        completed: share of the work behind the numbers; below 1 for a partial result.
        versions: of the packages that computed it.
        alternatives: K of the Laplace correction; 2 for independent labels, by default the number
            of classes.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> removal = xw.remove_region(xw.network("birds"), scene.image, scene.masks["beak"])
        >>> removal.samples.shape, list(removal.frame().columns)
        ((20, 64, 64, 3), ['class', 'before', 'after', 'evidence'])
    """

    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    mask: NDArray[np.bool_] = field(metadata=limits("H W"))
    before: NDArray[np.float64] = field(metadata=limits("K", least=0, most=1))
    probabilities: NDArray[np.float64] = field(metadata=limits("S? K", least=0, most=1))
    samples: NDArray[np.uint8] = field(metadata=limits("S? H W 3"))
    classes: tuple[str, ...] = field(metadata=limits("K"))
    network_name: str
    training_size: int = field(metadata=limits(least=1))
    parameters: Mapping[str, Any]
    completed: float = field(default=1.0, metadata=limits(least=0, most=1))
    versions: Mapping[str, str] = field(default_factory=versions)
    alternatives: int | None = field(default=None, metadata=limits(least=1))

    @property
    def after(self) -> NDArray[np.float64]:
        """Mean probabilities ``(K,)`` of the samples; NaN before the first is scored."""
        count = len(self.probabilities)
        return self.probabilities.mean(0) if count else np.full(len(self.before), np.nan)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard error ``(K,)`` of :attr:`after`; NaN for fewer than two samples.

        Twice of it is Student's 95 % interval.
        """
        count = len(self.probabilities)
        if count < 2:
            return np.full(len(self.before), np.nan)
        error = self.probabilities.std(0, ddof=1) / np.sqrt(count)
        return np.asarray(error * stdtrit(count - 1, 0.975) / 2)

    @property
    def evidence(self) -> NDArray[np.float64]:
        """Evidence ``(K,)`` of the region for each class, in bits.

        Log2 odds before minus those after, of probabilities after the Laplace correction
        p <- (p N + 1) / (N + K), as of windows in :func:`xwidgets.prediction_difference`.
        """
        return log_odds(self.before, *self._correction) - log_odds(self.after, *self._correction)

    @property
    def evidence_error(self) -> NDArray[np.float64]:
        """Standard error ``(K,)`` of :attr:`evidence`, in bits.

        Propagated to first order from that of the mean probability. NaN for fewer than two samples.
        """
        slope = log_odds_slope(self.after, *self._correction)
        return np.asarray(self.standard_error * slope)

    @property
    def _correction(self) -> tuple[int, int]:
        """N and K of the Laplace correction."""
        return self.training_size, self.alternatives or len(self.before)

    @property
    def note(self) -> str:
        """Sentence on the likeliest class where its probabilities leave no room for evidence."""
        top = int(self.before.argmax())
        both = np.stack([self.before[top], self.after[top]])
        if not flat(both, *self._correction).all():
            return ""
        told = told_flat(self.classes[top], self.before[top])
        return (
            f"{told}; a map with the measure 'difference' shows what windows do to the score "
            "before softmax or sigmoid"
        )

    @property
    def title(self) -> str:
        """One-line description."""
        top = int(self.before.argmax())
        change = f"{numbers.percent(self.before[top])} with it"
        if len(self.probabilities):
            change += f", {numbers.percent(self.after[top])} without"
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        pixels = f"{self.mask.sum()} pixel" + ("s" if self.mask.sum() > 1 else "")
        return (
            f"region of {pixels} for {self.classes[top]!r} ({self.network_name}): {change}{share}"
        )

    def frame(self) -> pd.DataFrame:
        """Table of the classes: class, before, after, evidence in bits; the likeliest first."""
        order = np.argsort(-self.before, kind="stable")
        return pd.DataFrame(
            {
                "class": [self.classes[index] for index in order],
                "before": self.before[order],
                "after": self.after[order],
                "evidence": self.evidence[order],
            }
        )

    def png(self) -> bytes:
        """PNG file of the picture with the region marked, then the first samples."""
        pictures = [render.marked(self.image, self.mask, size=224)]
        for sample in self.samples[:3]:
            pictures.append(render.marked(sample, np.zeros_like(self.mask), size=224))
        return render.png(np.concatenate(pictures, 1))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        return None if self.mask.any() else "its region is empty"

    def __repr__(self) -> str:
        return f"<RegionRemoval: {self.title}>"
