"""Heat maps of x-features, against one network of all layers and against matrices by hand."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import xwidgets as xw
from xwidgets.explain import data_set
from xwidgets.explain.explanation_module import ExplanationModule, Facts, encoder_of
from xwidgets.images import picture

from .explanation_module.classifier import CLASSES, HEIGHT, WIDTH, Fails, forward, network, pixels
from .parts import MEAN, STD, untouched

x_features, x_features_each = xw.x_features, xw.x_features_each
NAMES = ["wren", "tit", "finch", "crow"]
COUNT = 4


def facts(**changes):
    known = {
        "network_name": "small", "layer": "4", "target": 2, "label": "finch", "method": "srae",
        "parameters": {}, "curves": {}, "versions": {},
    }  # fmt: skip
    return Facts(**(known | changes))


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def module_of(widths=(12, 7, COUNT), seed=0, dtype=torch.float32, silent=(), **changes):
    """An encoder that nobody fitted, some of whose x-features are never active."""
    layers = []
    for place, (inside, outside) in enumerate(pairwise(widths)):
        weight, bias = drawn(outside, inside, seed=seed + place), drawn(outside, seed=seed + 9)
        if place + 2 == len(widths):
            bias = bias.abs() + 0.5
            bias[list(silent)] = -1e6
        layers.append((weight.to(dtype), bias.to(dtype)))
    intercept = torch.tensor(0.5, dtype=dtype)
    v = drawn(widths[-1], seed=seed + 5).to(dtype)
    return ExplanationModule(facts(**changes), encoder_of(None, layers), v, intercept)


def chosen_module(chosen=(3, 8, 0), **changes):
    v = drawn(len(chosen)).float()
    encoder = encoder_of(torch.tensor(chosen), [])
    return ExplanationModule(facts(method="lasso", **changes), encoder, v, torch.tensor(-2.0))


PARTS = {"0": 2, "2": 3, "4": 6}
"""How many parts of the network are gone through to the output of a layer."""


def whole_network(net, module):
    """Network and encoder one after another, whose classes are the x-features."""
    parts = copy.deepcopy(list(net.module)[: PARTS[module.facts.layer]])
    encoder = copy.deepcopy(module.encoder).to(net.dtype)
    names = [f"x-feature {k}" for k in range(len(module.weights))]
    return xw.Network(
        nn.Sequential(*parts, nn.Flatten(), *list(encoder)[1:]), size=net.size, name="whole",
        normalize=(MEAN[: net.channels], STD[: net.channels]), classes=names,
    )  # fmt: skip


def slow(net, module, image, layer, contrastive):
    """Maps and masses by excitation backprop from one x-feature after another."""
    whole = whole_network(net, module)
    maps, masses, active = [], [], whole(image[None])[0]
    for one, value in enumerate(active):
        if value <= 0:
            maps.append(np.zeros(image.shape[1:], np.float32))
            masses.append(0.0)
            continue
        found = xw.excitation_backprop(whole, image, one, layer, contrastive)
        positive = found.values.clip(min=0)
        total = positive.sum(dtype=np.float64)
        maps.append(positive / total if total > 0 else positive)
        masses.append(found.mass)
    return np.stack(maps), np.array(masses), active.numpy()


def assert_same(one, other, tolerance=0.0):
    for name in ("maps", "activations", "weights", "mass"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    assert np.array_equal(one.image, other.image)
    assert one.score == pytest.approx(other.score, rel=1e-4, abs=1e-5)
    assert [name for name, _ in one.rivals] == [name for name, _ in other.rivals]
    for name in ("intercept", "network_name", "layer", "target", "label", "top", "method", "module",
                 "parameters", "versions"):  # fmt: skip
        assert getattr(one, name) == getattr(other, name)


# Heat maps


@pytest.mark.parametrize("contrastive", [True, False])
@pytest.mark.parametrize(
    ("embedded", "layer"),
    [("4", "0"), ("4", "2"), ("4", "pixels"), ("2", "0"), ("2", "2"), ("0", "pixels")],
)
def test_maps_are_those_of_one_network_of_all_layers(embedded, layer, contrastive):
    net = network(dtype=torch.float64, classes=NAMES)
    width = {"0": 192, "2": 48, "4": 12}[embedded]
    silences = 0
    for seed in range(3):
        module = module_of((width, 9, 6, COUNT), seed, torch.float64, (1,), layer=embedded)
        for image in pixels(2, seed).double():
            found = x_features(net, module, image, layer, contrastive)
            maps, masses, active = slow(net, module, image, layer, contrastive)
            np.testing.assert_allclose(found.maps, maps, rtol=1e-4, atol=1e-7)
            np.testing.assert_allclose(found.mass, masses, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(found.activations, active, rtol=1e-5, atol=1e-6)
            silences += int((found.maps.sum((1, 2)) == 0).sum())
    assert 6 <= silences < 6 * COUNT


@pytest.mark.parametrize("contrastive", [True, False])
def test_maps_of_chosen_features_are_those_of_units_of_the_layer(contrastive):
    net, module = network(dtype=torch.float64, classes=NAMES), chosen_module()
    for image in pixels(4).double():
        found = x_features(net, module, image, "0", contrastive)
        for one, unit in enumerate((3, 8, 0)):
            if found.activations[one] == 0:
                assert not found.maps[one].any()
                continue
            theirs = xw.excitation_backprop(net, image, unit, "0", contrastive, source="4")
            values = theirs.values.clip(min=0)
            np.testing.assert_allclose(found.maps[one], values / values.sum(), rtol=1e-4, atol=1e-7)
            assert found.mass[one] == pytest.approx(theirs.mass, abs=1e-6)


class Flat(nn.Module):
    """Fully connected layers on pixels."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return self.second(self.first(x.flatten(1)).relu())


