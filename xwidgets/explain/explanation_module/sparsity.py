"""Sparsity penalties phi of the errors with which features are reconstructed (Qi et al. 2018).

Q_k is the mean squared error of feature k, and r_k its root. Sparsity(Q) is the mean of phi(Q_k)
over the features (equation 3), such that few of them need to be reconstructed. Equation 3 has the
log penalty; the text names three others that would do (section 2.3) and prints none of them:

- ``"log"``: log(1 + q r^2), equation 3.
- ``"l1"``: \\|r\\|, which the text has beside the log penalty. An L1 penalty of Q itself would be
  the plain mean squared error, which is that of SAE.
- ``"epsilon-l1"``: (r^2 + epsilon)^(1/2), after Lee et al. 2007, smooth where r is 0.
- ``"kl"``: the divergence rho log(rho / s) + (1 - rho) log((1 - rho) / (1 - s)) of Ng 2011, whose
  s lies between 0 and 1. An error does not, so here s = q Q / (1 + q Q), a choice of this package.
  Then the divergence is log(1 + q Q) - rho log(q Q) up to a constant: the log penalty, but for
  errors below Q = rho / ((1 - rho) q), where it is least.

The log penalty grows the slowest with a large error, then KL, which is close to it; the other two
grow in proportion to r. As they differ in size, so do the beta that suit them.
"""

from collections.abc import Callable, Mapping
from math import log

import torch
from torch import Tensor

Penalty = Callable[[Tensor], Tensor]
"""Penalty of each of some errors Q, of any shape."""


def log_penalty(errors: Tensor, q: float) -> Tensor:
    """Log penalty log(1 + q Q) of errors Q.

    Example:
        >>> log_penalty(torch.tensor([0.0, 1.0]), q=1.0)
        tensor([0.0000, 0.6931])
    """
    return torch.log1p(q * errors)


def l1_penalty(errors: Tensor) -> Tensor:
    """L1 penalty \\|r\\|, the root of errors Q; at 0 its gradient is 0.

    Example:
        >>> l1_penalty(torch.tensor([0.0, 4.0]))
        tensor([0., 2.])
    """
    tiny = torch.finfo(errors.dtype).tiny
    return torch.where(errors > tiny, errors.clamp(min=tiny).sqrt(), 0)


def epsilon_l1_penalty(errors: Tensor, epsilon: float) -> Tensor:
    """Epsilon-L1 penalty, the root of Q + epsilon.

    Example:
        >>> epsilon_l1_penalty(torch.tensor([0.0, 3.0]), epsilon=1.0)
        tensor([1., 2.])
    """
    return (errors + epsilon).sqrt()


def kl_penalty(errors: Tensor, q: float, rho: float) -> Tensor:
    """Kullback-Leibler divergence of a share s = q Q / (1 + q Q) from rho.

    Errors that are less than the rounding of their type count as this rounding, or the divergence
    would be infinite at 0.

    Example:
        >>> kl_penalty(torch.tensor([0.25, 1.0, 3.0]), q=1.0, rho=0.5)
        tensor([0.2231, 0.0000, 0.1438])
    """
    scaled = (q * errors).clamp(min=torch.finfo(errors.dtype).eps)
    least = rho * log(rho) + (1 - rho) * log(1 - rho)
    return torch.log1p(scaled) - rho * scaled.log() + least


def squared(errors: Tensor) -> Tensor:
    """Errors Q themselves, the plain reconstruction loss of SAE and CAE."""
    return errors


SPARSITIES: Mapping[str, tuple[Callable[..., Tensor], tuple[str, ...]]] = {
    "log": (log_penalty, ("q",)),
    "l1": (l1_penalty, ()),
    "epsilon-l1": (epsilon_l1_penalty, ("epsilon",)),
    "kl": (kl_penalty, ("q", "rho")),
}
"""Penalties that SRAE may have, and the options of a training that each of them takes."""
