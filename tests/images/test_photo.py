"""Photographs from files, arrays and names."""

import struct

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


def saved(picture, path, **options):
    """The picture in a file, closed again."""
    picture.save(path, **options)
    return path


def grey(dtype, white, seed=0):
    """Values over the whole range of a picture of one channel, black and white among them."""
    shares = np.random.default_rng(seed).random((6, 9))
    shares[0, :2] = 0, 1
    return (shares * white).astype(dtype)


def cmyk(ink):
    """Colours of ink without a profile: paper times what each ink lets through."""
    return (255 - ink[..., :3].astype(float)) * (255 - ink[..., 3:].astype(float)) / 255**2


COLORS = pixels(channels=3, seed=1)
CLEAR = pixels(channels=4, seed=2)
PALETTE = pixels(1, 16, 3, seed=3)[0]
NUMBERS = np.random.default_rng(4).integers(0, 16, (6, 9), dtype=np.uint8)


def paletted(**options):
    picture = Image.fromarray(NUMBERS).convert("L")
    picture.putpalette(PALETTE.tobytes())
    picture.info.update(options)
    return picture


# the picture, the end of the file's name, the values in shares of white: (H, W) or (H, W, C)
MODES = {
    "1": (Image.fromarray(NUMBERS > 7), "png", NUMBERS > 7),
    "1-tiff": (Image.fromarray(NUMBERS > 7), "tiff", NUMBERS > 7),
    "L": (Image.fromarray(COLORS[..., 0]), "png", COLORS[..., 0] / 255),
    "L-tiff": (Image.fromarray(COLORS[..., 0]), "tiff", COLORS[..., 0] / 255),
    "LA": (Image.fromarray(CLEAR[..., 2:], "LA"), "png", CLEAR[..., [2, 2, 2, 3]] / 255),
    "P": (paletted(), "png", PALETTE[NUMBERS] / 255),
    "P-gif": (paletted(), "gif", PALETTE[NUMBERS] / 255),
    "P-transparent": (
        paletted(transparency=5),
        "png",
        np.dstack([PALETTE[NUMBERS] / 255, NUMBERS != 5]),
    ),
    "P-opacities": (
        paletted(transparency=bytes(range(16))),
        "png",
        np.dstack([PALETTE[NUMBERS], NUMBERS]) / 255,
    ),
    "RGB": (Image.fromarray(COLORS), "png", COLORS / 255),
    "RGB-tiff": (Image.fromarray(COLORS), "tiff", COLORS / 255),
    "RGBA": (Image.fromarray(CLEAR), "png", CLEAR / 255),
    "RGBA-tiff": (Image.fromarray(CLEAR), "tiff", CLEAR / 255),
    "CMYK": (Image.fromarray(CLEAR, "CMYK"), "tiff", cmyk(CLEAR)),
    "I;16": (Image.fromarray(grey("u2", 65535)), "png", grey("u2", 65535) / 65535),
    "I;16-tiff": (Image.fromarray(grey("u2", 65535)), "tiff", grey("u2", 65535) / 65535),
    "I;16-dark": (Image.fromarray(grey("u2", 250)), "tiff", grey("u2", 250) / 65535),
    "I;16B": (Image.fromarray(grey(">u2", 65535)), "tiff", grey("u2", 65535) / 65535),
    "I;16-pgm": (Image.fromarray(grey("u2", 65535)), "pgm", grey("u2", 65535) / 65535),
    "I-8-bit": (Image.fromarray(grey("i4", 255)), "tiff", grey("i4", 255) / 255),
    "F": (Image.fromarray(grey("f4", 1)), "tiff", grey("f4", 1)),
    "F-pfm": (Image.fromarray(grey("f4", 1)), "pfm", grey("f4", 1)),
}


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_mode_is_read_with_its_values(tmp_path, mode, channels):
    picture, suffix, values = MODES[mode]
    path = saved(picture, tmp_path / f"picture.{suffix}")
    own = np.atleast_3d(values).astype(float)
    colors = np.repeat(own, 3, 2) if own.shape[2] == 1 else own[..., :3]
    opacity = own[..., 3:] if own.shape[2] == 4 else np.ones_like(own[..., :1])
    luma = 0.299 * colors[..., :1] + 0.587 * colors[..., 1:2] + 0.114 * colors[..., 2:]
    right = {1: luma, 3: colors, 4: np.dstack([colors, opacity])}[channels]
    rounding = 1.01 / 255 if mode == "CMYK" else 1e-6  # 8 bits are left of its products
    with Image.open(path) as opened:
        for source in (path, str(path), opened):
            image = photo(source, channels)
            assert image.dtype == torch.float32
            assert image.is_contiguous()
            np.testing.assert_allclose(image.permute(1, 2, 0), right, atol=rounding)


