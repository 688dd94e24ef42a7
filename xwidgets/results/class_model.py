"""Class models: pictures that a network sees a class, or another of its activations, in most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import numbers, render
from .facts import limits
from .result import Result, versions


@dataclass(frozen=True, eq=False, repr=False)
class ClassModel(Result):
    """Pictures that raise an activation most, one for each seed, with the way there.

    Attributes:
        pixels: float32 ``(S, C, H, W)`` in [0, 1], the pictures of S seeds.
        kept: int64 ``(S,)``, number of steps behind each picture.
        scores: float64 ``(S, n + 1)``, the activation before the first step and after each; NaN
            after the last step of a seed that ended early.
        norms: float64 ``(S, n + 1)``, ‖x‖² of these pictures, of their deviation from grey.
        probabilities: float64 ``(S, n + 1)``, of the class; NaN for other activations.
        frames: 8-bit ``(S, F, H, W, 3)``, pictures on the way; the last are those of ``pixels``.
        frame_steps: int64 ``(F,)``, number of steps behind each frame.
        seeds: of the noise that each picture started from.
        notes: for each seed why it ended early, in a sentence; else "".
        unit: of the activation, such as ``"logits"``.
        network_name: name of the network.
        target: class index, channel or unit, and ``label`` its name.
        parameters: of the method; ``penalty`` is the λ that was used.
        completed: share of the steps that are done; below 1 for a partial result.
        versions: of the packages that computed it.

    Example:
        >>> import xwidgets as xw
        >>> model = xw.class_model(xw.network("birds"), 3, iterations=4)
        >>> model.pixels.shape, model.frames.shape[:2]
        ((1, 3, 64, 64), (1, 5))
    """

    pixels: NDArray[np.float32] = field(metadata=limits("S C H W"))
    kept: NDArray[np.int64] = field(metadata=limits("S", least=0))
    scores: NDArray[np.float64] = field(metadata=limits("S n", gaps=True))
    norms: NDArray[np.float64] = field(metadata=limits("S n", least=0, gaps=True))
    probabilities: NDArray[np.float64] = field(metadata=limits("S n", least=0, most=1, gaps=True))
    frames: NDArray[np.uint8] = field(metadata=limits("S F H W 3"))
    frame_steps: NDArray[np.int64] = field(metadata=limits("F", least=0))
    seeds: tuple[int, ...] = field(metadata=limits("S", least=0))
    notes: tuple[str, ...] = field(metadata=limits("S"))
    unit: str
    network_name: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    completed: float = field(default=1.0, metadata=limits(least=0, most=1))
    versions: Mapping[str, str] = field(default_factory=versions)

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """The pictures, 8-bit ``(S, H, W, 3)``."""
        return self.frames[:, -1]

    @property
    def score(self) -> NDArray[np.float64]:
        """Activation ``(S,)`` in each picture."""
        return self.scores[np.arange(len(self.kept)), self.kept]

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability ``(S,)`` of the class in each picture; NaN for other activations."""
        return self.probabilities[np.arange(len(self.kept)), self.kept]

    @property
    def note(self) -> str:
        """Sentences on the seeds that ended early; "" for none."""
        several = len(self.seeds) > 1
        named = zip(self.seeds, self.notes, strict=True)
        return " ".join(f"Seed {seed}: {note}" if several else note for seed, note in named if note)

    @property
    def title(self) -> str:
        """One-line description."""
        scores = ", ".join(numbers.number(score) for score in self.score)
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        return f"class model of {self.label!r} ({self.network_name}), {scores} {self.unit}{share}"

    def png(self) -> bytes:
        """PNG file of the pictures side by side."""
        return render.png(render.sheet([[render.enlarged(one, 224) for one in self.pictures]]))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        if not self.kept.max() < self.scores.shape[1]:
            return "its curves are not those of its pictures"
        return None

    def __repr__(self) -> str:
        return f"<ClassModel: {self.title}>"
