"""What fitting an explanation module minimises (Qi et al. 2018, equation 4)."""

import torch
from torch import Tensor


def faithfulness_loss(approximations: Tensor, scores: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of (y^ - y)^2 over images.

    Args:
        approximations, scores, weights: ``(M, B)``, of M classes and B images.

    Returns:
        ``(M,)``.

    Raises:
        ValueError: for other shapes, which might broadcast into something else.

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
    reconstructions: Tensor, features: Tensor, weights: Tensor, q: float | None
) -> Tensor:
    """(1 / S) sum_k log(1 + q Q_k), Q_k the weighted mean of the squared error of feature k.

    Args:
        reconstructions: ``(M, B, S)``, of M classes and B images.
        features: ``(B, S)``, Z.
        weights: ``(M, B)``, of the images for each class.
        q: above 0; ``None`` for the mean of Q, which is the limit of this over q for small q.

    Returns:
        ``(M,)``.

    Raises:
        ValueError: for other shapes, which might broadcast into something else.

    Example:
        >>> reconstruction_loss(torch.ones(1, 2, 3), torch.zeros(2, 3), torch.ones(1, 2), q=1.0)
        tensor([0.6931])
    """
    if reconstructions.ndim != 3:
        shape = tuple(reconstructions.shape)
        raise ValueError(f"reconstructions are {shape}, but must be (M, B, S)")
    _check(features, reconstructions.shape[1:], "features")
    _check(weights, reconstructions.shape[:2], "weights")
    errors = (weights[..., None] * (reconstructions - features) ** 2).mean(1)
    return (errors if q is None else torch.log1p(q * errors)).mean(1)


def _check(values: Tensor, shape: torch.Size, name: str) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} are {tuple(values.shape)}, but must be {tuple(shape)}")
