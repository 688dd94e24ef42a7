"""Results survive a file, and a file that holds none is refused."""

import io
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from PIL import Image

from xwidgets import Relevance

from .examples import relevance


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_result_survives_a_file(tmp_path, kind):
    result = relevance()
    result.save(kind(tmp_path / "result.npz"))
    again = Relevance.load(kind(tmp_path / "result.npz"))
    assert again.values.dtype == np.float32
    assert again.image.dtype == np.uint8
    np.testing.assert_array_equal(again.values, result.values)
    np.testing.assert_array_equal(again.image, result.image)
    np.testing.assert_array_equal(again.standard_error, result.standard_error)
    for name in ("unit", "method", "network_name", "target", "label", "parameters", "completed",
                 "versions", "title"):  # fmt: skip
        assert getattr(again, name) == getattr(result, name)


def test_the_file_has_the_name_it_was_given(tmp_path):
    relevance().save(tmp_path / "result")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    assert Relevance.load(tmp_path / "result").label == relevance().label


def test_it_knows_what_computed_it():
    versions = relevance().versions
    assert set(versions) == {"xwidgets", "torch", "numpy", "python"}
    assert torch.__version__.startswith(versions["torch"])
    assert versions["numpy"] == np.__version__


def test_the_title_says_what_it_is_and_how_far():
    title = "prediction difference for 'wren' (birds), in bits"
    assert relevance(label="wren", completed=1.0).title == title
    assert relevance(label="wren", completed=0.123).title == title + ", 12.3 % computed"
    assert repr(relevance(label="wren", completed=1.0)) == f"<Relevance 5 x 7: {title}>"


def test_a_result_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        relevance().target = 4


def test_its_picture_has_its_shape():
    picture = Image.open(io.BytesIO(relevance().png()))
    assert picture.format == "PNG"
    assert picture.size == (448, 320)
    assert relevance()._repr_png_() == relevance().png()


def test_what_cannot_be_written_leaves_an_older_file_alone(tmp_path):
    path = tmp_path / "result.npz"
    relevance().save(path)
    with pytest.raises(TypeError):
        relevance(parameters={"sampler": object()}).save(path)
    assert Relevance.load(path).label == relevance().label


def test_every_damage_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "result.npz"
    relevance().save(path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 5)]
    for at in range(0, len(whole), 2):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
    refusals = []
    for content in damaged:
        path.write_bytes(content)
        try:
            again = Relevance.load(path)
        except ValueError as error:
            refusals.append(str(error))
        else:
            np.testing.assert_array_equal(again.values, relevance().values)
            np.testing.assert_array_equal(again.image, relevance().image)
            assert again.title == relevance().title
    assert len(refusals) > len(damaged) / 2
    assert all(path.name in refusal and "\n" not in refusal for refusal in refusals)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


VALUES, IMAGE = np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)
OTHER = {
    "text": b"not a result",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "array": npy(VALUES),
    "objects": npy(np.array([{}], object)),
    "other-arrays": npz(a=VALUES),
    "no-facts": npz(values=VALUES, image=IMAGE),
    "no-json": npz(values=VALUES, image=IMAGE, facts=np.array("{")),
    "no-dictionary": npz(values=VALUES, image=IMAGE, facts=np.array("[1, 2]")),
    "missing-facts": npz(values=VALUES, image=IMAGE, facts=np.array('{"unit": "bits"}')),
    "pickled": npz(values=np.array([object], object), image=IMAGE, facts=np.array("{}")),
}


@pytest.mark.parametrize("name", OTHER)
def test_another_file_is_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / "other.npz"
    path.write_bytes(OTHER[name])
    with pytest.raises(
        ValueError, match=r"no readable Relevance result .*; compute it again"
    ) as caught:
        Relevance.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no result at .*gone\.npz"):
        Relevance.load(tmp_path / "gone.npz")


@pytest.mark.parametrize("values", [np.zeros((5, 8), np.float32), np.zeros(5, np.float32)])
def test_a_map_that_does_not_fit_its_picture_is_refused(tmp_path, values):
    relevance(values=values).save(tmp_path / "result.npz")
    with pytest.raises(ValueError, match="compute it again"):
        Relevance.load(tmp_path / "result.npz")
