"""Explanation modules by themselves, against layers written out by hand, and their files."""

import copy
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import xwidgets as xw
from xwidgets.explain.explanation_module import (
    Choice,
    ExplanationModule,
    decoder_of,
    encoder_of,
    features,
    layers_of,
)

from .modules import FACTS, chosen_module, drawn, layers, module_of


def by_hand(parts, values, last):
    """Every sum of every layer in loops over numbers."""
    values = values.tolist()
    for place, (weight, bias) in enumerate(parts):
        found = []
        for row, shift in zip(weight.tolist(), bias.tolist(), strict=True):
            total = shift
            for one, other in zip(row, values, strict=True):
                total += one * other
            rectified = last or place + 1 < len(parts)
            found.append(max(0.0, total) if rectified else total)
        values = found
    return values


# What it computes


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(1, 4), st.integers(0, 99),
    st.floats(-3, 3),
)  # fmt: skip
def test_scores_are_the_weighted_sum_of_rectified_layers(widths, images, seed, intercept):
    module = module_of(widths, seed, intercept=intercept)
    given = drawn(images, widths[0], seed=seed + 1000)
    encoded, approximations = module.encoder(given), module(given)
    rebuilt = module.decoder(encoded)
    assert encoded.shape == (images, widths[-1])
    assert approximations.shape == (images,)
    assert rebuilt.shape == given.shape
    inward, outward = layers(widths, seed), layers(widths[::-1], seed + 70)
    for one, values in enumerate(given):
        coded = by_hand(inward, values, last=True)
        np.testing.assert_allclose(encoded[one], coded, rtol=1e-9, atol=1e-12)
        score = intercept
        for weight, active in zip(drawn(widths[-1], seed=seed + 50).tolist(), coded, strict=True):
            score += weight * active
        np.testing.assert_allclose(float(approximations[one]), score, rtol=1e-9, atol=1e-9)
        again = by_hand(outward, torch.tensor(coded, dtype=torch.float64), last=False)
        np.testing.assert_allclose(rebuilt[one], again, rtol=1e-9, atol=1e-9)


def test_a_decoder_can_put_out_negative_features_and_an_encoder_none():
    module, given = module_of(), drawn(60, 6)
    encoded = module.encoder(given)
    assert (encoded >= 0).all()
    assert (encoded == 0).any()
    assert (encoded > 0).any()
    assert (module.decoder(encoded) < 0).any()


def test_a_choice_takes_features_as_they_are_in_its_order():
    module, given = chosen_module((4, 1, 2)), drawn(7, 6)
    assert torch.equal(module.encoder(given), torch.stack([given[:, k] for k in (4, 1, 2)], 1))
    v = drawn(3).tolist()
    for one, values in zip(module(given).tolist(), given.tolist(), strict=True):
        assert one == pytest.approx(v[0] * values[4] + v[1] * values[1] + v[2] * values[2] - 0.75)
    assert module.decoder is None


def test_maps_are_flattened_or_averaged_on_the_grid_of_the_features(monkeypatch):
    maps = drawn(3, 2, 4, 6)
    for widths, side in (((48, 4, 2), None), ((8, 4, 2), 2)):
        if side is not None:
            monkeypatch.setattr(features, "LARGEST", 8)
        module = module_of(widths)
        flat = maps if side is None else maps.view(3, 2, 2, 2, 2, 3).mean((3, 5))
        torch.testing.assert_close(module(maps), module(flat.reshape(3, -1)))


def test_the_parts_stand_in_the_order_in_which_they_are_gone_through():
    names = [type(part).__name__ for part in module_of((6, 5, 4, 2)).encoder]
    assert names == ["Features", *["Linear", "ReLU"] * 3]
    names = [type(part).__name__ for part in module_of((6, 5, 4, 2)).decoder]
    assert names == [*["Linear", "ReLU"] * 2, "Linear"]
    assert [type(part).__name__ for part in chosen_module().encoder] == ["Features", "Choice"]


def test_layers_come_back_in_their_order_whatever_the_order_of_their_names():
    parts = layers((6, 5, 4, 3, 3, 3, 3, 2))
    tensors = encoder_of(None, parts).state_dict(prefix="encoder.")
    assert max(map(len, tensors)) > len("encoder.1.weight")
    tensors |= decoder_of(layers((2, 6))).state_dict(prefix="decoder.")
    shuffled = dict(sorted(tensors.items(), reverse=True)) | {"weights": drawn(2)}
    for (weight, bias), (its, its_bias) in zip(layers_of("encoder", shuffled), parts, strict=True):
        assert torch.equal(weight, its)
        assert torch.equal(bias, its_bias)
    assert [tuple(weight.shape) for weight, _ in layers_of("decoder", shuffled)] == [(6, 2)]
    assert layers_of("other", shuffled) == []


