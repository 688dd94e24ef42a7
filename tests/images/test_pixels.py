"""The checks of images."""

import numpy as np
import pytest
import torch

from xwidgets.images import as_pixels, one_image, picture
from xwidgets.images.pixels import in_channels


@pytest.mark.parametrize("channels", [1, 3, 4, 13])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_good_images_pass_unchanged_and_uncopied(channels, dtype):
    images = torch.rand(2, channels, 4, 5).to(dtype)
    assert as_pixels(images, channels) is images


def test_arrays_and_lists_are_images_too():
    array = np.random.default_rng(0).random((2, 3, 4, 5))
    assert np.array_equal(as_pixels(array).numpy(), array)
    assert np.array_equal(as_pixels(array[..., ::-1]).numpy(), array[..., ::-1])
    assert as_pixels([[[[0.0, 1.0]]]]).shape == (1, 1, 1, 2)
    assert np.array_equal(as_pixels(list(array)).numpy(), array)
    assert np.array_equal(as_pixels(tuple(torch.from_numpy(array))).numpy(), array)


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", "<f2", ">f2"])
@pytest.mark.parametrize(
    "laid",
    [np.array, np.asfortranarray, lambda array: array[::-1], lambda array: array[:, :, ::-1, ::-1],
     lambda array: array[..., ::2], lambda array: array.transpose(0, 1, 3, 2)],
    ids=["plain", "fortran", "first-flipped", "both-flipped", "every-other", "turned"],
)  # fmt: skip
@pytest.mark.parametrize("writeable", [True, False])
def test_arrays_are_taken_however_they_lie_in_memory(dtype, laid, writeable, recwarn):
    array = laid(np.random.default_rng(0).random((2, 3, 4, 6)).astype(dtype))
    array.flags.writeable = writeable
    expected = [float(value) for value in array.flat]
    for pixels in (as_pixels(array), torch.stack([one_image(image) for image in array])):
        assert pixels.dtype == as_pixels(np.zeros((1, 1, 1, 1), dtype[1:])).dtype
        assert pixels.shape == array.shape
        assert pixels.flatten().tolist() == expected
    assert not recwarn


def test_a_tensor_made_of_an_array_is_the_callers_own():
    array = np.full((1, 3, 2, 2), 0.5, np.float32)
    array.flags.writeable = False
    as_pixels(array).zero_()
    assert (array == 0.5).all()


def test_both_ends_of_the_range_are_pixels():
    assert as_pixels(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)).tolist() == [[[[0.0, 1.0]]]]


BAD = {
    "paths": (["a.png", "b.png"], r"not a list of str; read pictures with xw\.photo"),
    "words": ("picture.png", "xw.photo"),
    "nothing": (None, "xw.photo"),
    "objects": (np.array([[[[None]]]]), "xw.photo"),
    "three-dimensions": (torch.rand(3, 4, 4), r"x\[None\]"),
    "two-dimensions": (torch.rand(4, 4), r"x\[None, None\]"),
    "sizes": ([torch.rand(3, 4, 4), torch.rand(3, 4, 5)], "all of one size, not of several"),
    "five-dimensions": (torch.rand(1, 1, 3, 4, 4), "four dimensions"),
    "no-image": (torch.rand(0, 3, 4, 4), "at least one image"),
    "no-rows": (torch.rand(1, 3, 0, 4), "no pixels"),
    "channels": (torch.rand(1, 4, 4, 4), "4 channels.*takes 3"),
    "channels-last": (torch.rand(1, 4, 4, 3), r"\(N, C, H, W\); net.prepare\(image\) reads"),
    "8-bit": (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), "divide 8-bit values by 255"),
    "8-bit-as-float": (torch.full((1, 3, 4, 4), 255.0), "divided by 255"),
    "normalised": (torch.randn(1, 3, 40, 40), "before normalisation"),
    "barely-negative": (torch.full((1, 3, 4, 4), -1e-6), r"\[0, 1\]"),
    "nan": (torch.full((1, 3, 4, 4), torch.nan), "finite"),
    "infinite": (torch.full((1, 3, 4, 4), torch.inf), "finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_images_are_refused_in_one_sentence(name):
    images, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        as_pixels(images, 3)
    assert "\n" not in str(caught.value)


def test_a_single_nan_among_many_pixels_is_found():
    images = torch.rand(2, 3, 8, 8)
    images[1, 2, 7, 7] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        as_pixels(images)


def test_one_image_comes_with_or_without_its_batch():
    image = torch.rand(3, 4, 5)
    assert torch.equal(one_image(image), image)
    assert torch.equal(one_image(image[None]), image)
    assert torch.equal(one_image(image.numpy()), image)
    with pytest.raises(ValueError, match=r"not 2; pick one: x\[0\]"):
        one_image(torch.rand(2, 3, 4, 5))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("wanted", [1, 3, 4])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grey_colours_and_opacity_become_each_other(channels, wanted, dtype):
    image = torch.rand(channels, 3, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    image[:, 0, 0], image[:, 0, 1] = 0, 1
    converted = in_channels(image, wanted)
    assert (converted.dtype, converted.shape) == (dtype, (wanted, 3, 5))
    assert converted.min() >= 0
    assert converted.max() <= 1
    for y in range(3):
        for x in range(5):
            red, green, blue, opacity = {
                1: lambda v: v * 3 + [1.0], 3: lambda v: [*v, 1.0], 4: lambda v: v,
            }[channels](image[:, y, x].tolist())  # fmt: skip
            luma = 0.299 * red + 0.587 * green + 0.114 * blue
            right = {1: [luma], 3: [red, green, blue], 4: [red, green, blue, opacity]}[wanted]
            rounding = 2 * torch.finfo(dtype).eps
            assert converted[:, y, x].tolist() == pytest.approx(right, abs=rounding)


def test_grey_is_its_own_luma():
    grey = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(in_channels(grey.expand(3, -1, -1), 1), grey)


@pytest.mark.parametrize(("channels", "wanted"), [(3, 2), (2, 3), (12, 1), (1, 12), (224, 3)])
def test_channels_that_are_no_colours_are_left_alone(channels, wanted):
    image = torch.rand(channels, 2, 2)
    assert in_channels(image, channels) is image
    with pytest.raises(ValueError, match=f"brought to {wanted} channels.*give a tensor") as caught:
        in_channels(image, wanted)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 13])
def test_a_picture_shows_colours_or_the_mean_of_channels(channels):
    image = torch.rand(channels, 4, 5, dtype=torch.float64)
    shown = picture(image)
    assert shown.dtype == np.uint8
    for y in range(4):
        for x in range(5):
            pixel = image[:, y, x].tolist()
            colors = pixel[:3] if channels in (3, 4) else [sum(pixel) / channels] * 3
            assert shown[y, x].tolist() == [round(255 * value) for value in colors]