def tiff(values, bits, photometric, packed):
    """A TIFF of one channel of whole numbers, most of whose tags have one value each."""
    height, width = values.shape
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 0),
            (277, 1), (278, height), (279, len(packed)), (339, 1)]  # fmt: skip
    begin = 8 + 2 + 12 * len(tags) + 4
    tags = [(tag, begin if tag == 273 else value) for tag, value in tags]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + packed


def test_a_tiff_in_which_white_is_zero(tmp_path):
    values = grey("u2", 65535)
    (tmp_path / "negative.tiff").write_bytes(tiff(values, 16, 0, values.astype("<u2").tobytes()))
    image = photo(tmp_path / "negative.tiff", 1)
    np.testing.assert_allclose(image[0], 1 - values / 65535, atol=1e-6)


def test_a_tiff_of_twelve_bits(tmp_path):
    values = np.array([[0, 1], [2048, 4095], [1234, 777]], np.uint16)
    packed = b"".join(
        bytes([left >> 4, (left & 15) << 4 | right >> 8, right & 255])
        for left, right in values.tolist()
    )
    (tmp_path / "twelve.tiff").write_bytes(tiff(values, 12, 1, packed))
    np.testing.assert_allclose(photo(tmp_path / "twelve.tiff", 1)[0], values / 4095, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 5, 12])
def test_a_photo_has_no_other_channels(channels):
    with pytest.raises(ValueError, match=f"give a tensor \\({channels}, H, W\\)"):
        photo(pixels(), channels)


def test_a_photo_has_channels():
    with pytest.raises(ValueError, match="channels is 0"):
        photo(pixels(), 0)


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
    deep = np.ascontiguousarray(stored[..., 0].astype(np.uint16) * 257)
    Image.fromarray(deep).save(path, exif=exif)
    assert np.array_equal(as_array(photo(path))[..., 0], upright[..., 0])


