"""Images as text: exact, whatever they are, and refused in a sentence where they are none."""

import base64
import zlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import xwidgets as xw


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.booleans())
def test_an_image_comes_back_to_the_last_bit(channels, height, width, seed, eight_bit):
    image = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))
    image = (image * 255).round() / 255 if eight_bit else image
    text = xw.images.coded(image)
    again = xw.images.decoded(text)
    assert torch.equal(again, image)
    assert again.dtype == torch.float32
    assert text.startswith("png:" if eight_bit and channels in (1, 3, 4) else "npy:")
    assert text.isascii()
    assert '"' not in text


def test_an_image_of_doubles_stays_one():
    image = torch.rand(3, 4, 4, dtype=torch.float64)
    assert torch.equal(xw.images.decoded(xw.images.coded(image)), image)


@pytest.mark.parametrize(
    "text",
    ["", "png:", "png:AAAA", "npy:AAAA", "npy:%%%", "gif:AAAA", "birds.png",
     "npy:" + base64.b64encode(zlib.compress(b"\x80\x04N.")).decode()],
)  # fmt: skip
def test_other_texts_are_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"the text is no image .*xw\.images\.coded") as caught:
        xw.images.decoded(text)
    assert "\n" not in str(caught.value)
