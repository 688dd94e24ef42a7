"""Relevance maps: signed maps over the pixels of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label as labelled

from xwidgets.aliases import formerly
from xwidgets.box import Box
from xwidgets.errors import number

from . import numbers, render
from .facts import limits
from .hatching import default_effect, hatched
from .result import Result, versions


@formerly(network="network_name", products="compute_dtype")
@dataclass(frozen=True, eq=False, repr=False)
class Relevance(Result):
    """Relevance of every pixel for (positive) or against (negative) a class.

    Attributes:
        values: float32 ``(H, W)``, in ``unit``. NaN where a partial result knows nothing yet.
        image: the picture, 8-bit ``(H, W, 3)``.
        unit: such as ``"bits"``.
        method: such as ``"prediction difference"``.
        network_name: name of the network.
        target: the class index, and ``label`` its name.
        parameters: of the method, the seed among them.
        completed: share of the work behind ``values``; below 1 for a partial result.
        standard_error: float32 ``(H, W)``, in ``unit``, of ``values`` that are estimated from
            samples: twice of it above and below is a 95 % interval (in files of version 0.1.0 with
            many samples only). NaN where there are too few, ``None`` for other methods.
        note: sentences on the computation and its limitations; else "".
        compute_dtype: type of the multiplications, such as ``"float32"``; "" where not recorded.
        mass: probability that arrived, of methods that distribute one; of a contrast, the
            difference of two.
        signed: whether values can be negative, evidence against the class.
        versions: of the packages that computed it.
        plain_mass: probability that arrived without contrast; ``None`` where not recorded.
        raw: float32 ``(h, w)``, of a class activation map, before it is interpolated to the pixels.
        bias: of a class activation map, what its score has beside the mean of ``raw``.
        probability: of the class in the unchanged picture; ``None`` for other targets, and where
            not recorded.
        samples: int32 ``(rows, columns)``, how many samples each window had, of ``values`` with
            standard errors; ``None`` for other methods, and where not recorded.

    Example:
        >>> result = Relevance(
        ...     values=np.zeros((4, 4), np.float32), image=np.zeros((4, 4, 3), np.uint8),
        ...     unit="bits", method="none", network_name="birds", target=0, label="wren",
        ...     parameters={},
        ... )
        >>> result.png()[1:4]
        b'PNG'
    """

    values: NDArray[np.float32] = field(metadata=limits("H W", gaps=True))
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    unit: str
    method: str
    network_name: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    completed: float = field(default=1.0, metadata=limits(least=0, most=1))
    standard_error: NDArray[np.float32] | None = field(
        default=None, metadata=limits("H W", least=0, gaps=True)
    )
    note: str = ""
    compute_dtype: str = ""
    mass: float | None = None
    signed: bool = True
    versions: Mapping[str, str] = field(default_factory=versions)
    plain_mass: float | None = None
    raw: NDArray[np.float32] | None = field(default=None, metadata=limits("h w"))
    bias: float | None = None
    probability: float | None = field(default=None, metadata=limits(least=0, most=1))
    samples: NDArray[np.int32] | None = field(
        default=None, metadata=limits("rows columns", least=0)
    )

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Self:
        """Map of arrays and facts; files of version 0.1.0 do not tell that saliency has no sign."""
        result = super().restored(values)
        if "signed" in values or result.method != "saliency" or (result.values < 0).any():
            return result
        return replace(result, signed=False)

    @property
    def covered(self) -> float:
        """Share of the pixels about which anything is known yet."""
        return float(np.isfinite(self.values).mean())

    @property
    def readable(self) -> bool:
        """Whether the map can be read already, if it is still refined.

        Something is known about every pixel, and where standard errors are known, half of them are
        below a fifth of the largest magnitude, so that strong and weak places can be told apart.
        """
        if self.covered < 1:
            return False
        if self.standard_error is None or not np.isfinite(self.standard_error).any():
            return True
        return bool(np.nanmedian(self.standard_error) <= render.scale_of(self.values) / 5)

    @property
    def title(self) -> str:
        """One-line description."""
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        mass = "" if self.mass is None else f", mass {_rounded(self.mass)}"
        if self.plain_mass is not None and self.plain_mass != self.mass:
            mass += f" (without contrast {_rounded(self.plain_mass)})"
        return (
            f"{self.method} for {self.label!r} ({self.network_name}), in {self.unit}{mass}{share}"
        )

    def box(self, threshold: float = 0.2) -> Box | None:
        """Bounding box of the largest region of high values (Zhou et al. 2016).

        Args:
            threshold: share of the largest value from which on a pixel counts, above 0, at most 1.

        Returns:
            The box around the largest connected region; ``None`` when no value is above 0.

        Raises:
            ValueError: for another threshold.

        Example:
            >>> values = np.zeros((6, 6), np.float32)
            >>> values[1:4, 2:4], values[5, 5] = 0.5, 1
            >>> Relevance(values, np.zeros((6, 6, 3), np.uint8), "", "", "", 0, "", {}).box()
            Box(top=1, left=2, bottom=4, right=4)
        """
        number("threshold", threshold, lambda share: 0 < share <= 1, "above 0 and at most 1")
        known = np.nan_to_num(self.values)
        if not known.max() > 0:
            return None
        regions, _ = labelled(known >= threshold * known.max(), np.ones((3, 3)))
        sizes = np.bincount(regions.ravel())
        return Box.around(regions == 1 + sizes[1:].argmax())

    @property
    def effect(self) -> float:
        """Magnitude below which values are taken to be too small to matter; 0 for none known."""
        return default_effect(self.unit, self.signed)

    @property
    def remaining(self) -> bool:
        """Whether the values are what is left of the probability, so that 0 is the most."""
        return not self.signed and self.unit == "probability"

    def hatched(self, effect: float | None = None, uncertain: bool = True) -> NDArray[np.bool_]:
        """Mask ``(H, W)`` of the known values that tell nothing.

        Args:
            effect: magnitude below which values are too small to matter, in the map's unit;
                ``None`` for :attr:`effect`.
            uncertain: whether values within 2 standard errors of zero are among them, where these
                are known.

        Example:
            >>> values, image = np.full((1, 2), 0.04, np.float32), np.zeros((1, 2, 3), np.uint8)
            >>> Relevance(values, image, "bits", "", "", 0, "", {}).hatched().tolist()
            [[True, True]]
        """
        if self.remaining:  # a small value is a large effect
            return np.zeros(self.values.shape, bool)
        error = self.standard_error if uncertain else None
        return hatched(self.values, error, self.effect if effect is None else effect)

    def overlay(
        self,
        size: int = 448,
        scale: float | None = None,
        effect: float | None = None,
        uncertain: bool = True,
        **style: Any,
    ) -> NDArray[np.uint8]:
        """Picture with the map over it, hatched where it tells nothing.

        Args:
            size: its width in pixels; the height follows.
            scale: magnitude at the ends of the colours; ``None`` for the largest of the map.
            effect, uncertain: as of :meth:`hatched`.
            **style: ``opacity`` and ``color_map``, as of :func:`xwidgets.results.render.overlay`.

        Returns:
            8-bit ``(size * H / W, size, 3)``.

        Example:
            >>> values, image = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
            >>> Relevance(values, image, "bits", "", "", 0, "", {}).overlay(size=8).shape
            (8, 8, 3)
        """
        mask = self.hatched(effect, uncertain)
        return render.overlay(
            self.image, self.values, size=size, scale=scale, signed=self.signed, hatched=mask,
            **style,
        )  # fmt: skip

    def png(self) -> bytes:
        """PNG file of the map over its picture."""
        return render.png(self.overlay())

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        sides = [self.parameters.get(side) for side in ("left", "right")]
        return None if None in sides or all(map(_is_side, sides)) else "it is of no two maps"

    def __repr__(self) -> str:
        height, width = self.values.shape
        return f"<Relevance {height} x {width}: {self.title}>"


def _is_side(facts: Any) -> bool:
    """Whether these are the facts of one side of a difference."""
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("label"), str)
        and isinstance(facts.get("parameters"), dict)
    )


def _rounded(mass: float) -> str:
    return numbers.number(round(mass, 3))
