"""The architecture of the embedded networks, and their checkpoints.

VGG-16 at a quarter of its width for 64 x 64 images: about a million parameters. The layers carry
torchvision's names (`features`, `avgpool`, `classifier`), every rectifier is a module of its own,
and nothing works in place. A checkpoint is one safetensors file of float16 weights that also holds
the facts about them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn

from xwidgets.files import whole

_BLOCKS = ((16, 16), (32, 32), (64, 64, 64), (128, 128, 128), (128, 128, 128))
_HIDDEN = 128


class ThinVGG(nn.Module):
    """VGG-16 at a quarter of its width.

    Args:
        classes: number of classes K.
        batch_norm: whether a batch norm follows every convolution, which helps training.

    Example:
        >>> ThinVGG(20)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 20])
    """

    def __init__(self, classes: int, batch_norm: bool = False) -> None:
        """Build the layers with random weights."""
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for block in _BLOCKS:
            for width in block:
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU())
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(channels * 4, _HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(_HIDDEN, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map normalised images (N, 3, 64, 64) to logits (N, K)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits


@dataclass(frozen=True)
class Facts:
    """Facts about a checkpoint.

    Attributes:
        kind: the scenes that it was trained on, "birds" or "street".
        classes: names of the classes, in the order of the logits.
        size: height and width of the images.
        mean, std: what each channel of an image in [0, 1] is normalised with.
        accuracy: share of complete test scenes that the shipped weights classify correctly.
        tests: number of those test scenes.
        seed: of the training.
    """

    kind: str
    classes: tuple[str, ...]
    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    accuracy: float
    tests: int
    seed: int

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the facts that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        for name in ("classes", "size", "mean", "std"):
            values[name] = tuple(values[name])
        return cls(**values)

    def to_json(self) -> str:
        """Return the facts as text."""
        return json.dumps(asdict(self))


def save(path: str | Path, module: ThinVGG, facts: Facts) -> None:
    """Write a network without batch norm, as float16, and its facts to a safetensors file."""
    weights = {name: value.half().contiguous() for name, value in module.state_dict().items()}
    with whole(path) as part:
        told = {"facts": facts.to_json(), "sha256": _digest(weights)}
        part.write_bytes(serialized(weights, told))


def load(path: str | Path) -> tuple[ThinVGG, Facts]:
    """Read a checkpoint.

    Args:
        path: a file that `save` wrote.

    Returns:
        The network in evaluation mode with float32 weights, and its facts.

    Raises:
        ValueError: the file is not such a checkpoint, or is damaged.
        FileNotFoundError: there is no such file.

    Example:
        >>> from importlib.resources import files
        >>> module, facts = load(str(files("xwidgets.networks") / "weights" / "birds.safetensors"))
        >>> facts.size, len(facts.classes)
        ((64, 64), 20)
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata()
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if notes["sha256"] != _digest(weights):
            raise ValueError("the checksum does not match")
        facts = Facts.from_json(notes["facts"])
        module = ThinVGG(len(facts.classes))
        module.load_state_dict(weights)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path} is not an intact checkpoint of an embedded network; re-install xwidgets"
        ) from error
    return module.eval(), facts


def _digest(weights: Mapping[str, Tensor]) -> str:
    digest = sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
