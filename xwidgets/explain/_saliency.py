"""Saliency: gradient of a class's score before softmax by the pixels (Simonyan et al. 2014; cs230).

The mean gradient over noisy copies of the image is less noisy (SmoothGrad, Smilkov et al. 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from xwidgets.networks import Network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Resolved, Target, layers_of, scores
from xwidgets.results import Relevance

from ._parameter import front, parameter, seed_parameter
from .method import MapMethod

Reduce = Literal["maximum", "signed"]


@dataclass(frozen=True)
class Saliency(MapMethod):
    """Gradient of a score before softmax by every pixel (Simonyan et al. 2014).

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> Saliency(reduce="signed").run(net, scene.image)
        <Relevance 64 x 64: saliency for ...>
    """

    reduce: Reduce = parameter(
        "maximum",
        '``"maximum"`` takes the largest absolute value over the channels, ``"signed"`` the sum '
        "over them, the derivative by the brightness of the pixel",
        choices=("maximum", "signed"),
        label="Channels",
    )
    samples: int = parameter(
        1,
        "number of noisy copies of the image over which the gradient is averaged; more than 1 only "
        "with ``sigma``",
        least=1,
    )
    sigma: float = parameter(
        0.0, "standard deviation of the noise, in pixel values; 0.15 is usual", least=0
    )
    seed: int = seed_parameter("of the noise")

    pictures_at_once = 32
    asks = "How much does the score change with a tiny change of each pixel?"
    cost = "A pass forward and back for each sample."
    unit = "logits per unit of pixel value"

    @property
    def name(self) -> str:
        """Name of the method in results."""
        return "saliency" if self.samples == 1 else "smoothed saliency"

    @property
    def signed(self) -> bool:
        """Whether the values for a class can be negative, evidence against it."""
        return self.reduce == "signed"

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that there is noise where there are several samples, and the other way round."""
        if (self.samples > 1) != (self.sigma > 0):
            raise ValueError(
                f"samples is {self.samples} and sigma {self.sigma}, but averaging over noisy "
                "copies needs samples > 1 and sigma > 0; the plain gradient is samples=1, sigma=0"
            )

    def explain(self, subject: Subject, target: Resolved) -> Relevance:
        """Compute the map of one target."""
        maps = self.explain_pictures(subject.net, subject.image[None], [[target]])
        return self.relevance(subject, target, maps[0, 0])

    def explain_pictures(
        self, net: Network, images: Tensor, targets: Sequence[Sequence[Resolved]]
    ) -> Tensor:
        """Compute the maps of several pictures ``(N, C, H, W)`` in one pass a sample."""
        random = torch.Generator().manual_seed(int(self.seed))
        columns = list(zip(*targets, strict=True))
        shape = (len(columns), len(targets), *images.shape[1:])
        gradients = torch.zeros(shape, device=net.device, dtype=net.dtype)

        def noisy() -> Tensor:
            return images + self.sigma * torch.randn(images.shape[1:], generator=random).to(images)

        for _ in range(self.samples):
            watched = net.watched(noisy() if self.sigma else images, layers_of(targets[0]))
            for gradient, column in zip(gradients, columns, strict=True):
                score = scores(watched, column) / self.samples
                gradient += watched.gradient(score, watched.pixels)[: len(targets)]
        maps = gradients.transpose(0, 1)
        return maps.abs().amax(2) if self.reduce == "maximum" else maps.sum(2)


@front(Saliency)
def saliency(
    net: Network,
    image: object,
    target: Target = None,
    reduce: Reduce = "maximum",
    samples: int = 1,
    sigma: float = 0.0,
    seed: int = 0,
) -> Relevance:
    """Gradient of a class's score before softmax by every pixel.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.
        target: class index or name, ``None`` for the class with the highest score; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit` of a layer.

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
    return Saliency(reduce, samples, sigma, seed).run(net, image, target)
