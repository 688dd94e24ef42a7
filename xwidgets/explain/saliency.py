"""Saliency: how the score answers to each pixel (Simonyan et al. 2014; cs230).

The gradient of a class's score before softmax by the pixels. Of a noisy gradient, the mean over
noisy copies of the image is steadier (SmoothGrad, Smilkov et al. 2017).
"""

from typing import Literal

import torch
from torch import Tensor

from xwidgets.errors import at_least, number
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks.network import image_for
from xwidgets.networks.watch import go_back
from xwidgets.results import Relevance

Reduce = Literal["maximum", "signed"]


def saliency(
    net: Network,
    image: object,
    target: int | str | None = None,
    reduce: Reduce = "maximum",
    samples: int = 1,
    sigma: float = 0.0,
    seed: int = 0,
) -> Relevance:
    """The gradient of a class's score, before softmax, by every pixel.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].
        target: class index or name; ``None`` for the class with the highest score.
        reduce: ``"maximum"`` takes the largest absolute value over the channels, ``"signed"`` the
            sum over them, which is how the score answers when the pixel gets brighter.
        samples: over how many noisy copies of the image the gradient is averaged; more than one
            only with ``sigma``.
        sigma: standard deviation of the noise, in pixel values; 0.15 is usual.
        seed: of the noise.

    Returns:
        The map, in logits per unit of pixel value.

    Raises:
        ValueError: for a class that does not exist, noise without samples or samples without noise.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> saliency(net, scene.image, samples=8, sigma=0.15).values.shape
        (64, 64)
    """
    x = image_for(net, image)
    at_least("samples", samples, 1)
    number("sigma", sigma, lambda sigma: sigma >= 0, "of at least 0")
    if (samples > 1) != (sigma > 0):
        raise ValueError(
            f"samples is {samples} and sigma {sigma}, but averaging over noisy copies needs "
            "samples > 1 and sigma > 0; the plain gradient is samples=1, sigma=0"
        )
    if reduce not in ("maximum", "signed"):
        raise ValueError(f'reduce is {reduce!r}, but must be "maximum" or "signed"')
    index = net.target_index(target, net.logits(x[None]))
    random = torch.Generator().manual_seed(seed)

    def noisy() -> Tensor:
        return x + sigma * torch.randn(x.shape, generator=random).to(x)

    gradient = torch.zeros_like(x, device=net.device, dtype=net.dtype)
    for _ in range(samples):
        watched = net.watched((noisy() if sigma else x)[None])
        unit = torch.zeros_like(watched.logits)
        unit[0, index] = 1 / samples
        gradient += go_back(watched.logits, unit[None], watched.pixels)[0, 0]
    values = gradient.abs().amax(0) if reduce == "maximum" else gradient.sum(0)
    return Relevance(
        values=values.float().cpu().numpy(),
        image=picture(x),
        unit="logits per unit of pixel value",
        method="saliency" if samples == 1 else "smoothed saliency",
        network=net.name,
        target=index,
        label=net.class_name(index),
        parameters={"reduce": reduce, "samples": samples, "sigma": sigma, "seed": seed},
    )
