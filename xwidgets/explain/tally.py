"""What the samples of each window came to."""

import torch
from torch import Tensor


class Tally:
    """Running means and variances over samples (Welford's), a row a window.

    Args:
        windows: n, how many there are.
        nodes: M, how many values a sample has.

    Attributes:
        count: ``(n,)``, samples so far.
        mean: ``(n, M)``, of their values; zero before the first.

    Example:
        >>> tally = Tally(windows=2, nodes=1)
        >>> for value in (1.0, 3.0):
        ...     tally.add(torch.tensor([0]), torch.tensor([[value]]))
        >>> tally.mean[0], tally.variance[0]
        (tensor([2.], dtype=torch.float64), tensor([2.], dtype=torch.float64))
    """

    def __init__(self, windows: int, nodes: int) -> None:
        self.count = torch.zeros(windows, dtype=torch.float64)
        self.mean = torch.zeros(windows, nodes, dtype=torch.float64)
        self._squares = torch.zeros(windows, nodes, dtype=torch.float64)

    def add(self, windows: Tensor, values: Tensor) -> None:
        """One more sample of some ``windows`` ``(m,)``, none twice: ``values`` ``(m, M)``."""
        self.count[windows] += 1
        before = values - self.mean[windows]
        self.mean[windows] += before / self.count[windows, None]
        self._squares[windows] += before * (values - self.mean[windows])

    @property
    def variance(self) -> Tensor:
        """``(n, M)``, of one sample; NaN where there are fewer than two."""
        return torch.where(
            self.count[:, None] > 1, self._squares / (self.count[:, None] - 1), torch.nan
        )
