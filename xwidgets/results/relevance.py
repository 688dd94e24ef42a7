"""A signed map over the pixels of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import numbers, render
from .result import Result, versions


@dataclass(frozen=True, eq=False, repr=False)
class Relevance(Result):
    """How much every pixel speaks for (positive) or against (negative) a class.

    Attributes:
        values: float32 ``(H, W)``, in ``unit``. NaN where a partial result knows nothing yet.
        image: the picture, 8-bit ``(H, W, 3)``.
        unit: such as ``"bits"``.
        method: such as ``"prediction difference"``.
        network: the network's name.
        target: the class index, and ``label`` its name.
        parameters: everything the method was called with, the seed among it.
        completed: the share of the work behind ``values``; below 1 for a partial result.
        standard_error: float32 ``(H, W)``, of ``values`` where they are estimated from samples, in
            ``unit``; NaN where there are too few samples to tell, ``None`` where it is not known.
        note: a sentence where something about the computation is worth knowing.
        products: the type that was multiplied in, such as ``"float32"``; "" where it is not known.
        mass: what arrived of what a method shared out, where it shares out.
        signed: whether values can speak against the class too; otherwise none is negative.
        versions: of the packages that computed it.

    Example:
        >>> result = Relevance(
        ...     values=np.zeros((4, 4), np.float32), image=np.zeros((4, 4, 3), np.uint8),
        ...     unit="bits", method="none", network="birds", target=0, label="wren", parameters={},
        ... )
        >>> result.png()[1:4]
        b'PNG'
    """

    values: NDArray[np.float32]
    image: NDArray[np.uint8]
    unit: str
    method: str
    network: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    completed: float = 1.0
    standard_error: NDArray[np.float32] | None = None
    note: str = ""
    products: str = ""
    mass: float | None = None
    signed: bool = True
    versions: Mapping[str, str] = field(default_factory=versions)

    @property
    def title(self) -> str:
        """One line that says what this is."""
        share = "" if self.completed >= 1 else f", {numbers.percent(self.completed)} computed"
        mass = "" if self.mass is None else f", mass {numbers.number(round(self.mass, 3))}"
        return f"{self.method} for {self.label!r} ({self.network}), in {self.unit}{mass}{share}"

    def png(self) -> bytes:
        """The map over its picture, as a PNG file."""
        return render.png(render.overlay(self.image, self.values))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        if self.values.dtype != np.float32 or self.image.dtype != np.uint8:
            return f"its map is {self.values.dtype}, its picture {self.image.dtype}"
        if self.values.ndim != 2 or self.image.shape != (*self.values.shape, 3):
            return f"its map is {self.values.shape}, its picture {self.image.shape}"
        error = self.standard_error
        if error is not None and (error.dtype != np.float32 or error.shape != self.values.shape):
            return f"its standard error is {error.dtype} {error.shape}"
        return None

    def __repr__(self) -> str:
        height, width = self.values.shape
        return f"<Relevance {height} x {width}: {self.title}>"