def linear(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
    return layer


def share(p, weight, x):
    """p_in = x * W+^T (p / (W+ x)), one number after the other."""
    found = np.zeros(len(x))
    for out, row in enumerate(weight):
        total = sum(max(w, 0) * value for w, value in zip(row, x, strict=True))
        if total > 0:
            for into, (w, value) in enumerate(zip(row, x, strict=True)):
                found[into] += value * max(w, 0) * p[out] / total
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4),
    st.booleans(), st.integers(0, 999),
)  # fmt: skip
def test_maps_of_linear_layers_are_those_of_matrices(
    height, width, units, hidden, count, contrastive, seed
):
    first, bias = drawn(units, 3 * height * width, seed=seed), drawn(units, seed=seed + 1)
    module = module_of(
        (units, hidden, count), seed, torch.float64, layer="first", network_name="flat"
    )
    second = linear(drawn(3, units, seed=seed + 2), drawn(3, seed=seed + 3))
    net = xw.Network(Flat(linear(first, bias), second), size=(height, width), name="flat")
    image = drawn(3, height, width, seed=seed + 4).sigmoid()
    found = x_features(net, module, image, "pixels", contrastive)
    x = image.flatten().numpy()
    z = np.maximum(first.numpy() @ x + bias.numpy(), 0)
    (w1, b1), (w2, b2) = [(part.weight.numpy(), part.bias.numpy()) for part in module.encoder[1::2]]
    h = np.maximum(w1 @ z + b1, 0)
    e = np.maximum(w2 @ h + b2, 0)
    np.testing.assert_allclose(found.activations, e, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.contributions, module.weights.numpy() * e, rtol=1e-5, atol=1e-6
    )
    assert found.approximation == pytest.approx(float(module.weights.numpy() @ e) + 0.5, abs=1e-4)
    for one in range(count):
        p = np.zeros(count)
        p[one] = e[one] > 0
        down = share(p, w2, h) - (share(p, -w2, h) if contrastive else 0)
        down = share(share(down, w1, z), first.numpy(), x)
        assert found.mass[one] == pytest.approx(down.sum(), abs=1e-5)
        summed = down.reshape(3, height, width).sum(0)
        cut = summed.clip(min=0)
        if cut.sum() > 1e-9:
            np.testing.assert_allclose(found.maps[one], cut / cut.sum(), rtol=1e-3, atol=1e-5)
        elif e[one] == 0 or summed.max() < -1e-9:  # not what is zero but for rounding
            assert not found.maps[one].any()


