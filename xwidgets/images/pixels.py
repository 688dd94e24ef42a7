"""Checks of images: float tensors ``(N, C, H, W)`` with pixels in [0, 1]."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


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
    try:
        x = _as_tensor(images)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            "images must be a tensor or array (N, C, H, W), or a list of (C, H, W) that are all of "
            f"one size, not {type(images).__name__}; read pictures with xw.photo(path)"
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
        raise ValueError(
            f"images of shape {tuple(x.shape)} have {x.shape[1]} channels where the network takes "
            f"{channels}; the order is (N, C, H, W)"
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


def _as_tensor(images: object) -> Tensor:
    if isinstance(images, list | tuple) and all(hasattr(image, "ndim") for image in images):
        return torch.stack([_as_tensor(image) for image in images])
    return torch.as_tensor(
        np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images
    )


def one_image(image: object, channels: int | None = None) -> Tensor:
    """Check a single image ``(C, H, W)``, or a batch of one, and return it as ``(C, H, W)``.

    Raises:
        ValueError: as :func:`as_pixels`, or when there is more than one image.

    Example:
        >>> one_image(torch.rand(1, 3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """
    ndim = getattr(image, "ndim", None)
    x = as_pixels(torch.as_tensor(image)[None] if ndim == 3 else image, channels)
    if len(x) != 1:
        raise ValueError(
            f"one image (C, H, W) is explained at a time, not {len(x)}; pick one: x[0]"
        )
    return x[0]


def picture(image: Tensor) -> NDArray[np.uint8]:
    """Image ``(C, H, W)`` in [0, 1] as an 8-bit picture ``(H, W, 3)``.

    Three channels are red, green and blue; otherwise the picture is the mean over channels in grey.

    Example:
        >>> picture(torch.rand(1, 8, 8)).shape
        (8, 8, 3)
    """
    colors = image if len(image) == 3 else image.mean(0).expand(3, -1, -1)
    pixels = colors.detach().cpu().permute(1, 2, 0) * 255
    return pixels.round().to(torch.uint8).numpy()
