"""Checks of images, float tensors ``(N, C, H, W)`` with pixels in [0, 1], and their channels."""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import at_least, of_kind


def _kind(images: object) -> str:
    """Type of images, for an error."""
    if not isinstance(images, list | tuple) or not images:
        return type(images).__name__
    if all(hasattr(image, "ndim") for image in images):
        return "of several"
    return f"a list of {type(images[0]).__name__}"


def as_pixels(images: object, channels: int | None = None) -> Tensor:
    """Check a batch of images and return it as a float tensor.

    Args:
        images: tensor or array ``(N, C, H, W)``, or a list of ``(C, H, W)``; finite, in [0, 1].
        channels: required number C; ``None`` for any.

    Returns:
        Float tensor ``(N, C, H, W)``; shares memory with an input that is one.

    Raises:
        ValueError: for anything else, in a sentence with the problem and its fix.

    Example:
        >>> as_pixels(torch.rand(2, 3, 8, 8), channels=3).shape
        torch.Size([2, 3, 8, 8])
    """
    if channels is not None:
        at_least("channels", channels, 1)
    try:
        x = as_tensor(images)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            "images must be a tensor or array (N, C, H, W), or a list of (C, H, W) that are all of "
            f"one size, not {_kind(images)}; read pictures with xw.photo(path)"
        ) from error
    if x.ndim != 4:
        missing = ", ".join(["None"] * (4 - x.ndim)) if x.ndim in (2, 3) else ""
        advice = f"add what is missing in front with x[{missing}]" if missing else "reshape them"
        raise ValueError(
            "images must have the four dimensions (N, C, H, W), not shape "
            f"{tuple(x.shape)}; {advice}"
        )
    if x.numel() == 0:
        raise ValueError(
            f"images of shape {tuple(x.shape)} hold no pixels; give at least one image"
        )
    if channels is not None and x.shape[1] != channels:
        last = "; net.prepare(image) reads an array (H, W, C)" if x.shape[3] == channels else ""
        raise ValueError(
            f"images of shape {tuple(x.shape)} have {x.shape[1]} channels where the network takes "
            f"{channels}; the order is (N, C, H, W){last}"
        )
    if not x.is_floating_point():
        raise ValueError(
            f"pixels must be floating-point numbers in [0, 1], not {x.dtype}; "
            "divide 8-bit values by 255"
        )
    low, high = x.detach().aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise ValueError("pixels must be finite, but some are NaN or infinite")
    if low < 0 or high > 1:
        raise ValueError(
            f"pixels must lie in [0, 1], but range from {low:.3g} to {high:.3g}; give the image "
            "before normalisation (the network normalises inside), 8-bit values divided by 255"
        )
    return x


def as_tensor(images: object) -> Tensor:
    """Unchecked tensor of an array, or of a list of tensors or arrays.

    Arrays may be in any byte order, run backwards in memory, or be read-only.

    Example:
        >>> as_tensor(np.array([1.0, 2.0], ">f4")[::-1])
        tensor([2., 1.])
    """
    if isinstance(images, list | tuple) and all(hasattr(image, "ndim") for image in images):
        return torch.stack([as_tensor(image) for image in images])
    if isinstance(images, np.ndarray):
        array = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        return torch.as_tensor(array if array.flags.writeable else array.copy())
    return torch.as_tensor(images)


def one_image(image: object, channels: int | None = None) -> Tensor:
    """Check a single image ``(C, H, W)``, or a batch of one, and return it as ``(C, H, W)``.

    Raises:
        ValueError: as :func:`as_pixels`, or when there is more than one image.

    Example:
        >>> one_image(torch.rand(1, 3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """
    ndim = getattr(image, "ndim", None)
    x = as_pixels(cast(Any, image)[None] if ndim == 3 else image, channels)
    if len(x) != 1:
        raise ValueError(
            f"one image (C, H, W) is explained at a time, not {len(x)}; pick one: x[0]"
        )
    return x[0]


def in_channels(image: Tensor, channels: int) -> Tensor:
    """Convert an image ``(C, H, W)`` to grey (1 channel), colours (3), or these and opacity (4).

    Grey is the luma of ITU-R BT.601, .299 R + .587 G + .114 B. Opacity is left out, whatever it is,
    or set to 1.

    Returns:
        ``(channels, H, W)``; the image itself when it has that many channels, whichever these are.

    Raises:
        ValueError: for other numbers of channels.

    Example:
        >>> in_channels(torch.tensor([1.0, 0.5, 0.0])[:, None, None], 1).item()
        0.5925...
    """
    at_least("channels", channels, 1)
    if len(image) == channels:
        return image
    if not {len(image), channels} <= {1, 3, 4}:
        raise ValueError(
            f"an image {tuple(image.shape)} cannot be brought to {channels} channels, only from "
            "and to 1 (grey), 3 (red, green, blue) and 4 (these and opacity); give a tensor "
            f"({channels}, H, W) in [0, 1]"
        )
    colors = image[:3].expand(3, -1, -1)
    if channels == 1:
        red, green, blue = colors[:1], colors[1:2], colors[2:]
        return green + 0.299 * (red - green) + 0.114 * (blue - green)  # of grey, itself
    return colors if channels == 3 else torch.cat([colors, torch.ones_like(image[:1])])


def picture(image: Tensor) -> NDArray[np.uint8]:
    """Image ``(C, H, W)`` in [0, 1] as an 8-bit picture ``(H, W, 3)``.

    One channel is grey, three are red, green and blue, a fourth is opacity, which is left out; any
    other number is shown as its mean in grey.

    Raises:
        ValueError: for what is no such tensor.

    Example:
        >>> picture(torch.rand(1, 8, 8)).shape
        (8, 8, 3)
    """
    of_kind("image", image, Tensor, "a tensor (C, H, W) in [0, 1]")
    if image.ndim != 3 or not image.numel():
        raise ValueError(
            f"the image has the shape {tuple(image.shape)}, but must be (C, H, W) with pixels"
        )
    shown = image if len(image) in (3, 4) else image.mean(0, keepdim=True)
    pixels = in_channels(shown, 3).detach().cpu().permute(1, 2, 0) * 255
    return pixels.round().to(torch.uint8).numpy()
