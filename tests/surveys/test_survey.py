"""A survey has what single calls give, whoever computes it, and goes on where it was."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

import xwidgets as xw
from xwidgets import files
from xwidgets.explain import MapMethod
from xwidgets.surveys import plan as plans
from xwidgets.surveys.writer import Writer

SIDE = 12
CLASSES = ["ant", "bee", "cat", "dog"]
SALIENCY = xw.Saliency()


def network(seed: int = 0) -> xw.Network:
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 4),
    )  # fmt: skip
    with torch.no_grad():
        for layer in (module[0], module[3], module[7]):
            layer.weight.mul_(3)
        images = pictures(99, seed=9)
        module[7].bias -= module(images).median(0).values  # each class is that of some
    return xw.Network(module, size=(SIDE, SIDE), classes=CLASSES, name="small")


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def surveyed(folder: Path, images: object = None, method: MapMethod = SALIENCY, targets: Any = None,
             net: xw.Network | None = None, **options: Any) -> xw.Survey:  # fmt: skip
    images = pictures(37) if images is None else images
    return xw.survey(net or network(), images, method, folder, targets, progress=False, **options)


def maps(survey: xw.Survey) -> np.ndarray:
    several = range(len(survey.facts.targets))
    return np.array([[survey.map(n, t) for t in several] for n in range(len(survey))])


def assert_same(left: xw.Survey, right: xw.Survey) -> None:
    """Maps and rows are equal to the last bit."""
    assert maps(left).tobytes() == maps(right).tobytes()
    pd.testing.assert_frame_equal(left.table(), right.table(), check_exact=True)


@pytest.mark.parametrize(
    ("method", "targets"),
    [
        (xw.Saliency(), [None, "bee", xw.Channel("4", 2)]),
        (xw.Occlusion(window=4, stride=4), [3, None]),
    ],
    ids=["saliency", "occlusion"],
)
def test_every_row_and_map_is_that_of_a_single_call(
    tmp_path: Path, method: MapMethod, targets: list[Any]
) -> None:
    net, images = network(), pictures(37)
    survey = surveyed(tmp_path / "s", images, method, targets, net)
    table = survey.table()
    assert len(survey) == 37
    assert survey.progress == 1
    assert table["number"].tolist() == [n for n in range(37) for _ in targets]
    assert table["predicted"].nunique() > 2
    assert table["error"].isna().all()
    for number, image in enumerate(images):
        [(top, name, share)] = net.top(image, 1)
        chances = net.probabilities(net(image[None]))[0]
        for place, target in enumerate(targets):
            single = method.run(net, image, target)
            row = table.iloc[len(targets) * number + place]
            scale = np.abs(single.values).max()
            np.testing.assert_allclose(survey.map(number, place), single.values, atol=1e-5 * scale)
            assert (row["predicted"], row["predicted_label"]) == (top, name)
            assert row["predicted_probability"] == pytest.approx(share, rel=1e-5)
            assert (row["target"], row["target_label"]) == (single.target, single.label)
            of_class = not isinstance(target, xw.Channel)
            chance = float(chances[single.target]) if of_class else np.nan
            assert row["probability"] == pytest.approx(chance, rel=1e-5, nan_ok=True)


def test_a_map_is_a_result_that_can_be_shown(tmp_path: Path) -> None:
    net, images = network(), pictures(5)
    survey = surveyed(tmp_path / "s", images, xw.Occlusion(4, 4), ["cat"], net)
    shown = survey.relevance(3, xw.images.picture(images[3]))
    single = xw.occlusion(net, images[3], "cat", window=4, stride=4)
    np.testing.assert_allclose(shown.values, single.values, atol=1e-6)
    assert shown.title == single.title
    assert shown.parameters == single.parameters
    assert (shown.unit, shown.signed, shown.target) == (single.unit, single.signed, single.target)
    assert shown.probability == pytest.approx(single.probability)
    shown.save(tmp_path / "map.npz")
    assert xw.Relevance.load(tmp_path / "map.npz").title == single.title


@pytest.mark.parametrize("method", [xw.Saliency(), xw.Occlusion(window=4, stride=4)], ids=repr)
def test_workers_change_no_bit(tmp_path: Path, method: MapMethod) -> None:
    alone = surveyed(tmp_path / "alone", method=method)
    for workers in (1, 2):
        folder = tmp_path / f"{workers}"
        assert_same(alone, surveyed(folder, method=method, workers=workers))


def test_neither_threads_nor_the_order_of_batches_change_a_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(70)
    forwards = surveyed(tmp_path / "forwards", images)
    assert len(forwards.done) > 2

    def backwards(plan: plans.Plan, numbers: list[int], workers: None) -> Iterator[plans.Batch]:
        yield from map(plan.batch, reversed(numbers))

    monkeypatch.setattr("xwidgets.surveys._survey.batches", backwards)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert_same(forwards, surveyed(tmp_path / "backwards", images))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)


@contextmanager
def recorded(limit: int = 999) -> Iterator[list[int]]:
    """Context that records the batches that are written, and is interrupted behind some."""
    write, written = Writer.write, []

    def writing(self: Writer, batch: plans.Batch) -> None:
        if len(written) == limit:
            raise KeyboardInterrupt
        write(self, batch)
        written.append(batch.number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "write", writing)
        yield written


@pytest.mark.parametrize("workers", [None, 2])
def test_it_goes_on_where_it_was(tmp_path: Path, workers: int | None) -> None:
    images, options = pictures(70), {"method": xw.Occlusion(4, 4), "workers": workers}
    whole = surveyed(tmp_path / "whole", images, **options)
    with recorded(limit=3) as first, pytest.raises(KeyboardInterrupt):
        surveyed(tmp_path / "s", images, **options)
    part = xw.open_survey(tmp_path / "s")
    assert part.done == {*first}
    assert 0.2 < part.progress < 0.5
    assert part.table()["number"].tolist() == sorted(part.table()["number"])
    with recorded() as second:
        surveyed(tmp_path / "s", images, **options)
    assert sorted(first + second) == [*range(9)]
    assert_same(whole, part)
    with recorded() as third:
        surveyed(tmp_path / "s", images, **options)
    assert not third


def test_what_is_not_done_yet_is_told(tmp_path: Path) -> None:
    with recorded(limit=1), pytest.raises(KeyboardInterrupt):
        surveyed(tmp_path / "s", pictures(70))
    part = xw.open_survey(tmp_path / "s")
    assert "45.7 % computed" in repr(part)
    part.map(31)
    with pytest.raises(ValueError, match=r"picture 32 is not done yet, 45\.7 % of the survey are"):
        part.map(32)
    with pytest.raises(ValueError, match="picture 70 does not exist: the survey has pictures 0 to"):
        part.map(70)
    with pytest.raises(ValueError, match="target 1 does not exist"):
        part.map(0, 1)
    os.remove(part.part(0))
    assert part.table().empty
    assert "source" in part.table()


def test_half_precision_is_the_rounded_map(tmp_path: Path) -> None:
    full, half = (surveyed(tmp_path / kind, dtype=kind) for kind in ("float32", "float16"))
    assert half.map(3).dtype == np.float32
    np.testing.assert_array_equal(maps(half), maps(full).astype(np.float16).astype(np.float32))
    with pytest.raises(ValueError, match="dtype is 'int8', but must be"):
        surveyed(tmp_path / "other", dtype="int8")


# Data sets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in folders of classes, of which two cannot be read."""
    for number, image in enumerate(pictures(9)):
        path = tmp_path / "pictures" / ["bee", "cat", "wasp"][number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(xw.images.picture(image)).save(path)
    (tmp_path / "pictures" / "cat" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "pictures" / "empty.png").touch()
    return tmp_path / "pictures"


def test_pictures_that_cannot_be_read_are_listed_and_the_survey_goes_on(
    tmp_path: Path, folder: Path
) -> None:
    net = network()
    with pytest.warns(UserWarning, match="2 of 11 pictures have no map; their rows say why"):
        survey = surveyed(tmp_path / "s", folder, net=net)
    table = survey.table().set_index("source")
    assert table["error"].notna().sum() == 2
    for source in ("cat/broken.png", "empty.png"):
        assert f"{source}' cannot be read as a picture" in table.loc[source, "error"]
        assert pd.isna(table.loc[source, "predicted"])
        assert np.isnan(survey.map(table.loc[source, "number"])).all()
        with pytest.raises(ValueError, match=r"has no map: .* cannot be read"):
            survey.relevance(int(table.loc[source, "number"]), np.zeros((SIDE, SIDE, 3), np.uint8))
    assert table.loc["cat/broken.png", "label"] == "cat"
    for source, row in table[table["error"].isna()].iterrows():
        single = xw.saliency(net, folder / source)
        np.testing.assert_allclose(survey.map(row["number"]), single.values, atol=1e-5)
        label = source.partition("/")[0]
        assert row["label"] == label
        known = label in CLASSES
        assert (row["correct"] == (row["predicted_label"] == label)) if known else True
        assert pd.isna(row["correct"]) != known


def test_labels_are_those_of_pairs_and_scenes(tmp_path: Path) -> None:
    images = pictures(8)
    labels = [0, 1, 2, 3, 7, np.int64(1), torch.tensor(2), "dog"]
    table = surveyed(tmp_path / "s", list(zip(images, labels, strict=True))).table()
    assert table["label"].tolist() == ["ant", "bee", "cat", "dog", "7", "bee", "cat", "dog"]
    names = table["predicted_label"]
    assert table["correct"].tolist() == (names == table["label"]).tolist()
    scenes = [xw.scenes.bird(seed) for seed in range(3)]
    birds = surveyed(tmp_path / "birds", scenes, net=xw.network("birds")).table()
    assert birds["label"].tolist() == [scene.name for scene in scenes]
    assert pd.isna(surveyed(tmp_path / "none").table()["label"]).all()


def test_a_picture_that_a_network_cannot_take_is_listed(tmp_path: Path) -> None:
    images = [*pictures(4), torch.full((3, SIDE, SIDE), 7.0), torch.rand(5, SIDE, SIDE)]
    with pytest.warns(UserWarning, match="2 of 6"):
        table = surveyed(tmp_path / "s", images).table()
    assert table["error"].notna().tolist() == [False] * 4 + [True] * 2
    assert "pixels must lie in [0, 1]" in table["error"][4]
    assert "5 channels where the network takes 3" in table["error"][5]


class Picky(xw.Saliency):
    """A method that cannot explain dark pictures."""

    def explain_pictures(self, net: Any, images: torch.Tensor, targets: Any) -> torch.Tensor:
        if any(image.mean() < 0.1 for image in images):
            raise ValueError("it is too dark;\ngive a brighter one")
        return super().explain_pictures(net, images, targets)


def test_a_picture_that_a_method_cannot_explain_is_listed(tmp_path: Path) -> None:
    images = pictures(6)
    images[2] *= 0.01
    with pytest.warns(UserWarning, match="1 of 6"):
        survey = surveyed(tmp_path / "s", images, Picky())
    assert survey.table()["error"][2] == "it is too dark; give a brighter one"
    others = surveyed(tmp_path / "others", images)
    readable = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(maps(survey)[readable], maps(others)[readable], atol=1e-5)


def test_where_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=r"none of the 3 pictures can be read; of the first: .*0\.png"
    ):
        surveyed(tmp_path / "s", tmp_path)
    assert not (tmp_path / "s").exists()


