"""A survey goes on as the one that it is, and does nothing twice."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.explain import MapMethod
from xwidgets.explain.removal.samplers import ConditionalSampler
from xwidgets.surveys.digest import digest

from .test_survey import assert_same, network, pictures, recorded, surveyed


def test_another_sampler_is_another_survey(tmp_path: Path) -> None:
    def method(seed: int) -> MapMethod:
        sampler = ConditionalSampler.fit(pictures(20, seed), window=4, patches=400)
        return xw.PredictionDifference(window=4, stride=4, samples=1, sampler=sampler)

    before = surveyed(tmp_path, pictures(3), method(1))
    assert_same(before, surveyed(tmp_path, pictures(3), method(1)))
    with pytest.raises(ValueError, match="holds another survey, whose method or target has other"):
        surveyed(tmp_path, pictures(3), method(2))


def test_a_digest_is_of_what_is_in_a_value() -> None:
    torch.manual_seed(0)
    layer, other = nn.Linear(2, 3), nn.Linear(2, 3)
    array = np.arange(3.0)
    for left, right in (
        (layer, other), (array, array[::-1]), (array, array.astype("float32")), ([1], [[1]]),
        (xw.Saliency(), xw.Saliency("signed")), ({"a": array}, {"b": array}), (None, "None"),
    ):  # fmt: skip
        assert digest(left) == digest(left)
        assert digest(left) != digest(right)
    assert digest(torch.tensor(array)) == digest(array)
    assert digest(object()) == digest(object())


EXPLAINED: list[object] = []


@dataclass(frozen=True)
class Brightness(MapMethod):
    """How bright the picture is."""

    name, unit, signed = "brightness", "share of white", False

    def explain(self, subject: Any, target: Any) -> xw.Relevance:
        """Compute the map."""
        EXPLAINED.append(target)
        return self.relevance(subject, target, subject.pixels.mean(0))


def test_what_is_done_is_not_explained_again(tmp_path: Path) -> None:
    EXPLAINED.clear()
    first = surveyed(tmp_path, pictures(5), Brightness())
    assert len(EXPLAINED) == 1 + 5  # the first tells what maps are
    assert_same(first, surveyed(tmp_path, pictures(5), Brightness()))
    assert len(EXPLAINED) == 6
    first.part(0).unlink()
    surveyed(tmp_path, pictures(5), Brightness())
    assert len(EXPLAINED) == 11


class Plain(xw.Saliency):
    """A method that explains one picture otherwise than the one that it is made of."""

    def explain(self, subject: Any, target: Any) -> xw.Relevance:
        """Compute a map of ones."""
        return self.relevance(subject, target, torch.ones(subject.image.shape[1:]))


def test_a_method_with_its_own_way_for_one_picture_keeps_it_for_several(tmp_path: Path) -> None:
    survey = surveyed(tmp_path, pictures(3), Plain())
    assert (np.array([survey.map(number) for number in range(3)]) == 1).all()


def test_the_folder_of_a_survey_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    survey = surveyed(Path("maps"), pictures(3))
    opened = xw.open_survey("maps")
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    assert survey.progress == opened.progress == 1
    assert len(opened.table()) == 3


class Fussy(xw.Saliency):
    """A method that cannot explain dark pictures, alone or with others."""

    def explain(self, subject: Any, target: Any) -> xw.Relevance:
        """Compute the map of one."""
        if subject.image.mean() < 0.1:
            raise ValueError("it is too dark")
        return super().explain(subject, target)

    def explain_pictures(self, net: Any, images: torch.Tensor, targets: Any) -> torch.Tensor:
        """Compute the maps of several."""
        EXPLAINED.append(len(targets))
        if any(image.mean() < 0.1 for image in images):
            raise ValueError("it is too dark")
        return super().explain_pictures(net, images, targets)


def test_the_first_picture_may_be_one_that_cannot_be_explained(tmp_path: Path) -> None:
    images = pictures(6)
    images[0] *= 0.01
    with pytest.warns(UserWarning, match="1 of 6 pictures have no map"):
        survey = surveyed(tmp_path / "s", images, Fussy())
    assert survey.table()["error"].notna().tolist() == [True] + [False] * 5
    with pytest.raises(ValueError, match=r"none of the first 3 pictures can be explained; .*dark"):
        surveyed(tmp_path / "none", images[:1].repeat(3, 1, 1, 1), Fussy())


def test_a_picture_that_cannot_be_explained_is_found_by_halves(tmp_path: Path) -> None:
    images = pictures(32)
    images[21] *= 0.01
    EXPLAINED.clear()
    with pytest.warns(UserWarning, match="1 of 32"):
        surveyed(tmp_path, images, Fussy())
    assert EXPLAINED == [1, 32, 16, 16, 8, 4, 4, 2, 1, 1, 2, 8]  # the first tells what maps are


class Server:
    """Pictures of a file server that is away for some of them."""

    def __init__(self, images: torch.Tensor, away: set[int]) -> None:
        self.images, self.away = images, away

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> torch.Tensor:
        if number in self.away:
            raise OSError("the server is away")
        return self.images[number]


def test_what_failed_is_computed_again_where_asked_for(tmp_path: Path) -> None:
    images = pictures(70)
    server = Server(images, {7, 41})
    with pytest.warns(UserWarning, match="2 of 70 pictures have no map"):
        survey = surveyed(tmp_path / "s", server)
    failed = {int(survey.facts.positions[number]) // survey.facts.batch_size for number in (7, 41)}
    assert survey.failed == failed < survey.done
    server.away = set()
    with recorded() as written, pytest.warns(UserWarning, match="2 of 70"):
        surveyed(tmp_path / "s", server)
    assert not written
    with recorded() as written:
        again = surveyed(tmp_path / "s", server, again=True)
    assert written == sorted(failed)
    assert again.failed == set()
    assert_same(again, surveyed(tmp_path / "once", images))


def test_what_failed_stays_until_it_is_computed_again(tmp_path: Path) -> None:
    server = Server(pictures(70), {7, 41})
    with pytest.warns(UserWarning, match="2 of 70"):
        before = surveyed(tmp_path, server).table()
    server.away = set()
    with recorded(limit=1), pytest.raises(KeyboardInterrupt):
        surveyed(tmp_path, server, again=True)
    survey = xw.open_survey(tmp_path)
    table = survey.table()
    assert survey.progress == 1
    assert table["number"].tolist() == before["number"].tolist()
    assert table["error"].isna().sum() == before["error"].isna().sum() + 1


def test_maps_of_another_shape_are_refused(tmp_path: Path) -> None:
    class Small(xw.Saliency):
        def explain_pictures(self, net: Any, images: torch.Tensor, targets: Any) -> torch.Tensor:
            return torch.ones(len(targets), 1, 1, 1)

    with pytest.raises(TypeError, match=r"Small.explain_pictures returns maps \(3, 1, 1, 1\), but"):
        surveyed(tmp_path, pictures(3), Small())


def test_values_that_half_precision_cannot_hold_are_told(tmp_path: Path) -> None:
    net = network()
    with torch.no_grad():
        net.module[7].weight.mul_(1e8)
    with pytest.warns(UserWarning, match="3 of 3 pictures have no map"):
        survey = surveyed(tmp_path, pictures(3), net=net, dtype="float16")
    assert "values above 65504; keep maps in float32" in survey.table()["error"][0]


def test_names_in_no_encoding_are_told_as_they_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(xw.results.render.png(
        xw.images.picture(pictures(1)[0])
    ))  # fmt: skip
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="1 of 2"):
        table = surveyed(tmp_path / "s", folder).table()
    assert table["source"].tolist() == ["caf\\udce9.png", "\\udcff.png"]
    assert "\\udcff.png" in table["error"][1]
