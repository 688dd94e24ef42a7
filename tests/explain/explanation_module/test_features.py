"""The features of a layer, against the parts of the network run one after another."""

import os
from dataclasses import replace
from math import ceil, floor, isqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torchvision import models

import xwidgets as xw
from xwidgets.explain import data_set
from xwidgets.explain.data_set import DataSet
from xwidgets.explain.explanation_module import features
from xwidgets.explain.explanation_module.features import as_features, feature_layer, read_features
from xwidgets.images import picture

from ..parts import STD, conv, untouched
from .classifier import HEIGHT, WIDTH, forward, network, pixels


def read(net, images, layer="4", cache=False):
    *_, (looked, found) = read_features(net, DataSet(net, images), net.layer(layer), cache)
    assert looked == len(images) == found.total
    return found


def assert_same(one, other):
    for name in ("values", "scores", "numbers"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("total", "network_name", "layer", "versions", "skipped"):
        assert getattr(one, name) == getattr(other, name)


# Maps on a grid


def slow_grid(maps, side):
    """The mean of every field of a grid, in loops; fields may overlap by a row or column."""
    count, channels, height, width = maps.shape
    rows, columns = min(side, height), min(side, width)
    found = torch.zeros(count, channels, rows, columns, dtype=maps.dtype)
    for row in range(rows):
        top, bottom = floor(row * height / rows), ceil((row + 1) * height / rows)
        for column in range(columns):
            left = floor(column * width / columns)
            right = ceil((column + 1) * width / columns)
            found[:, :, row, column] = maps[:, :, top:bottom, left:right].mean((2, 3))
    return found.reshape(count, -1)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.integers(1, 60)
)
def test_large_maps_are_averaged_in_fields_of_the_finest_grid(count, channels, high, wide, most):
    maps = torch.rand(count, channels, high, wide, dtype=torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "LARGEST", most)
        found = as_features(maps)
    if channels * high * wide <= most:
        assert torch.equal(found, maps.reshape(count, -1))
        return
    side = 1
    while channels * (side + 1) ** 2 <= most:
        side += 1
    torch.testing.assert_close(found, slow_grid(maps, side))
    assert channels > most or found.shape[1] <= most


