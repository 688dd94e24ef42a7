"""What methods return: arrays with all that is needed to read them again."""

from __future__ import annotations

import json
import platform
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import render
from .box import Box


@cache
def _versions() -> dict[str, str]:
    installed = {name: version(name) for name in ("xwidgets", "torch", "numpy")}
    return installed | {"python": platform.python_version()}


@dataclass(frozen=True, eq=False)
class Relevance:
    """How much every pixel speaks for (positive) or against (negative) a class.

    Attributes:
        values: float32 ``(H, W)``, in ``unit``. NaN where a partial result knows nothing yet.
        image: the picture, 8-bit ``(H, W, 3)``.
        unit: such as ``"bits"``.
        method: such as ``"prediction difference"``.
        network: the network's name.
        target: the class index, and ``label`` its name.
        parameters: everything the method was called with, the seed among it.
        completed: the share of the work behind ``values``; below 1 for a partial result.
        mass: what arrived of what a method shared out, where it shares out.
        versions: of the packages that computed it.

    Example:
        >>> result = Relevance(
        ...     values=np.zeros((4, 4), np.float32), image=np.zeros((4, 4, 3), np.uint8),
        ...     unit="bits", method="none", network="birds", target=0, label="wren", parameters={},
        ... )
        >>> result.png()[1:4]
        b'PNG'
    """

    values: NDArray[np.float32]
    image: NDArray[np.uint8]
    unit: str
    method: str
    network: str
    target: int
    label: str
    parameters: Mapping[str, Any]
    completed: float = 1.0
    mass: float | None = None
    versions: Mapping[str, str] = field(default_factory=_versions)

    @property
    def title(self) -> str:
        """One line that says what this is."""
        share = "" if self.completed >= 1 else f", {self.completed:.1%} computed"
        mass = "" if self.mass is None else f", mass {round(self.mass, 3) + 0.0:.3f}"
        return f"{self.method} for {self.label!r} ({self.network}), in {self.unit}{mass}{share}"

    def save(self, path: str | Path) -> None:
        """Write to an ``.npz`` file that :meth:`load` reads."""
        facts = {key: value for key, value in asdict(self).items() if key not in _ARRAYS}
        text = json.dumps(facts)
        with open(path, "wb") as file:
            np.savez_compressed(file, values=self.values, image=self.image, facts=np.array(text))

    @classmethod
    def load(cls, path: str | Path) -> Relevance:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, damaged or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                result = cls(values=file["values"], image=file["image"], **facts)
        except FileNotFoundError as error:
            raise ValueError(f"there is no result at {str(path)!r}; check the path") from error
        except _DAMAGE as error:
            raise ValueError(
                f"{str(path)!r} is no readable relevance result; compute it again and write it "
                "with result.save(path)"
            ) from error
        if result.values.dtype != np.float32 or result.image.dtype != np.uint8:
            raise ValueError(f"{str(path)!r} holds no relevance map; compute it again")
        if result.values.ndim != 2 or result.image.shape != (*result.values.shape, 3):
            raise ValueError(
                f"{str(path)!r} holds a map of shape {result.values.shape} for a picture of shape "
                f"{result.image.shape}; compute it again"
            )
        return result

    def png(self) -> bytes:
        """The map over its picture, as a PNG file."""
        return render.png(render.overlay(self.image, self.values))

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        height, width = self.values.shape
        return f"<Relevance {height} x {width}: {self.title}>"


@dataclass(frozen=True, eq=False)
class NeuronPatch:
    """What a neuron looks at in one image.

    Attributes:
        network: the network's name.
        layer: the layer's name, and ``channel`` the neuron's number in it.
        activation: the largest of its map.
        image: the picture, 8-bit ``(H, W, 3)``.
        pixels: its reconstruction by deconvnet, float32 ``(C, H, W)``, signed.
        box: of the pixels that the reconstruction shows; ``None`` for a silent neuron.
        field: the pixels that the neuron can see from where it is active; ``None`` when nowhere.
    """

    network: str
    layer: str
    channel: int
    activation: float
    image: NDArray[np.uint8]
    pixels: NDArray[np.float32]
    box: Box | None
    field: Box | None

    @property
    def crop(self) -> NDArray[np.uint8]:
        """The patch of the picture in the box, 8-bit ``(h, w, 3)``; empty for a silent neuron."""
        return self.image[(self.box or Box(0, 0, 0, 0)).slices]

    @property
    def contact(self) -> tuple[str, ...]:
        """The sides on which the box reaches as far as the neuron can see."""
        if self.box is None or self.field is None:
            return ()
        sides = zip(Box._fields, self.box, self.field, strict=True)
        return tuple(side for side, edge, limit in sides if edge == limit)

    def __repr__(self) -> str:
        return (
            f"<NeuronPatch: {self.layer} channel {self.channel} ({self.network}), box {self.box}>"
        )


_DAMAGE = (OSError, KeyError, TypeError, ValueError, EOFError, RuntimeError,
           zipfile.BadZipFile, zlib.error)  # fmt: skip
_ARRAYS = {item.name for item in fields(Relevance)} & {"values", "image"}
