"""CUB-200-2011, on a tiny generated copy."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from xwidgets.box import Box
from xwidgets.images import Collection, scenes
from xwidgets.images._cub import BirdPhotograph, cub
from xwidgets.images.scenes.birds import PARTS

WIDTH, HEIGHT = 12, 9
IMAGES = {
    "7": "002.Laysan_Albatross/Laysan_0002.jpg",
    "1": "001.Black_footed_Albatross/Black_0046.jpg",
    "3": "002.Laysan_Albatross/Laysan_0001.jpg",
    "2": "001.Black_footed_Albatross/Black_0009.jpg",
}
GRAY = IMAGES["1"]
BEAK, TAIL = PARTS.index("beak"), PARTS.index("tail")


def place(image, part):
    """Where the tiny copy puts a part: the tail nowhere, every other at a place of its own."""
    return "0.0 0.0 0" if part == TAIL else f"{int(image) / 4 + part / 2} {part / 4 + 1} 1"


FILES = {
    "images.txt": [f"{image} {name}" for image, name in IMAGES.items()],
    "classes.txt": ["1 001.Black_footed_Albatross", "2 002.Laysan_Albatross"],
    "image_class_labels.txt": ["1 1", "2 1", "3 2", "7 2"],
    "train_test_split.txt": ["1 1", "2 0", "3 1", "7 1"],
    "bounding_boxes.txt": [
        "1 2.0 1.0 5.0 6.0", "2 0.0 0.0 12.0 9.0", "3 2.5 1.25 4.0 3.5", "7 8.0 3.0 30.0 2.0"
    ],
    "parts/parts.txt": [f"{number} {part}" for number, part in enumerate(PARTS, 1)],
    "parts/part_locs.txt": [
        f"{image} {part + 1} {place(image, part)}" for image in "1237" for part in range(15)
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A copy of two classes with two photographs each, one of them gray and one for the test."""
    for seed, name in enumerate(IMAGES.values()):
        shape = (HEIGHT, WIDTH) if name == GRAY else (HEIGHT, WIDTH, 3)
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8)).save(path)
    (tmp_path / "parts").mkdir()
    for name, lines in FILES.items():
        write(tmp_path, name, lines)
    return tmp_path


def write(folder, name, lines):
    (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode())


def change(folder, name, number, line):
    """Replace a line, counted from 1; None takes it out."""
    lines = list(FILES[name])
    lines[number - 1 : number] = [] if line is None else [line]
    write(folder, name, lines)


def names(birds):
    return [bird.path.name for bird in birds]


# What it reads


def test_the_photographs_of_a_split_come_in_the_order_of_the_list(folder):
    train = cub(folder)
    assert [bird.path for bird in train] == [folder / "images" / IMAGES[n] for n in "713"]
    assert [bird.label for bird in train] == [1, 0, 1]
    assert [bird.name for bird in train] == [
        "002.Laysan_Albatross", "001.Black_footed_Albatross", "002.Laysan_Albatross"
    ]  # fmt: skip
    assert names(cub(str(folder), "test")) == ["Black_0009.jpg"]


def test_boxes_hold_every_pixel_they_touch(folder):
    assert [bird.box for bird in cub(folder)] == [
        (3, 8, 5, 38), (1, 2, 7, 7), (1, 2, 5, 7)
    ]  # fmt: skip
    (whole,) = cub(folder, "test")
    assert whole.box == Box(0, 0, HEIGHT, WIDTH)
    assert whole.image[:, *whole.box.slices].shape == whole.image.shape


def test_every_part_has_its_point(folder):
    for bird, image in zip(cub(folder), "713", strict=True):
        assert tuple(bird.parts) == PARTS
        for number, point in enumerate(bird.parts.values()):
            x, y = int(image) / 4 + number / 2, number / 4 + 1
            expected = (math.floor(x), math.floor(y), True)
            assert point == ((0, 0, False) if number == TAIL else expected)
            assert isinstance(point, scenes.Point)
            assert [type(value) for value in point] == [int, int, bool]


def test_a_part_that_does_not_show_is_nowhere_whatever_its_numbers(folder):
    change(folder, "parts/part_locs.txt", BEAK + 1, f"1 {BEAK + 1} 4.0 3.0 0")
    black = cub(folder)[1]
    assert black.parts["beak"] == (0, 0, False)
    change(folder, "parts/part_locs.txt", BEAK + 1, f"1 {BEAK + 1} 0.0 0.0 1")
    assert cub(folder)[1].parts["beak"] == (0, 0, True)


