"""Do x-features look at different things? How far their heat maps are from uncorrelated.

Qi et al. 2018, section 4.1. The heat maps of one x-feature in all pictures are one long vector; P
is the matrix of the correlations between these vectors. Both measures are 0 at their best, where P
is the unit matrix, and so they are where a single x-feature is active; they are larger the more
there are. Look at how many are active beside them.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._locality import not_negative

SINGULAR = 1e-12
"""The eigenvalue of a correlation matrix below which it is 0 but for rounding."""


@dataclass(frozen=True, eq=False)
class Orthogonality:
    """How correlated the heat maps of n x-features are.

    Attributes:
        correlations: P, ``(n, n)``; NaN for an x-feature that is silent in all pictures.
        silent: ``(n,)``, in how many pictures each x-feature is silent.
    """

    correlations: NDArray[np.float64]
    silent: NDArray[np.int64]

    @property
    def o1(self) -> float:
        """``||P||_F - sqrt(n)`` of the n x-features active in some picture; NaN if none is."""
        p = self._active
        return float(np.linalg.norm(p) - np.sqrt(len(p))) if len(p) else np.nan

    @property
    def o2(self) -> float:
        """``-log det P`` of the same x-features.

        Infinite where P is singular but for rounding (an eigenvalue below :data:`SINGULAR`), or not
        positive definite, as may be when pairs are correlated over different pictures.
        """
        p = self._active
        if not len(p):
            return np.nan
        if np.linalg.eigvalsh(p)[0] < SINGULAR:
            return np.inf
        return -float(np.linalg.slogdet(p).logabsdet) + 0.0

    @property
    def _active(self) -> NDArray[np.float64]:
        active = ~np.isnan(self.correlations.diagonal())
        return self.correlations[active][:, active]


def orthogonality(maps: ArrayLike) -> Orthogonality:
    """Correlate the heat maps of n x-features over the pixels of N pictures.

    Silent maps, which are zero everywhere, are reported and take no part: a pair is correlated over
    the pictures in which both are active. A pair that never is together counts as uncorrelated, and
    so does one of which either map is constant over these pictures' pixels.

    Args:
        maps: ``(N, n, ...)``, not negative, such as ``(N, n, H, W)``; or counts of a human study
            ``(1, n, P + 1)``. Correlations are computed in float64.

    Returns:
        The correlations, and O1 and O2 of them.

    Raises:
        ValueError: for maps that are negative, not finite, or of too few axes.

    Example:
        >>> found = orthogonality([[[1, 0, 0], [2, 0, 0], [0, 0, 0]]])
        >>> found.correlations[0], found.silent
        (array([ 1.,  1., nan]), array([0, 0, 1]))
        >>> round(found.o1, 3), found.o2
        (0.586, inf)
    """
    maps = not_negative("maps", maps, "(N, n, ...)")
    maps = maps.reshape(*maps.shape[:2], -1)
    active = np.any(maps, 2)
    ever = active.any(0)
    correlations = np.where(ever & ever[:, None], np.eye(len(ever)), np.nan)
    for a, b in combinations(np.flatnonzero(ever), 2):
        both = active[:, a] & active[:, b]
        correlations[a, b] = correlations[b, a] = _correlation(maps[both, a], maps[both, b])
    return Orthogonality(correlations, (~active).sum(0))


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    varies = a.size and np.ptp(a) and np.ptp(b)
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if varies else 0.0