def test_pictures_are_brought_to_the_size_of_the_network(tmp_path: Path) -> None:
    images, net = torch.rand(3, 3, 20, 30), network()
    survey = surveyed(tmp_path / "s", images, net=net)
    single = xw.saliency(net, net.prepare(images[1]))
    np.testing.assert_allclose(survey.map(1), single.values, atol=1e-5)


# Folders


def changed_weight(net: xw.Network) -> xw.Network:
    with torch.no_grad():
        net.module[7].weight[0, 0] += 1e-4
    return net


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "method": ({"method": xw.Occlusion(4, 4)}, "whose method is 'saliency' and not 'occlusion'"),
    "parameter": ({"method": xw.Saliency("signed")}, "whose parameters is .*maximum"),
    "targets": ({"targets": ["bee"]}, r"whose targets is \(''\,\) and not \('bee',\)"),
    "dtype": ({"dtype": "float16"}, "whose dtype is 'float32' and not 'float16'"),
    "fewer": ({"images": pictures(36)}, "whose number of pictures is 37 and not 36"),
    "pictures": ({"images": pictures(37, 1)}, "the pictures have changed since the survey in"),
    "weights": ({"net": changed_weight(network())}, "the network small has changed since the surv"),
    "network": ({"net": xw.network("birds")}, "whose network is 'small' and not 'birds'"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_folder_of_another_survey_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    surveyed(tmp_path)
    before = content(tmp_path)
    options, sentence = OTHERS[name]
    with pytest.raises(ValueError, match=sentence) as caught:
        surveyed(tmp_path, **options)
    assert "\n" not in str(caught.value)
    assert "give another folder" in str(caught.value) or "or another folder" in str(caught.value)
    assert content(tmp_path) == before


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_version_of_what_computes_is_told(tmp_path: Path) -> None:
    surveyed(tmp_path)
    path = tmp_path / "survey.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"versions": facts["versions"] | {"torch": "1.0"}}))
    with pytest.raises(ValueError, match=r"began with torch 1\.0, and this is .*go on with that"):
        surveyed(tmp_path)


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds 'notes\.txt' and no survey; give a new or empty"):
        surveyed(tmp_path)
    assert content(tmp_path) == {tmp_path / "notes.txt": b"mine"}
    with pytest.raises(ValueError, match=r"notes\.txt' is no folder; give a new or empty one"):
        surveyed(tmp_path / "notes.txt")
    survey = surveyed(tmp_path / "s")
    (survey.rows_folder / "notes.txt").write_text("mine")
    (survey.rows_folder / "1.parquet").write_text("mine")
    assert len(survey.table()) == 37
    surveyed(tmp_path / "s")


def test_a_damaged_part_is_named_and_computed_again_when_it_is_gone(tmp_path: Path) -> None:
    survey, path = surveyed(tmp_path), tmp_path / "rows" / "000001.parquet"
    rows = survey.table()
    other = survey.part(0).read_bytes()
    for damaged in (b"", b"nonsense", path.read_bytes()[:-9], other):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"000001\.parquet' cannot be read \(.*\); remove it"):
            survey.table()
    path.unlink()
    surveyed(tmp_path)
    pd.testing.assert_frame_equal(survey.table(), rows)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"count": 3}', "no JSON"])