def test_the_grid_of_a_real_layer_has_at_most_4096_features():
    maps = torch.rand(2, 5, 47, 60)
    side = isqrt(4096 // 5)
    torch.testing.assert_close(as_features(maps), slow_grid(maps, side))
    assert as_features(maps).shape == (2, 5 * side * side)


@pytest.mark.parametrize("shape", [(3, 7), (3, 4, 8, 8), (3, 64, 8, 8), (3, 4, 5), (1, 1, 1, 1)])
def test_what_is_small_is_only_flattened(shape):
    values = torch.rand(shape)
    assert torch.equal(as_features(values), values.reshape(shape[0], -1))


# Which layer


def named(**parts):
    module = nn.Sequential()
    for name, part in parts.items():
        module.add_module(name, part)
    return xw.Network(module, size=(HEIGHT, WIDTH))


class Flat(nn.Module):
    """A linear classifier of pixels, with no layer before its scores."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3 * HEIGHT * WIDTH, 2)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Means(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def test_by_default_it_is_the_first_fully_connected_layer():
    assert feature_layer(network(), None).name == "4"
    assert feature_layer(network(nn.Linear(12, 12), nn.Dropout()), None).name == "4"


def test_without_hidden_ones_it_is_what_goes_into_the_last_weights():
    residual = named(
        first=conv(3, 4), relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(),
        fc=nn.Linear(4, 2),
    )  # fmt: skip
    assert feature_layer(residual, None).name == "flat"
    squeezed = named(
        first=conv(3, 4), relu=nn.ReLU(), drop=nn.Dropout(), last=conv(4, 2), means=Means()
    )
    assert feature_layer(squeezed, None).name == "drop"


def test_in_networks_of_torchvision():
    resnet = models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=3)
    assert feature_layer(xw.Network(resnet, size=(32, 32)), None).name == "avgpool"
    squeezenet = models.squeezenet1_1(weights=None)
    assert feature_layer(xw.Network(squeezenet, size=(40, 40)), None).name == "classifier.0"


def test_a_layer_is_chosen_by_name_or_number():
    net = network()
    assert feature_layer(net, "2") is net.layers[2]
    assert feature_layer(net, 1) is net.layers[0]


@pytest.mark.parametrize(
    ("net", "layer", "sentence"),
    [
        (xw.Network(Flat(), size=(HEIGHT, WIDTH), name="flat"), None,
         r"flat has no layer before its scores; name one with layer="),
        (named(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()), None,
         r"Sequential has no layer before its scores"),
        (network(), "5.relu", r"unknown layer '5.relu'"),
        (network(), 2, r"there is no convolution 2: small has 1 to 1"),
    ],
)  # fmt: skip
def test_a_layer_that_is_not_there_is_refused(net, layer, sentence):
    with pytest.raises(ValueError, match=sentence):
        feature_layer(net, layer)


# What is read


@pytest.mark.parametrize(
    ("layer", "count"), [("0", 2), ("1", 2), ("2", 3), ("3", 4), ("4", 6), ("5", 6), ("6", 7)]
)
def test_features_are_what_the_parts_of_the_network_put_out(layer, count):
    net, images = network(), pixels(7)
    found = read(net, images, layer)
    assert found.values.dtype == found.scores.dtype == np.float32
    expected = forward(net, images, count).flatten(1)
    assert expected.std(0).max() > 0.1
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.scores, forward(net, images, 7), rtol=1e-4, atol=1e-5)
    assert found.numbers.tolist() == list(range(7))
    assert (found.network_name, found.layer, found.skipped) == ("small", layer, [])


def test_features_in_double_precision_of_grey_pictures():
    net = network(dtype=torch.float64, channels=1)
    assert net.channels == 1
    coloured = pixels(6)
    grey = torch.einsum("nchw,c->nhw", coloured, torch.tensor([0.299, 0.587, 0.114]))[:, None]
    expected = forward(net, grey.double(), 6).float()
    for images, rounding in ((grey, 1e-7), (coloured, 2e-6)):
        found = read(net, images)
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values, expected, rtol=1e-6, atol=rounding)


def test_maps_too_large_are_read_on_a_grid(monkeypatch):
    monkeypatch.setattr(features, "LARGEST", 20)
    net, images = network(), pixels(5)
    np.testing.assert_allclose(
        read(net, images, "0").values, slow_grid(forward(net, images, 2), 2), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 50])
def test_features_do_not_depend_on_the_batch(batch, monkeypatch, passes):
    net, images = network(), pixels(7)
    whole = read(net, images)
    passes.clear()
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: min(batch, total))
    steps = list(read_features(net, DataSet(net, images), net.layer("4"), False))
    size = min(batch, 7)
    assert set(passes) == {size}
    assert [looked for looked, _ in steps] == [*range(size, 7, size), 7, 7]
    assert [found for _, found in steps[:-1]] == [None] * (len(steps) - 1)
    np.testing.assert_allclose(steps[-1][1].values, whole.values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(steps[-1][1].scores, whole.scores, rtol=1e-5, atol=1e-6)
    assert np.array_equal(steps[-1][1].numbers, whole.numbers)


def test_the_module_is_left_alone():
    net = network()
    net.module.train()
    with untouched(net.module):
        read(net, pixels(3))
        steps = read_features(net, DataSet(net, pixels(3)), net.layer("0"), False)
        next(steps)
        steps.close()


# What is kept


def kept(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def test_what_is_kept_is_not_computed_again(tmp_path, passes):
    net, images = network(), pixels(9)
    first = read(net, images, cache=tmp_path)
    assert_same(first, read(net, images))
    passes.clear()
    steps = list(read_features(net, DataSet(net, images), net.layer("4"), str(tmp_path)))
    assert [looked for looked, _ in steps] == [9]
    assert_same(steps[0][1], first)
    assert passes == []
    assert len(kept(tmp_path)) == 1


def weights(net, images):
    net.module[4].weight.data[0, 0] += 1


def head(net, images):
    net.module[-1].bias.data[1] += 1


def one_pixel(net, images):
    images[2, 1, 3, 4] = 1 - images[2, 1, 3, 4]


def fewer(net, images):
    images.resize_(7, *images.shape[1:])


def double(net, images):
    net.module.double()


@pytest.mark.parametrize("change", [weights, head, one_pixel, fewer, double])
def test_what_changes_is_read_again(tmp_path, passes, change):
    net, images = network(), pixels(9)
    first = read(net, images, cache=tmp_path)
    change(net, images)
    passes.clear()
    again = read(net, images, cache=tmp_path)
    assert passes
    assert_same(again, read(net, images))
    assert len(kept(tmp_path)) == 2
    assert not np.array_equal(again.scores, first.scores)


def test_each_layer_and_normalisation_is_kept_apart(tmp_path, monkeypatch):
    images = pixels(4)
    nets = [network(), network(normalize=(STD, STD))]
    for net in nets:
        for layer in ("0", "4"):
            read(net, images, layer, tmp_path)
    assert len(kept(tmp_path)) == 4
    for net in nets:
        for layer in ("0", "4"):
            assert_same(read(net, images, layer, tmp_path), read(net, images, layer))
    monkeypatch.setattr(features, "LARGEST", 20)
    assert_same(read(nets[0], images, "0", tmp_path), read(nets[0], images, "0"))
    assert len(kept(tmp_path)) == 5


def test_nothing_is_kept_unless_asked_for_or_of_images_that_cannot_be_told(tmp_path, passes):
    net, images = network(), pixels(4)
    read(net, images, cache=False)
    for _ in range(2):
        passes.clear()
        assert_same(read(net, list(images), cache=tmp_path), read(net, images))
        assert len(passes) == 4
    assert kept(tmp_path) == []


def test_the_folder_of_the_user_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setattr(data_set, "user_cache_dir", lambda name: tmp_path / name)
    read(network(), pixels(3), cache=True)
    assert len(kept(tmp_path / "xwidgets" / "features")) == 1


def test_every_damage_of_a_kept_file_is_mended(tmp_path):
    net, images = network(), pixels(4)
    first = read(net, images, cache=tmp_path)
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 197)]
    for at in range(0, len(whole), 83):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
    mended = 0
    for content in [b"", b"text", *damaged]:
        path.write_bytes(content)
        assert_same(read(net, images, cache=tmp_path), first)
        assert kept(tmp_path) == [path]
        mended += path.read_bytes() != content
    assert mended > len(damaged) / 2


def test_a_kept_file_whose_numbers_do_not_fit_is_read_again(tmp_path, passes):
    net, images = network(), pixels(4)
    first = read(net, images, cache=tmp_path)
    [path] = kept(tmp_path)
    for name, value in (
        ("values", first.values[:3]), ("scores", first.scores[1:]), ("numbers", first.numbers[:2]),
        ("values", first.values[:, 0]), ("scores", first.scores[:, 0]),
    ):  # fmt: skip
        replace(first, **{name: value}).save(path)
        passes.clear()
        assert_same(read(net, images, cache=tmp_path), first)
        assert passes


def test_closing_or_a_crash_leaves_nothing_behind(tmp_path, monkeypatch):
    net, images = network(), pixels(6)
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 2)
    steps = read_features(net, DataSet(net, images), net.layer("4"), tmp_path)
    next(steps)
    steps.close()
    assert kept(tmp_path) == []

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        read(net, images, cache=tmp_path)
    assert kept(tmp_path) == []


def test_where_nothing_can_be_kept_it_is_still_read(tmp_path):
    (tmp_path / "file").write_text("")
    net, images = network(), pixels(4)
    with pytest.warns(
        UserWarning, match=r"cannot be kept: '.*folder' could not be made .*; give another folder"
    ):
        found = read(net, images, cache=tmp_path / "file" / "folder")
    assert_same(found, read(net, images))


# Files


@pytest.mark.parametrize("batch", [1, 2, 6])
@pytest.mark.parametrize("broken", [[0], [5], [1, 2], [0, 1, 2, 4, 5]])
def test_unreadable_pictures_are_skipped_and_named(tmp_path, monkeypatch, batch, broken):
    net, folder = network(), tmp_path / "pictures"
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: batch)
    folder.mkdir()
    for number, image in enumerate(pixels(6)):
        Image.fromarray(picture(image)).save(folder / f"{number}.png")
        if number in broken:
            (folder / f"{number}.png").write_bytes(b"no picture")
    good = [number for number in range(6) if number not in broken]
    images = torch.stack([xw.photo(folder / f"{number}.png") for number in good])
    sentence = f"{len(broken)} of 6 pictures cannot be read and were skipped: {broken[0]}.png"
    for _ in range(2):  # the second is answered from what was kept
        data = DataSet(net, folder)
        with pytest.warns(UserWarning, match=sentence):
            *_, (looked, found) = read_features(net, data, net.layer("4"), tmp_path / "kept")
        assert looked == found.total == 6
        assert found.numbers.tolist() == good
        assert found.skipped == broken
        np.testing.assert_allclose(found.values, forward(net, images, 6), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.scores, forward(net, images, 7), rtol=1e-4, atol=1e-5)
    assert len(kept(tmp_path / "kept")) == 1


def test_when_nothing_can_be_read_it_says_so(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_text("no picture")
    net = network()
    with pytest.raises(ValueError, match=r"none of the 3 pictures can be read \(0.png"):
        list(read_features(net, DataSet(net, tmp_path), net.layer("4"), False))


def test_a_random_layer_is_noticed_behind_pictures_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 1)
    (tmp_path / "0.png").write_text("no picture")
    Image.fromarray(picture(pixels(1)[0])).save(tmp_path / "1.png")
    net = network(Noise())
    with pytest.raises(ValueError, match="other values each time"):
        list(read_features(net, DataSet(net, tmp_path), net.layer("6"), False))


# What cannot be


class Noise(nn.Module):
    """Noise of NumPy's, which torch does not see."""

    def forward(self, x):
        return x + torch.from_numpy(np.random.rand(*x.shape).astype(np.float32)) / 2


@pytest.mark.parametrize("batch", [1, 4])
def test_a_layer_that_is_random_is_refused(monkeypatch, batch):
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: batch)
    net = network(Noise())
    for layer in ("6", "4"):  # behind what is random, and before, where only the scores are
        sentence = (
            rf"layer '{layer}' of small, or its scores, are other values each time for the same "
            "images; switch off what is random in it"
        )
        with pytest.raises(ValueError, match=sentence):
            read(net, pixels(4), layer)


def test_dropout_is_no_noise():
    net = network(nn.Dropout())
    net.module.train()
    assert_same(read(net, pixels(4), "6"), read(net, pixels(4), "6"))


class Tame(nn.Module):
    def forward(self, x):
        return torch.atan(x)


def test_values_that_are_not_finite_are_refused():
    net = network()
    net.module[4].bias.data[1] = torch.nan
    with pytest.raises(ValueError, match=r"of small are not all finite; check its weights"):
        read(net, pixels(3))
    net = network(Tame())
    net.module[4].bias.data[1] = torch.inf
    with pytest.raises(ValueError, match=r"the values of layer '4' of small are not all finite"):
        read(net, pixels(3))


@pytest.mark.parametrize("cache", [3, None, __file__])
def test_a_cache_that_is_no_folder_is_refused(cache):
    with pytest.raises(ValueError, match=r"cache is .*, but must be True, False or a folder"):
        read(network(), pixels(3), cache=cache)
