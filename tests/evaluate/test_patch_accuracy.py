"""The second classifier: what it can learn, and what it must not know."""

import numpy as np
import pytest
import torch

from xwidgets.evaluate import patch_accuracy


def striped(count: int, seed: int) -> list:
    """Images whose patches, of several sizes, have upright stripes in one class, level in the
    other."""
    rng = np.random.default_rng(seed)
    images = []
    for number in range(count):
        patches = []
        for _ in range(6):
            patch = rng.integers(0, 80, (*rng.integers(9, 30, 2), 3)).astype(np.uint8)
            start = rng.integers(4)
            stripes = (slice(None), slice(start, None, 4))
            patch[stripes if number % 2 else stripes[::-1]] += 170
            patches.append(patch)
        images.append((patches, number % 2))
    return images


def noisy(count: int, seed: int, patches: int = 6) -> list:
    """Images that each have a tint of their own, which says nothing about the class."""
    rng = np.random.default_rng(seed)
    images = []
    for number in range(count):
        tint = rng.integers(0, 200, 3)
        noise = rng.integers(0, 40, (patches, 12, 12, 3))
        images.append((list((tint + noise).astype(np.uint8)), number % 2))
    return images


def test_it_learns_what_can_be_learned() -> None:
    found = patch_accuracy(striped(40, seed=0), striped(20, seed=1))
    assert found.accuracy > 0.95
    assert found.chance == 0.5
    assert found.patches == 120


def test_nothing_is_known_about_the_patches_of_unseen_images() -> None:
    training = noisy(16, seed=0)
    unseen = patch_accuracy(training, noisy(60, seed=1), epochs=12)
    assert abs(unseen.accuracy - 0.5) < 0.15
    seen = patch_accuracy(training, training, epochs=12)  # what splitting an image would do
    assert seen.accuracy > 0.85


def test_chance_is_the_most_frequent_class() -> None:
    patch = np.zeros((5, 5, 3), np.uint8)
    found = patch_accuracy([([patch], 0), ([patch], 1)], [([patch] * 3, 1), ([patch], 0)], epochs=1)
    assert found.chance == 0.75
    assert found.accuracy in (0.25, 0.75)


def test_patches_without_pixels_are_left_out() -> None:
    patch, empty = np.zeros((5, 5, 3), np.uint8), np.zeros((0, 0, 3), np.uint8)
    found = patch_accuracy([([patch, empty], 0)], [([patch, empty], 0), ([empty], 1)], epochs=1)
    assert (found.accuracy, found.chance, found.patches) == (1, 1, 1)
    for training, held_out, which in (
        ([([empty], 0)], [([patch], 0)], "training"),
        ([([patch], 0)], [], "held-out"),
    ):
        with pytest.raises(ValueError, match=f"no {which} image"):
            patch_accuracy(training, held_out)


def test_only_the_seed_decides() -> None:
    training, held_out = striped(8, seed=0), noisy(60, seed=1)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    found = [patch_accuracy(training, held_out, epochs=1, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    assert found[0] == found[1] != found[2]
