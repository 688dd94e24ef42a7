"""Samplers of the contents of windows, given the rest of the image.

Prediction difference analysis (Zintgraf et al. 2016) removes a window by averaging over contents
drawn from p(window | rest). The conditional sampler is their equation 6: natural images are
stationary, and a pixel depends most on its neighbours, so one Gaussian over patches that hold the
window and l pixels around it serves every position. With the patch split into window w and
surrounding r,

    w | r ~ N(mu_w + A (r - mu_r),  S_ww - A S_rw),    A = S_wr S_rr^-1.

At the border of the image the patch is shifted to lie inside, so the window is off-centre in it.
A depends only on the window's place in the patch: (2l + 1)^2 places in all. The conditional
covariance needs no factor of its own: a patch (w', r') that is drawn from the whole Gaussian is
corrected by the residual of its surrounding (Matheron's rule),

    w' + A (r - r').
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor

from xwidgets.aliases import FormerName
from xwidgets.errors import at_least, warn
from xwidgets.files import whole
from xwidgets.images import as_pixels
from xwidgets.images.sampler import Draw
from xwidgets.images.sampler import Sampler as Sampler
from xwidgets.networks import Network, Subject


@dataclass(frozen=True, eq=False)
class ConditionalSampler:
    """Gaussian over image patches, which fills a window given its surrounding pixels.

    Made by :meth:`fit` or :meth:`load`. A sampler fitted for one window size serves all smaller
    ones, as the middle of a Gaussian patch is Gaussian too.

    Attributes:
        mean: ``(d,)`` float64, of patches ``(C, P, P)`` with P = window + 2 padding, flattened.
        covariance: ``(d, d)`` float64, jointly over the channels.
        channels: C.
        window: side of the largest window, in pixels.
        padding: width of the surrounding that a window is conditioned on, in pixels.
        clip: whether contents are clipped to [0, 1].
    """

    mean: Tensor = field(repr=False)
    covariance: Tensor = field(repr=False)
    channels: int
    window: int
    padding: int
    clip: bool = False
    _smaller: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict, init=False, repr=False)

    given = FormerName("condition")

    @classmethod
    def fit(
        cls,
        images: object,
        window: int = 10,
        padding: int = 2,
        seed: int = 0,
        *,
        patches: int = 25_000,
        clip: bool = False,
    ) -> ConditionalSampler:
        """Fit the Gaussian to randomly placed patches of ``images``.

        Args:
            images: ``(N, C, H, W)`` in [0, 1], like those the network was trained on.
            window: side of the largest window that will be filled, in pixels.
            padding: l, width of the surrounding that a window is conditioned on, in pixels.
            seed: of the places of the patches.
            patches: number of patches.
            clip: whether drawn contents are clipped to [0, 1]; in the paper they are not.

        Returns:
            The sampler. One grey level squared is added to the diagonal of the covariance, so that
            it is positive definite for flat images too.

        Raises:
            ValueError: when the patch does not fit into the images.

        Example:
            >>> ConditionalSampler.fit(torch.rand(8, 3, 16, 16), window=4, patches=500)
            ConditionalSampler(channels=3, window=4, padding=2, clip=False)
        """
        x = as_pixels(images)
        at_least("window", window, 1)
        at_least("padding", padding, 0)
        at_least("patches", patches, 2)
        count, channels, height, width = x.shape
        side = window + 2 * padding
        if side > min(height, width):
            raise ValueError(
                f"window {window} with {padding} pixels around it needs images of {side} pixels, "
                f"but these are {height} x {width}; fit a smaller window or padding"
            )
        rng = np.random.default_rng(seed)
        places = (rng.integers(limit, size=patches) for limit in
                  (count, height - side + 1, width - side + 1))  # fmt: skip
        which, top, left = (torch.from_numpy(place) for place in places)
        views = x.detach().float().cpu().unfold(2, side, 1).unfold(3, side, 1)
        data = views[which, :, top, left].flatten(1)
        mean = data.mean(0, dtype=torch.float64)
        data -= mean.float()
        covariance = torch.zeros(data.shape[1], data.shape[1], dtype=torch.float64)
        for part in data.split(2_500):  # float32 products, summed in float64
            covariance += part.T @ part
        covariance /= patches - 1
        covariance.diagonal().add_((1 / 255) ** 2)
        return cls(mean, covariance, channels, window, padding, clip)

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file that :meth:`load` reads.

        Raises:
            OSError: when that is not possible, such as in a folder that there is not.
        """
        facts = {name: str(int(getattr(self, name))) for name in _FACTS}
        with whole(path) as part:
            tensors = {"mean": self.mean, "covariance": self.covariance}
            part.write_bytes(serialized(tensors, facts))

    @classmethod
    def load(cls, path: str | Path) -> ConditionalSampler:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, damaged or of another kind.
        """
        try:
            with safe_open(path, "pt") as file:
                facts = file.metadata() or {}
                channels, window, padding, clip = (int(facts[name]) for name in _FACTS)
                mean, covariance = file.get_tensor("mean"), file.get_tensor("covariance")
            at_least("channels", channels, 1)
            at_least("window", window, 1)
            at_least("padding", padding, 0)
            if not mean.dtype == covariance.dtype == torch.float64:
                raise ValueError(f"its numbers are {mean.dtype} and {covariance.dtype}")
            torch.linalg.cholesky(covariance)
        except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
            raise ValueError(
                f"{str(path)!r} is no readable sampler; fit one with xw.ConditionalSampler.fit"
                "(images) and write it with sampler.save(path)"
            ) from error
        size = channels * (window + 2 * padding) ** 2
        if not (mean.isfinite().all() and covariance.isfinite().all()):
            raise ValueError(f"{str(path)!r} is a damaged sampler; fit and save it again")
        if mean.shape != (size,) or covariance.shape != (size, size):
            raise ValueError(f"{str(path)!r} holds a sampler of the wrong size; fit and save again")
        return cls(mean, covariance, channels, window, padding, bool(clip))

    def gain(self, window: int, place: tuple[int, int]) -> Tensor:
        """Regression matrix A of a window at ``place`` (y, x) in its patch on the surrounding.

        Args:
            window: k, in pixels, at most the size this sampler was fitted for.
            place: the window's corner in the patch, each 0 to 2 l; (l, l) away from borders.

        Returns:
            ``(C k k, r)`` in float64, for the r pixels of the surrounding.
        """
        inside = window_mask(self.channels, window, self.padding, place).flatten()
        if inside.all():
            return self.covariance.new_empty(len(inside), 0)
        around = self.patch(window)[1][~inside]
        factor = torch.linalg.cholesky(around[:, ~inside])
        return torch.cholesky_solve(around[:, inside], factor).T

    def largest(self, image: Tensor) -> int:
        """Side of the largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        return min(self.window, min(image.shape[1:]) - 2 * self.padding)

    def drawing_bytes(self, window: int) -> int:
        """Bytes that drawing windows of ``window`` pixels takes, beside those of the sampler."""
        inside = self.channels * window**2
        all_pixels = self.channels * (window + 2 * self.padding) ** 2
        gains = (2 * self.padding + 1) ** 2 * inside * (all_pixels - inside)
        return 4 * gains + 24 * all_pixels**2

    def condition(self, image: Tensor, window: int) -> Draw:
        """Prepare to draw windows of ``window`` pixels in ``image`` ``(C, H, W)``.

        Raises:
            ValueError: when the window is larger than the fitted one, the patch larger than the
                image, or the channels differ.
        """
        channels, height, width = image.shape
        side = window + 2 * self.padding
        if channels != self.channels:
            raise ValueError(
                f"this sampler was fitted on images of {self.channels} channels, the image has "
                f"{channels}; fit one on images like it with xw.ConditionalSampler.fit(images)"
            )
        if window > self.window:
            fits = side <= min(height, width)
            other = f", or sampler=xw.ConditionalSampler.fit(images, {window})" if fits else ""
            raise ValueError(
                f"window {window} is larger than the {self.window} pixels this sampler was fitted "
                f"for; use a smaller window{other}"
            )
        if side > min(height, width):
            raise ValueError(
                f"window {window} with the {self.padding} pixels around it that it is conditioned "
                f"on needs {side} pixels, but the image is {height} x {width}; "
                "use a smaller window"
            )
        patches = image.unfold(1, side, 1).unfold(2, side, 1)
        mean, covariance = self.patch(window)
        mean, factor = mean.to(image), torch.linalg.cholesky(covariance).to(image)
        gains: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

        def draw(corners: Tensor, rngs: Sequence[np.random.Generator]) -> Tensor:
            noise = np.stack([rng.standard_normal(len(mean), dtype=np.float32) for rng in rngs])
            drawn = mean + torch.from_numpy(noise).to(image) @ factor.T
            limit = torch.tensor([height - side, width - side])
            origins = (corners - self.padding).clamp(min=torch.zeros(2, dtype=int)).minimum(limit)  # type: ignore[call-overload]
            places = corners - origins
            contents = image.new_empty(len(corners), channels, window, window)
            for row, column in places.unique(dim=0).tolist():
                place = row, column
                if place not in gains:
                    inside = window_mask(channels, window, self.padding, place).flatten()
                    gains[place] = self.gain(window, place).to(image), inside.to(image.device)
                gain, inside = gains[place]
                here = (places == torch.tensor(place)).all(1)
                top, left = origins[here].T.to(image.device)
                seen = patches[:, top, left].transpose(0, 1).flatten(1)
                off = (seen - drawn[here])[:, ~inside]
                contents[here] = (drawn[here][:, inside] + off @ gain.T).view_as(contents[here])
            return contents.clamp_(0, 1) if self.clip else contents

        return draw

    def patch(self, window: int) -> tuple[Tensor, Tensor]:
        """Mean and covariance of the middle of the patch, the patch of a window of this size."""
        if window == self.window:
            return self.mean, self.covariance
        moments = self._smaller.get(window)
        if moments is None:
            full, cut = self.window + 2 * self.padding, (self.window - window) // 2
            kept = slice(cut, cut + window + 2 * self.padding)
            patch, middle = (self.channels, full, full), (slice(None), kept, kept)
            mean = self.mean.view(patch)[middle].flatten()
            covariance = self.covariance.view(*patch, *patch)[(*middle, *middle)]
            moments = mean, covariance.reshape(len(mean), len(mean))
            self._smaller.clear()
            self._smaller[window] = moments
        return moments


