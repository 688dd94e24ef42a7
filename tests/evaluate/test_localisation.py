import numpy as np
import pytest

from xwidgets.box import Box
from xwidgets.evaluate import localisation
from xwidgets.results import NeuronPatch


def patch(box: Box | None) -> NeuronPatch:
    return NeuronPatch(
        network_name="none",
        layer="features.0",
        channel=0,
        convolution=1,
        depth=1.0,
        activation=1.0,
        image=np.zeros((8, 10, 3), np.uint8),
        pixels=np.zeros((3, 8, 10), np.float32),
        box=box,
        field=box,
    )


MASK = np.zeros((8, 10), bool)
MASK[2:4, 5:9] = True
TOUCHING = patch(Box(3, 8, 8, 10))  # the mask's last pixel is the box's first
BESIDE = patch(Box(4, 5, 8, 9))  # begins in the row below
SILENT = patch(None)


def test_a_patch_contains_what_it_shares_a_pixel_with() -> None:
    assert localisation([TOUCHING], MASK) == 1
    assert localisation([BESIDE], MASK) == 0
    assert localisation([TOUCHING, BESIDE, TOUCHING, BESIDE, BESIDE], MASK) == 0.4


def test_boxes_are_masks() -> None:
    boxes = [Box(2, 5, 4, 9)]
    assert localisation([TOUCHING, BESIDE], boxes) == localisation([TOUCHING, BESIDE], MASK) == 0.5
    assert localisation([TOUCHING, BESIDE], [*boxes, Box(7, 8, 8, 9)]) == 1
    assert localisation([TOUCHING, BESIDE], []) == 0


def test_a_silent_neuron_was_chosen_and_contains_nothing() -> None:
    assert localisation([TOUCHING, SILENT], MASK) == 0.5


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one neuron"):
        localisation([], MASK)
    with pytest.raises(ValueError, match="same size"):
        localisation([TOUCHING], MASK.T)
