"""Do the x-features give the score? How far y^ is from y, and whether the class stays.

Qi et al. 2018, section 4.1.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xwidgets.explain._x_features import the_module
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module import ExplanationModule
from xwidgets.explain.explanation_module.features import Features, classes, read_features
from xwidgets.networks import Network
from xwidgets.networks._network import a_network


@dataclass(frozen=True)
class Faithfulness:
    """How well an explanation module approximates a class's score y by y^.

    Attributes:
        f_reg: mean \\|y^ - y\\|.
        f_cls: the share of images whose class stays the same when y^ takes the place of y. With a
            single output, the classes are the two sides of 0.
        spread: the standard deviation of y over the images, which f_reg is to be compared with.
        images: how many there were.
    """

    f_reg: float
    f_cls: float
    spread: float
    images: int


def faithfulness(
    net: Network, module: ExplanationModule, images: object, cache: bool | str | Path = False
) -> Faithfulness:
    """Compare a module's approximated scores with the network's own.

    Args:
        net: the classifier that the module was fitted to.
        module: from :func:`xwidgets.fit_explanation`.
        images: all that :class:`xwidgets.images.Collection` takes, of the class and of others;
            those that cannot be read are left out with a warning. Images that the module was not
            fitted to tell whether it holds for others.
        cache: the same as for :func:`xwidgets.fit_explanation`, whose features are found again.

    Returns:
        F_reg and F_cls, beside the spread of the scores.

    Raises:
        ValueError: when the module was fitted to another network, or no image can be read.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=8, progress=False)
        >>> fresh, _ = xw.scenes.draw("birds", range(900, 1000))
        >>> found = faithfulness(net, module, fresh)
        >>> found.f_cls > 0.8, found.images
        (True, 100)
    """
    data = DataSet(a_network(net), images)
    layer = net.layer(the_module(net, module).facts.layer)
    *_, (_, features) = read_features(net, data, layer, cache)
    assert features is not None
    return faithfulness_to(module, features)


def faithfulness_to(module: ExplanationModule, features: Features) -> Faithfulness:
    """The same of images whose features and scores were read before, for many modules."""
    values = torch.from_numpy(features.values).to(module.weights)
    approximated = module(values).cpu().double().numpy()
    target, scores = module.facts.target, features.scores.astype(np.float64)
    replaced = scores.copy()
    replaced[:, target] = approximated
    return Faithfulness(
        f_reg=float(np.abs(replaced[:, target] - scores[:, target]).mean()),
        f_cls=float((classes(replaced) == classes(scores)).mean()),
        spread=float(scores[:, target].std()),
        images=len(scores),
    )
