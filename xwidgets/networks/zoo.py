"""Trained networks by name: the embedded ones, and torchvision's with their own weights."""

import os
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from xwidgets.errors import of_kind, unknown
from xwidgets.images import photographs

from ._network import Network
from .embedded import EMBEDDED, embedded


def network(name: str) -> Network:
    """A trained network by name.

    Args:
        name: ``"birds"`` or ``"street"`` (shipped with the package), or any torchvision classifier
            such as ``"squeezenet1_1"``, with torchvision's own weights, transforms and class names.

    Returns:
        The network in evaluation mode, on the CPU.

    Raises:
        ValueError: for an unknown name, or weights that cannot be had or read.

    Example:
        >>> import torch
        >>> network("birds")(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 20])
    """
    of_kind("name", name, str, "the name of a network, such as 'birds'")
    net = embedded(name) if name in EMBEDDED else torchvision_network(name)
    net.code = f"xw.network({name!r})"
    return net


def torchvision_classifiers() -> list[str]:
    """The names of torchvision's image classifiers.

    Raises:
        ValueError: when torchvision cannot be imported beside the installed torch.
    """
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:
        raise ValueError(
            f"torchvision does not work with torch {torch.__version__} ({error}); install the two "
            "together from one place, or use an embedded network: " + ", ".join(EMBEDDED)
        ) from error
    return list(models.list_models(module=models))


def torchvision_network(name: str) -> Network:
    """A torchvision classifier with its default weights; see :func:`xwidgets.network`.

    Its own sampler is fitted on five everyday photographs; one fitted on more pictures of the kind
    that is explained does better: ``xw.ConditionalSampler.fit(images, window=20)``.
    """
    names = torchvision_classifiers()
    if name not in names:
        raise unknown("network", name, [*EMBEDDED, *names])
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    try:
        with patch.dict(os.environ, TORCH_FORCE_WEIGHTS_ONLY_LOAD="1"):
            module = models.get_model(name, weights=weights).eval()
    except Exception as error:
        file = _file_of(weights)
        fix = (
            f"delete {file} and try again"
            if file.exists()
            else f"connect to the internet once, or bring the file to {file}"
        )
        raise ValueError(f"the weights of {name} could not be had ({error}); {fix}") from error
    module.to(memory_format=torch.channels_last)
    preset = weights.transforms()
    side = preset.crop_size[0]
    net = Network(
        module,
        normalize=(preset.mean, preset.std),
        size=(side, side),
        classes=weights.meta["categories"],
        name=name,
        prepare_size=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        outputs="logits",
    )
    net.examples = cache(partial(_everyday, net))
    net.memory_format = torch.channels_last
    return net


@dataclass(frozen=True)
class Entry:
    """A network that :func:`xwidgets.network` knows, and what it takes to have it.

    Attributes:
        name: of the network.
        classes: number of them.
        size: ``(H, W)`` of its pictures.
        megabytes: of weights that have to be downloaded first; 0 where they are here.
        shipped: whether they came with the package.
    """

    name: str
    classes: int
    size: tuple[int, int]
    megabytes: float
    shipped: bool


def entries() -> list[Entry]:
    """All networks by name, the embedded ones first.

    Raises:
        ValueError: when torchvision cannot be imported beside the installed torch.

    Example:
        >>> entries()[0]
        Entry(name='birds', classes=20, size=(64, 64), megabytes=0.0, shipped=True)
    """
    names = torchvision_classifiers()
    from torchvision import models

    shipped = [
        Entry(net.name, len(net.classes or ()), net.size, 0.0, True)
        for net in map(embedded, EMBEDDED)
    ]
    return [*shipped, *(_entry(name, models.get_model_weights(name).DEFAULT) for name in names)]


def _entry(name: str, weights: Any) -> Entry:
    [side] = weights.transforms().crop_size
    absent = 0.0 if _file_of(weights).exists() else float(weights.meta["_file_size"])
    return Entry(name, len(weights.meta["categories"]), (side, side), absent, False)


def _file_of(weights: Any) -> Path:
    """File in which torchvision keeps weights that it has downloaded."""
    return Path(torch.hub.get_dir(), "checkpoints", weights.url.rsplit("/", 1)[-1])


def _everyday(net: Network) -> Tensor:
    return torch.stack([net.prepare(picture) for picture in photographs()])
