"""Images with replaced windows, and plain forwards of them."""

import re
from unittest.mock import patch

import torch

import xwidgets as xw
from tests.networks.architectures import settled
from xwidgets.incremental import IncrementalInference, WholeInference

ALWAYS = patch("xwidgets.incremental.inference._WORTH", torch.inf)
"""Differences also where they do not pay."""


def plain(net, image, corners, contents):
    """The logits of the images, one after the other."""
    height, width = contents.shape[-2:]
    logits = []
    for (y, x), content in zip(corners.tolist(), contents, strict=True):
        replaced = image.clone()
        replaced[:, y : y + height, x : x + width] = content
        logits.append(net.logits(replaced[None]))
    return torch.cat(logits)


def windows(image, window, count=4, seed=0):
    """Windows in every corner, at every border and at random places, with random contents.

    A window is a side, or height and width.
    """
    generator = torch.Generator().manual_seed(seed)
    sides = window if isinstance(window, tuple) else (window, window)
    bottom, right = (length - side for length, side in zip(image.shape[1:], sides, strict=True))
    edges = [(y, x) for y in (0, bottom // 2, bottom) for x in (0, right // 2, right)]
    near = [(min(1, bottom), max(0, right - 1)), (max(0, bottom - 1), min(1, right))]
    limits = torch.tensor([bottom + 1, right + 1])
    places = (torch.rand(count, 2, generator=generator) * limits).long()
    corners = torch.cat([torch.tensor([*edges, *near]), places])
    shape = (len(corners), len(image), *sides)
    return corners, torch.rand(shape, generator=generator, dtype=image.dtype)


def picture(channels, *size, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, *size, generator=generator, dtype=torch.float64)


def wrapped(module, *size, channels=3):
    normalize = ([0.4] * channels, [0.3] * channels)
    return xw.Network(settled(module).double(), normalize=normalize, size=size, name="small")


def compare(net, image, window, tolerance=1e-10):
    """Differences and plain forwards agree; returns the inference."""
    inference = IncrementalInference(WholeInference(net, image, window))
    assert not re.search("do not agree|cannot be run again", inference.note)
    corners, contents = windows(image, window)
    expected = plain(net, image, corners, contents)
    effect = (expected - net.logits(image[None])).abs().max()
    ours = inference.outputs(corners, contents)
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() <= tolerance * max(1, effect)
    return inference
