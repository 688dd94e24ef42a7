"""Pictures that a study can turn to."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw


def file_of(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_the_picture_at_hand_is_among_them(study, other):
    pictures = xw.live.Pictures(study)
    assert (pictures.count, pictures.selected) == (1, 0)
    pictures = xw.live.Pictures(study, [other, study.image])
    assert (pictures.count, pictures.selected) == (2, 1)
    pictures = xw.live.Pictures(study, [other])
    assert (pictures.count, pictures.selected) == (2, 0)
    assert torch.equal(pictures.image(1), other)


def test_the_study_turns_to_one_that_is_chosen_and_they_follow_it(study, other):
    pictures = xw.live.Pictures(study, [study.image, other])
    pictures.choose(1)
    assert torch.equal(study.image, other)
    study.image = pictures.image(0)
    assert pictures.selected == 0
    study.image = torch.rand_like(other)
    assert pictures.selected == -1
    pictures.close()
    study.image = other
    assert pictures.selected == -1
    with pytest.raises(ValueError, match="picture 7 does not exist"):
        pictures.choose(7)


def test_a_file_is_added_as_the_network_takes_it(study):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    pictures = xw.live.Pictures(study)
    pictures.add(file_of(pixels), "bird.png")
    assert torch.equal(study.image, study.network.prepare(pixels))
    assert (pictures.count, pictures.selected, pictures.name(0)) == (2, 0, "bird.png")
    before = study.image
    with pytest.raises(ValueError, match=r"notes.txt is no picture .*drop a PNG or JPEG"):
        pictures.add(b"no picture", "notes.txt")
    assert study.image is before
    assert pictures.count == 2


def test_those_that_cannot_be_read_are_told_by_name(study, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "whole.png").write_bytes(file_of(np.zeros((20, 20, 3), np.uint8)))
    pictures = xw.live.Pictures(study, tmp_path)
    assert [pictures.name(n) for n in range(1, 3)] == ["broken.png", "whole.png"]
    with pytest.raises(ValueError, match=r"broken\.png cannot be read as a picture"):
        pictures.choose(1)
    pictures.choose(2)
    assert pictures.selected == 2


def test_the_networks_examples_come_when_more_are_asked_for(net, image, images):
    net.examples = lambda: images
    with xw.Study(net, image, samples=1, window=4) as study:
        pictures = xw.live.Pictures(study)
        assert pictures.can_grow
        pictures.more()
        assert pictures.count == 1 + len(images)
        assert not pictures.can_grow
