"""Patch accuracy: a small classifier that predicts the class from patches.

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

from xwidgets.errors import a_seed, at_least, listed, shown

ImagePatches = tuple[Sequence[NDArray[np.uint8]], int]
"""The patches of one image, 8-bit ``(h, w, 3)`` of any size, and the image's class."""


class PatchAccuracy(NamedTuple):
    """Accuracy of the patch classifier on held-out patches.

    Attributes:
        accuracy: share of the held-out patches whose image's class is predicted.
        chance: share of the most frequent class among them.
        patches: number of held-out patches.
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
    """Train a small classifier on the patches of some images, and test it on those of others.

    All patches of an image belong in either ``training`` or ``held_out``, as they share their
    background. Patches without pixels, those of silent neurons, are left out.

    Args:
        training: for every image its patches and its class, 0 or above.
        held_out: the same for other images.
        size: height and width that every patch is resized to, at least 4.
        epochs: number of passes over the patches, in batches of 64, by Adam.
        seed: of the weights and the order.

    Returns:
        The accuracy per patch, and that of chance.

    Raises:
        ValueError: when one of the two has no patch with pixels.

    Example:
        >>> dark, light = (np.full((2, 9, 7, 3), value, np.uint8) for value in (0, 255))
        >>> images = [(dark, 0), (light, 1)]
        >>> patch_accuracy(images * 16, images)
        PatchAccuracy(accuracy=1.0, chance=0.5, patches=4)
    """
    at_least("size", size, 4)
    at_least("epochs", epochs, 1)
    seed = a_seed(seed)
    patches, labels = _table(training, size, "training")
    unseen, truth = _table(held_out, size, "held_out")
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
        predicted = torch.cat([classifier(batch).argmax(1) for batch in unseen.split(1024)])
    return PatchAccuracy(
        accuracy=float((predicted == truth).double().mean()),
        chance=float(truth.bincount().max() / len(truth)),
        patches=len(truth),
    )


def _table(images: Sequence[ImagePatches], size: int, which: str) -> tuple[Tensor, Tensor]:
    """Patches ``(N, 3, size, size)`` in [-1, 1], and their classes ``(N,)``."""
    pictures, labels = [], []
    needed = "pairs of the patches of an image, 8-bit (h, w, 3), and its class"
    for pair in listed(which, images, tuple, needed):
        if len(pair) != 2:
            raise ValueError(f"{which} has {shown(pair)}, but must be {needed}")
        patches, label = pair
        at_least("class of patches", label, 0)
        for patch in listed("patches", patches, np.ndarray, "arrays (h, w, 3) of 8 bits"):
            if patch.size:
                resized = Image.fromarray(patch).resize((size, size), Image.Resampling.BILINEAR)
                pictures.append(np.asarray(resized))
                labels.append(label)
    if not pictures:
        raise ValueError(
            f"no {which.replace('_', '-')} image has a patch with pixels; give patches of more "
            "neurons"
        )
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    return pixels / 127.5 - 1, torch.tensor(labels)


def _classifier(classes: int, size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, classes),
    ).to(memory_format=torch.channels_last)  # fmt: skip
