"""Images as text, exact to the last bit, for files of settings and for code."""

from __future__ import annotations

import io
import zlib
from base64 import b64decode, b64encode

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from xwidgets.errors import of_kind

from .pixels import one_image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Modes of PNG files by number of channels."""

LARGEST = 2**28
"""Most bytes that a text may decode to."""


def coded(image: Tensor) -> str:
    """Image ``(C, H, W)`` in [0, 1] as text: a PNG where its values are 8-bit, else packed floats.

    Example:
        >>> image = torch.rand(3, 8, 8)
        >>> torch.equal(decoded(coded(image)), image)
        True
    """
    image = one_image(image).detach().cpu()
    pixels = (image * 255).round()
    if len(image) in MODES and torch.equal(pixels / 255, image):
        picture = Image.fromarray(pixels.byte().permute(1, 2, 0).squeeze(2).numpy())
        file = io.BytesIO()
        picture.save(file, "PNG")
        return f"png:{b64encode(file.getvalue()).decode()}"
    values = io.BytesIO()
    np.save(values, image.numpy(), allow_pickle=False)
    return f"npy:{b64encode(zlib.compress(values.getvalue())).decode()}"


def decoded(text: str) -> Tensor:
    """Image that :func:`coded` made a text of, ``(C, H, W)``.

    Raises:
        ValueError: for another text.
    """
    of_kind("text", text, str, "what xw.images.coded(image) returns")
    kind, _, data = text.partition(":")
    try:
        file = b64decode(data, validate=True)
        if kind == "png":
            with Image.open(io.BytesIO(file), formats=["PNG"]) as picture:
                if picture.mode not in MODES.values() or picture.width * picture.height > LARGEST:
                    raise ValueError("its pixels are of another kind")
                pixels = np.atleast_3d(np.asarray(picture))
            return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
        if kind == "npy":
            unpacked = zlib.decompressobj()
            values = unpacked.decompress(file, LARGEST)
            return one_image(np.load(io.BytesIO(values), allow_pickle=False))
        raise ValueError("it begins neither with png: nor with npy:")
    except (
        ValueError, OSError, EOFError, SyntaxError, zlib.error, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())
        raise ValueError(
            f"the text is no image ({reason}); make it with xw.images.coded(image)"
        ) from error
