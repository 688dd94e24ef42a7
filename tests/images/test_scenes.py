import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from xwidgets.images import scenes
from xwidgets.images.scenes import Scene, birds
from xwidgets.images.scenes.birds import SPECIES, TWINS, Plumage

SEEDS = range(12)
MAKERS = pytest.mark.parametrize(
    "make", [scenes.bird, lambda seed, **k: scenes.street(seed, person=True, **k)]
)
Maker = Callable[..., Scene]


@MAKERS
def test_same_seed_same_scene(make: Maker) -> None:
    first, again, other = make(seed=4), make(seed=4), make(seed=5)
    assert torch.equal(first.image, again.image)
    assert first.record == again.record != other.record
    assert not torch.equal(first.image, other.image)


@MAKERS
def test_a_record_draws_its_scene_again_after_pickling(make: Maker) -> None:
    scene = make(seed=6).without("head" if make is not scenes.bird else "tail")
    record = pickle.loads(pickle.dumps(scene.record))
    assert torch.equal(Scene.draw(record, 64).image, scene.image)


@MAKERS
def test_an_image_is_float32_in_the_unit_interval(make: Maker) -> None:
    image = make(seed=1).image
    assert image.dtype == torch.float32
    assert image.shape == (3, 64, 64)
    assert 0 <= image.min() < image.max() <= 1


@MAKERS
@pytest.mark.parametrize("size", [64, 100])
def test_removal_changes_the_pixels_of_that_part_only(make: Maker, size: int) -> None:
    for seed in SEEDS:
        scene = make(seed=seed, size=size)
        for part in scene.removable:
            without = scene.without(part)
            changed = (scene.image != without.image).any(0).numpy()
            assert not (changed & ~scene.masks[part]).any(), (seed, part)
            assert changed.any() == scene.masks[part].any(), (seed, part)
            assert not without.masks[part].any()
            assert not without.parts[part].visible
            assert part not in without.removable
            assert without.label == scene.label


@MAKERS
def test_removals_commute(make: Maker) -> None:
    scene = make(seed=8)
    a, b = scene.removable[:2]
    assert scene.without(a, b).record == scene.without(b).without(a).record
    assert torch.equal(scene.without(a, b).image, scene.without(b).without(a).image)


@pytest.mark.parametrize("part", ["back", "wing", "nonsense"])
def test_a_part_that_cannot_be_removed_is_refused_with_those_that_can(part: str) -> None:
    with pytest.raises(ValueError, match=f"'{part}'.*removable: beak, breast, crown"):
        scenes.bird(seed=3).without(part)


def test_an_empty_street_has_nothing_to_remove() -> None:
    with pytest.raises(ValueError, match="removable: none"):
        scenes.street(seed=3, person=False).without("head")


@MAKERS
def test_masks_fill_the_boxes(make: Maker) -> None:
    for seed in SEEDS:
        scene = make(seed=seed)
        shown = np.any(list(scene.masks.values()), axis=0)
        boxed = np.zeros_like(shown)
        for box in scene.boxes:
            boxed[box.slices] = True
            part = shown[box.slices]
            edges = (part[0], part[-1], part[:, 0], part[:, -1])
            assert all(edge.any() for edge in edges), "the box is too large"
        assert not (shown & ~boxed).any(), "the boxes are too small"


@MAKERS
def test_points_lie_in_their_masks(make: Maker) -> None:
    for seed in SEEDS:
        scene = make(seed=seed)
        assert scene.parts.keys() == scene.masks.keys()
        for part, point in scene.parts.items():
            assert point.visible == scene.masks[part].any()
            assert scene.masks[part][point.y, point.x] == point.visible


def test_a_bird_shows_one_side() -> None:
    for seed in SEEDS:
        scene = scenes.bird(seed)
        visible = {part for part, point in scene.parts.items() if point.visible}
        hidden = "right" if scene.record.faces_left else "left"  # type: ignore[attr-defined]
        assert len(scene.parts) == 15
        assert set(scene.parts) - visible == {f"{hidden} wing", f"{hidden} eye"}


def test_a_larger_picture_is_the_same_drawing() -> None:
    small, large = scenes.bird(seed=9), scenes.bird(seed=9, size=256)
    shrunk = torch.nn.functional.avg_pool2d(large.image, 4)
    assert (small.image - shrunk).abs().mean() < 0.02
    assert abs(large.boxes[0].width / 4 - small.boxes[0].width) <= 2


def test_twins_differ_in_exactly_one_part_and_every_part_has_twins() -> None:
    told_by = set()
    for a, b in TWINS:
        first, second = SPECIES[a].plumage, SPECIES[b].plumage
        different = [m for m in Plumage._fields if getattr(first, m) != getattr(second, m)]
        assert len(different) == 1
        told_by.update(different)
        mark = different[0]
        for index in (a, b):
            assert SPECIES[index].name.endswith(f"({getattr(SPECIES[index].plumage, mark)} {mark})")
        assert SPECIES[a].name.split(" (")[0] == SPECIES[b].name.split(" (")[0]
    assert told_by == set(Plumage._fields)


def test_species_are_told_apart_by_their_marks_only() -> None:
    assert len({species.plumage for species in SPECIES}) == len(SPECIES) == 20
    for a, b in TWINS:
        first, second = scenes.bird(seed=2, species=a), scenes.bird(seed=2, species=b)
        assert replace(first.record, species=b) == second.record  # type: ignore[type-var]
        changed = (first.image != second.image).any(0).numpy()
        mark = SPECIES[a].name.split()[-1].rstrip(")")
        part = next(part for part in first.removable if part.endswith(mark))
        assert changed.any()
        assert not (changed & ~(first.masks[part] | second.masks[part])).any()


def test_there_is_no_twenty_first_species() -> None:
    with pytest.raises(ValueError, match="no species 20; species are 0 to 19"):
        scenes.bird(seed=0, species=20)


def test_people_are_all_that_tells_the_streets_apart() -> None:
    for seed in SEEDS:
        empty, full = scenes.street(seed, person=False), scenes.street(seed, person=True)
        assert (empty.label, full.label) == (0, 1)
        assert empty.boxes == []
        assert 1 <= len(full.boxes) <= 3
        changed = (empty.image != full.image).any(0).numpy()
        shown = np.any(list(full.masks.values()), axis=0)
        assert not (changed & ~shown).any()


def test_draw_agrees_with_single_scenes() -> None:
    for kind, make in (("birds", scenes.bird), ("street", scenes.street)):
        images, labels = scenes.draw(kind, range(6))
        assert torch.equal(images, torch.stack([make(seed).image for seed in range(6)]))
        assert labels.tolist() == [make(seed).label for seed in range(6)]


def test_the_share_of_incomplete_scenes() -> None:
    complete, _ = scenes.draw("birds", range(200))
    mixed, _ = scenes.draw("birds", range(200), incomplete=0.5)
    share = (complete != mixed).flatten(1).any(1).float().mean().item()
    assert 0.4 < share < 0.6


def test_labels_are_balanced() -> None:
    species = np.bincount([birds.draw_record(seed).label for seed in range(4000)], minlength=20)
    assert species.min() > 140
    _, labels = scenes.draw("street", range(200), size=8)
    assert 70 < labels.sum() < 130


def test_an_unknown_kind_and_an_empty_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'birds'"):
        scenes.draw("bird", range(3))
    with pytest.raises(ValueError, match=r"size is .*, but must be a whole number"):
        scenes.bird(seed=0, size=0)