def test_fractions_are_exact(folder):
    count = 400
    hundredths = np.random.default_rng(0).integers(1, 5_000, (count, 4))
    rows = [[f"{n // 100}.{n % 100:02}" for n in row] for row in hundredths]
    write(folder, "images.txt", [f"{n} {GRAY}" for n in range(1, count + 1)])
    write(folder, "train_test_split.txt", [f"{n} 1" for n in range(1, count + 1)])
    write(folder, "image_class_labels.txt", [f"{n} 1" for n in range(1, count + 1)])
    write(folder, "bounding_boxes.txt", [f"{n} {' '.join(row)}" for n, row in enumerate(rows, 1)])
    write(folder, "parts/parts.txt", ["1 beak"])
    write(folder, "parts/part_locs.txt",
          [f"{n} 1 {x} {y} 1" for n, (x, y, *_) in enumerate(rows, 1)])  # fmt: skip
    for bird, row in zip(cub(folder), rows, strict=True):
        x, y, width, height = map(Fraction, row)
        assert bird.box == (
            math.floor(y), math.floor(x), math.ceil(y + height), math.ceil(x + width)
        )  # fmt: skip
        assert bird.parts == {"beak": (math.floor(x), math.floor(y), True)}


def test_pixels_are_read_when_asked_for(folder):
    first = cub(folder)[0]
    expected = np.asarray(Image.open(first.path))
    assert first.image.dtype == torch.float32
    assert np.array_equal((first.image * 255).round().permute(1, 2, 0).numpy(), expected)
    Image.new("RGB", (2, 1), "white").save(first.path)
    assert torch.equal(first.image, torch.ones(3, 1, 2))


def test_a_gray_photograph_has_three_channels(folder):
    gray = cub(folder)[1]
    picture = Image.open(gray.path)
    assert picture.mode == "L"
    expected = torch.from_numpy(np.array(picture)).expand(3, HEIGHT, WIDTH)
    assert torch.equal((gray.image * 255).round().byte(), expected)


def test_a_photograph_is_frozen_and_can_be_in_a_set(folder):
    birds = cub(folder)
    with pytest.raises(AttributeError):
        birds[0].label = 1
    assert {*birds, *cub(folder)} == set(birds)
    assert len(set(birds)) == 3


def test_files_may_have_blank_lines_and_windows_line_ends(folder):
    expected = cub(folder)
    for name, lines in FILES.items():
        (folder / name).write_bytes(("\r\n \r\n" + "\r\n\r\n".join(lines)).encode())
    assert cub(folder) == expected
    assert expected


def test_names_may_have_spaces(folder):
    (folder / "images" / IMAGES["7"]).rename(folder / "images/a bird.jpg")
    change(folder, "images.txt", 1, "7 a bird.jpg")
    change(folder, "classes.txt", 2, "2 a bird of class two")
    assert names(cub(folder))[0] == "a bird.jpg"
    assert cub(folder)[0].name == "a bird of class two"


def test_a_shorter_list_needs_no_change_in_other_files(folder):
    change(folder, "images.txt", 1, None)
    assert names(cub(folder)) == ["Black_0046.jpg", "Laysan_0001.jpg"]


def test_a_collection_knows_the_files_without_reading_them(folder, monkeypatch):
    birds = cub(folder)
    collection = Collection(birds)
    with monkeypatch.context() as blind:
        blind.setattr(BirdPhotograph, "image", property(lambda self: pytest.fail("was read")))
        seen = collection.fingerprint()
        assert len(collection) == 3
        assert [collection.source(n) for n in range(3)] == [b.path.as_posix() for b in birds]
    assert seen is not None
    for number, bird in enumerate(birds):
        assert torch.equal(collection.image(number), bird.image)
    birds[0].path.write_bytes(birds[0].path.read_bytes() + b"0")
    assert Collection(birds).fingerprint() not in (None, seen)
    birds[0].path.write_bytes(b"no picture")
    assert collection.image(0) is None


# What it refuses


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ValueError, match=rf"no '{name}' in '.*'; give the folder of the data set"):
        cub(folder)


