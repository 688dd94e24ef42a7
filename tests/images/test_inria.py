"""The INRIA person data set, on a tiny generated copy."""

import numpy as np
import pytest
import torch
from PIL import Image

from xwidgets.images._inria import Photograph, inria

WIDTH, HEIGHT = 8, 10


def annotation(image, *corners, origin="# Top left pixel co-ordinates : (0, 0)\n"):
    persons = '"PASperson" ' * len(corners)
    text = (
        "# PASCAL Annotation Version 1.00\n\n"
        f'Image filename : "{image}"\n'
        f"Image size (X x Y x C) : {WIDTH} x {HEIGHT} x 3\n"
        'Database : "The INRIA Rhône-Alpes Annotated Person Database"\n'
        f"Objects with ground truth : {len(corners)} {{ {persons}}}\n\n"
        f"{origin}\n"
    )
    for number, (x1, y1, x2, y2) in enumerate(corners, 1):
        name = f'object {number} "PASperson"'
        text += (
            f'# Details for object {number} ("PASperson")\n'
            f'Original label for {name} : "UprightPerson"\n'
            f"Center point on {name} (X, Y) : (3, 2)\n"
            f"Bounding box for {name} (Xmin, Ymin) - (Xmax, Ymax) : ({x1}, {y1}) - ({x2}, {y2})\n\n"
        )
    return text


@pytest.fixture
def folder(tmp_path):
    """A copy with two persons and one empty street in Train, one of each in Test."""
    for split, persons in (("Train", ("a", "b")), ("Test", ("c",))):
        for kind in ("pos", "neg", "annotations"):
            (tmp_path / split / kind).mkdir(parents=True)
        for seed, name in enumerate([*(f"pos/{person}" for person in persons), "neg/street"]):
            pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / split / f"{name}.png")
        for person in persons:
            write(tmp_path, f"{split}/annotations/{person}.txt",
                  annotation(f"{split}/pos/{person}.png", (1, 2, 4, 8)))  # fmt: skip
        names = [f"{split}/pos/{person}.png" for person in persons]
        write(tmp_path, f"{split}/pos.lst", "\n".join(names) + "\n")
        write(tmp_path, f"{split}/neg.lst", f"{split}/neg/street.png\n")
        names = [f"{split}/annotations/{person}.txt" for person in persons]
        write(tmp_path, f"{split}/annotations.lst", "\n".join(names) + "\n")
    return tmp_path


def write(folder, name, text):
    (folder / name).write_bytes(text.encode("latin-1"))


def annotate(folder, *corners, image="Train/pos/a.png", **options):
    write(folder, "Train/annotations/a.txt", annotation(image, *corners, **options))


def names(photographs):
    return [item.path.name for item in photographs]


def test_persons_come_first_then_pictures_without(folder):
    train = inria(folder)
    assert names(train) == ["a.png", "b.png", "street.png"]
    assert [item.label for item in train] == [1, 1, 0]
    assert [item.boxes for item in train] == [((2, 1, 9, 5),), ((2, 1, 9, 5),), ()]
    assert names(inria(str(folder), "test")) == ["c.png", "street.png"]


def test_pixels_are_read_when_asked_for(folder):
    first = inria(folder)[0]
    expected = np.asarray(Image.open(first.path))
    assert first.image.dtype == torch.float32
    assert np.array_equal((first.image * 255).round().permute(1, 2, 0).numpy(), expected)
    first.path.unlink()
    with pytest.raises(ValueError, match=r"a\.png"):
        _ = first.image


def test_a_photograph_is_frozen():
    with pytest.raises(AttributeError):
        Photograph("a.png", 0, ()).label = 1


def test_names_match_in_any_case(folder):
    write(folder, "Train/pos.lst", "train/POS/A.PNG\nTRAIN/pos/b.png\n")
    write(folder, "Train/annotations.lst", "train/Annotations/A.txt\nTrain/annotations/b.TXT\n")
    annotate(folder, (1, 2, 4, 8), image="train/Pos/a.png")
    (folder / "Train/neg.lst").rename(folder / "Train/NEG.LST")
    (folder / "Train").rename(folder / "train")
    photographs = inria(folder)
    assert names(photographs) == ["a.png", "b.png", "street.png"]
    assert all(item.path.exists() for item in photographs)


def test_lists_may_have_blank_lines_and_windows_line_ends(folder):
    write(folder, "Train/pos.lst", "\r\nTrain/pos/b.png\r\n\r\n  \r\nTrain/pos/a.png")
    write(folder, "Train/neg.lst", "\r\n")
    assert names(inria(folder)) == ["b.png", "a.png"]


def test_annotations_may_have_windows_line_ends(folder):
    write(folder, "Train/annotations/a.txt",
          annotation("Train/pos/a.png", (1, 2, 4, 8)).replace("\n", "\r\n"))  # fmt: skip
    assert inria(folder)[0].boxes == ((2, 1, 9, 5),)


