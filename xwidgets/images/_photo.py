"""Photographs from files, arrays, or the free pictures of scikit-image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION
from torch import Tensor

from xwidgets.errors import unknown

from .pixels import in_channels, one_image

NAMED = ("astronaut", "chelsea", "coffee", "motorcycle", "retina", "rocket")
"""Names of photographs that :func:`photo` takes."""


def photo(source: object, channels: int = 3) -> Tensor:
    """Read a photograph.

    Args:
        source: a path, a PIL image, the name of a picture in :data:`NAMED`; an array ``(H, W)``,
            ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)``, 8-bit, 16-bit or float in [0, 1]; or an
            8-bit tensor ``(C, H, W)``.
        channels: 1 for grey, by luma, 3 for red, green and blue, or 4 for these and opacity.

    Returns:
        Float32 ``(channels, H, W)`` in [0, 1], upright by its EXIF orientation.

    Raises:
        ValueError: for a missing or unreadable picture, or one whose white is not known.

    Example:
        >>> photo("chelsea").shape
        torch.Size([3, 300, 451])
    """
    return in_channels(read(source), channels).contiguous()


def read(source: object) -> Tensor:
    """Read a picture in its own channels; ``source`` as of :func:`photo`.

    Returns:
        Float32 ``(C, H, W)`` in [0, 1]: 1 channel of grey, 3 of colours, or 4 with opacity.

    Raises:
        ValueError: as :func:`photo`.

    Example:
        >>> read(np.eye(4)).shape
        torch.Size([1, 4, 4])
    """
    if isinstance(source, str) and source in NAMED:
        pixels = _shares(_named(source))
    elif isinstance(source, Image.Image):
        pixels = _of_picture(source)
    elif isinstance(source, str | Path):
        pixels = _of_picture(_open(source))
    elif isinstance(source, np.ndarray):
        pixels = _of_array(source)
    elif isinstance(source, Tensor) and source.dtype == torch.uint8:
        return one_image(source.detach().float() / 255)
    else:
        raise ValueError(
            f"a photo comes from a path, a PIL image, an array (H, W, 3) or a name "
            f"({', '.join(NAMED)}), not from {type(source).__name__}"
        )
    channels_first = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels_first))


def is_picture(image: object) -> bool:
    """Whether an image must be read: a path or name, a PIL image, an 8-bit array or tensor.

    Example:
        >>> is_picture("cat.jpg"), is_picture(torch.rand(3, 4, 4))
        (True, False)
    """
    if isinstance(image, Tensor | np.ndarray):
        return image.dtype in (torch.uint8, np.uint8)
    return isinstance(image, str | Path | Image.Image)


def photographs() -> list[Tensor]:
    """Named photographs of everyday scenes, ``(3, H, W)`` each.

    Example:
        >>> len(photographs())
        5
    """
    return [photo(name) for name in NAMED if name != "retina"]


@dataclass(frozen=True)
class PhotographFile:
    """Photograph of a data set, whose pixels are read from disk on access.

    Attributes:
        path: of the file.
        label: index of the class.
    """

    path: Path
    label: int

    @property
    def image(self) -> Tensor:
        """Pixels, float32 ``(3, H, W)`` in [0, 1], read anew each time."""
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
    except Exception as error:  # Pillow raises errors of every kind for a damaged file
        raise ValueError(
            f"{str(path)!r} cannot be read as a picture; give a PNG, JPEG or other image file"
        ) from error
    return picture


def _of_picture(picture: Image.Image) -> NDArray[np.float32]:
    """Pixels ``(H, W)`` or ``(H, W, C)``, upright, in shares of white."""
    upright = _upright(picture)
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):  # conversion would cut off
        white, tags = _white(picture), getattr(picture, "tag_v2", {})
        pixels = _shares(np.asarray(upright) if white is None else np.asarray(upright) / white)
        return 1 - pixels if tags.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO else pixels
    opaque = "L" if picture.mode in ("1", "L") else "RGB"
    try:
        converted = upright.convert("RGBA" if picture.has_transparency_data else opaque)
    except ValueError as error:
        raise ValueError(
            f"a picture of mode {picture.mode} cannot be read ({error}); save it as RGB"
        ) from error
    return _shares(np.asarray(converted))


def _white(picture: Image.Image) -> float | None:
    """Value of white of a picture of one channel that has more than 8 bits; ``None`` for others.

    Pillow has some formats of 16 bits in 32 bits, and 12 bits of a TIFF in 16.
    """
    if picture.mode == "F" or (picture.mode == "I" and picture.format not in ("PNG", "PPM")):
        return None
    tags = getattr(picture, "tag_v2", {})
    [bits] = tags.get(BITSPERSAMPLE, (16,))
    return float(2**bits - 1)


def _upright(picture: Image.Image) -> Image.Image:
    """Picture as its camera was held, as far as its EXIF data can be read."""
    picture.load()
    try:
        told: Any = picture.getexif().get(ExifTags.Base.Orientation)
        turn = _TURNS.get(told[0] if isinstance(told, bytes) else told)
    except Exception:  # Pillow raises errors of every kind for damaged data, beside a whole picture
        turn = None
    return picture if turn is None else picture.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that makes a picture upright, by its EXIF orientation."""

_WHITE_IS_ZERO = 0
"""Photometric interpretation of a TIFF, which Pillow leaves to its reader beyond 8 bits."""


def _of_array(array: NDArray[Any]) -> NDArray[np.float32]:
    flat = array.ndim == 2
    if not array.size or not (flat or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ValueError(
            f"an array of shape {array.shape} is not a picture; give (H, W), (H, W, 3) or "
            "(H, W, 4); a tensor (3, H, W) in [0, 1] needs no xw.photo"
        )
    return _shares(array)


def _shares(array: NDArray[Any]) -> NDArray[np.float32]:
    """Pixels in shares of white, which the type of the array tells."""
    kind = array.dtype.kind
    if kind not in "fbiu":
        raise ValueError(f"a picture is made of real numbers, not of {array.dtype}")
    largest = array.max()
    if kind in "fb":
        if not (np.isfinite(array).all() and array.min() >= 0 and largest <= 1):
            raise ValueError(
                "a picture of floating-point numbers must be finite and in [0, 1]; divide it by "
                "its white"
            )
        return array.astype(np.float32)
    if kind == "u" and array.dtype.itemsize == 2:
        if 0 < largest <= 255:
            raise ValueError(
                f"a 16-bit picture whose largest value is {largest} may be one of 8 bits; give "
                "array.astype(np.uint8), or array / 65535"
            )
        return array.astype(np.float32) / np.float32(65535)
    if array.min() < 0 or largest > 255:
        raise ValueError(
            "a picture of whole numbers must lie in 0 ... 255, or be of 16 bits (np.uint16); "
            "divide others by their white, as in xw.photo(array / white)"
        )
    return array.astype(np.float32) / np.float32(255)