def test_a_folder_is_no_file(folder):
    (folder / "classes.txt").unlink()
    (folder / "classes.txt").mkdir()
    with pytest.raises(ValueError, match=r"no 'classes\.txt' in"):
        cub(folder)


@pytest.mark.parametrize("wrong", ["nowhere", "images", "images.txt"])
def test_a_wrong_folder_is_named(folder, wrong):
    with pytest.raises(ValueError, match=rf"no 'images\.txt' in '.*{wrong}'; give the folder"):
        cub(folder / wrong)


@pytest.mark.parametrize(
    ("name", "number", "key"),
    [
        ("train_test_split.txt", 4, "image 7"),
        ("image_class_labels.txt", 4, "image 7"),
        ("classes.txt", 2, "class 2"),
        ("bounding_boxes.txt", 4, "image 7"),
        ("parts/part_locs.txt", 46 + BEAK, "image 7, part 2"),
    ],
)
def test_a_missing_line_is_named(folder, name, number, key):
    change(folder, name, number, None)
    with pytest.raises(ValueError, match=rf"{name}' has no line for {key}; copy the file again$"):
        cub(folder)


def test_only_the_split_that_is_asked_for_must_be_whole(folder):
    change(folder, "bounding_boxes.txt", 2, None)
    (folder / "images" / IMAGES["2"]).unlink()
    assert len(cub(folder)) == 3
    with pytest.raises(ValueError, match=r"Black_0009\.jpg'"):
        cub(folder, "test")


FORMS = {
    "images.txt": "image name",
    "classes.txt": "class name",
    "image_class_labels.txt": "image class",
    "train_test_split.txt": "image training",
    "bounding_boxes.txt": "image x y width height",
    "parts/parts.txt": "part name",
    "parts/part_locs.txt": "image part x y visible",
}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        *((name, FILES[name][1].split()[0]) for name in FILES),
        *((name, "text") for name in FILES),
        *((name, "0 " + FILES[name][1].partition(" ")[2]) for name in FILES),
        *((name, FILES[name][1] + " 1") for name in FILES if "name" not in FORMS[name]),
        ("image_class_labels.txt", "2 0"),
        ("image_class_labels.txt", "2 1.5"),
        ("train_test_split.txt", "2 2"),
        ("bounding_boxes.txt", "2 -1.0 0.0 12.0 9.0"),
        ("bounding_boxes.txt", "2 1.0 0.0 nan 9.0"),
        ("bounding_boxes.txt", "2 1.0 0.0 12,0 9.0"),
        ("parts/part_locs.txt", "1 2 3.0 4.0"),
        ("parts/part_locs.txt", "1 2 3.0 4.0 2"),
        ("parts/part_locs.txt", "1 2 3.0 inf 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(folder, name, line):
    change(folder, name, 2, line)
    sentence = (
        rf"^line 2 of '.*{name}' is {re.escape(repr(line))}, but must be '{FORMS[name]}'; copy"
    )
    with pytest.raises(ValueError, match=sentence):
        cub(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_text_is_refused_like_one(folder, name):
    (folder / name).write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    with pytest.raises(ValueError, match=rf"^line 1 of '.*{name}' is .*; copy the file again$"):
        cub(folder)


@pytest.mark.parametrize("size", ["0.0 3.0", "3.0 0", "0 0"])
def test_an_empty_box_is_refused(folder, size):
    change(folder, "bounding_boxes.txt", 3, f"3 2.5 1.25 {size}")
    with pytest.raises(ValueError, match=r"bounding_boxes\.txt' has an empty box for image 3; cor"):
        cub(folder)


@pytest.mark.parametrize("instead", ["nothing", "folder"])
def test_a_photograph_that_is_not_there_is_named(folder, instead):
    path = folder / "images" / IMAGES["3"]
    path.unlink()
    if instead == "folder":
        path.mkdir()
    with pytest.raises(
        ValueError, match=rf"no '.*{IMAGES['3']}'; '.*images\.txt' names it: add the photograph or"
    ):
        cub(folder)


def test_an_unknown_split_is_answered_with_the_nearest(folder):
    with pytest.raises(ValueError, match="unknown split 'Train'; did you mean 'train'"):
        cub(folder, "Train")
