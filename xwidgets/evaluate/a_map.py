"""Maps and masks of pixels, checked."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import WrongType, shown


def a_map(name: str, values: object, kinds: str = "biuf") -> NDArray[Any]:
    """Array ``(H, W)``, called ``name``, of numbers or of one of other kinds of types.

    Raises:
        ValueError: for anything else; a ``TypeError`` too where it is no array of such numbers.

    Example:
        >>> a_map("values", np.ones((2, 3))).shape
        (2, 3)
    """
    if not isinstance(values, np.ndarray) or values.dtype.kind not in kinds:
        held = "numbers" if "f" in kinds else "booleans"
        raise WrongType(f"{name} is {shown(values)}, but must be an array (H, W) of {held}")
    if values.ndim != 2 or not values.size:
        raise ValueError(f"{name} is of the shape {values.shape}, but must be (H, W)")
    return values
