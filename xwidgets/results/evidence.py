"""The weight of evidence: log2 odds of a probability, kept finite.

A Laplace correction (Zintgraf et al. 2016, section 2) p <- (p N + 1) / (N + K), with N the number
of images a network was trained on and K its classes, keeps certain predictions from infinite odds.
"""

import numpy as np
from numpy.typing import NDArray


def log_odds(
    probability: NDArray[np.float64], training_size: int, classes: int
) -> NDArray[np.float64]:
    """log2 odds of probabilities after the Laplace correction p <- (p N + 1) / (N + K).

    Args:
        probability: any shape, in [0, 1].
        training_size: N.
        classes: K; 1, a single sigmoid, counts as 2.

    Example:
        >>> log_odds(np.array([0.5]), 100, 2)
        array([0.])
    """
    corrected = _corrected(probability, training_size, classes)
    return np.asarray(np.log2(corrected / (1 - corrected)))


def log_odds_slope(
    probability: NDArray[np.float64], training_size: int, classes: int
) -> NDArray[np.float64]:
    """The derivative of :func:`log_odds` by the probability, of the same arguments.

    Example:
        >>> log_odds_slope(np.array([0.5]), 10**9, 2).round(4)
        array([5.7708])
    """
    corrected = _corrected(probability, training_size, classes)
    share = training_size / (training_size + max(classes, 2))
    return np.asarray(share / (corrected * (1 - corrected) * np.log(2)))


def _corrected(
    probability: NDArray[np.float64], training_size: int, classes: int
) -> NDArray[np.float64]:
    return (probability * training_size + 1) / (training_size + max(classes, 2))
