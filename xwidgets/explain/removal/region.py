"""What could have stood in a region of any shape, given the rest of the image.

A Gaussian over patches of P x P pixels knows nothing of a region that is larger than a patch, so
the region is covered with tiles that are filled one after another. Around each tile lies a patch,
shifted to lie inside the image. Its pixels are known (u), because they are outside of the region or
filled already, or they are wanted (w), because they are in the tile, or neither. The last are
left out, which for a Gaussian is to integrate over them, and

    w | u ~ N(mu_w + L_wu L_uu^-1 (u - mu_u), L_ww L_ww^T)

where L is the Cholesky factor of the covariance of (u, w) in this order: one factor serves all
samples. The tile of whose patch most is known comes next, so the region is filled from the outside
in. For a region of one window this is the conditional of Zintgraf et al. (2016), equation 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.box import Box

from .samplers import ConditionalSampler, ConstantSampler, MarginalSampler, Sampler


class Filling(NamedTuple):
    """Samples of an image whose region is being filled.

    Attributes:
        pictures: ``(S, C, H, W)``, on the CPU; NaN where they are not filled yet. Each step goes on
            in the same memory.
        completed: the share of the region that is filled.
    """

    pictures: Tensor
    completed: float


@singledispatch
def fill_region(
    sampler: Sampler, image: Tensor, mask: Tensor, rngs: Sequence[np.random.Generator]
) -> Iterator[Filling]:
    """Fill a region of an image with samples of what could have stood there.

    What stood in the region is never looked at.

    Args:
        sampler: a :class:`ConditionalSampler`, :class:`MarginalSampler` or
            :class:`ConstantSampler`.
        image: ``(C, H, W)`` in [0, 1].
        mask: bool ``(H, W)``, true in the region.
        rngs: a source of randomness for each of the S samples; a sample depends on its own only.

    Yields:
        The samples as they are filled; the last ones are complete.

    Raises:
        ValueError: when the sampler cannot fill a region of this image.

    Example:
        >>> mask = torch.zeros(8, 8, dtype=torch.bool)
        >>> mask[2:5, 3] = True
        >>> rngs = [np.random.default_rng(0)]
        >>> [filling] = fill_region(ConstantSampler(0.5), torch.rand(3, 8, 8), mask, rngs)
        >>> filling.pictures[0, :, mask].unique()
        tensor([0.5000])
    """
    raise ValueError(
        f"{sampler!r} cannot fill a region; give an xw.ConditionalSampler, an xw.MarginalSampler "
        "or an xw.ConstantSampler"
    )


@fill_region.register
def _(
    sampler: ConstantSampler, image: Tensor, mask: Tensor, rngs: Sequence[np.random.Generator]
) -> Iterator[Filling]:
    value = sampler.given(image, 1)(torch.zeros(1, 2, dtype=torch.int64), rngs[:1])
    pictures = _emptied(image, mask, len(rngs))
    pictures[..., mask] = value.cpu().flatten()[:, None]
    return iter([Filling(pictures, 1.0)])


@fill_region.register
def _(
    sampler: MarginalSampler, image: Tensor, mask: Tensor, rngs: Sequence[np.random.Generator]
) -> Iterator[Filling]:
    others = sampler.others(image).cpu()
    pictures = _emptied(image, mask, len(rngs))
    for picture, rng in zip(pictures, rngs, strict=True):
        picture[:, mask] = others[int(rng.integers(len(others)))][:, mask]
    return iter([Filling(pictures, 1.0)])


@fill_region.register
def _(
    sampler: ConditionalSampler, image: Tensor, mask: Tensor, rngs: Sequence[np.random.Generator]
) -> Iterator[Filling]:
    window = sampler.largest(image)
    if window < 1:
        height, width = image.shape[1:]
        raise ValueError(
            f"the image is {height} x {width} pixels, smaller than the smallest patch of this "
            f"sampler, {1 + 2 * sampler.padding} pixels; fit one with a smaller padding"
        )
    sampler.given(image, window)  # refuses other channels
    pictures = _emptied(image, mask, len(rngs))
    moments = sampler.patch(window)
    region = mask.numpy()
    known = ~region

    def steps() -> Iterator[Filling]:
        side = window + 2 * sampler.padding
        patches = {tile: _patch(tile, side, region.shape) for tile in _tiles(region, window)}
        while patches:
            tile = max(patches, key=lambda tile: known[patches[tile].slices].sum())
            patch = patches.pop(tile)
            wanted = np.zeros_like(region)
            wanted[tile.slices] = region[tile.slices]
            _draw(pictures, known, wanted, patch, moments, rngs)
            if sampler.clip:
                pictures.clamp_(0, 1)
            known[wanted] = True
            yield Filling(pictures, float(known[region].mean()))

    return steps()


def _emptied(image: Tensor, mask: Tensor, count: int) -> Tensor:
    pictures = image.cpu().repeat(count, 1, 1, 1)
    pictures[..., mask] = torch.nan
    return pictures


def _tiles(region: NDArray[np.bool_], largest: int) -> list[Box]:
    """Rectangles of about one size, at most ``largest``, that hold all of the region."""
    around = Box.around(region)
    assert around is not None
    rows, columns = (
        [start + length * i // count for i in range(count + 1)]
        for start, length in ((around.top, around.height), (around.left, around.width))
        for count in (-(-length // largest),)
    )
    tiles = [
        Box(top, left, bottom, right)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]
    return [tile for tile in tiles if region[tile.slices].any()]


def _patch(tile: Box, side: int, shape: tuple[int, ...]) -> Box:
    """The square around the middle of a tile, shifted to lie inside the image."""
    top, left = (
        min(max((start + end - side) // 2, 0), limit - side)
        for start, end, limit in (
            (tile.top, tile.bottom, shape[0]), (tile.left, tile.right, shape[1])
        )
    )  # fmt: skip
    return Box(top, left, top + side, left + side)


def _draw(
    pictures: Tensor,
    known: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    patch: Box,
    moments: tuple[Tensor, Tensor],
    rngs: Sequence[np.random.Generator],
) -> None:
    """Draw the wanted pixels of a patch, given those that are known."""
    mean, covariance = moments
    count, channels = pictures.shape[:2]
    places = np.arange(len(mean)).reshape(channels, patch.height, patch.width)
    u, w = (torch.from_numpy(places[:, which[patch.slices]].ravel()) for which in (known, wanted))
    both = torch.cat([u, w])
    factor = torch.linalg.cholesky(covariance.index_select(0, both).index_select(1, both))
    across, within = factor[len(u) :, : len(u)], factor[len(u) :, len(u) :]
    contents = pictures[(..., *patch.slices)]  # a view
    rest = contents.reshape(count, -1)[:, u].double() - mean[u]
    scores = torch.linalg.solve_triangular(factor[: len(u), : len(u)], rest.T, upper=False)
    noise = torch.from_numpy(np.stack([rng.standard_normal(len(w)) for rng in rngs]))
    drawn = mean[w] + (across @ scores).T + noise @ within.T
    inside = torch.from_numpy(wanted[patch.slices])
    contents[..., inside] = drawn.view(count, channels, -1).to(contents.dtype)