_FACTS = ("channels", "window", "padding", "clip")


def window_mask(channels: int, window: int, padding: int, place: tuple[int, int]) -> Tensor:
    """Mask over a patch ``(C, P, P)`` of the window at ``place`` (y, x)."""
    side = window + 2 * padding
    mask = torch.zeros(channels, side, side, dtype=torch.bool)
    mask[:, place[0] : place[0] + window, place[1] : place[1] + window] = True
    return mask


@dataclass(frozen=True, eq=False)
class MarginalSampler:
    """Sampler that fills a window with the same window of another image, chosen at random.

    Args:
        images: ``(N, C, H, W)`` in [0, 1], of the size of the image that is explained.

    Example:
        >>> MarginalSampler(torch.rand(8, 3, 16, 16))
        MarginalSampler(8 images)
    """

    images: Tensor = field(repr=False)

    given = FormerName("condition")

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_pixels(self.images))

    def __repr__(self) -> str:
        return f"MarginalSampler({len(self.images)} images)"

    def largest(self, image: Tensor) -> int:
        """Side of the largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        return min(image.shape[1:])

    def condition(self, image: Tensor, window: int) -> Draw:
        """Prepare to draw windows of ``window`` pixels in ``image`` ``(C, H, W)``.

        Raises:
            ValueError: when there is no other image of the same shape.
        """
        others = self.others(image)

        def draw(corners: Tensor, rngs: Sequence[np.random.Generator]) -> Tensor:
            which = [int(rng.integers(len(others))) for rng in rngs]
            return torch.stack([
                others[i, :, y : y + window, x : x + window]
                for i, (y, x) in zip(which, corners.tolist(), strict=True)
            ])  # fmt: skip

        return draw

    def others(self, image: Tensor) -> Tensor:
        """Images ``(n, C, H, W)`` other than ``image`` ``(C, H, W)``.

        Raises:
            ValueError: when there is no other image of the same shape.
        """
        return other_images(self.images, image)


def other_images(images: Tensor, image: Tensor) -> Tensor:
    """``images`` ``(N, C, H, W)`` other than ``image``, on its device and in its type.

    Raises:
        ValueError: when there is none, or they are of another shape.
    """
    if images.shape[1:] != image.shape:
        raise ValueError(
            f"the images are {tuple(images.shape[1:])}, the one that is explained is "
            f"{tuple(image.shape)}; give images of the same shape"
        )
    pool = images.to(image)
    other = torch.tensor([not torch.equal(candidate, image) for candidate in pool])
    if not other.any():
        raise ValueError("there is no image other than the explained one; give more images")
    return pool if other.all() else pool[other]


@dataclass(frozen=True)
class ConstantSampler:
    """Sampler that fills windows with one value, as in occlusion sensitivity.

    Args:
        value: one number for all channels, or one a channel, in [0, 1].
    """

    value: float | tuple[float, ...]

    given = FormerName("condition")

    def largest(self, image: Tensor) -> int:
        """Side of the largest window, in pixels, that can be filled in ``image`` ``(C, H, W)``."""
        return min(image.shape[1:])

    def condition(self, image: Tensor, window: int) -> Draw:
        """Prepare to draw windows of ``window`` pixels in ``image`` ``(C, H, W)``.

        Raises:
            ValueError: when the value is not one number, or one a channel.
        """
        content = self.content(image).expand(-1, window, window)

        def draw(corners: Tensor, rngs: Sequence[np.random.Generator]) -> Tensor:
            return content.expand(len(corners), -1, -1, -1)

        return draw

    def content(self, image: Tensor) -> Tensor:
        """The value as a pixel ``(C, 1, 1)`` of ``image`` ``(C, H, W)``.

        Raises:
            ValueError: when the value is not one number, or one a channel.
        """
        try:
            value = torch.as_tensor(self.value, dtype=torch.float64).to(image).flatten()
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"the constant is {self.value!r}; give one number in [0, 1], or one a channel"
            ) from error
        if not ((value >= 0) & (value <= 1)).all():
            raise ValueError(f"the constant {self.value} is no pixel value; give one in [0, 1]")
        if len(value) not in (1, len(image)):
            raise ValueError(
                f"a constant of {len(value)} numbers does not fit an image of {len(image)} "
                "channels; give one number, or one a channel"
            )
        return value[:, None, None].expand(len(image), 1, 1)


def drawing_bytes(sampler: Sampler, window: int) -> int:
    """Bytes that drawing windows of ``window`` pixels takes, as an optional method tells.

    Fitting a network's own sampler, which is done once, is not part of them.

    Example:
        >>> drawing_bytes(ConstantSampler(0.5), 8)
        0
    """
    told = getattr(sampler, "drawing_bytes", None)
    return 0 if told is None else int(told(window))


def has_sampler(net: Network) -> bool:
    """Whether a network has a sampler of its own, or images to fit one to."""
    return net.sampler is not None or net.examples is not None


def default_sampler(net: Network) -> Sampler:
    """Conditional sampler of a network, fitted to its example images when first needed.

    Raises:
        ValueError: when the network has no example images.
    """
    if net.sampler is None:
        if net.examples is None:
            raise ValueError(
                f"{net.name} brings no images to fit a sampler to; give sampler="
                "xw.ConditionalSampler.fit(images) with images like those it was trained on, or "
                "examples=lambda: images to xw.Network"
            )
        images = as_pixels(net.examples(), net.channels)
        side = min(images.shape[2:])
        window = max(1, min(20, max(10, side // 4), side - 4))
        net.sampler = ConditionalSampler.fit(images, window=window)
    return net.sampler


@dataclass(frozen=True)
class _FormerSampler:
    """A sampler of the caller's whose ``condition`` has its former name, ``given``."""

    sampler: Any

    def largest(self, image: Tensor) -> int:
        return int(self.sampler.largest(image))

    def condition(self, image: Tensor, window: int) -> Draw:
        draw: Draw = self.sampler.given(image, window)
        return draw

    def __repr__(self) -> str:
        return repr(self.sampler)


def sampler_on(sampler: object, subject: Subject) -> Sampler:
    """Sampler for a subject: ``sampler``, or for ``None`` the network's default one.

    Raises:
        ValueError: for anything but a sampler, or a network without example images.
    """
    if sampler is None:
        return default_sampler(subject.net)
    if not isinstance(sampler, type | Sampler) and hasattr(sampler, "given"):
        warn(
            f"a sampler's method given(image, window) is called condition now; rename that of "
            f"{type(sampler).__name__}",
            DeprecationWarning,
        )
        return _FormerSampler(sampler)
    if isinstance(sampler, type) or not isinstance(sampler, Sampler):
        raise ValueError(
            f"sampler is a {type(sampler).__name__}, but must be one like "
            "xw.MarginalSampler(images) or xw.ConstantSampler(0.5)"
        )
    return sampler
