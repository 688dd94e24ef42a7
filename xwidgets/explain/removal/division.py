"""Division of samples among windows by how noisy their neighbours are.

A mean over n samples has the variance s^2 / n, so a map's error is smallest for its number of
samples when each n follows the standard deviation s and the root of the window's weight in the map
(Neyman 1934). How noisy a window is, its neighbours tell by their first samples, and never its own
samples: where a large effect is rare, first samples without it would end the window's share, and
its mean would be biased. Windows draw independently, so the neighbours' samples do no harm.

A budget that all windows share would let a window's own samples in again, as they decide what its
neighbours take of it. Therefore windows have four colours, by whether row and column are even.
Those of a colour have a budget of their own, divided by what the samples of the eight windows
around each tell, which have the three other colours. Then the number of a window's samples does not
depend on them, and their mean has no bias.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from .windows import WindowGrid

PILOTS = 2
"""First samples of each window, which tell how noisy its neighbours are."""

_FLOOR = 0.1  # share of the budget that is divided evenly, so that no window starves


def further_samples(variance: Tensor, grid: WindowGrid, budget: int) -> Tensor:
    """Number of further samples of each window.

    Args:
        variance: ``(n, M)``, of a sample of each window, of each of M values.
        grid: the n windows.
        budget: mean number of further samples of a window.

    Returns:
        Whole numbers ``(n,)`` whose sum is n times the budget.

    Example:
        >>> grid = WindowGrid(6, 6, window=3, stride=1)
        >>> further_samples(torch.ones(16, 1), grid, budget=5).view(4, 4)[0]
        tensor([7, 5, 5, 7])
    """
    noise = (_around(variance, grid) * grid.weights[:, None]).sqrt()
    rows, columns = grid.shape
    places = torch.arange(len(grid)).view(rows, columns)
    counts = torch.zeros(len(grid), dtype=torch.long)
    for row in range(min(rows, 2)):
        for column in range(min(columns, 2)):
            windows = places[row::2, column::2].flatten()
            ends = (budget * _shares(noise[windows]).cumsum(0)).round().long()
            counts[windows] = ends.diff(prepend=ends.new_zeros(1))
    return counts


def interleaved(counts: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Order of further samples: windows ``(N,)``, and which of its samples each has ``(N,)``.

    All windows are done with their samples at one pace, so that any part of the order is spread
    over the picture and divided as the whole is.

    Args:
        counts: ``(n,)``, number of samples of each window.
        order: ``(n,)``, in which windows with the same number of samples take turns.

    Example:
        >>> windows, numbers = interleaved(torch.tensor([1, 4]), order=torch.tensor([0, 1]))
        >>> [*zip(windows.tolist(), numbers.tolist())]
        [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    """
    windows = torch.arange(len(counts)).repeat_interleave(counts)
    numbers = torch.arange(len(windows)) - (counts.cumsum(0) - counts)[windows]
    begins = order.argsort().double() / len(order)
    when = ((numbers + begins[windows]) / counts[windows]).argsort(stable=True)
    return windows[when], numbers[when]


def _around(values: Tensor, grid: WindowGrid) -> Tensor:
    """Mean ``(n, M)`` of values ``(n, M)`` over the up to eight windows around each; else 0."""
    others = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    others[0, 0, 1, 1] = 0
    maps = torch.cat([values.double().T, torch.ones(1, len(grid))]).view(-1, 1, *grid.shape)
    *sums, count = conv2d(maps, others, padding=1).flatten(1)
    means: Tensor = torch.stack(sums, 1) / count.clamp(min=1)[:, None]
    return means


def _shares(noise: Tensor) -> Tensor:
    """Shares ``(n,)``, of mean 1, of windows whose M values are noisy so ``(n, M)``.

    Rounded to powers of the root of 2, so that the shares are the same whatever the batches, whose
    rounding moves the noise by its last digits.
    """
    relative = torch.where(noise > 0, noise / noise.mean(0), 0).square().mean(1)
    shares = relative.log2().round().exp2().sqrt()
    shares = shares / shares.mean() if shares.any() else torch.ones_like(shares)
    return _FLOOR + (1 - _FLOOR) * shares