def test_it_is_for_looking_only():
    module = module_of()
    assert not module.training
    assert not any(one.requires_grad for one in module.parameters())
    assert {name for name, _ in module.named_buffers()} == {"weights", "intercept"}


def test_it_says_what_it_is_in_one_line():
    text = "2 x-features by srae of classifier.0 for \"Grünfink, 'green'\" (birds)"
    assert repr(module_of()) == f"<ExplanationModule: {text}>"
    assert repr(chosen_module((1,))).startswith("<ExplanationModule: 1 x-features by lasso of ")


# What tells it from others


def test_a_fingerprint_is_that_of_its_numbers_and_of_what_it_explains():
    first = module_of()
    assert first.fingerprint == module_of().fingerprint == copy.deepcopy(first).fingerprint
    assert len(first.fingerprint) == 64
    seen = {first.fingerprint, chosen_module((4, 1)).fingerprint, chosen_module((1, 4)).fingerprint}
    for name in first.state_dict():
        changed = module_of()
        changed.state_dict()[name].view(-1)[-1] += 2**-40
        seen.add(changed.fingerprint)
    for fact in ({"network_name": "street"}, {"layer": "features.0"}, {"target": 4}):
        seen.add(module_of(facts=replace(FACTS, **fact)).fingerprint)
    assert len(seen) == 3 + len(first.state_dict()) + 3


def test_a_fingerprint_does_not_tell_how_it_came_about():
    other = replace(FACTS, versions={"torch": "3"}, curves={}, label="finch")
    assert module_of(facts=other).fingerprint == module_of().fingerprint


# Files


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [module_of, chosen_module])
def test_it_survives_a_file(tmp_path, make, dtype):
    module = make().to(dtype)
    path = tmp_path / "module.safetensors"
    module.save(path)
    again = ExplanationModule.load(path)
    assert again.facts == module.facts
    assert again.fingerprint == module.fingerprint
    assert repr(again) == repr(module)
    assert str(again.encoder) == str(module.encoder)
    assert str(again.decoder) == str(module.decoder)
    assert again.state_dict().keys() == module.state_dict().keys()
    for name, value in module.state_dict().items():
        assert again.state_dict()[name].dtype == value.dtype
        assert torch.equal(again.state_dict()[name], value)
    maps = drawn(5, 6, 1, 1, dtype=dtype)
    torch.testing.assert_close(again(maps), module(maps))
    assert not again.training
    assert not any(one.requires_grad for one in again.parameters())


def test_tensors_that_are_not_contiguous_are_written(tmp_path):
    module = ExplanationModule(
        FACTS,
        encoder_of(None, [(drawn(6, 2).T, drawn(4)[::2])]),
        drawn(2, 2).T[0],
        torch.zeros((), dtype=torch.float64),
    )
    module.save(tmp_path / "module")
    again = ExplanationModule.load(str(tmp_path / "module"))
    assert again.fingerprint == module.fingerprint
    scores, expected = again(drawn(3, 6)), module(drawn(3, 6))
    torch.testing.assert_close(scores, expected, rtol=1e-12, atol=1e-12)


def test_others_can_read_the_file_without_this_package(tmp_path):
    module = module_of()
    module.save(tmp_path / "module")
    with safe_open(tmp_path / "module", "np") as file:
        facts = json.loads(file.metadata()["explanation_module"])
        assert facts == asdict(FACTS)
        np.testing.assert_array_equal(file.get_tensor("weights"), module.weights)


def test_a_file_cut_anywhere_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "module"
    module_of().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 31):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="holds no readable explanation module") as caught:
            ExplanationModule.load(path)
        assert "\n" not in str(caught.value)
        assert "'" + str(path) + "'" in str(caught.value)
        assert str(caught.value).endswith("fit it again and write it with module.save(path)")


