"""Regions of any shape against dense algebra, loops, and the windows' own sampler."""

import numpy as np
import pytest
import torch

from xwidgets import ConditionalSampler, ConstantSampler, MarginalSampler
from xwidgets.explain.removal.region import fill_region

from .test_samplers import (
    SIZES,
    Silence,
    Unit,
    block_formulas,
    drawn_moments,
    gaussian,
    randomness,
)  # fmt: skip


def region(height, width, *boxes):
    mask = torch.zeros(height, width, dtype=torch.bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def image(channels, height, width, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, height, width, generator=generator, dtype=dtype)


def filled(sampler, x, mask, rngs):
    *_, last = fill_region(sampler, x, mask, rngs)
    assert last.completed == 1
    return last.pictures


def moments(sampler, x, mask):
    """Mean and covariance of what is drawn in the region, exactly: drawing is affine in its noise.

    Only for Gaussian contents, so without clipping.
    """
    size = len(x) * int(mask.sum())
    mean = filled(sampler, x, mask, [Silence()])[0, :, mask].flatten()
    drawn = filled(sampler, x, mask, [Unit(place) for place in range(size)])
    factor = drawn[..., mask].flatten(1) - mean
    return mean.numpy(), (factor.T @ factor).numpy()


def dense(sampler, x, mask, origin):
    """The conditional of a region within the patch at ``origin``, by block formulas."""
    side = sampler.window + 2 * sampler.padding
    (top, left), channels = origin, sampler.channels
    inside = np.broadcast_to(
        mask.numpy()[top : top + side, left : left + side], (channels, side, side)
    ).ravel()
    patch = x.numpy()[:, top : top + side, left : left + side].ravel()
    gain, offset, rest = block_formulas(sampler.mean.numpy(), sampler.covariance.numpy(), inside)
    return gain @ patch[~inside] + offset, rest


@pytest.mark.parametrize(("channels", "window", "padding"), SIZES)
def test_a_region_of_one_window_is_drawn_as_the_window(channels, window, padding):
    sampler = gaussian(channels, window, padding)
    x = image(channels, 9, 10)
    top, left = padding + 1, padding + 2
    mask = region(9, 10, (top, left, top + window, left + window))
    mean, covariance = moments(sampler, x, mask)
    drawn = drawn_moments(sampler, x, (top, left), window)
    np.testing.assert_allclose(mean, drawn[0], atol=1e-9)
    np.testing.assert_allclose(covariance, drawn[1], atol=1e-11)
    expected = dense(sampler, x, mask, (1, 2))
    np.testing.assert_allclose(mean, expected[0], atol=1e-9)
    np.testing.assert_allclose(covariance, expected[1], atol=1e-11)


IRREGULAR = {
    "a cross": ([(4, 5, 5, 8), (3, 6, 6, 7)], (2, 4)),
    "two spots": ([(4, 5, 5, 6), (5, 7, 6, 8)], (2, 4)),
    "a pixel": ([(5, 5, 6, 6)], (3, 3)),
    "a corner": ([(0, 0, 2, 1), (0, 0, 1, 3)], (0, 0)),
    "the last pixel": ([(10, 11, 11, 12)], (6, 7)),
    "the lower edge": ([(9, 4, 11, 5), (10, 4, 11, 7)], (6, 3)),
}


@pytest.mark.parametrize("name", IRREGULAR)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_an_irregular_region_smaller_than_a_window_is_the_exact_conditional(name, channels):
    boxes, origin = IRREGULAR[name]
    sampler = gaussian(channels, 3, 1, seed=4)
    x, mask = image(channels, 11, 12), region(11, 12, *boxes)
    mean, covariance = moments(sampler, x, mask)
    expected = dense(sampler, x, mask, origin)
    np.testing.assert_allclose(mean, expected[0], atol=1e-9)
    np.testing.assert_allclose(covariance, expected[1], atol=1e-11)


def slow(sampler, x, mask, rng):
    """One sample of any region, tile by tile, with plain inverses."""
    window, side = sampler.window, sampler.window + 2 * sampler.padding
    content, known, region = x.numpy().copy(), ~mask.numpy(), mask.numpy()
    content[:, region] = -99
    height, width = region.shape
    rows, columns = np.nonzero(region.any(1))[0], np.nonzero(region.any(0))[0]
    top, left = rows[0], columns[0]
    tall, wide = rows[-1] + 1 - top, columns[-1] + 1 - left
    down, across = int(np.ceil(tall / window)), int(np.ceil(wide / window))
    tiles = []
    for i in range(down):
        for j in range(across):
            tile = np.zeros_like(region)
            tile[top + tall * i // down : top + tall * (i + 1) // down,
                 left + wide * j // across : left + wide * (j + 1) // across] = True  # fmt: skip
            if not (tile & region).any():
                continue
            ys, xs = np.nonzero(tile)
            y = int(np.clip((ys[0] + ys[-1] + 1 - side) // 2, 0, height - side))
            x0 = int(np.clip((xs[0] + xs[-1] + 1 - side) // 2, 0, width - side))
            tiles.append((tile & region, slice(y, y + side), slice(x0, x0 + side)))
    while tiles:
        counts = [known[rows, columns].sum() for _, rows, columns in tiles]
        tile, rows, columns = tiles.pop(int(np.argmax(counts)))
        w = np.tile(tile[rows, columns].ravel(), len(content))
        u = np.tile(known[rows, columns].ravel(), len(content))
        either = w | u
        mean = sampler.mean.numpy()[either]
        covariance = sampler.covariance.numpy()[np.ix_(either, either)]
        gain, offset, rest = block_formulas(mean, covariance, w[either])
        patch = content[:, rows, columns].ravel()
        noise = rng.standard_normal(w.sum())
        drawn = gain @ patch[u] + offset + np.linalg.cholesky(rest) @ noise
        if sampler.clip:
            drawn = drawn.clip(0, 1)
        content[:, tile] = drawn.reshape(len(content), -1)
        known |= tile
    return content


LARGE = {
    "a block": [(2, 3, 9, 10)],
    "everything": [(0, 0, 12, 13)],
    "all but a pixel": [(1, 0, 12, 13), (0, 1, 12, 13)],
    "a ring": [(1, 1, 3, 12), (1, 1, 11, 3), (9, 1, 11, 12), (1, 10, 11, 12)],
    "far apart": [(0, 0, 1, 1), (11, 12, 12, 13)],
    "a row": [(5, 0, 6, 13)],
    "a column at the border": [(0, 12, 12, 13)],
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("clip", [False, True])
def test_a_large_region_is_filled_tile_by_tile(name, clip):
    sampler = gaussian(2, 3, 1, seed=5, clip=clip)
    x, mask = image(2, 12, 13), region(12, 13, *LARGE[name])
    drawn = filled(sampler, x, mask, randomness(3))
    for one, rng in zip(drawn, randomness(3), strict=True):
        np.testing.assert_allclose(one.numpy(), slow(sampler, x, mask, rng), atol=1e-8)


def samplers():
    pool = image(2, 12, 13, seed=9)[None].repeat(5, 1, 1, 1) * torch.linspace(0, 1, 5)[
        :, None, None, None
    ].to(torch.float64)
    return {
        "conditional": gaussian(2, 3, 1, seed=5),
        "marginal": MarginalSampler(pool),
        "grey": ConstantSampler((0.25, 0.75)),
    }


@pytest.mark.parametrize("kind", samplers())
@pytest.mark.parametrize("name", LARGE)
def test_what_stood_in_the_region_never_leaks_and_the_rest_stays(kind, name):
    sampler = samplers()[kind]
    x, mask = image(2, 12, 13), region(12, 13, *LARGE[name])
    other = torch.where(mask, 1 - x, x)
    before = x.clone()
    one = filled(sampler, x, mask, randomness(4))
    two = filled(sampler, other, mask, randomness(4))
    assert torch.equal(one, two)
    assert torch.equal(one[..., ~mask], x[:, ~mask].expand(4, -1, -1))
    assert one.isfinite().all()
    assert torch.equal(x, before)
    if kind != "grey":
        assert not torch.equal(one[0], one[1])


@pytest.mark.parametrize("kind", samplers())
def test_a_sample_depends_on_its_own_randomness_only(kind):
    sampler = samplers()[kind]
    x, mask = image(2, 12, 13), region(12, 13, *LARGE["a ring"])
    several = filled(sampler, x, mask, randomness(5))
    for number in range(5):
        alone = filled(sampler, x, mask, [randomness(5)[number]])
        torch.testing.assert_close(alone[0], several[number], atol=1e-12, rtol=0)


def test_the_marginal_sampler_takes_the_same_pixels_of_another_image():
    pool = torch.rand(6, 3, 8, 9)
    mask = region(8, 9, (1, 2, 5, 6), (6, 8, 8, 9))
    drawn = filled(MarginalSampler(pool), pool[0], mask, randomness(60))
    seen = set()
    for one in drawn:
        matches = [n for n in range(6) if torch.equal(pool[n][:, mask], one[:, mask])]
        seen.update(matches)
        assert len(matches) == 1
    assert seen == {1, 2, 3, 4, 5}


def test_the_constant_sampler_takes_its_value_in_each_channel():
    x, mask = image(3, 8, 9, dtype=torch.float32), region(8, 9, (1, 2, 5, 6))
    drawn = filled(ConstantSampler((0.1, 0.2, 0.3)), x, mask, randomness(2))
    assert drawn.dtype == torch.float32
    for channel, value in enumerate((0.1, 0.2, 0.3)):
        assert torch.equal(drawn[:, channel, mask], torch.full((2, int(mask.sum())), value))


def test_a_region_without_any_known_pixel_begins_with_the_patch_as_it_is():
    sampler = gaussian(1, 3, 1, seed=6)
    x, mask = image(1, 5, 5), region(5, 5, (0, 0, 5, 5))
    mean, covariance = moments(sampler, x, mask)
    first = [(y, x) for y in range(2) for x in range(2)]
    at = [y * 5 + x for y, x in first]
    np.testing.assert_allclose(mean[at], sampler.mean.numpy()[at], atol=1e-9)
    np.testing.assert_allclose(
        covariance[np.ix_(at, at)], sampler.covariance.numpy()[np.ix_(at, at)], atol=1e-11
    )


def test_an_image_smaller_than_the_fitted_patch_is_filled_with_the_middle_of_it():
    sampler = gaussian(1, 6, 1)
    x, mask = image(1, 5, 7), region(5, 7, (1, 2, 4, 5))
    mean, covariance = moments(sampler, x, mask)
    middle_mean, middle_covariance = sampler.patch(3)
    smaller = ConditionalSampler(middle_mean, middle_covariance, 1, 3, 1)
    expected = dense(smaller, x, mask, (0, 1))
    np.testing.assert_allclose(mean, expected[0], atol=1e-9)
    np.testing.assert_allclose(covariance, expected[1], atol=1e-11)


def test_what_cannot_be_filled_is_refused_in_a_sentence():
    mask, rngs = region(4, 4, (1, 1, 2, 2)), randomness(1)
    with pytest.raises(ValueError, match=r"4 x 4 pixels, smaller than .* 5 pixels; fit one"):
        fill_region(gaussian(1, 2, 2), image(1, 4, 4), mask, rngs)
    with pytest.raises(ValueError, match="fitted on images of 1 channels, the image has 3"):
        fill_region(gaussian(1, 2, 1), image(3, 4, 4), mask, rngs)
    with pytest.raises(ValueError, match="no image other than the explained one"):
        fill_region(MarginalSampler(image(1, 4, 4)[None]), image(1, 4, 4), mask, rngs)
    with pytest.raises(ValueError, match="give images of the same shape"):
        fill_region(MarginalSampler(image(1, 5, 4)[None]), image(1, 4, 4), mask, rngs)
    with pytest.raises(ValueError, match="no pixel value"):
        fill_region(ConstantSampler(2.0), image(1, 4, 4), mask, rngs)
    with pytest.raises(ValueError, match=r"cannot fill a region; give an xw\.ConditionalSampler"):
        fill_region(ConstantSampler, image(1, 4, 4), mask, rngs)


def test_steps_report_how_far_they_are():
    sampler = gaussian(2, 3, 1)
    x, mask = image(2, 12, 13), region(12, 13, *LARGE["a block"])
    shares = []
    for pictures, share in fill_region(sampler, x, mask, randomness(2)):
        shares.append(share)
        missing = pictures.isnan().all(1)
        assert torch.equal(missing, pictures.isnan().any(1))
        assert not (missing & ~mask).any()
        assert missing[0].sum() == round((1 - share) * int(mask.sum()))
    assert len(shares) == 9
    assert shares == sorted(shares)
    assert shares[-1] == 1
