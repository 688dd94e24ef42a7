"""The weight of evidence: log2 odds of a probability, kept finite.

A Laplace correction (Zintgraf et al. 2016, section 2) p <- (p N + 1) / (N + K), with N the number
of images a network was trained on and K its classes, keeps certain predictions from infinite odds.
"""

from math import log

import torch
from torch import Tensor


def log_odds(probability: Tensor, training_size: int, classes: int) -> Tensor:
    """log2 odds of probabilities after the Laplace correction p <- (p N + 1) / (N + K).

    Args:
        probability: any shape, in [0, 1].
        training_size: N.
        classes: K; 1, a single sigmoid, counts as 2.

    Example:
        >>> log_odds(torch.tensor([0.5]), 100, 2)
        tensor([0.])
    """
    corrected = _corrected(probability, training_size, classes)
    return torch.log2(corrected / (1 - corrected))


def log_odds_slope(probability: Tensor, training_size: int, classes: int) -> Tensor:
    """The derivative of :func:`log_odds` by the probability, of the same arguments.

    Example:
        >>> log_odds_slope(torch.tensor([0.5]), 10**9, 2)
        tensor([5.7708])
    """
    corrected = _corrected(probability, training_size, classes)
    share = training_size / (training_size + max(classes, 2))
    return share / (corrected * (1 - corrected) * log(2))


def _corrected(probability: Tensor, training_size: int, classes: int) -> Tensor:
    return (probability * training_size + 1) / (training_size + max(classes, 2))