def exif_of(*entries, order="<", after=b""):
    """EXIF data of a directory with entries (tag, kind, count, four bytes)."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHI4s", *entry) for entry in entries)
    return b"Exif\0\0" + head + struct.pack(order + "I", 8) + directory + after


SHORT, LONG, BYTE, ASCII, DOUBLE = 3, 4, 1, 2, 12
TURNED = (0x0112, SHORT, 1, b"\x06\0\0\0")
# EXIF data, and whether the orientation in it can be read
EXIF = {
    "good": (exif_of(TURNED, after=bytes(4)), True),
    "big-endian": (
        exif_of((0x0112, SHORT, 1, b"\0\x06\0\0"), order=">", after=bytes(4)),
        True,
    ),
    "as-long": (exif_of((0x0112, LONG, 1, b"\x06\0\0\0"), after=bytes(4)), True),
    "as-byte": (exif_of((0x0112, BYTE, 1, b"\x06\0\0\0"), after=bytes(4)), True),
    "without-end": (exif_of(TURNED), True),
    "text-of-two-bytes-elsewhere": (
        exif_of((0x010F, ASCII, 400, b"\xff\xff\0\0"), TURNED, after=bytes(4)), True
    ),
    "a-short-of-no-value": (exif_of((0x0112, SHORT, 0, bytes(4)), after=bytes(4)), False),
    "a-double-in-four-bytes": (
        exif_of((0x0112, DOUBLE, 1, b"\xff\0\0\0"), after=bytes(4)), False
    ),
    "beyond-eight": (exif_of((0x0112, SHORT, 1, b"\x2a\0\0\0"), after=bytes(4)), False),
    "two-values": (exif_of((0x0112, SHORT, 2, b"\x06\0\x06\0"), after=bytes(4)), True),
    "gps-that-is-no-directory": (
        exif_of(TURNED, (0x8825, ASCII, 3, b"N/A\0"), after=bytes(4)), True
    ),
    "a-float-as-date": (
        exif_of(TURNED, (0x0132, DOUBLE, 1, b"\x40\0\0\0"), after=bytes(8)), True
    ),
    "nothing": (b"Exif\0\0", False),
    "four-bytes": (b"Exif\0\0II*\0", False),
    "another-format": (b"Exif\0\0" + b"?" * 30, False),
    "cut-within-an-entry": (exif_of(TURNED)[:-6], False),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # Pillow's own of damaged EXIF data
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("name", EXIF)
def test_odd_exif_data_keeps_no_picture_from_being_read(tmp_path, name, suffix):
    exif, readable = EXIF[name]
    stored = pixels(4, 6) // 8 * 8
    options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}, "png": {}}
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(stored).save(path, exif=exif, **options[suffix])
    with Image.open(path) as picture:
        plain = np.asarray(picture)
    right = np.rot90(plain, -1) if readable else plain
    assert np.array_equal(as_array(photo(path)), right)
    with Image.open(path) as picture:
        assert np.array_equal(as_array(photo(picture)), right)


def test_every_array_is_read_however_it_lies_in_memory(recwarn):
    rows = pixels()
    for laid in (
        rows[::-1],
        rows[:, ::-1],
        rows[..., ::-1],
        rows[::2, ::-2],
        np.asfortranarray(rows),
    ):
        laid.flags.writeable = False
        assert np.array_equal(as_array(photo(laid)), laid)
        for dtype in (">f4", ">f8", "<f2", "<f8"):
            shares = (laid / 255).astype(dtype)
            np.testing.assert_allclose(photo(shares), shares.transpose(2, 0, 1), atol=1e-7)
        for dtype in (">i4", ">i2", "<i8", "u4"):
            assert np.array_equal(as_array(photo(laid.astype(dtype))), laid)
        deep = laid.astype(">u2") * 257
        assert np.array_equal(as_array(photo(deep)), laid)
    assert not recwarn


def test_a_tensor_of_eight_bits_is_a_picture():
    stored = torch.from_numpy(pixels()).permute(2, 0, 1)
    for tensor in (stored, stored[None], stored.contiguous()):
        assert np.array_equal(as_array(photo(tensor)), pixels())
        assert photo(tensor, 1).shape == (1, 6, 9)


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
    "sixteen-bits-or-eight": (np.full((2, 2), 255, np.uint16), r"astype\(np.uint8\), or"),
    "complex": (np.full((2, 2), 0.5j), "real numbers"),
    "words": (np.array([["a", "b"]]), "real numbers"),
    "tensor": (torch.rand(3, 4, 4), "not from Tensor"),
    "32-bit-grey": (Image.fromarray(np.full((2, 2), 256, np.int32)), r"photo\(array / white\)"),
    "float-grey": (Image.fromarray(np.full((2, 2), 255, np.float32)), "divide it by its white"),
    "float-nan": (Image.fromarray(np.full((2, 2), np.nan, np.float32)), "finite"),
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


def test_an_array_of_16_bits_keeps_all_of_them():
    values = np.array([[0, 300, 1], [40_000, 65_535, 7]], np.uint16)
    for array in (values, np.repeat(values[..., None], 3, 2)):
        image = photo(array)
        assert image.shape == (3, 2, 3)
        np.testing.assert_allclose(image[1], values / 65_535, atol=1e-7)
