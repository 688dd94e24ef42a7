"""Fitting of a small network to pairs of inputs and targets, epoch by epoch."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xwidgets.errors import a_seed, at_least, of_kind
from xwidgets.networks.evaluation_copy import evaluation_copy

BATCH = 16
LEARNING_RATE = 6e-3


class Epoch(NamedTuple):
    """A network after an epoch.

    Attributes:
        number: how often every pair has been seen; 0 before the fit.
        loss: mean binary cross-entropy per pixel in that epoch; NaN before the fit.
        module: a copy in evaluation mode, which stays as it is.
    """

    number: int
    loss: float
    module: nn.Module


def fit(
    module: nn.Module, inputs: Tensor, targets: Tensor, *, epochs: int = 20, seed: int = 0
) -> Iterator[Epoch]:
    """Fit a copy of ``module`` with Adam in batches of 16, its weights drawn anew from the seed.

    The loss is the binary cross-entropy per pixel, of masks as of colours in [0, 1]: for those too
    it is smallest where the output is the target.

    Args:
        module: whose outputs are in [0, 1] and of the shape of ``targets``.
        inputs: ``(N, ...)``.
        targets: ``(N, ...)`` in [0, 1].
        epochs: how often every pair is seen.
        seed: of the weights and of the order of the pairs.

    Yields:
        The network before the fit, and after every epoch.

    Raises:
        ValueError: without pairs, for no epoch, or for outputs of another shape than the targets.

    Example:
        >>> inputs = torch.rand(64, 2)
        >>> [*_, last] = fit(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), inputs, inputs[:, :1])
        >>> last.number, last.loss < 0.69
        (20, True)
    """
    at_least("epochs", epochs, 1)
    seed = a_seed(seed)
    of_kind("module", module, nn.Module, "a torch.nn.Module")
    of_kind("inputs", inputs, Tensor, "a tensor (N, ...)")
    of_kind("targets", targets, Tensor, "a tensor (N, ...) in [0, 1]")
    if not 0 < len(inputs) == len(targets):
        raise ValueError(
            f"there are {len(inputs)} inputs and {len(targets)} targets; give a target for each "
            "input"
        )
    with torch.no_grad():
        shape = evaluation_copy(module)(inputs[:1]).shape
    if shape != targets[:1].shape:
        raise ValueError(
            f"outputs have the shape {tuple(shape[1:])}, but targets {tuple(targets.shape[1:])}; "
            "give a network with outputs like the targets"
        )
    return _fit(module, inputs, targets, epochs, seed)


def _fit(
    module: nn.Module, inputs: Tensor, targets: Tensor, epochs: int, seed: int
) -> Iterator[Epoch]:
    fitted = evaluation_copy(module, own_parameters=True).train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in fitted.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                part.reset_parameters()
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(fitted.parameters(), LEARNING_RATE)
    batches = -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    yield Epoch(0, float("nan"), evaluation_copy(fitted, own_parameters=True))
    drawn = order.get_state()  # of dropout
    for number in range(1, epochs + 1):
        total = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(drawn)
            for batch in torch.randperm(len(inputs), generator=order).split(BATCH):
                loss = F.binary_cross_entropy(fitted(inputs[batch]), targets[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() * len(batch)
            drawn = torch.get_rng_state()
        yield Epoch(number, total / len(inputs), evaluation_copy(fitted, own_parameters=True))