@pytest.mark.parametrize("contrastive", [True, False])
def test_each_map_has_the_sum_one_or_none(contrastive):
    net, module = network(classes=NAMES), module_of(silent=(0, 3))
    for found in x_features_each(net, module, pixels(12), "2", contrastive):
        assert found.maps.shape == (COUNT, HEIGHT, WIDTH)
        assert (found.maps >= 0).all()
        sums = found.maps.sum((1, 2))
        assert all(abs(total - 1) < 1e-5 or total == 0 for total in sums)
        assert sums[0] == sums[3] == 0
        assert found.mass[0] == found.mass[3] == 0
        assert found.activations[0] == found.activations[3] == 0


def test_mass_is_what_arrives_before_negative_values_are_cut():
    """Of weights of one sign nothing speaks against, of the other nothing for."""
    net, encoder = network(classes=NAMES), linear(torch.ones(3, 12), torch.full((3,), 50.0))
    encoder.weight.data[1] = -1
    encoder.weight.data[2, ::2] = -1
    module = ExplanationModule(
        facts(), encoder_of(None, [(encoder.weight, encoder.bias)]), torch.ones(3), torch.zeros(())
    )
    image = pixels(1)[0]
    contrastive = x_features(net, module, image, "2")
    assert contrastive.mass.tolist() == pytest.approx([1, -1, 0], abs=1e-5)
    assert contrastive.maps.sum((1, 2)).tolist() == pytest.approx([1, 0, 1], abs=1e-5)
    plain = x_features(net, module, image, "2", contrastive=False)
    assert plain.mass.tolist() == pytest.approx([1, 0, 1], abs=1e-5)
    assert not plain.maps[1].any()


def test_by_default_maps_are_taken_where_excitation_backprop_takes_them():
    net, image = xw.network("birds"), xw.scenes.bird(seed=3, species=3).image
    module = module_of((128, 9, 3), network_name="birds", layer="classifier.0", target=3)
    found = x_features(net, module, image)
    relevance = xw.excitation_backprop(net, image)
    assert found.parameters == {"stop_at": relevance.parameters["stop_at"], "contrastive": True}
    assert found.maps.shape == (3, *image.shape[1:])


# What else is known


def test_it_tells_the_score_its_rivals_and_where_it_comes_from():
    net, module = network(classes=NAMES), module_of()
    tops = set()
    for image in pixels(20):
        found = x_features(net, module, image, "0")
        scores = net(image[None])[0]
        order = scores.argsort(descending=True).tolist()
        assert found.score == pytest.approx(float(scores[2]), abs=1e-5)
        others = [one for one in order if one != 2]
        assert [name for name, _ in found.rivals] == [NAMES[one] for one in others]
        assert [score for _, score in found.rivals] == pytest.approx(
            scores[others].tolist(), abs=1e-5
        )
        assert found.top == NAMES[order[0]]
        tops.add(found.top)
        features = forward(net, image[None], 6)
        encoded = module.encoder(features)[0]
        np.testing.assert_allclose(found.activations, encoded, rtol=1e-4, atol=1e-5)
        assert found.approximation == pytest.approx(float(module(features)), rel=1e-3, abs=1e-4)
        assert np.array_equal(found.weights, module.weights)
        assert np.array_equal(found.image, picture(image))
    assert len(tops) > 2
    assert (found.intercept, found.network_name, found.layer) == (0.5, "small", "4")
    assert (found.target, found.label, found.method) == (2, "finch", "srae")
    assert found.module == module.fingerprint
    assert found.parameters == {"stop_at": "0", "contrastive": True}


