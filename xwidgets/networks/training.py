"""Training a thin VGG, and looking at it while it learns.

Batch norm helps training and is folded into the convolutions wherever the network is looked at, so
that every checkpoint is a plain Conv-ReLU-MaxPool network. Training has a stream of random numbers
of its own: what the caller does between two checkpoints changes nothing, and the caller's own
random numbers stay as they were.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from xwidgets.errors import at_least

from ._network import Network
from .thin_vgg import ThinVGG

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
"""What each channel of an image in [0, 1] is normalised with."""

BATCH = 64
LEARNING_RATE = 3e-3


class Checkpoint(NamedTuple):
    """A network on its way.

    Attributes:
        epoch: how often every image has been seen; 0 before training.
        network: a copy, which stays as it is.
    """

    epoch: float
    network: Network


def train(
    images: Tensor,
    labels: Tensor,
    classes: Sequence[str],
    *,
    epochs: int = 8,
    at: Sequence[float] | None = None,
    seed: int = 0,
    name: str = "thin VGG",
) -> Iterator[Checkpoint]:
    """Train a :class:`ThinVGG` with AdamW on a one-cycle schedule, in batches of 64.

    Args:
        images: ``(N, 3, H, W)``, 8-bit or floating-point in [0, 1]; 8-bit takes a quarter of the
            memory. H and W of at least 32; an incomplete last batch is left out.
        labels: ``(N,)``, class indices.
        classes: the class names.
        epochs: how often every image is seen.
        at: the epochs to look at the network, fractions among them, rounded to whole batches;
            ``None`` for before training and after every epoch.
        seed: of the weights, the order of the images and dropout.
        name: how results call the network.

    Yields:
        A checkpoint for each time in ``at``, in order. At the end, batch norm has its running
        averages; before, when they lag behind the weights, the statistics of some 500 images.

    Raises:
        ValueError: for fewer images than a batch, labels without a class, no epoch, or times
            outside the training.

    Example:
        >>> images, labels = torch.rand(64, 3, 32, 32), torch.arange(64) % 2
        >>> [before, after] = train(images, labels, ["even", "odd"], epochs=1)
        >>> after.epoch, after.network(images).shape
        (1.0, torch.Size([64, 2]))
    """
    at_least("epochs", epochs, 1)
    at = range(epochs + 1) if at is None else at
    if len(images) < BATCH or len(labels) != len(images):
        raise ValueError(
            f"there are {len(images)} images and {len(labels)} labels; give at least {BATCH} of "
            "both, as many labels as images"
        )
    if not 0 <= labels.min() <= labels.max() < len(classes):
        raise ValueError(f"labels must be 0 to {len(classes) - 1}, one of the {len(classes)} names")
    if not all(0 <= epoch <= epochs for epoch in at):
        raise ValueError(f"at is {list(at)}, but training lasts from epoch 0 to {epochs}")
    return _train(images, labels, tuple(classes), epochs, at, seed, name)


def _train(
    images: Tensor,
    labels: Tensor,
    classes: tuple[str, ...],
    epochs: int,
    at: Sequence[float],
    seed: int,
    name: str,
) -> Iterator[Checkpoint]:
    stream = _Stream(seed)
    with stream.drawn():
        module = ThinVGG(len(classes), batch_norm=True)
    per_epoch = len(images) // BATCH
    steps = epochs * per_epoch
    looks = {round(epoch * per_epoch) for epoch in at}
    optimizer = torch.optim.AdamW(module.parameters(), LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        LEARNING_RATE,
        max(steps, 5),  # of four, a quarter is one step, and the schedule divides by zero
        pct_start=0.25,
    )
    some = images[:: max(1, len(images) // (8 * BATCH))]
    batches: list[Tensor] = []
    with tqdm(total=max(looks), desc=f"train {name}", leave=False) as progress:
        for step in range(max(looks) + 1):
            if step in looks:
                seen = module if step == steps else _with_statistics(module, some)
                network = Network(
                    folded(seen),
                    normalize=(MEAN, STD),
                    size=(images.shape[2], images.shape[3]),
                    classes=classes,
                    name=name,
                    training_size=len(images),
                    outputs="logits",
                )
                network.memory_format = torch.channels_last
                yield Checkpoint(step / per_epoch, network)
            if step == max(looks):
                return
            with stream.drawn():
                if not batches:
                    order = torch.randperm(len(images))[: per_epoch * BATCH]
                    batches = list(order.split(BATCH))
                batch = batches.pop(0)
                logits = module(_normalized(images[batch]))
                loss = nn.functional.cross_entropy(logits, labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            progress.update()
            progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


def folded(module: ThinVGG) -> ThinVGG:
    """The same function of the images without batch norm, in evaluation mode.

    Example:
        >>> folded(ThinVGG(2, batch_norm=True)).features[1]
        ReLU()
    """
    plain = deepcopy(module).eval()
    plain.zero_grad()
    layers: list[nn.Module] = []
    for layer in plain.features:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(cast(nn.Conv2d, layers[-1]), layer)
        else:
            layers.append(layer)
    plain.features = nn.Sequential(*layers)
    return plain


def _with_statistics(module: ThinVGG, images: Tensor) -> ThinVGG:
    """A copy whose batch norm has the statistics of ``images``."""
    measured = deepcopy(module)
    with torch.random.fork_rng(devices=[]):
        update_bn(map(_normalized, images.split(BATCH)), measured)
    return measured


def _normalized(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    return (pixels - mean) / std


class _Stream:
    """Random numbers that go on where they stopped, whatever others draw in between."""

    def __init__(self, seed: int) -> None:
        self._state = torch.Generator().manual_seed(seed).get_state()

    @contextmanager
    def drawn(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._state)
            yield
            self._state = torch.get_rng_state()