def foreign(tensors, facts):
    """Files of others, or of something like a module, by what is wrong with them."""
    known, text = {"explanation_module": json.dumps(facts)}, json.dumps(facts | {"more": 1})
    lacking = {name: value for name, value in facts.items() if name != "layer"}
    whole = torch.zeros(5, 6, dtype=torch.int64)
    return {
        "no facts": (tensors, None),
        "other facts": (tensors, {"format": "pt"}),
        "more facts": (tensors, {"explanation_module": text}),
        "fewer facts": (tensors, {"explanation_module": json.dumps(lacking)}),
        "a list": (tensors, {"explanation_module": "[]"}),
        "no json": (tensors, {"explanation_module": "{'a': 1}"}),
        "deep": (tensors, {"explanation_module": "[" * 10**5}),
        "no weights": ({"intercept": tensors["intercept"]}, known),
        "no intercept": ({"weights": tensors["weights"]}, known),
        "no bias": ({k: v for k, v in tensors.items() if k != "encoder.3.bias"}, known),
        "whole numbers": (tensors | {"encoder.1.weight": whole}, known),
        "no place": (tensors | {"encoder.a.weight": whole, "encoder.a.bias": whole[0] + 1}, known),
    }


@pytest.mark.parametrize("name", foreign(module_of().state_dict(), asdict(FACTS)))
def test_a_foreign_file_is_refused_in_one_sentence(tmp_path, name):
    tensors, metadata = foreign(module_of().state_dict(), asdict(FACTS))[name]
    save_file(tensors, tmp_path / "module", metadata)
    with pytest.raises(ValueError, match="holds no readable explanation module") as caught:
        ExplanationModule.load(tmp_path / "module")
    assert "\n" not in str(caught.value)


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "module"
    contents = [b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(100), b"PK\x03\x04" + bytes(50)]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="holds no readable explanation module"):
            ExplanationModule.load(path)
    torch.save(module_of().state_dict(), path)
    with pytest.raises(ValueError, match="holds no readable explanation module"):
        ExplanationModule.load(path)
    with pytest.raises(ValueError, match="holds no readable explanation module"):
        ExplanationModule.load(tmp_path)
    with pytest.raises(ValueError, match=r"there is no explanation module at '.*gone'"):
        ExplanationModule.load(tmp_path / "gone")


def test_a_file_with_tensors_to_spare_is_refused(tmp_path):
    module_of().save(tmp_path / "module")
    tensors = load_file(tmp_path / "module") | {"more": torch.zeros(2)}
    save_file(tensors, tmp_path / "module", {"explanation_module": json.dumps(asdict(FACTS))})
    with pytest.raises(ValueError, match="holds no readable explanation module"):
        xw.ExplanationModule.load(tmp_path / "module")


@pytest.mark.parametrize(
    "change",
    [
        {"encoder.1.weight": torch.zeros(4)},
        {"encoder.1.bias": torch.zeros(3)},
        {"encoder.3.weight": torch.zeros(2, 4)},
        {"weights": torch.zeros(9)},
        {"weights": torch.zeros(())},
        {"weights": torch.zeros(2, 2)},
    ],
    ids=repr,
)
def test_a_module_whose_parts_do_not_fit_together_is_refused_in_one_sentence(tmp_path, change):
    tensors = module_of(dtype=torch.float32).state_dict() | change
    save_file(tensors, tmp_path / "module", {"explanation_module": json.dumps(asdict(FACTS))})
    with pytest.raises(ValueError, match="holds no readable explanation module") as caught:
        ExplanationModule.load(tmp_path / "module")
    assert "\n" not in str(caught.value)


def test_what_it_was_fitted_with_comes_back_as_it_was(tmp_path):
    parameters = {"hidden": (9, 7), "seed": np.int64(3), "beta": np.float32(0.5)}
    module = module_of(facts=replace(FACTS, parameters=parameters))
    module.save(tmp_path / "module")
    facts = ExplanationModule.load(tmp_path / "module").facts
    assert facts == module.facts
    assert facts.parameters == {"hidden": [9, 7], "seed": 3, "beta": 0.5}


def test_a_fingerprint_follows_its_numbers():
    module = module_of()
    before = module.fingerprint
    module.weights += 1
    assert module.fingerprint != before


# In a network


def test_it_goes_with_the_network_to_another_precision():
    module, given = module_of(dtype=torch.float32), drawn(4, 6)
    double = copy.deepcopy(module).double()
    torch.testing.assert_close(double(given).float(), module(given.float()))
    assert isinstance(chosen_module().float().encoder[1], Choice)
    assert chosen_module().float().encoder[1].chosen.dtype == torch.int64
    assert isinstance(module, nn.Module)
