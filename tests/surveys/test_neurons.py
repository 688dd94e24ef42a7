"""A survey keeps the activations of single passes, and its table counts them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import xwidgets as xw
from xwidgets.surveys.activity import activity

from .test_resuming import Brightness, Fussy
from .test_survey import assert_same, network, pictures, recorded, surveyed

LAYERS = ["0", "3", "7"]
"""Two convolutions and the linear layer of the small network."""


def assert_same_activations(left: xw.Survey, right: xw.Survey) -> None:
    """They are equal to the last bit, and so is all else."""
    assert_same(left, right)
    assert left.facts.layers == right.facts.layers
    for layer in left.facts.layers:
        assert left.activations(layer).tobytes() == right.activations(layer).tobytes()


def test_activations_are_those_of_single_passes(tmp_path: Path) -> None:
    net, images = network(), pictures(37)
    survey = surveyed(tmp_path / "s", images, net=net, layers=[1, "3", "7"])
    assert survey.facts.layers == {"0": 6, "3": 8, "7": 4}
    for layer, channels in survey.facts.layers.items():
        values = survey.activations(layer)
        assert values.shape == (37, 2, channels)
        assert values.dtype == np.float32
        for number, image in enumerate(images):
            maps = net.watched(image[None], [layer], gradients=False).activations[layer][0]
            maps = maps.double().reshape(channels, -1).numpy()
            expected = [maps.max(1), maps.mean(1)]
            np.testing.assert_allclose(values[number], expected, rtol=1e-5, atol=1e-6)


def test_layers_change_no_map_and_no_row(tmp_path: Path) -> None:
    plain = surveyed(tmp_path / "plain")
    assert_same(plain, surveyed(tmp_path / "s", layers=LAYERS))
    assert not plain.neurons_folder.exists()


def test_neither_workers_nor_interrupts_change_a_bit(tmp_path: Path) -> None:
    images = pictures(70)
    whole = surveyed(tmp_path / "whole", images, layers=LAYERS)
    assert_same_activations(whole, surveyed(tmp_path / "two", images, layers=LAYERS, workers=2))
    with recorded(limit=2), pytest.raises(KeyboardInterrupt):
        surveyed(tmp_path / "s", images, layers=LAYERS)
    part = xw.open_survey(tmp_path / "s")
    done = part.table()["number"].to_numpy(int)
    assert 0 < len(done) < 70
    known = ~np.isnan(part.activations("3")).any((1, 2))
    assert np.flatnonzero(known).tolist() == done.tolist()
    assert part.neurons("3")["count"].unique().tolist() == [len(done)]
    part.part(1).unlink()
    assert_same_activations(whole, surveyed(tmp_path / "s", images, layers=LAYERS))


def test_a_picture_without_a_map_has_no_activations(tmp_path: Path) -> None:
    images = pictures(6)
    images[2] *= 0.01
    with pytest.warns(UserWarning, match="1 of 6"):
        survey = surveyed(tmp_path, images, Fussy(), layers=["3"])
    missing = np.isnan(survey.activations("3"))
    assert missing[2].all()
    assert missing.any((1, 2)).sum() == 1
    assert survey.neurons("3")["count"].unique().tolist() == [5]
    assert 2 not in survey.top_pictures("3", 0)


def slow_table(values: np.ndarray, classes: list[Any]) -> list[dict[str, Any]]:
    """The table again, a channel and a class at a time."""
    rows = []
    for name in sorted({name for name in classes if name is not None}):
        own = [i for i, label in enumerate(classes) if label == name]
        rest = [i for i, label in enumerate(classes) if label not in (name, None)]
        for channel in range(values.shape[2]):
            x, y = (values[chosen, 0, channel].astype(np.float64) for chosen in (own, rest))
            n, m = len(x), len(y)
            g = np.nan
            if m and n + m > 2:
                squares = ((x - x.mean()) ** 2).sum() + ((y - y.mean()) ** 2).sum()
                if squares:
                    g = (x.mean() - y.mean()) / (squares / (n + m - 2)) ** 0.5
                    g *= 1 - 3 / (4 * (n + m) - 9)
            rows.append({
                "channel": channel, "class": name, "count": n, "largest": x.mean(),
                "sem": x.std(ddof=1) / n**0.5 if n > 1 else np.nan, "active": (x > 0).mean(),
                "mean": values[own, 1, channel].astype(np.float64).mean(), "g": g,
            })  # fmt: skip
    return rows


@given(st.data())
def test_the_table_is_a_plain_count(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 12)), 2, data.draw(st.integers(1, 3)))
    numbers = st.integers(-8, 8).map(lambda number: np.float32(number) / 4)
    values = data.draw(arrays.arrays(np.float32, shape, elements=numbers))
    names = st.sampled_from(["ant", "bee", "cat", None])
    classes = data.draw(st.lists(names, min_size=len(values), max_size=len(values)))
    table = activity(values, pd.Series(classes, name="class", dtype=object))
    expected = pd.DataFrame(slow_table(values, classes), columns=table.columns)
    finite = np.isfinite(table["g"].to_numpy(float))  # apart where classes do not vary at all
    apart = ~finite | (np.abs(table["g"].to_numpy(float)) > 1e6)
    assert not expected["g"][apart].abs().between(0, 1e5).any()
    table.loc[apart, "g"] = expected.loc[apart, "g"] = 0
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-9, atol=1e-12)


def test_without_a_class_there_is_a_row_for_each_channel() -> None:
    values = np.random.default_rng(0).normal(size=(9, 2, 4)).astype(np.float32)
    table = activity(values)
    assert table["channel"].tolist() == [0, 1, 2, 3]
    assert [*table.columns] == ["channel", "count", "largest", "sem", "active", "mean"]
    np.testing.assert_allclose(table["sem"], values[:, 0].std(0, ddof=1) / 3, rtol=1e-5)


def test_a_neuron_that_never_changes_stands_out_nowhere() -> None:
    values = np.full((5, 2, 1), 0.1, np.float32)
    table = activity(values, pd.Series(list("aabbb"), name="label"))
    assert table["g"].isna().all()
    assert (table["sem"] == 0).all()


def test_sorted_by_g_they_are_the_neurons_of_a_class(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, pictures(60), layers=["3"])
    table = survey.neurons("3", by="predicted_label")
    rows = survey.table()
    top = table.sort_values("g", ascending=False).iloc[0]
    x = survey.activations("3")[:, 0, int(top["channel"])].astype(np.float64)
    own = (rows["predicted_label"] == top["predicted_label"]).to_numpy(bool)
    assert top["largest"] == pytest.approx(x[own].mean())
    assert x[own].mean() > x[~own].mean()
    assert table["count"].groupby(table["channel"]).sum().tolist() == [60] * 8


def test_the_pictures_of_a_neuron_are_sorted(tmp_path: Path) -> None:
    images = pictures(40)
    images[20:] = images[:20]
    survey = surveyed(tmp_path, images, layers=["3"])
    values = survey.activations("3")[:, 0, 5]
    expected = sorted(range(40), key=lambda number: (-values[number], number))
    assert survey.top_pictures("3", 5) == expected[:9]
    assert survey.top_pictures("3", 5, count=99) == expected
    (found,) = xw.search_images(network(), images, [("3", 5)], k=4, cache=False, progress=False)
    np.testing.assert_allclose(found.activations, values[expected[:4]], rtol=1e-5)


def test_names_of_layers_may_hold_anything(tmp_path: Path) -> None:
    names = ["a/b", "c dé"]
    own = torch.nn.Sequential()
    for number, child in enumerate(network().module):
        own.add_module({0: names[0], 3: names[1]}.get(number, str(number)), child)
    survey = surveyed(tmp_path, pictures(5), net=xw.Network(own, size=(12, 12)), layers=names)
    assert [survey.activations(name).shape[2] for name in names] == [6, 8]
    assert {*zarr.open_group(tmp_path / "neurons.zarr").array_keys()} == {"a%2Fb", "c%20d%C3%A9"}


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (["conv9"], "unknown layer 'conv9'"),
        ("3", "layers is '3', but must be a list of layers, by name, or convolutions by number"),
        ([9], "there is no convolution 9"),
        (3, "layers is 3, but must be a list of layers"),
    ],
)
def test_layers_that_there_are_not_are_told(tmp_path: Path, layers: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        surveyed(tmp_path / "s", layers=layers)
    assert not (tmp_path / "s").exists()


def test_what_is_not_kept_is_told(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, pictures(5), layers=["3"])
    with pytest.raises(ValueError, match=r"holds another survey, whose layers is .* and not"):
        surveyed(tmp_path, pictures(5), layers=["0"])
    for call in (survey.activations, survey.neurons, lambda name: survey.top_pictures(name, 0)):
        with pytest.raises(ValueError, match=r"unknown layer '0'; known: 3 \(kept by xw.survey"):
            call("0")
    with pytest.raises(ValueError, match="channel 8 does not exist: layer '3' has channels 0 to 7"):
        survey.top_pictures("3", 8)
    with pytest.raises(ValueError, match="count is 0"):
        survey.top_pictures("3", 0, 0)
    with pytest.raises(ValueError, match="unknown column 'species'"):
        survey.neurons("3", by="species")
    for path in (tmp_path / "neurons.zarr").rglob("c/0/0/0"):
        path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"the activations of layer '3' in .* cannot be read"):
        survey.neurons("3")


def test_activations_that_are_not_finite_are_no_map(tmp_path: Path) -> None:
    module = network().module
    with torch.no_grad():
        module[3].bias[2] = torch.inf
    module[5] = torch.nn.Sequential(torch.nn.Hardtanh(0, 9), module[5])
    net = xw.Network(module, size=(12, 12))
    assert surveyed(tmp_path / "plain", pictures(3), Brightness(), net=net).progress == 1
    with pytest.warns(UserWarning, match="3 of 3 pictures have no map"):
        survey = surveyed(tmp_path / "s", pictures(3), Brightness(), net=net, layers=["3"])
    assert "the values of layer '3' of" in survey.table()["error"][0]
