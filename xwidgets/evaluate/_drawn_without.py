"""True effect of a part: the scene is drawn again without it."""

import numpy as np

from xwidgets.errors import of_kind
from xwidgets.images import picture
from xwidgets.images.scenes import Scene
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.results import RegionRemoval


def drawn_without(net: Network, scene: Scene, part: str) -> RegionRemoval:
    """Class probabilities of a drawn scene with a part and without it.

    The part is not filled by a guess, as in :func:`xwidgets.remove_region`: the picture shows what
    is behind it.

    Args:
        net: the classifier.
        scene: a drawn scene of the network's size.
        part: one of ``scene.removable`` that is visible.

    Returns:
        The removal of the part's pixels, with the one picture in which they show what is behind.

    Raises:
        ValueError: for no scene, or a part that cannot be removed.

    Example:
        >>> import xwidgets as xw
        >>> drawn_without(xw.network("birds"), xw.scenes.bird(seed=3), "breast")
        <RegionRemoval: region of ... pixels for 'Dune finch (ruby breast)' ...>
    """
    a_network(net)
    of_kind("scene", scene, Scene, "a drawn scene, such as xw.scenes.bird(seed=3)")
    of_kind("part", part, str, "the name of a part, such as 'beak'")
    changed = scene.without(part).image
    logits = [net.logits(image[None]) for image in (scene.image, changed)]
    before, after = (net.probabilities(each).double().numpy() for each in logits)
    return RegionRemoval(
        image=picture(scene.image),
        mask=np.asarray(scene.masks[part], bool),
        before=before[0],
        classes=tuple(net.class_name(index) for index in range(before.shape[1])),
        network_name=net.name,
        training_size=net.training_size,
        alternatives=net.alternatives(logits[0]),
        parameters={"samples": 1, "part": part},
        probabilities=after,
        samples=picture(changed)[None],
    )
