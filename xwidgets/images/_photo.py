"""Photographs from files, arrays, or the free pictures that come with scikit-image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageOps
from torch import Tensor

from xwidgets.errors import unknown

NAMED = ("astronaut", "chelsea", "coffee", "motorcycle", "retina", "rocket")
"""Photographs that :func:`photo` knows by name."""


def photo(source: object) -> Tensor:
    """Read a picture.

    Args:
        source: a path, a PIL image, an array ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` (8-bit, or
            float in [0, 1]), or the name of a picture in :data:`NAMED`.

    Returns:
        ``(3, H, W)`` float32 tensor in [0, 1], turned upright as its camera says, transparency
        dropped.

    Raises:
        ValueError: when there is no such picture or it cannot be read.

    Example:
        >>> photo("chelsea").shape
        torch.Size([3, 300, 451])
    """
    if isinstance(source, str) and source in NAMED:
        picture = Image.fromarray(_named(source))
    elif isinstance(source, Image.Image):
        picture = source
    elif isinstance(source, str | Path):
        picture = _open(source)
    elif isinstance(source, np.ndarray):
        picture = _from_array(source)
    else:
        raise ValueError(
            f"a photo comes from a path, a PIL image, an array (H, W, 3) or a name "
            f"({', '.join(NAMED)}), not from {type(source).__name__}"
        )
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):  # conversion would cut 16 bits off at 255
        upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    pixels = np.array(upright.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255


def photographs() -> list[Tensor]:
    """All named photographs of everyday scenes, ``(3, H, W)`` each.

    Example:
        >>> len(photographs())
        5
    """
    return [photo(name) for name in NAMED if name != "retina"]


@dataclass(frozen=True)
class PhotographFile:
    """A photograph of a data set, whose pixels stay on disk until they are asked for.

    Attributes:
        path: its file.
        label: the index of its class.
    """

    path: Path
    label: int

    @property
    def image(self) -> Tensor:
        """The pixels, float32 ``(3, H, W)`` in [0, 1], read anew each time."""
        return photo(self.path)


def _named(name: str) -> np.ndarray:
    if name == "motorcycle":
        return np.asarray(skimage.data.stereo_motorcycle()[0])
    return np.asarray(getattr(skimage.data, name)())


def _open(path: str | Path) -> Image.Image:
    try:
        picture = Image.open(path)
        picture.load()
    except FileNotFoundError as error:
        if Path(path).suffix:
            raise ValueError(f"there is no picture at {str(path)!r}; check the path") from error
        raise unknown("photo", str(path), NAMED, "(or give the path of a picture)") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow raises them all
        raise ValueError(
            f"{str(path)!r} cannot be read as a picture; give a PNG, JPEG or other image file"
        ) from error
    return picture


def _from_array(array: np.ndarray) -> Image.Image:
    flat = array.ndim == 2
    if not array.size or not (flat or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(
            f"an array of shape {array.shape} is not a picture; give (H, W), (H, W, 3) or "
            "(H, W, 4); a tensor (3, H, W) in [0, 1] needs no xw.photo"
        )
    if np.issubdtype(array.dtype, np.floating) or array.dtype == bool:
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError("a picture of floating-point numbers must be finite and in [0, 1]")
        array = np.round(array * 255)
    elif array.min() < 0 or array.max() > 255:
        raise ValueError("a picture of whole numbers must lie in 0 ... 255")
    return Image.fromarray(array.astype(np.uint8))
