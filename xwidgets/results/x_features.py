"""The x-features of one picture: where each looks, and what it adds to the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import numbers, render
from .result import Result, versions


@dataclass(frozen=True, eq=False, repr=False)
class XFeatures(Result):
    """What the n x-features of an explanation module find in a picture (Qi et al. 2018).

    Attributes:
        maps: float32 ``(n, H, W)``, a heat map for each x-feature; its sum is 1, or 0 where the
            x-feature is silent, which means that it is not active or that nothing excites it.
        activations: float32 ``(n,)``, E(Z).
        weights: float32 ``(n,)``, v.
        intercept: what is added to v^T E; 0 but for the Lasso.
        score: the network's, before softmax.
        rivals: the names and scores of the other classes with the highest scores, the best first.
        mass: float32 ``(n,)``, what arrived of the excitation of each, before negative values are
            cut.
        image: the picture, 8-bit ``(H, W, 3)``.
        network: the network's name, and ``layer`` that of the layer whose output is embedded.
        target: the class index, and ``label`` its name.
        top: the name of the class that the network takes the picture for.
        method: how the module was fitted, such as ``"srae"``.
        module: the module's fingerprint.
        parameters: everything else that was asked for.
        versions: of the packages that computed it.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> found = xw.x_features(net, module, xw.scenes.bird(seed=3, species=3).image)
        >>> found.maps.shape, found.contributions.shape
        ((5, 64, 64), (5,))
    """

    maps: NDArray[np.float32]
    activations: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercept: float
    score: float
    rivals: tuple[tuple[str, float], ...]
    mass: NDArray[np.float32]
    image: NDArray[np.uint8]
    network: str
    layer: str
    target: int
    label: str
    top: str
    method: str
    module: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=versions)

    _forms: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "rivals": lambda rivals: tuple((name, score) for name, score in rivals)
    }

    @property
    def contributions(self) -> NDArray[np.float32]:
        """``(n,)``: v_i E_i, what each x-feature adds to the approximated score."""
        found: NDArray[np.float32] = self.weights * self.activations
        return found

    @property
    def approximation(self) -> float:
        """y^ = v^T E, the score as the x-features give it."""
        return float(self.contributions.sum(dtype=np.float64)) + self.intercept

    @property
    def order(self) -> NDArray[np.int64]:
        """The x-features by their contributions, the largest first."""
        found: NDArray[np.int64] = np.argsort(-self.contributions, kind="stable")
        return found

    @property
    def title(self) -> str:
        """One line that says what this is."""
        score, approximation = numbers.number(self.score), numbers.number(self.approximation)
        return (
            f"{len(self.maps)} x-features by {self.method} for {self.label!r} ({self.network}), "
            f"score {score}, approximation {approximation}"
        )

    def png(self) -> bytes:
        """The maps over the picture in the order of their contributions, as a PNG file."""
        signs = np.sign(self.contributions)[:, None, None]
        maps = [
            render.overlay(self.image, (self.maps * signs)[one], size=224) for one in self.order
        ]
        return render.png(np.concatenate(maps, 1))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _fault(self) -> str | None:
        maps, image = np.shape(self.maps), np.shape(self.image)
        if len(maps) != 3 or image != (*maps[1:], 3):
            return f"its maps are {maps}, its picture {image}"
        if {np.shape(one) for one in (self.activations, self.weights, self.mass)} != {maps[:1]}:
            return "its maps are not as many as its x-features"
        return None

    def __repr__(self) -> str:
        return f"<XFeatures: {self.title}>"
