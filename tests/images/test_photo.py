"""Photographs from files, arrays and names."""

import numpy as np
import pytest
import torch
from PIL import Image

from xwidgets import photo
from xwidgets.images import photographs
from xwidgets.images._photo import NAMED


def pixels(height=6, width=9, channels=3, seed=0):
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def as_array(image):
    return (image * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)


@pytest.mark.parametrize("kind", [str, "path", Image.Image, np.ndarray])
def test_a_picture_comes_from_a_path_an_image_or_an_array(tmp_path, kind):
    path = tmp_path / "picture.png"
    Image.fromarray(pixels()).save(path)
    source = {str: str(path), "path": path, Image.Image: Image.open(path), np.ndarray: pixels()}
    image = photo(source[kind])
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert np.array_equal(as_array(image), pixels())


def test_arrays_of_other_shapes_and_types():
    grey = pixels(channels=1)[..., 0]
    assert np.array_equal(as_array(photo(grey)), np.stack([grey] * 3, -1))
    assert np.array_equal(as_array(photo(pixels(channels=4))), pixels(channels=4)[..., :3])
    assert np.array_equal(as_array(photo(pixels() / 255)), pixels())
    assert np.array_equal(as_array(photo(pixels().astype(np.int64))), pixels())
    assert np.array_equal(as_array(photo(pixels()[:, ::-1])), pixels()[:, ::-1])
    assert photo(np.array([[False, True]]))[0].tolist() == [[0.0, 1.0]]


def test_sixteen_bits_keep_their_brightness(tmp_path):
    ramp = np.arange(256, dtype=np.uint16).repeat(2).reshape(16, 32) * 257
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    image = photo(tmp_path / "deep.png")
    assert np.abs(image[0].numpy() - ramp / 65535).max() < 1.5 / 255


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_mode_becomes_red_green_blue(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(path)
    image = photo(path)
    assert image.shape == (3, 4, 5)
    assert image.min() > 0.98


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_says_which_way_is_up(tmp_path, orientation):
    upright = pixels(4, 6)
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright), 8: np.rot90(upright, -1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "camera.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    assert np.array_equal(as_array(photo(path)), upright)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_picture_is_there(name):
    image = photo(name)
    assert image.shape[0] == 3
    assert min(image.shape[1:]) >= 200
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.05


def test_everyday_photographs_leave_out_the_retina():
    everyday = photographs()
    assert len(everyday) == len(NAMED) - 1
    assert not any(torch.equal(image, photo("retina")) for image in everyday)


BAD = {
    "near-name": ("chelsae", "did you mean 'chelsea'"),
    "missing-file": ("nowhere/cat.jpg", "no picture at 'nowhere/cat.jpg'"),
    "number": (3, "not from int"),
    "one-dimension": (np.zeros(4), "shape"),
    "channels-first": (np.zeros((3, 8, 8)), r"a tensor \(3, H, W\)"),
    "empty": (np.zeros((0, 4)), "shape"),
    "float-range": (np.full((2, 2), 255.0), r"\[0, 1\]"),
    "nan": (np.full((2, 2), np.nan), "finite"),
    "whole-range": (np.full((2, 2), 256), "0 ... 255"),
    "negative": (np.full((2, 2), -1), "0 ... 255"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_in_one_sentence(name):
    source, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        photo(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif"])
def test_a_damaged_file_is_read_or_refused_in_one_sentence(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(pixels(12, 12)).save(path)
    whole = path.read_bytes()
    refusals = []
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    for at in range(0, len(whole), 2):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
    for content in damaged:
        path.write_bytes(content)
        try:
            assert photo(path).shape[0] == 3
        except ValueError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert all("cannot be read as a picture" in refusal for refusal in refusals)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        photo(tmp_path)