def test_no_more_than_three_rivals_are_told():
    classes = [str(number) for number in range(9)]
    net = network(nn.Linear(12, 12))
    net.module[-1] = nn.Linear(12, 9)
    net = xw.Network(net.module, size=(HEIGHT, WIDTH), name="small", classes=classes)
    found = x_features(net, module_of(), pixels(1)[0], "0")
    scores = net(pixels(1))[0]
    best = [one for one in scores.argsort(descending=True).tolist() if one != 2][:3]
    assert [name for name, _ in found.rivals] == [classes[one] for one in best]


def test_a_batch_of_one_is_an_image():
    net, module = network(), module_of()
    [image] = pixels(1)
    assert_same(x_features(net, module, image[None]), x_features(net, module, image))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_maps_are_found_where_gradients_are_turned_off(mode):
    net, module, [image] = network(), module_of(), pixels(1)
    expected = x_features(net, module, image)
    with mode():
        assert_same(x_features(net, module, image), expected)


# Many images


@pytest.mark.parametrize("contrastive", [True, False])
@pytest.mark.parametrize("batch", [1, 2, 3, 5, 7, 50])
def test_many_images_give_what_each_gives_alone_whatever_the_batch(monkeypatch, batch, contrastive):
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: min(batch, total))
    net, module = network(dtype=torch.float64), module_of(silent=(2,))
    images = pixels(7)
    found = list(x_features_each(net, module, images, "2", contrastive))
    assert len(found) == 7
    for one, image in zip(found, images, strict=True):
        assert_same(one, x_features(net, module, image.double(), "2", contrastive), 1e-5)


def test_files_that_cannot_be_read_are_left_out_with_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 2)
    net, module = network(), module_of()
    for number, image in enumerate(pixels(6)):
        Image.fromarray(picture(image)).save(tmp_path / f"{number}.png")
    for number in (0, 3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"2 of 6 pictures cannot be read .*: 0\.png, 3\.png"):
        found = list(x_features_each(net, module, tmp_path))
    good = [xw.photo(tmp_path / f"{number}.png") for number in (1, 2, 4, 5)]
    for one, image in zip(found, good, strict=True):
        assert_same(one, x_features(net, module, image), 1e-4)


def test_when_no_file_can_be_read_it_says_so(tmp_path):
    (tmp_path / "0.png").write_text("no picture")
    with pytest.raises(ValueError, match="none of the 1 pictures can be read"):
        list(x_features_each(network(), module_of(), tmp_path))


def test_images_come_one_after_another():
    net, calls = network(), []
    watched = net.watched

    def counting(pixels, *arguments, **options):
        calls.append(len(pixels))
        return watched(pixels, *arguments, **options)

    net.watched = counting
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_set, "batch_size", lambda net, total: 2)
        found = x_features_each(net, module_of(), pixels(6))
    assert calls == []
    next(found)
    assert calls == [2]
    found.close()


# What is left alone


def test_network_and_module_are_left_alone():
    net, module = network(nn.Dropout(), dtype=torch.float64), module_of()
    net.module.train()
    net.module[0].weight.grad = torch.ones_like(net.module[0].weight)
    with untouched(net.module), untouched(module):
        x_features(net, module, pixels(1)[0], "2")
        many = x_features_each(net, module, pixels(3), "pixels")
        next(many)
        many.close()
    assert module.weights.dtype == torch.float32


class Broken(nn.Module):
    def forward(self, features):
        raise RuntimeError("out of order")


def test_network_and_module_are_left_alone_when_something_fails():
    net = network(fails := Fails(10**9))
    net.module.train()
    broken = ExplanationModule(facts(), Broken(), torch.ones(2), torch.zeros(()))
    module = module_of()
    assert net.layer("4")
    with untouched(net.module), untouched(broken), untouched(module):
        with pytest.raises(ValueError, match=r"cannot take features of shape \(1, 12\)"):
            x_features(net, broken, pixels(1)[0])
        with pytest.raises(ValueError, match="does not lead to where the signal starts"):
            x_features(net, module_of((192, 3), layer="0"), pixels(1)[0], "2")
        fails.passes.left = 0
        with pytest.raises(RuntimeError, match="out of order"):
            x_features(net, module, pixels(1)[0])


