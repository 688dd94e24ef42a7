"""Figure 10: how three methods explain a picture, and what a shift of its pixels changes."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.evaluate._shifted_network import shifted_network
from xwidgets.explain._excitation_backprop import excitation_backprop
from xwidgets.explain._x_features import x_features
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.networks import Network
from xwidgets.reproduce.repetitions import progress

from .laboratory import Laboratory, a_laboratory

DIM = 0.8
"""How much pictures are darkened before, so that they stay in [0, 1]."""


class ThreeMaps(NamedTuple):
    """How three methods explain the score of one picture.

    Attributes:
        score: of the class, before softmax.
        maps: ``"x-features"`` ``(n, H, W)``, ``"excitation"`` (c-MWP of the score) and
            ``"gradient * input"``, both ``(H, W)``.
    """

    score: float
    maps: dict[str, NDArray[np.floating]]


def three_maps(net: Network, module: ExplanationModule, image: Tensor) -> ThreeMaps:
    """Score and maps of three methods for one picture.

    Args:
        net: the classifier, or the shifted one.
        module: whose class is explained.
        image: ``(C, H, W)``, pixels as this network takes them.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> three = three_maps(net, module, xw.scenes.bird(seed=3).image)
        >>> [maps.shape for maps in three.maps.values()]
        [(5, 64, 64), (64, 64), (64, 64)]
    """
    explained = x_features(net, module, image, contrastive=True)
    target = module.facts.target
    watched = net.watched(image[None])
    (gradient,) = torch.autograd.grad(watched.logits[0, target], watched.pixels)
    product = (gradient * watched.pixels.detach())[0].sum(0)
    return ThreeMaps(
        explained.score,
        {
            "x-features": explained.maps,
            "excitation": excitation_backprop(net, image, target, contrastive=True).values,
            "gradient * input": product.float().cpu().numpy(),
        },
    )


def agreement(before: NDArray[np.floating], after: NDArray[np.floating]) -> tuple[float, float]:
    """The correlation of two maps, and their largest difference in shares of the maximum.

    Example:
        >>> agreement(np.array([0.0, 1.0, 2.0]), np.array([2.0, 1.0, 0.0]))
        (-1.0, 1.0)
    """
    largest = np.abs(before).max()
    difference = float(np.abs(before - after).max() / largest) if largest else 0.0
    return float(np.corrcoef(before.ravel(), after.ravel())[0, 1]), difference


def figure10(lab: Laboratory) -> pd.DataFrame:
    """Figure 10: what does a constant that is added to the pixels, and taken off again, change?

    Returns:
        A row for each ``class`` and ``maps`` (the ``x-features`` of SRAE, ``excitation``, and
        ``gradient * input``): the mean ``correlation`` of the maps before and after, the mean over
        pictures of the largest ``difference`` as a share of the map's maximum, and ``score``, by
        how much the score changes.
    """
    a_laboratory(lab)
    shifted, offset = shifted_network(lab.net)
    rows = []
    for label, module in progress(lab.modules("srae").items(), "Figure 10"):
        agreements: dict[str, list[tuple[float, float]]] = {}
        scores = []
        for case in lab.material.cases[label][: lab.setting.masked]:
            before, after = (
                three_maps(net, module, DIM * case.image + shift)
                for net, shift in ((lab.net, 0.0), (shifted, offset))
            )
            scores.append(abs(before.score - after.score))
            for name, maps in before.maps.items():
                agreements.setdefault(name, []).append(agreement(maps, after.maps[name]))
        rows += [
            {
                "class": label, "maps": name, "correlation": np.mean([value for value, _ in pairs]),
                "difference": np.mean([value for _, value in pairs]), "score": np.mean(scores),
            }
            for name, pairs in agreements.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)
