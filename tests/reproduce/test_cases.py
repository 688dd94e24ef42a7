"""What x-features are measured on: drawn birds, and a generated copy of CUB-200-2011."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.evaluate.parts import mask_parts, voronoi_parts
from xwidgets.images._cub import BirdPhotograph, cub
from xwidgets.images.scenes import Point, birds
from xwidgets.reproduce.cases import Drawn, Photographed, cub_birds, drawn_birds

from .cub_copy import write_copy

ALL = tuple(range(20))


def test_drawn_birds_are_all_different() -> None:
    material = drawn_birds([2, 7], 12, 3)
    assert (len(material.images), len(material.fresh)) == (12, 4)
    assert {one: [case.label for case in some] for one, some in material.cases.items()} == {
        2: [2, 2, 2],
        7: [7, 7, 7],
    }
    pictures = [np.asarray(image) for part in (material.images, material.fresh) for image in part]
    pictures += [
        np.asarray((case.image * 255).round().byte())
        for some in material.cases.values()
        for case in some
    ]
    assert len({picture.tobytes() for picture in pictures}) == 12 + 4 + 6


def test_drawn_parts_are_those_of_the_scene() -> None:
    scene = xw.scenes.bird(seed=5, species=4)
    parts = Drawn(scene).parts()
    np.testing.assert_array_equal(parts["masks"], mask_parts(scene.masks.values()))
    expected = voronoi_parts(scene.parts.values(), scene.boxes[-1], (64, 64))
    np.testing.assert_array_equal(parts["voronoi"], expected)


def test_twins_differ_where_the_mark_is() -> None:
    twins = drawn_birds(ALL, 1, 0).twins
    names = list(birds.PARTS)
    for label, twin in twins.items():
        assert twins[twin.label].label == label
        assert twin.part in birds.SPECIES[twin.label].name
        here, there = (xw.scenes.bird(seed=11, species=one) for one in (label, twin.label))
        changed = (here.image != there.image).any(0).numpy()
        marks = [scene.masks[names[place]] for place in twin.places for scene in (here, there)]
        assert changed.any()
        assert (changed & np.any(marks, 0)).sum() > 0.9 * changed.sum()


@pytest.fixture
def photograph(tmp_path: Path) -> BirdPhotograph:
    """A gray photograph, larger and of another shape than the network's, with one bright part."""
    pixels = np.full((150, 110, 3), 20, np.uint8)
    pixels[40:60, 60:90] = 255
    Image.fromarray(pixels).save(tmp_path / "bird.png")
    parts = {"beak": Point(75, 50, True), "tail": Point(20, 130, True), "eye": Point(0, 0, False)}
    return BirdPhotograph(tmp_path / "bird.png", 3, "004.Bird", Box(-2, 10, 155, 112), parts)


def test_the_parts_of_a_photograph_stay_where_the_pixels_are(photograph) -> None:
    case = Photographed(xw.network("birds"), photograph)
    assert (case.label, case.image.shape) == (3, (3, 64, 64))
    parts = case.parts()
    assert list(parts) == ["voronoi"]
    voronoi = parts["voronoi"]
    assert voronoi.shape == (4, 64, 64)
    assert voronoi.min() >= 0
    assert voronoi.max() <= 1 + 1e-6
    assert not voronoi[2].any()
    bright = case.image[0].numpy() > 0.5
    centre = np.argwhere(bright).mean(0)
    beak = np.array(np.unravel_index(voronoi[0].argmax(), (64, 64)))
    assert np.abs(centre - beak).max() <= 1
    assert voronoi[0][bright].mean() > 5 * voronoi[1][bright].mean()


def test_a_photograph_without_visible_parts_has_none(photograph) -> None:
    hidden = dict.fromkeys(photograph.parts, Point(0, 0, False))
    bird = BirdPhotograph(photograph.path, 3, photograph.name, photograph.box, hidden)
    assert Photographed(xw.network("birds"), bird).parts() == {}


def test_cub_keeps_its_split(tmp_path) -> None:
    write_copy(tmp_path, {0: (3, 2), 1: (2, 2), 4: (4, 1)})
    net = xw.network("birds")
    material = cub_birds(net, tmp_path)((1, 4), 8, 1)
    train, test = ({bird.path for bird in cub(tmp_path, split)} for split in ("train", "test"))
    assert [bird.label for bird in material.images] == [1, 1, 4, 4, 4, 4, 0, 0]
    assert {bird.path for bird in material.images} < train
    assert len(material.images) == len({bird.path for bird in material.images})
    assert [bird.label for bird in material.fresh] == [1, 1, 4, 0, 0]
    assert {bird.path for bird in material.fresh} == test
    assert {one: len(some) for one, some in material.cases.items()} == {1: 1, 4: 1}
    assert material.cases[4][0].bird.path in test
    assert (material.net, material.twins) == (net, {})
    few = cub_birds(net, tmp_path)((1,), 1, 1)
    assert [bird.label for bird in few.images] == [1, 1]