def test_damaged_facts_are_told(tmp_path: Path, text: str) -> None:
    surveyed(tmp_path)
    (tmp_path / "survey.json").write_text(text)
    for call in (xw.open_survey, surveyed):
        with pytest.raises(ValueError, match=r"survey\.json' cannot be read \(.*\); give another"):
            call(tmp_path)


def test_damaged_maps_are_told(tmp_path: Path) -> None:
    survey = surveyed(tmp_path)
    for path in (tmp_path / "maps.zarr" / "c").rglob("0"):
        if path.is_file():
            path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"the maps of batch 0 in .* cannot be read"):
        survey.map(0)


def test_where_there_is_no_survey_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone", __file__):
        with pytest.raises(
            ValueError, match=r"there is no survey in '.*'; give the folder that xw"
        ):
            xw.open_survey(folder)


def test_two_processes_do_not_write_one_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveyed(tmp_path)
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    with (
        files.locked(tmp_path / "survey.json"),
        pytest.raises(OSError, match="is being changed by another process; try again"),
    ):
        surveyed(tmp_path)


# Arguments


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": "saliency"}, "method is a str, but must be a method that maps pictures"),
        ({"method": xw.UnitDifference()}, "must be a method that maps pictures"),
        ({"targets": []}, r"targets is \[\], but must be a list of one target at least"),
        ({"targets": "bee"}, "but must be a list of one target at least"),
        ({"targets": ["bees"]}, "unknown class 'bees'; did you mean 'bee'"),
        ({"targets": [xw.Channel("4")]}, "a channel without an index is another one in every"),
        ({"workers": 0}, "workers is 0, but must be a whole number of at least 1"),
        ({"workers": "many"}, "workers is 'many', but must be None for this process, a number of"),
        ({"images": []}, "the data set is empty"),
        ({"method": xw.Occlusion(window=50)}, "50"),
        ({"method": xw.ClassActivationMap("nowhere")}, "unknown layer 'nowhere'"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        surveyed(tmp_path / "s", **change)
    assert not (tmp_path / "s").exists()


def test_what_cannot_be_sent_to_workers_is_told(tmp_path: Path) -> None:
    net = network()
    net.module.lock = threading.Lock()
    with pytest.raises(ValueError, match=r"cannot be sent to workers \(.*\); leave out workers"):
        surveyed(tmp_path, net=net, workers=2)
    assert surveyed(tmp_path, net=net).progress == 1


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("zarr", "pyarrow"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(ValueError, match=rf"{package} is not installed; .*xwidgets\[surv"):
                surveyed(tmp_path / "s")


def test_weights_that_change_meanwhile_change_no_map(tmp_path: Path) -> None:
    net, images = network(), pictures(70)
    expected = surveyed(tmp_path / "expected", images)
    write = Writer.write

    def trained(self: Writer, batch: plans.Batch) -> None:
        write(self, batch)
        changed_weight(net)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "write", trained)
        survey = surveyed(tmp_path / "s", images, net=net)
    assert_same(expected, survey)
    with pytest.raises(ValueError, match="has changed since the survey"):
        surveyed(tmp_path / "s", images, net=net)
