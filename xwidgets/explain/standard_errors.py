"""Standard errors of means of few samples, twice of which is a 95 % interval.

The variance of two samples is nearly any number, and twice the root of it covers what it should in
two cases of three. Two things are known beside it: the other variances of the same map, and how
little each of them knows. With v a variance of nu degrees of freedom,

    log v - psi(nu/2) + log(nu/2)  has mean  log s^2 - psi(d/2) + log(d/2),
                                   variance  psi'(nu/2) + psi'(d/2),

where the true variances are taken to be s^2 times d over chi-square of d, with psi the digamma
function (empirical Bayes, after Smyth 2004). Mean and variance over the map tell s^2 and d. A
variance is then known as (d s^2 + nu v) / (d + nu), of d + nu degrees of freedom: many where the
map's variances are alike, few where they are not, and none are added where there is no other. The
interval is Student's. Scores have heavier tails than a Gaussian, with an excess kurtosis of 1 to 4
on the embedded networks: of S samples, S/2 degrees of freedom are counted here in place of S - 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor

_ROUNDING = 1e-13  # of a variance: the square of the rounding of float32


def standard_errors(
    variance: Tensor, freedom: Tensor, samples: Tensor, means: Tensor | float = 1
) -> Tensor:
    """Standard errors of the values of a map, whose doubles are 95 % intervals.

    Args:
        variance: ``(P,)`` float64, of one sample; NaN where it is not known. Where it is 0 but for
            rounding, beside the largest, nothing ever varied, and the error is 0.
        freedom: ``(P,)``, degrees of freedom that it would have with Gaussian samples.
        samples: ``(P,)``, S, over which a mean is taken; their harmonic mean where S varies.
        means: ``(P,)``, the number of such means of which the value is the mean.

    Returns:
        ``(P,)``, half of the half width of the intervals.

    Example:
        >>> few, many = (torch.tensor([n], dtype=torch.float64) for n in (3, 1000))
        >>> standard_errors(torch.ones(1).double(), few - 1, few)
        tensor([1.7369], dtype=torch.float64)
        >>> standard_errors(torch.ones(1).double(), many - 1, many) * many.sqrt()
        tensor([0.9824], dtype=torch.float64)
    """
    known = variance > _ROUNDING * variance.nan_to_num().max()
    degrees = freedom * (samples / (2 * (samples - 1))).clamp(max=1)
    squeezed = variance
    if known.sum() > 1:
        prior, typical = _prior(variance[known], freedom[known])
        squeezed = (prior * typical + degrees * variance) / (prior + degrees)
        degrees = degrees + prior
    errors = _student(degrees) / 2 * (squeezed / (samples * means)).sqrt()
    return torch.where(known, errors, 0 * variance)


def _prior(variance: Tensor, freedom: Tensor) -> tuple[float, float]:
    """Degrees of freedom d and value s^2 of the variances that a map has."""
    half = freedom / 2
    logs = variance.log() - half.digamma() + half.log()
    spread = float(logs.var() - half.polygamma(1).mean())
    prior = 2 * _inverse_trigamma(max(spread, 1e-4))
    middle = torch.tensor(prior / 2, dtype=torch.float64)
    return prior, float((logs.mean() + middle.digamma() - middle.log()).exp())


def _inverse_trigamma(value: float) -> float:
    """Where the derivative of digamma has a value, by Newton's method for its reciprocal."""
    x = torch.tensor(0.5 + 1 / value, dtype=torch.float64)
    for _ in range(20):  # the reciprocal is convex and nearly straight
        slope = x.polygamma(1)
        x = x + slope * (1 - slope / value) / x.polygamma(2)
    return float(x)


def _student(degrees: Tensor) -> Tensor:
    """Quantile .975 of Student's t at degrees of freedom ``(P,)``, read off a table."""
    table = _table()
    quantiles = np.exp(np.interp(degrees.log().numpy(), *table))
    return torch.from_numpy(quantiles)


@cache
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of degrees of freedom and of the quantile."""
    degrees = np.geomspace(0.1, 1e5, 1000)
    return np.log(degrees), np.log(stdtrit(degrees, 0.975))
