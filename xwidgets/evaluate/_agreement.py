"""Agreement of two maps of one picture: rank correlation over the pixels."""

import numpy as np
from scipy.stats import spearmanr

from xwidgets.errors import of_kind
from xwidgets.results import Relevance


def agreement(left: Relevance, right: Relevance) -> float:
    """Spearman's rank correlation of two maps, pixel by pixel.

    Where one of the maps is unsigned, the magnitudes of both are compared.

    Args:
        left, right: of one picture; neither methods nor units need to be the same.

    Returns:
        -1 to 1; NaN where one of the maps has one value everywhere, or too few known ones.

    Raises:
        ValueError: for maps of other sizes.

    Example:
        >>> import xwidgets as xw
        >>> net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
        >>> signed, magnitude = (xw.saliency(net, image, reduce=r) for r in ("signed", "maximum"))
        >>> agreement(signed, signed), agreement(signed, magnitude) > 0.7
        (1.0, True)
    """
    for side in (left, right):
        of_kind("a side", side, Relevance, "an xw.Relevance, as methods return it")
    if left.values.shape != right.values.shape:
        raise ValueError(
            f"the maps are {left.values.shape} and {right.values.shape}; compare maps of one "
            "picture"
        )
    values = np.stack([left.values, right.values]).reshape(2, -1)
    values = values[:, np.isfinite(values).all(0)]
    if not (left.signed and right.signed):
        values = np.abs(values)
    if values.shape[1] < 2 or (values.min(1) == values.max(1)).any():
        return float("nan")
    return float(spearmanr(*values).statistic)
