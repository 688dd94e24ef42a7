"""Running mean and variance of the samples of each window or unit."""

import numpy as np
import torch
from torch import Tensor


class RunningMoments:
    """Running means and variances over samples by Welford's algorithm, a row a window.

    Args:
        windows: n, the number of windows, or units.
        nodes: M, the number of values of a sample.

    Attributes:
        count: ``(n,)``, samples so far.
        mean: ``(n, M)``, of their values; zero before the first.

    Example:
        >>> moments = RunningMoments(windows=2, nodes=1)
        >>> for value in (1.0, 3.0):
        ...     moments.add(torch.tensor([0]), torch.tensor([[value]]))
        >>> moments.mean[0], moments.variance[0]
        (tensor([2.], dtype=torch.float64), tensor([2.], dtype=torch.float64))
    """

    def __init__(self, windows: int, nodes: int) -> None:
        self.count = torch.zeros(windows, dtype=torch.float64)
        self.mean = torch.zeros(windows, nodes, dtype=torch.float64)
        self._squares = torch.zeros(windows, nodes, dtype=torch.float64)

    def add(self, windows: Tensor, values: Tensor) -> None:
        """Add samples ``values`` ``(m, M)`` of ``windows`` ``(m,)``, of each in this order."""
        while len(windows):
            _, first = np.unique(windows.numpy(), return_index=True)
            self._add(windows[first], values[first])
            windows, values = (
                torch.from_numpy(np.delete(part.numpy(), first, 0)) for part in (windows, values)
            )

    def _add(self, windows: Tensor, values: Tensor) -> None:
        """Add a sample of each of ``windows``, none twice."""
        self.count[windows] += 1
        deviation = values - self.mean[windows]
        self.mean[windows] += deviation / self.count[windows, None]
        self._squares[windows] += deviation * (values - self.mean[windows])

    @property
    def variance(self) -> Tensor:
        """``(n, M)``: unbiased variance of a sample; NaN where there are fewer than two."""
        return torch.where(
            self.count[:, None] > 1, self._squares / (self.count[:, None] - 1), torch.nan
        )
