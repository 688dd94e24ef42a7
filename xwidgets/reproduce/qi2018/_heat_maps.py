"""The heat maps of an explanation in many pictures, and how different and how local they are.

Qi et al. 2018 show a heat map for every x-feature of a picture, also for those that are silent in
it, which add nothing to the score (figures 3 and 8). What excites the hidden units from which an
x-feature is computed does not depend on its own bias: a map of a silent x-feature is that of the
same x-feature with a bias so high that it is active.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from xwidgets.errors import a_flag, at_least, of_kind
from xwidgets.evaluate._locality import Locality, locality, not_negative, part_shares
from xwidgets.evaluate._orthogonality import orthogonality
from xwidgets.explain._excitation_backprop import excitation_backprop
from xwidgets.explain._x_features import x_features_each
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.explain.explanation_module.features import read_features
from xwidgets.networks import Network

from .cases import KINDS, Case, some_cases

ALIKE = 0.9
"""The correlation above which two heat maps count as alike."""
_HIGH = 1e6


class HeatMaps(NamedTuple):
    """Heat maps of n x-features in N pictures.

    Attributes:
        maps: ``(N, n, H, W)``, of silent x-features too.
        contributions: ``(N, n)``, v_i E_i, 0 for those that are silent.
    """

    maps: NDArray[np.float32]
    contributions: NDArray[np.float32]

    @property
    def active(self) -> NDArray[np.float32]:
        """The maps, zero everywhere for x-features that are silent."""
        active: NDArray[np.float32] = self.maps * (self.contributions != 0)[..., None, None]
        return active


def heat_maps(net: Network, module: ExplanationModule, cases: Sequence[Case]) -> HeatMaps:
    """The heat maps of a module's x-features by c-MWP.

    Args:
        net: the classifier that the module was fitted to.
        module: whose x-features have biases; of others, such as the Lasso's, which are features of
            Z, the silent ones have no map.
        cases: the pictures.

    Returns:
        Maps and contributions.

    Raises:
        ValueError: when the module was fitted to another network.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> cases = xw.reproduce.qi2018.cases.drawn_birds([3], 1, 4).cases[3]
        >>> seen = heat_maps(net, module, cases)
        >>> seen.maps.shape, bool(seen.maps.any((2, 3)).all())
        ((4, 5, 64, 64), True)
    """
    some_cases(cases)
    of_kind("module", module, ExplanationModule, "an ExplanationModule of xw.fit_explanation")
    images = [case.image for case in cases]
    maps = np.stack(
        [each.maps for each in x_features_each(net, _awake(module), images, contrastive=True)]
    )
    *_, (_, features) = read_features(
        net, DataSet(net, images), net.layer(module.facts.layer), cache=False
    )
    assert features is not None
    values = torch.from_numpy(features.values).to(module.weights)
    return HeatMaps(maps, (module.encoder(values) * module.weights).cpu().numpy())


def _awake(module: ExplanationModule) -> ExplanationModule:
    """The same with biases by which all x-features are active."""
    encoder = deepcopy(module.encoder)
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        return module
    layers[-1].bias.add_(_HIGH)
    return ExplanationModule(module.facts, encoder, module.weights, module.intercept)


def heat_maps_of_score(
    net: Network, label: int, cases: Sequence[Case], contrastive: bool = True
) -> HeatMaps:
    """The heat maps of a class's score itself, as if it were a single x-feature.

    Args:
        net: the classifier.
        label: the class.
        cases: the pictures.
        contrastive: c-MWP, as of the paper; otherwise plain excitation backprop.

    Returns:
        Maps ``(N, 1, H, W)``, and contributions of 1.

    Example:
        >>> from xwidgets.reproduce.qi2018 import cases
        >>> material = cases.drawn_birds([3], 1, 2)
        >>> heat_maps_of_score(material.net, 3, material.cases[3]).maps.shape
        (2, 1, 64, 64)
    """
    some_cases(cases)
    a_flag("contrastive", contrastive)
    at_least("label", label, 0)
    maps = [
        excitation_backprop(net, case.image, label, contrastive=contrastive).values[None]
        for case in cases
    ]
    return HeatMaps(np.stack(maps), np.ones((len(cases), 1), np.float32))


def measures(seen: HeatMaps, cases: Sequence[Case]) -> dict[str, float]:
    """How different and how local the heat maps of x-features are (Qi et al. 2018, section 4.1).

    Args:
        seen: what the x-features see.
        cases: in these pictures.

    Returns:
        ``o1`` and ``o2``; ``correlation``, the mean over pairs of x-features, and ``alike``, the
        share of pairs above :data:`ALIKE`; ``voronoi`` and ``masks``, the locality by either kind
        of parts where they are known. All of them over the pictures in which the x-features are
        active, and again with ``_all`` in the end over all pictures, as the paper's figures show
        them; ``ever``, how many x-features are active in some picture; ``positive``, how many add
        to the score of a picture; ``silent``, the share of x-features that are silent in one.

    Example:
        >>> from xwidgets.reproduce.qi2018 import cases
        >>> case = cases.drawn_birds([3], 1, 1).cases[3][0]
        >>> seen = HeatMaps(case.parts()["masks"][None, [1, 3]], np.array([[2, 0]], np.float32))
        >>> measured = measures(seen, [case])
        >>> [round(measured[name], 2) for name in ("masks", "o1", "correlation_all")]
        [0.15, 0.0, -0.01]
    """
    of_kind("seen", seen, HeatMaps, "what heat_maps() returned")
    some_cases(cases)
    measured: dict[str, float] = {}
    for name, maps in (("", seen.active), ("_all", seen.maps)):
        correlated = orthogonality(maps)
        pairs = correlated.pairs
        known = localities(maps, cases)
        measured |= {
            f"o1{name}": correlated.o1,
            f"o2{name}": correlated.o2,
            f"correlation{name}": float(pairs.mean()) if pairs.size else np.nan,
            f"alike{name}": float((pairs > ALIKE).mean()) if pairs.size else np.nan,
            **{f"{kind}{name}": known[kind].mean if kind in known else np.nan for kind in KINDS},
        }
    active = seen.contributions != 0
    return measured | {
        "ever": float(active.any(0).sum()),
        "positive": float((seen.contributions > 0).sum(1).mean()),
        "silent": float(1 - active.mean()),
    }


def localities(maps: NDArray[np.float32], cases: Sequence[Case]) -> dict[str, Locality]:
    """The locality of maps ``(N, n, H, W)`` by every kind of parts that are known of the N cases.

    Example:
        >>> from xwidgets.reproduce.qi2018 import cases
        >>> case = cases.drawn_birds([3], 1, 1).cases[3][0]
        >>> local = localities(case.parts()["masks"][None, :1], [case])
        >>> local["masks"].entropies.round(2), local["voronoi"].histograms.shape
        (array([0.55]), (1, 16))
    """
    maps = not_negative("maps", maps, "(N, n, H, W)")
    some_cases(cases)
    shares: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    for some, case in zip(maps, cases, strict=True):
        for kind, parts in case.parts().items():
            shares[kind].append(part_shares(some, parts))
    return {kind: locality(known) for kind, known in shares.items() if known}
