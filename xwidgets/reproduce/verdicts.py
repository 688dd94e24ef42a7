"""When differences between two things, one a repetition, count as found.

Rules return a sign, which each paper's findings put in words: 1 where the differences are above 0,
-1 where they are below, and 0 where that is not clear.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def sign_of_all(differences: Sequence[float] | pd.Series) -> int:
    """The sign that every single difference has.

    Chance alone gives n differences the same sign in one of ``2 ** (n - 1)`` cases.

    Example:
        >>> sign_of_all([0.2, 0.3]), sign_of_all([-0.2, -0.3]), sign_of_all([0.2, -0.3])
        (1, -1, 0)
    """
    signs = np.sign(np.asarray(differences, float))
    return int(signs[0]) if len(signs) and (signs == signs[0]).all() else 0


def mean_and_bound(differences: Sequence[float] | pd.Series) -> tuple[float, float]:
    """Mean of differences, and two standard errors of it, NaN with fewer than two of them.

    Example:
        >>> mean_and_bound([1.0, 2.0, 3.0])
        (2.0, 1.1547005383792517)
    """
    values = pd.Series(differences, dtype=float)
    return float(values.mean()), float(2 * values.std() / np.sqrt(len(values)))


def sign_beyond_bound(differences: Sequence[float] | pd.Series) -> int:
    """The sign of a mean that is more than two standard errors away from 0.

    Example:
        >>> sign_beyond_bound([0.2, 0.3, 0.25]), sign_beyond_bound([-0.2, 0.3])
        (1, 0)
    """
    mean, bound = mean_and_bound(differences)
    return int(np.sign(mean)) if abs(mean) > bound else 0
