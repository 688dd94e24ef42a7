"""A data set reads the same, whatever it comes as."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xwidgets.images import Photograph, photo, scenes
from xwidgets.images.collection import Collection

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
TENSOR = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).float() / 255


class Data(torch.utils.data.Dataset):
    def __init__(self, items):
        self.items, self.asked = items, []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, number):
        self.asked.append(number)
        item = self.items[number]
        if isinstance(item, Exception):
            raise item
        return item


@pytest.fixture
def folder(tmp_path):
    for name, pixels in zip(["b/2.png", "a.bmp", "b/10.PNG"], PIXELS, strict=True):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    (tmp_path / "pictures" / "notes.txt").write_text("no picture")
    (tmp_path / "pictures" / "paper.pdf").write_text("a suffix that Pillow only writes")
    (tmp_path / "pictures" / "folder.png").mkdir()
    return tmp_path / "pictures"


def paths(folder):
    return [folder / "b/2.png", folder / "a.bmp", folder / "b/10.PNG"]


KINDS = {
    "tensor": lambda folder: TENSOR,
    "array": lambda folder: TENSOR.numpy(),
    "tensors": lambda folder: list(TENSOR),
    "arrays": lambda folder: tuple(TENSOR.numpy()),
    "pictures": lambda folder: [Image.fromarray(pixels) for pixels in PIXELS],
    "pairs": lambda folder: [(image, 3) for image in TENSOR],
    "dataset": lambda folder: Data(list(TENSOR)),
    "dataset-of-pairs": lambda folder: Data([(Image.fromarray(p), 3) for p in PIXELS]),
}
FILES = {
    "paths": paths,
    "texts": lambda folder: [str(path) for path in paths(folder)],
    "samples": lambda folder: [(str(path), 3) for path in paths(folder)],
    "photographs": lambda folder: [Photograph(path, 1, ()) for path in paths(folder)],
}


@pytest.mark.parametrize("kind", [*KINDS, *FILES])
def test_every_kind_holds_the_same_images(folder, kind):
    collection = Collection((KINDS | FILES)[kind](folder))
    assert len(collection) == 3
    for number, image in enumerate(TENSOR):
        assert torch.equal(collection.image(number), image)
        expected = paths(folder)[number].as_posix() if kind in FILES else str(number)
        assert collection.source(number) == expected


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_holds_the_pictures_below_it_in_order(folder, kind):
    collection = Collection(kind(folder))
    assert [collection.source(n) for n in range(3)] == ["a.bmp", "b/10.PNG", "b/2.png"]
    assert torch.equal(collection.image(0), TENSOR[1])
    assert torch.equal(collection.image(2), TENSOR[0])
    assert len(collection) == 3


def test_scenes_and_named_photographs():
    scene = scenes.bird(seed=3)
    assert torch.equal(Collection([scene]).image(0), scene.image)
    named = Collection(["chelsea"])
    assert torch.equal(named.image(0), photo("chelsea"))
    assert named.source(0) == "chelsea"
    assert named.fingerprint() is None


def test_nothing_is_read_before_it_is_asked_for():
    data = Data(list(TENSOR))
    collection = Collection(data)
    assert (len(collection), collection.source(2), collection.fingerprint()) == (3, "2", None)
    assert data.asked == []
    collection.image(1)
    assert data.asked == [1]


def test_arrays_that_cannot_be_written_or_run_backwards(recwarn):
    array = TENSOR.numpy()[:, :, ::-1]
    array.flags.writeable = False
    assert torch.equal(Collection(array).image(1), TENSOR[1].flip(1))
    assert Collection(array).fingerprint() == Collection(TENSOR.flip(2).numpy()).fingerprint()
    assert not recwarn


def test_what_needs_a_gradient_gives_up_on_it():
    assert not Collection(TENSOR.clone().requires_grad_()).image(0).requires_grad


# What cannot be read


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_bytes(path.read_bytes()[:60]), lambda path: path.write_text("text"),
     lambda path: path.write_bytes(b""), lambda path: path.unlink()],
    ids=["cut", "text", "empty", "gone"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["folder", *FILES])
def test_a_file_that_cannot_be_read_is_no_image(folder, kind, damage):
    collection = Collection(folder if kind == "folder" else FILES[kind](folder))
    number = [collection.source(n).endswith("b/10.PNG") for n in range(3)].index(True)
    damage(folder / "b/10.PNG")
    assert collection.image(number) is None
    assert collection.image(0) is not None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_every_damage_of_a_file_is_survived(folder):
    path = folder / "photo.jpg"
    Image.fromarray(PIXELS[0]).save(path, exif=Image.Exif())
    whole = path.read_bytes()
    collection = Collection([path])
    unreadable = 0
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x91]) + whole[at + 1 :])
        image = collection.image(0)
        unreadable += image is None
        assert image is None or image.shape[0] == 3
    assert 0 < unreadable < len(whole) // 7


def test_a_data_set_that_cannot_read_a_file_has_no_image_there():
    assert Collection(Data([OSError("truncated"), TENSOR[1]])).image(0) is None


def test_a_picture_that_pillow_reads_late(folder):
    path = folder / "late.png"
    Image.fromarray(np.tile(PIXELS[0], (20, 20, 1))).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with Image.open(path) as picture:
        assert Collection([picture]).image(0) is None


def test_a_mistake_in_a_data_set_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Collection(Data([ZeroDivisionError()])).image(0)


# Fingerprints


@pytest.mark.parametrize("kind", ["folder", *FILES])
def test_the_fingerprint_of_files_changes_with_them(folder, kind):
    def fingerprint():
        return Collection(folder if kind == "folder" else FILES[kind](folder)).fingerprint()

    seen = [fingerprint()]
    assert seen == [fingerprint()]
    path = folder / "b/2.png"
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000))
    seen.append(fingerprint())
    path.write_bytes(path.read_bytes() + b"0")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    seen.append(fingerprint())
    if kind == "folder":
        path.rename(folder / "b/3.png")
        seen.append(fingerprint())
        (folder / "b/3.png").unlink()
        seen.append(fingerprint())
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_the_order_of_files_tells():
    here = [str(path) for path in sorted(Path(__file__).parent.glob("*.py"))[:2]]
    assert Collection(here).fingerprint() != Collection(here[::-1]).fingerprint()


def test_a_missing_file_has_no_fingerprint(folder):
    assert Collection([*paths(folder), folder / "gone.png"]).fingerprint() is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_fingerprint_of_a_tensor_changes_with_it(dtype):
    tensor = TENSOR.to(dtype)
    others = [tensor.clone(), tensor.flip(0), tensor[:2], tensor.reshape(3, 3, 8, 6)]
    others[0][1, 2, 3, 4] = 0.987
    seen = [Collection(one).fingerprint() for one in (tensor, *others)]
    assert None not in seen
    assert len(set(seen)) == 5
    assert seen[0] == Collection(tensor.contiguous(memory_format=torch.channels_last)).fingerprint()


@pytest.mark.parametrize("kind", ["tensors", "arrays", "pictures", "pairs", "dataset"])
def test_what_only_reading_would_tell_has_no_fingerprint(folder, kind):
    assert Collection(KINDS[kind](folder)).fingerprint() is None


# What is no data set


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ([], "the data set is empty; give at least one image"),
        (Data([]), "the data set is empty"),
        (torch.rand(0, 3, 4, 4), "hold no pixels; give at least one image"),
        (torch.rand(3, 4, 4), r"not shape \(3, 4, 4\)"),
        ((TENSOR * 255).byte(), "divide 8-bit values by 255"),
        ("nowhere", "no folder 'nowhere'; check the path"),
        (Path(__file__), "no folder '.*'; give its folder, or a list of paths"),
        (iter([TENSOR[0]]), "not list_iterator; make a list of it"),
        ({0: TENSOR[0]}, "not dict; make a list"),
        (3, "not int"),
    ],
)
def test_what_is_no_data_set_is_refused_in_a_sentence(images, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Collection(images)
    assert "\n" not in str(caught.value)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ValueError, match=r"no pictures in '.*' or below; give a folder of PNG"):
        Collection(tmp_path)


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (TENSOR, r"its shape is \(3, 3, 6, 8\), but must be \(C, H, W\)"),
        (TENSOR[0, 0], r"its shape is \(6, 8\), but must be"),
        (None, "a photo comes from a path"),
        ([], "a photo comes from a path"),
    ],
)
def test_an_item_that_is_no_image_is_refused(item, sentence):
    with pytest.raises(ValueError, match=sentence):
        Collection([item]).image(0)


@pytest.mark.parametrize("label", [3, "robin", np.int64(3), np.array(3), torch.tensor(3)])
def test_an_item_tells_the_label_of_a_pair(label):
    collection = Collection([(TENSOR[0], label), (TENSOR[1],), TENSOR[2], (TENSOR[0], [3])])
    assert collection.item(0).label == ("robin" if isinstance(label, str) else 3)
    assert [collection.item(number).label for number in (1, 2, 3)] == [None] * 3
    assert torch.equal(collection.item(0).image, TENSOR[0])


def test_an_item_tells_its_folder_its_scene_and_why_it_cannot_be_read(folder):
    (folder / "b" / "broken.png").write_bytes(b"no picture")
    collection = Collection(folder)
    assert [collection.item(n).label for n in range(4)] == [None, "b", "b", "b"]
    broken = collection.item([collection.source(n) for n in range(4)].index("b/broken.png"))
    assert broken.image is None
    assert "cannot be read as a picture" in broken.fault
    scene = scenes.bird(seed=3)
    item = Collection([scene]).item(0)
    assert (item.scene, item.label, item.fault) == (scene, scene.label, "")
    data = Data([OSError("gone"), (TENSOR[0], 2)])
    collection = Collection(data)
    assert collection.item(0).fault == "gone"
    assert collection.item(1).label == 2
    assert data.asked == [0, 1]
