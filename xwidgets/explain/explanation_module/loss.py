"""Losses of an explanation module (Qi et al. 2018, equation 4)."""

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from .sparsity import Penalty


def faithfulness_loss(approximations: Tensor, scores: Tensor, weights: Tensor) -> Tensor:
    """Faithfulness loss: weighted mean of (y^ - y)^2 over images.

    Args:
        approximations, scores, weights: ``(M, B)``, of M classes and B images.

    Returns:
        ``(M,)``.

    Raises:
        ValueError: for other shapes, also for those that would broadcast.

    Example:
        >>> faithfulness_loss(torch.ones(1, 2), torch.tensor([[1.0, 3.0]]), torch.ones(1, 2))
        tensor([2.])
    """
    _check(scores, approximations.shape, "scores")
    _check(weights, approximations.shape, "weights")
    if approximations.ndim != 2:
        raise ValueError(f"approximations are {tuple(approximations.shape)}, but must be (M, B)")
    return (weights * (approximations - scores) ** 2).mean(1)


def reconstruction_loss(
    reconstructions: Tensor, features: Tensor, weights: Tensor, penalise: Penalty
) -> Tensor:
    """Reconstruction loss (1 / S) sum_k phi(Q_k), Q_k the mean squared error of feature k.

    Args:
        reconstructions: ``(M, B, S)``, of M classes and B images.
        features: ``(B, S)``, Z.
        weights: ``(M, B)``, of the images in Q, for each class.
        penalise: phi, of each element of Q; see :mod:`.sparsity`.

    Returns:
        ``(M,)``.

    Raises:
        ValueError: for other shapes, also for those that would broadcast.

    Example:
        >>> rebuilt, features = torch.ones(1, 2, 3), torch.zeros(2, 3)
        >>> reconstruction_loss(rebuilt, features, torch.ones(1, 2), torch.log1p)
        tensor([0.6931])
    """
    if reconstructions.ndim != 3:
        shape = tuple(reconstructions.shape)
        raise ValueError(f"reconstructions are {shape}, but must be (M, B, S)")
    _check(features, reconstructions.shape[1:], "features")
    _check(weights, reconstructions.shape[:2], "weights")
    errors = mse_loss(reconstructions, features.expand_as(reconstructions), reduction="none")
    means = (weights[:, None] @ errors)[:, 0] / len(features)
    return penalise(means).mean(1)


def _check(values: Tensor, shape: torch.Size, name: str) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} are {tuple(values.shape)}, but must be {tuple(shape)}")
