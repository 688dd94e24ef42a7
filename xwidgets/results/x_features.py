"""X-features of one picture: a heat map and a contribution to the score of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.aliases import formerly

from . import numbers, render
from .facts import limits
from .result import Result, versions

METHODS = {"srae": "SRAE", "nn": "NN", "sae": "SAE", "cae": "CAE", "lasso": "Lasso"}
"""Names of the ways to fit a module."""

SPARSITIES = {"log": "", "l1": "L1", "epsilon-l1": "ε-L1", "kl": "KL"}
"""Names of the penalties that are not the paper's."""


@formerly(network="network_name")
@dataclass(frozen=True, eq=False, repr=False)
class XFeatures(Result):
    """The n x-features of an explanation module in a picture (Qi et al. 2018).

    Attributes:
        maps: float32 ``(n, H, W)``, heat map of each x-feature, of sum 1; 0 for a silent one,
            which is not active, or excited by nothing.
        activations: float32 ``(n,)``, E(Z).
        weights: float32 ``(n,)``, v.
        intercept: added to v^T E; 0 but for the Lasso.
        score: of the network, before softmax.
        rivals: names and scores of the other classes with the highest scores, the best first.
        mass: float32 ``(n,)``, excitation of each that arrived, before negative values are clipped.
        image: the picture, 8-bit ``(H, W, 3)``.
        network_name: name of the network, and ``layer`` of the layer whose output is embedded.
        target: the class index, and ``label`` its name.
        top: name of the class with the highest score.
        method: of the module's fit, such as ``"srae"``.
        module: fingerprint of the module.
        parameters: of the heat maps.
        versions: of the packages that computed it.
        plain_mass: float32 ``(n,)``, excitation of each that arrived without contrast; ``None``
            where not recorded.
        note: sentences on contrast and mass; else "".
        lack: sentence on why they mean nothing here, with the fix; "" where they mean something,
            or where not recorded.
        sparsity: penalty of the module's fit, such as ``"kl"``; "" for methods without one, and
            where not recorded.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> found = xw.x_features(net, module, xw.scenes.bird(seed=3, species=3).image)
        >>> found.maps.shape, found.contributions.shape
        ((5, 64, 64), (5,))
    """

    maps: NDArray[np.float32] = field(metadata=limits("n H W", least=0))
    activations: NDArray[np.float32] = field(metadata=limits("n"))
    weights: NDArray[np.float32] = field(metadata=limits("n"))
    intercept: float
    score: float
    rivals: tuple[tuple[str, float], ...]
    mass: NDArray[np.float32] = field(metadata=limits("n"))
    image: NDArray[np.uint8] = field(metadata=limits("H W 3"))
    network_name: str
    layer: str
    target: int
    label: str
    top: str
    method: str
    module: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=versions)
    plain_mass: NDArray[np.float32] | None = field(default=None, metadata=limits("n"))
    note: str = ""
    lack: str = ""
    sparsity: str = ""

    @property
    def fitted_by(self) -> str:
        """Name of the fit's method, with a penalty that is not the paper's."""
        return METHODS.get(self.method, self.method) + self._penalty

    @property
    def contributions(self) -> NDArray[np.float32]:
        """Contributions v_i E_i ``(n,)`` of the x-features to the approximated score."""
        products: NDArray[np.float32] = self.weights * self.activations
        return products

    @property
    def approximation(self) -> float:
        """Approximated score y^ = v^T E."""
        return float(self.contributions.sum(dtype=np.float64)) + self.intercept

    @property
    def order(self) -> NDArray[np.int64]:
        """Numbers ``(n,)`` of the x-features by contribution, the largest first."""
        numbers: NDArray[np.int64] = np.argsort(-self.contributions, kind="stable")
        return numbers

    @property
    def title(self) -> str:
        """One-line description."""
        score, approximation = numbers.number(self.score), numbers.number(self.approximation)
        return (
            f"{len(self.maps)} x-features by {self.method}{self._penalty} for {self.label!r} "
            f"({self.network_name}), score {score}, approximation {approximation}"
        )

    @property
    def _penalty(self) -> str:
        other = SPARSITIES.get(self.sparsity, self.sparsity)
        return f" with {other}" if other else ""

    def png(self) -> bytes:
        """PNG file of the maps over the picture, in the order of their contributions."""
        signs = np.sign(self.contributions)[:, None, None]
        maps = (self.maps * signs)[self.order]
        overlays = [render.overlay(self.image, values, size=224) for values in maps]
        return render.png(np.concatenate(overlays, 1))

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        return f"<XFeatures: {self.title}>"
