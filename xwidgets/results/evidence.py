"""Weight of evidence: log2 odds of a probability, kept finite by a Laplace correction.

The correction is p <- (p N + 1) / (N + K) (Zintgraf et al. 2016, section 2), with N the number of
images that a network was trained on and K its classes.
"""

import numpy as np
from numpy.typing import NDArray


def log_odds(
    probability: NDArray[np.float64], training_size: int, classes: int
) -> NDArray[np.float64]:
    """Log2 odds of probabilities after the Laplace correction p <- (p N + 1) / (N + K).

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
    """Derivative of :func:`log_odds` by the probability; arguments as there.

    Example:
        >>> log_odds_slope(np.array([0.5]), 10**9, 2).round(4)
        array([5.7708])
    """
    corrected = _corrected(probability, training_size, classes)
    share = training_size / (training_size + max(classes, 2))
    return np.asarray(share / (corrected * (1 - corrected) * np.log(2)))


def flat(probability: NDArray[np.float64], training_size: int, classes: int) -> NDArray[np.bool_]:
    """Whether the correction hides most of a small change of the odds, as it does near 0 and 1.

    There the derivative of :func:`log_odds` by the log2 odds without correction is below 1/2: of
    two classes beyond 1/N and 1 - 1/N, of K classes beyond 1/N and about 1 - (K - 1)/N.

    Args:
        probability, training_size, classes: as of :func:`log_odds`.

    Example:
        >>> flat(np.array([0.5, 0.98, 0.9999]), 100, 2)
        array([False, False,  True])
    """
    uncorrected = probability * (1 - probability) * np.log(2)  # 1 / derivative of its log2 odds
    return np.asarray(log_odds_slope(probability, training_size, classes) * uncorrected < 0.5)


def told_flat(label: str, probability: float) -> str:
    """Words for evidence that is :func:`flat`."""
    return (
        f"the evidence for {label!r} is flat by construction, because its probability is so near "
        f"{round(probability)} that bits do not tell a small change of the score"
    )


def _corrected(
    probability: NDArray[np.float64], training_size: int, classes: int
) -> NDArray[np.float64]:
    return (probability * training_size + 1) / (training_size + max(classes, 2))
