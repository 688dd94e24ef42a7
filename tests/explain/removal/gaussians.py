"""Gaussians by dense algebra: the oracle of what samplers draw."""

import numpy as np
import torch

from xwidgets import ConditionalSampler

SIZES = [(1, 2, 2), (3, 2, 1), (4, 1, 1), (3, 1, 2)]
"""Channels, window, padding."""


def gaussian(channels, window, padding, seed=0, clip=False):
    """A sampler with random moments, far from independent."""
    size = channels * (window + 2 * padding) ** 2
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size))
    covariance = 0.01 * (root @ root.T / size + 0.1 * np.eye(size))
    mean = rng.uniform(0.3, 0.7, size)
    return ConditionalSampler(
        torch.from_numpy(mean), torch.from_numpy(covariance), channels, window, padding, clip
    )


def inside(channels, side, window, place):
    """Which entries of a flattened patch lie in the window, by a loop."""
    return np.array([
        place[0] <= y < place[0] + window and place[1] <= x < place[1] + window
        for _ in range(channels) for y in range(side) for x in range(side)
    ])  # fmt: skip


def block_formulas(mean, covariance, w):
    """Gain, offset and covariance of the entries ``w`` given the others, with plain inverses."""
    r = ~w
    gain = covariance[np.ix_(w, r)] @ np.linalg.inv(covariance[np.ix_(r, r)])
    rest = covariance[np.ix_(w, w)] - gain @ covariance[np.ix_(r, w)]
    return gain, mean[w] - gain @ mean[r], rest


def randomness(count, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(count)]


class Silence:
    """A generator without any noise: a drawn content is the conditional mean."""

    def standard_normal(self, size, dtype=float):
        return np.zeros(size, dtype)


class Unit(Silence):
    """A generator whose noise is a single 1, at a place counted over all that is drawn."""

    def __init__(self, place):
        self.place = place

    def standard_normal(self, size, dtype=float):
        noise = np.zeros(size, dtype)
        if 0 <= self.place < size:
            noise[self.place] = 1
        self.place -= size
        return noise


def drawn_moments(sampler, image, corner, window):
    """Mean and covariance of what is drawn at a corner, by the drawing's own linear map."""
    size = sampler.channels * (window + 2 * sampler.padding) ** 2
    rngs = [Silence(), *map(Unit, range(size))]
    drawn = sampler.condition(image, window)(torch.tensor([corner] * len(rngs)), rngs)
    mean, *columns = drawn.flatten(1).numpy()
    root = np.stack(columns, axis=1) - mean[:, None]
    return mean, root @ root.T


def region(height, width, *boxes):
    mask = torch.zeros(height, width, dtype=torch.bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def image(channels, height, width, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, height, width, generator=generator, dtype=dtype)


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
