from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.reproduce import two_classes


def test_streets_are_those_of_their_seeds_and_never_shared() -> None:
    training, held_out = two_classes.streets(6, 5, seed=1)
    assert (len(training), len(held_out)) == (6, 5)
    scene = xw.scenes.street(3_150_002)
    torch.testing.assert_close(held_out.pixels(2), scene.image, atol=1e-6, rtol=0)
    assert held_out.labels[2] == scene.label
    every = torch.cat([training.images, held_out.images, two_classes.streets(6, 5, 2)[0].images])
    assert len(every.unique(dim=0)) == 17


def test_masks_show_the_persons() -> None:
    pictures, _ = two_classes.streets(12, 1, seed=0)
    assert 0 < pictures.labels.sum() < 12
    for number, (label, mask) in enumerate(zip(pictures.labels, pictures.masks, strict=True)):
        assert mask.any() == bool(label)
        if label:
            boxes = xw.scenes.street(3_000_000 + number).boxes
            inside = np.zeros((64, 64), bool)
            for box in boxes:
                inside[box.slices] = True
            assert (mask <= inside).all()
            assert not inside.all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, count in (("person", 3), ("other", 7)):
        (tmp_path / name).mkdir()
        for number in range(count):
            color = (200, 10 * number, 0) if name == "person" else (0, 10 * number, 200)
            Image.new("RGB", (20, 10), color).save(tmp_path / name / f"{number}.png")
    (tmp_path / "person" / "notes.txt").write_text("no picture")
    (tmp_path / "boxes.csv").write_text(
        "file,top,left,bottom,right\nperson/0.png,5,10,10,20\nperson/0.png,0,0,1,2\n"
    )
    return tmp_path


def test_a_folder_of_two_classes_is_read(folder: Path) -> None:
    found = two_classes.folder(folder)
    assert [one.label for one in found] == [1] * 3 + [0] * 7
    assert found[0].boxes == (Box(5, 10, 10, 20), Box(0, 0, 1, 2))
    assert found[1].boxes == ()


def test_photographs_are_squeezed_with_their_boxes(folder: Path) -> None:
    training, held_out = two_classes.photographs(two_classes.folder(folder), size=40)(100, 100, 0)
    assert (len(training), len(held_out)) == (8, 2)
    pictures = [(part, i) for part in (training, held_out) for i in range(len(part))]
    for part, i in pictures:
        red = part.pixels(i)[0].mean() > 0.5
        assert bool(red) == bool(part.labels[i])
    [mask] = [part.masks[i] for part, i in pictures if part.masks[i].any()]
    expected = np.zeros((40, 40), bool)
    expected[20:, 20:] = expected[:4, :4] = True
    np.testing.assert_array_equal(mask, expected)


def test_every_seed_shuffles_anew(folder: Path) -> None:
    source = two_classes.photographs(two_classes.folder(folder), size=8)
    first, again, other = (source(6, 3, seed)[1].images for seed in (0, 0, 1))
    assert len(first) == 3
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_incomplete_folders_are_refused(folder: Path) -> None:
    (folder / "boxes.csv").write_text("file,top\n")
    with pytest.raises(ValueError, match="its first line is file,top,left,bottom,right"):
        two_classes.folder(folder)
    with pytest.raises(ValueError, match=r"boxes\.csv' is missing"):
        two_classes.folder(folder / "person")
    (folder / "boxes.csv").write_text("file,top,left,bottom,right\n")
    for file in (folder / "other").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match="there are no pictures in"):
        two_classes.folder(folder)
