"""Part deletion: relevance on each part against the true effect of removing it.

A drawn scene can be drawn again without a part, so the true effect of each part on the score is
known: the evidence for the class that is lost.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from xwidgets.errors import of_kind
from xwidgets.images.scenes import Scene
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.results.evidence import log_odds

from .a_map import a_map


@dataclass(frozen=True, eq=False)
class PartDeletion:
    """True effect and relevance of every removable part of a scene.

    Attributes:
        parts: names of the n parts.
        effects: ``(n,)``, evidence for the class that is lost without the part, in bits.
        relevance: ``(n,)``, mean of the map over the part's pixels, in the map's unit.
    """

    parts: tuple[str, ...]
    effects: NDArray[np.float64]
    relevance: NDArray[np.float64]

    @property
    def hit(self) -> bool:
        """Whether the part with the largest effect has the highest relevance."""
        return bool(self.effects.argmax() == self.relevance.argmax())

    def frame(self) -> pd.DataFrame:
        """Table of the parts, those of the largest effect first."""
        columns = {
            "bits lost without it": self.effects,
            "mean of the map over it": self.relevance,
        }
        table = pd.DataFrame(columns, pd.Index(self.parts, name="part"))
        return table.sort_values("bits lost without it", ascending=False).round(2) + 0.0  # no -0.00


def part_deletion(
    net: Network, scene: Scene, values: NDArray[np.floating], target: int | None = None
) -> PartDeletion:
    """Compare the relevance of parts with the true effects of their removal.

    Args:
        net: the classifier.
        scene: a drawn scene of the network's size.
        values: ``(H, W)``, relevance of the scene's pixels.
        target: class index; ``None`` for the scene's own class.

    Returns:
        Effects and relevance of the scene's removable, visible parts.

    Raises:
        ValueError: when the map is not of the scene's size, or no part can be removed.

    Example:
        >>> import xwidgets as xw
        >>> scene = xw.scenes.bird(seed=3)
        >>> deletion = part_deletion(xw.network("birds"), scene, xw.evaluate.edge_map(scene.image))
        >>> "beak" in deletion.parts
        True
    """
    a_network(net)
    of_kind("scene", scene, Scene, "a drawn scene, such as xw.scenes.bird(seed=3)")
    values = a_map("values", values)
    if values.shape != scene.image.shape[1:]:
        raise ValueError(
            f"the map is {values.shape}, the scene {tuple(scene.image.shape[1:])}; "
            "explain scene.image itself"
        )
    parts = tuple(part for part in scene.removable if scene.masks[part].any())
    if not parts:
        raise ValueError("this scene has no visible part that can be removed; take another seed")
    images = torch.stack([scene.image, *(scene.without(part).image for part in parts)])
    logits = net(images)
    index = scene.label if target is None else net.class_index(target, logits.shape[1])
    chances = net.probabilities(logits)[:, index]
    odds = log_odds(chances.numpy(), net.training_size, net.alternatives(logits))
    return PartDeletion(
        parts=parts,
        effects=odds[0] - odds[1:],
        relevance=np.array([values[scene.masks[part]].mean() for part in parts], float),
    )