def test_no_warning_is_given(recwarn):
    x_features(network(), module_of(), pixels(1)[0])
    list(x_features_each(network(), module_of(), pixels(3)))
    assert [str(one.message) for one in recwarn] == []


# What cannot be


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"net": nn.ReLU()}, "net is a ReLU, but must be an xw.Network"),
        ({"module": nn.ReLU()}, "module is a ReLU, but must be an explanation module; make one"),
        ({"module": "module.safetensors"}, "module is a str, but must be an explanation module"),
        ({"net": network(name="other")},
         "the module was fitted to network 'small', not to 'other'; fit one to this network"),
        ({"module": module_of(layer="4.relu")}, "unknown layer '4.relu'"),
        ({"stop_at": "features.0"}, "unknown layer 'features.0'"),
        ({"stop_at": 2}, "there is no convolution 2: small has 1 to 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_once(changes, sentence, many):
    given = {"net": network(), "module": module_of(), "stop_at": None} | changes
    function = x_features_each if many else x_features
    images = pixels(2) if many else pixels(1)[0]
    with pytest.raises(ValueError, match=sentence) as caught:
        function(given["net"], given["module"], images, given["stop_at"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (pixels(2), "one image .* is explained at a time, not 2"),
        (pixels(1)[0] * torch.nan, "pixels must be finite, but some are NaN or infinite"),
        (pixels(1)[0] * 3, r"pixels must lie in \[0, 1\]"),
        (torch.rand(3, 20, 20), "small cannot take images of 20 x 20 pixels"),
        (torch.rand(2, HEIGHT, WIDTH), "channels"),
        (None, "image"),
    ],
)
def test_images_that_cannot_be_explained_are_refused(image, sentence):
    with pytest.raises(ValueError, match=sentence):
        x_features(network(), module_of(), image)


def test_a_layer_that_does_not_lead_to_the_module_s_is_refused():
    with pytest.raises(ValueError, match="does not lead to where the signal starts"):
        x_features(network(), module_of((192, 3), layer="0"), pixels(1)[0], "2")


@pytest.mark.parametrize("layer", ["3", "4", "5", "6"])
def test_a_layer_that_is_no_map_is_refused(layer):
    with pytest.raises(ValueError, match=r"which is no map \(C, H, W\); choose a layer before"):
        x_features(network(), module_of(), pixels(1)[0], layer)
    with pytest.raises(ValueError, match="no map"):
        x_features_each(network(), module_of(), pixels(2), layer)


def test_rounding_is_no_heat_map():
    net = network()
    net.module[4].bias.data[:] = -100
    net.module[4].bias.data[3] = 100  # one active feature, which W and -W share out alike
    found = x_features(net, module_of((12, 6, 3)), pixels(1)[0], "0")
    assert abs(found.mass).max() < 1e-6
    assert not found.maps.any()


def test_a_choice_of_more_features_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"cannot take features of shape \(1, 12\)"):
        x_features(network(), chosen_module((3, 40)), pixels(1)[0])


def test_a_module_of_another_network_of_the_same_name_is_refused():
    with pytest.raises(ValueError, match=r"cannot take features of shape \(1, 12\)"):
        x_features(network(), module_of((13, 3)), pixels(1)[0])


def test_a_fitted_module_is_used_as_it_is():
    net = network(classes=NAMES)
    module = xw.fit_explanation(
        net, pixels(120), "finch", epochs=2, hidden=(9,), cache=False, progress=False
    )
    found = x_features(net, module, pixels(1)[0], "0")
    score = float(module(forward(net, pixels(1), 6)))
    assert found.approximation == pytest.approx(score, rel=1e-3, abs=1e-4)
    assert found.label == "finch"
    assert len(found.maps) == 5
    assert 1 + len(found.rivals) == CLASSES
