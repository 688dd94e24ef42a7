"""The x-features of a picture as a result: what they add up to, their picture and their file."""

import io
import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from xwidgets import Relevance
from xwidgets.results import XFeatures, render

from .examples import x_features


def array(*values):
    return np.array(values, np.float32)


# What they add up to


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(0, 99), st.floats(-5, 5))
def test_contributions_add_up_to_the_approximation(count, seed, intercept):
    found = x_features(count, seed=seed, intercept=intercept)
    total = intercept
    for one in range(count):
        contribution = float(found.weights[one]) * float(found.activations[one])
        assert float(found.contributions[one]) == pytest.approx(contribution, rel=1e-6)
        total += contribution
    assert found.contributions.shape == (count,)
    assert found.contributions.dtype == np.float32
    assert isinstance(found.approximation, float)
    assert found.approximation == pytest.approx(total, rel=1e-5, abs=1e-6)
    ordered = sorted(range(count), key=lambda one: -found.contributions[one])
    assert found.order.tolist() == ordered


def test_order_is_by_contribution_not_by_activation_weight_or_size():
    found = x_features(activations=array(9, 1, 2, 3), weights=array(-1, 7, 2, 0))
    assert found.contributions.tolist() == [-9, 7, 4, 0]
    assert found.order.tolist() == [1, 2, 3, 0]
    assert found.approximation == 2


def test_equal_contributions_keep_their_order():
    found = x_features(activations=array(0, 2, 0, 2), weights=array(5, 1, -1, 1))
    assert found.order.tolist() == [1, 3, 0, 2]
    signs = np.tile(array(1, -1), 50)
    many = x_features(100, activations=np.ones(100, np.float32), weights=signs)
    assert many.order.tolist() == [*range(0, 100, 2), *range(1, 100, 2)]


def test_many_small_contributions_are_not_lost_beside_a_large_one():
    large = 2.0**24
    found = x_features(3, activations=array(1, 1, 1), weights=array(large, 1, 1))
    assert found.approximation == large + 2


def test_the_title_says_what_it_is_and_how_close():
    found = x_features(2, label="wren", activations=array(2, 1), weights=array(1, 0.256))
    title = "2 x-features by srae for 'wren' (birds), score 2.50, approximation 2.26"
    assert found.title == title
    assert repr(found) == f"<XFeatures: {title}>"


@pytest.mark.parametrize(
    ("method", "sparsity", "name"),
    [
        ("srae", "kl", "SRAE with KL"),
        ("srae", "log", "SRAE"),
        ("srae", "", "SRAE"),
        ("nn", "", "NN"),
    ],
)
def test_a_penalty_that_is_not_the_papers_is_named(method, sparsity, name):
    found = x_features(1, method=method, sparsity=sparsity)
    assert found.fitted_by == name
    assert ("with KL" in found.title) == ("KL" in name)


# Its picture


def test_its_picture_shows_the_maps_side_by_side_in_their_order():
    found = x_features(3, activations=array(1, 1, 1), weights=array(-2, 3, 0))
    shown = np.asarray(Image.open(io.BytesIO(found.png())))
    assert shown.shape == (160, 3 * 224, 3)
    signed = [found.maps[1], found.maps[2] * 0, -found.maps[0]]
    for place, values in enumerate(signed):
        part = shown[:, place * 224 : (place + 1) * 224]
        assert np.array_equal(part, render.overlay(found.image, values, size=224))
    assert found._repr_png_() == found.png()


def test_what_speaks_for_the_class_is_red_and_what_speaks_against_it_blue():
    maps = np.full((2, 6, 6), 1 / 36, np.float32)
    grey = np.full((6, 6, 3), 128, np.uint8)
    found = x_features(2, maps=maps, image=grey, activations=array(1, 1), weights=array(-1, 1))
    shown = np.asarray(Image.open(io.BytesIO(found.png()))).astype(int)
    for_it, against = shown[:, :224].mean((0, 1)), shown[:, 224:].mean((0, 1))
    assert for_it[0] > for_it[2] + 50
    assert against[2] > against[0] + 20


# Its file


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_it_survives_a_file(tmp_path, kind):
    found, path = x_features(intercept=-1.5), kind(tmp_path / "found.npz")
    found.save(path)
    again = XFeatures.load(path)
    for name in ("maps", "activations", "weights", "mass", "image"):
        assert getattr(again, name).dtype == getattr(found, name).dtype
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    for name in ("intercept", "score", "rivals", "network_name", "layer", "target", "label", "top",
                 "method", "module", "parameters", "versions", "title"):  # fmt: skip
        assert getattr(again, name) == getattr(found, name)
    assert again.approximation == found.approximation
    assert again.png() == found.png()


