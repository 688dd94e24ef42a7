"""Pictures of a survey, as its network takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import one_line
from xwidgets.explain.data_set import DataSet
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks._network import a_network

from .folder import Survey


class SurveyPictures:
    """Pictures that a survey is of, read one by one.

    Args:
        net: of the survey.
        images: of the survey.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed) for seed in range(3)]
        >>> SurveyPictures(xw.network("birds"), scenes).picture(2).shape
        (64, 64, 3)
    """

    def __init__(self, net: Network, images: object) -> None:
        self._data = DataSet(a_network(net), images)

    def check(self, survey: Survey) -> None:
        """Check that they are those of a survey.

        Raises:
            ValueError: when they are not.
        """
        try:
            same = self._data.fingerprint() == survey.facts.pictures
        except Exception as error:  # of the data set, of any kind
            raise ValueError(
                f"the pictures cannot be read ({one_line(error)}); check them"
            ) from error
        if not same or len(self._data) != len(survey):
            raise ValueError(
                f"these are not the pictures of the survey in {str(survey.folder)!r}, or they have "
                "changed since; give those that xw.survey was given"
            )

    def image(self, number: int) -> Tensor | None:
        """Picture ``(C, H, W)`` in [0, 1]; ``None`` for one that cannot be read or taken."""
        try:
            return self._data.item(number).image
        except Exception:  # of the data set, of any kind
            return None

    def picture(self, number: int) -> NDArray[np.uint8] | None:
        """Picture, 8-bit ``(H, W, 3)``; ``None`` for one that cannot be read or taken."""
        image = self.image(number)
        return None if image is None else picture(image)