@pytest.mark.parametrize("on_disk", ["a.png", "a.jpg"])
@pytest.mark.parametrize("annotated", ["a.png", "a.jpg", "a.JPG"])
@pytest.mark.parametrize("listed", ["a.png", "a.jpg"])
def test_png_and_jpg_names_stand_for_each_other(folder, on_disk, annotated, listed):
    (folder / "Train/pos/a.png").rename(folder / "Train/pos" / on_disk)
    annotate(folder, (1, 2, 4, 8), image=f"Train/pos/{annotated}")
    write(folder, "Train/pos.lst", f"Train/pos/{listed}\n")
    assert names(inria(folder)) == [on_disk, "street.png"]


def test_the_named_suffix_wins_where_both_exist(folder):
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "Train/neg/street.jpg")
    assert names(inria(folder))[-1] == "street.png"


def painted(x1, y1, x2, y2, first):
    """The pixels from corner to corner, both included, as a mask; the slow and obvious way."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for y in range(y1, y2 + 1):
        for x in range(x1, x2 + 1):
            if 0 <= y - first < HEIGHT and 0 <= x - first < WIDTH:
                mask[y - first, x - first] = True
    return mask


@pytest.mark.parametrize(
    ("origin", "first"),
    [
        ("# Top left pixel co-ordinates : (0, 0)\n", 0),
        ("# Top left pixel co-ordinates : (1, 1)\n", 1),
        ("", 1),
    ],
)
@pytest.mark.parametrize(
    "corners",
    [(1, 2, 4, 8), (3, 3, 3, 3), (1, 1, 8, 10), (0, 0, 7, 9), (-3, -2, 2, 2), (5, 6, 90, 70)],
)
def test_both_corners_belong_to_the_box_and_it_is_clipped(folder, corners, origin, first):
    annotate(folder, corners, origin=origin)
    ((top, left, bottom, right),) = inria(folder)[0].boxes
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top:bottom, left:right] = True
    assert np.array_equal(mask, painted(*corners, first))
    assert 0 <= top < bottom <= HEIGHT
    assert 0 <= left < right <= WIDTH


def test_every_object_has_its_box_in_order(folder):
    annotate(folder, (4, 0, 7, 9), (0, 0, 1, 1), (2, 3, 4, 5))
    assert inria(folder)[0].boxes == ((0, 4, 10, 8), (0, 0, 2, 2), (3, 2, 6, 5))


@pytest.mark.parametrize(
    "corners", [(4, 2, 1, 8), (1, 8, 4, 2), (4, 2, 3, 8), (8, 0, 9, 9), (0, 10, 7, 12),
                (-5, 0, -1, 9)]
)  # fmt: skip
def test_a_box_that_is_swapped_or_outside_is_refused_by_file_name(folder, corners):
    annotate(folder, (1, 2, 4, 8), corners)
    with pytest.raises(
        ValueError, match=r"annotations/a\.txt' has a swapped or empty box .*; correct"
    ):
        inria(folder)


@pytest.mark.parametrize(
    "broken",
    ["Image filename", "Image size", "Objects with", "Bounding box for object 2"],
)
def test_an_incomplete_annotation_is_refused_by_file_name(folder, broken):
    text = annotation("Train/pos/a.png", (1, 2, 4, 8), (0, 0, 1, 1)).replace(broken, "Nothing")
    write(folder, "Train/annotations/a.txt", text)
    with pytest.raises(ValueError, match=r"annotations/a\.txt' lacks a .* copy it again"):
        inria(folder)


@pytest.mark.parametrize("name", ["pos.lst", "neg.lst", "annotations.lst"])
def test_a_missing_list_is_named(folder, name):
    (folder / "Train" / name).unlink()
    with pytest.raises(ValueError, match=f"no 'Train/{name}' in .*; give the folder"):
        inria(folder)


@pytest.mark.parametrize("wrong", ["nowhere", "Train", "Train/pos.lst"])
def test_a_wrong_folder_is_named(folder, wrong):
    with pytest.raises(ValueError, match=f"no 'Train/pos.lst' in '.*{wrong}'; give the folder"):
        inria(folder / wrong)


@pytest.mark.parametrize(
    ("missing", "source"),
    [
        ("Train/pos/a.png", "pos.lst"),
        ("Train/neg/street.png", "neg.lst"),
        ("Train/annotations/a.txt", "annotations.lst"),
    ],
)
def test_a_file_that_a_list_names_in_vain_is_named(folder, missing, source):
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=rf"no '{missing}' in .*{source}' names it: add the file"):
        inria(folder)


def test_a_folder_is_no_file(folder):
    write(folder, "Train/neg.lst", "Train/neg\n")
    with pytest.raises(ValueError, match="no 'Train/neg' in"):
        inria(folder)


def test_an_annotation_of_a_picture_that_is_not_there_is_named(folder):
    annotate(folder, (1, 2, 4, 8), image="Train/pos/gone.png")
    with pytest.raises(ValueError, match=r"no 'Train/pos/gone\.png' in .*annotations/a\.txt' is"):
        inria(folder)


def test_a_picture_with_persons_needs_an_annotation(folder):
    write(folder, "Train/annotations.lst", "Train/annotations/b.txt\n")
    with pytest.raises(ValueError, match=r"pos/a\.png' has no annotation; name one in"):
        inria(folder)


def test_an_unknown_split_is_answered_with_the_nearest(folder):
    with pytest.raises(ValueError, match="unknown split 'Train'; did you mean 'train'"):
        inria(folder, "Train")
