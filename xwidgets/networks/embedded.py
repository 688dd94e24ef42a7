"""The two networks that ship with the package, trained on the scenes that it draws."""

from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from xwidgets.images import scenes

from . import thin_vgg
from ._network import Network

EMBEDDED = ("birds", "street")
"""Names of the networks that need no download."""


def embedded(name: str) -> Network:
    """An embedded network: ``"birds"`` (20 drawn species) or ``"street"`` (person or not)."""
    module, facts = thin_vgg.load(Path(__file__).parent / "weights" / f"{name}.safetensors")
    net = Network(
        module,
        normalize=(facts.mean, facts.std),
        size=facts.size,
        classes=facts.classes,
        name=name,
        training_size=10_000,
        examples=partial(_scenes, name),
        outputs="logits",
    )
    net.memory_format = torch.channels_last
    return net


@cache
def _scenes(name: str) -> Tensor:
    images, _ = scenes.draw(name, range(10_000, 10_150))
    return images
