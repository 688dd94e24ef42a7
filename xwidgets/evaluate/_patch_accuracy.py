"""Do patches tell the classes apart? A second, small classifier finds out.

Lengerich et al. 2017, section 5.1: three hidden convolutions of 64 channels with max pooling
between them learn the class of the image that a patch was cut from.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

ImagePatches = tuple[Sequence[NDArray[np.uint8]], int]
"""The patches of one image, 8-bit ``(h, w, 3)`` of any size, and the image's class."""


class PatchAccuracy(NamedTuple):
    """How well the classes are told apart.

    Attributes:
        accuracy: share of the held-out patches whose image's class is recognised.
        chance: share of the most frequent class among them, which needs no look at them.
        patches: how many they are.
    """

    accuracy: float
    chance: float
    patches: int


def patch_accuracy(
    training: Sequence[ImagePatches],
    held_out: Sequence[ImagePatches],
    *,
    size: int = 16,
    epochs: int = 5,
    seed: int = 0,
) -> PatchAccuracy:
    """Train the small classifier on the patches of some images, and test it on those of others.

    An image's patches stay together, in ``training`` or in ``held_out``: a classifier that has seen
    one of them knows the background of the next. Patches without pixels, those of silent neurons,
    are left out.

    Args:
        training: for every image its patches and its class, 0 or above.
        held_out: the same for other images.
        size: height and width that every patch is resized to, at least 4.
        epochs: how often every patch is seen, in batches of 64 by Adam.
        seed: of the weights and the order.

    Returns:
        The accuracy per patch, beside chance.

    Raises:
        ValueError: when one of the two has no patch with pixels.

    Example:
        >>> dark, light = (np.full((2, 9, 7, 3), value, np.uint8) for value in (0, 255))
        >>> images = [(dark, 0), (light, 1)]
        >>> patch_accuracy(images * 16, images)
        PatchAccuracy(accuracy=1.0, chance=0.5, patches=4)
    """
    patches, labels = _table(training, size, "training")
    unseen, truth = _table(held_out, size, "held-out")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = _classifier(1 + int(torch.cat([labels, truth]).max()), size)
        optimizer = torch.optim.Adam(classifier.parameters(), 2e-3)
        for _ in range(epochs):
            for batch in torch.randperm(len(patches)).split(64):
                loss = nn.functional.cross_entropy(classifier(patches[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        found = torch.cat([classifier(batch).argmax(1) for batch in unseen.split(1024)])
    return PatchAccuracy(
        accuracy=float((found == truth).double().mean()),
        chance=float(truth.bincount().max() / len(truth)),
        patches=len(truth),
    )


def _table(images: Sequence[ImagePatches], size: int, which: str) -> tuple[Tensor, Tensor]:
    """All patches ``(N, 3, size, size)`` in [-1, 1] and their classes ``(N,)``."""
    pictures, labels = [], []
    for patches, label in images:
        for patch in patches:
            if patch.size:
                resized = Image.fromarray(patch).resize((size, size), Image.Resampling.BILINEAR)
                pictures.append(np.asarray(resized))
                labels.append(label)
    if not pictures:
        raise ValueError(f"no {which} image has a patch with pixels; give patches of more neurons")
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    return pixels / 127.5 - 1, torch.tensor(labels)


def _classifier(classes: int, size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, classes),
    ).to(memory_format=torch.channels_last)  # fmt: skip