@pytest.mark.parametrize("rivals", [(), (("tit", 1.0),)])
def test_rivals_come_back_as_tuples(tmp_path, rivals):
    x_features(rivals=rivals).save(tmp_path / "found.npz")
    assert XFeatures.load(tmp_path / "found.npz").rivals == rivals


def test_it_knows_what_computed_it_and_cannot_be_changed():
    assert set(x_features().versions) == {"xwidgets", "torch", "numpy", "python"}
    assert torch.__version__.startswith(x_features().versions["torch"])
    with pytest.raises(FrozenInstanceError):
        x_features().target = 4


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"maps": np.zeros((3, 5, 7), np.float32)}, "of its activations is"),
        ({"activations": array(1, 2, 3)}, "of its activations is"),
        ({"weights": array(1, 2, 3, 4, 5)}, "of its weights is"),
        ({"mass": array(1)}, "of its mass is"),
        ({"maps": np.zeros((4, 7, 5), np.float32)}, r"of its image is \(5, 7, 3\)"),
        ({"maps": np.zeros((4, 35), np.float32)}, r"of its maps is \(4, 35\)"),
        ({"image": np.zeros((5, 7), np.uint8)}, r"of its image is \(5, 7\)"),
        ({"image": np.zeros((5, 7, 4), np.uint8)}, r"of its image is \(5, 7, 4\)"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(tmp_path, changes, sentence):
    x_features(**changes).save(tmp_path / "found.npz")
    with pytest.raises(
        ValueError, match=rf"no readable XFeatures .*{sentence}.*; compute it again"
    ):
        XFeatures.load(tmp_path / "found.npz")


def test_every_damage_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "found.npz"
    x_features().save(path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 41)]
    for at in range(0, len(whole), 19):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
    refusals = []
    for content in damaged:
        path.write_bytes(content)
        try:
            again = XFeatures.load(path)
        except ValueError as error:
            refusals.append(str(error))
        else:
            np.testing.assert_array_equal(again.maps, x_features().maps)
            assert again.title == x_features().title
    assert len(refusals) > len(damaged) / 2
    assert all(path.name in refusal and "\n" not in refusal for refusal in refusals)


def test_results_of_other_kinds_are_refused(tmp_path):
    other = Relevance(
        values=np.zeros((5, 7), np.float32), image=np.zeros((5, 7, 3), np.uint8), unit="bits",
        method="saliency", network_name="birds", target=3, label="wren", parameters={},
    )  # fmt: skip
    other.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match=r"no readable XFeatures result \(it holds a Relevance\)"):
        XFeatures.load(tmp_path / "other.npz")
    x_features().save(tmp_path / "found.npz")
    with pytest.raises(ValueError, match=r"no readable Relevance result \(it holds a XFeatures\)"):
        Relevance.load(tmp_path / "found.npz")


def test_files_that_hold_something_else_are_refused(tmp_path):
    path = tmp_path / "other.npz"
    facts = json.dumps({"kind": "XFeatures", "label": "wren"})
    contents = {"facts": np.array(facts), "maps": x_features().maps}
    for missing in ({}, {"facts": contents["facts"]}, {"maps": contents["maps"]}, contents):
        np.savez(path, **missing)
        with pytest.raises(ValueError, match=r"no readable XFeatures result .*; compute it again"):
            XFeatures.load(path)
    with pytest.raises(ValueError, match=r"there is no result at .*gone\.npz"):
        XFeatures.load(tmp_path / "gone.npz")


def test_what_cannot_be_written_leaves_an_older_file_alone(tmp_path):
    x_features().save(tmp_path / "found.npz")
    with pytest.raises(TypeError):
        x_features(parameters={"layer": object()}).save(tmp_path / "found.npz")
    assert XFeatures.load(tmp_path / "found.npz").title == x_features().title


@pytest.mark.parametrize("maps", [np.array(3.0), np.zeros((2, 5)), [1.0, 2.0, 3.0]], ids=repr)
def test_arrays_of_other_shapes_are_refused(tmp_path, maps):
    replace(x_features(), maps=maps).save(tmp_path / "found.npz")
    with pytest.raises(ValueError, match=r"no readable XFeatures .*its maps .*compute it again"):
        XFeatures.load(tmp_path / "found.npz")
