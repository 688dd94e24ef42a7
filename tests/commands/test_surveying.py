"""``xwidgets survey`` does what the same lines of Python do, and says what it did."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import xwidgets as xw
from xwidgets.commands import main

from .networks import SIZE, known_as, small

NET = small()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder ``pictures`` in the one that commands run in, and a network by name."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number in range(5):
        path = Path("pictures", ["ant", "bee"][number % 2], f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(path)
    with known_as("small", NET):
        yield


def survey(*words: str) -> int:
    return main(["survey", "pictures", *words, "--network", "small"])


def test_it_is_the_survey_in_python(capsys: Any) -> None:
    words = ["--method", "occlusion", "--window", "3", "--stride", "2", "--target", "bee,1"]
    words += ["--measures", "half_area,same_sign", "--layers", "1"]
    assert survey(*words, "--out", "maps", "--dtype", "float16") == 0
    method = xw.Occlusion(window=3, stride=2)
    expected = xw.survey(
        NET, "pictures", method, "expected", ["bee", 1], ["half_area", "same_sign"], layers=[1],
        dtype="float16", progress=False,
    )  # fmt: skip
    done = xw.open_survey("maps")
    pd.testing.assert_frame_equal(done.table(), expected.table())
    np.testing.assert_array_equal(done.map(3), expected.map(3))
    [layer] = done.facts.layers
    np.testing.assert_array_equal(done.activations(layer), expected.activations(layer))
    assert done.facts == expected.facts
    told = capsys.readouterr()
    right = round(100 * float(done.table()["correct"].mean()), 1)
    assert " ".join(told.out.split()).startswith("5 pictures by occlusion (small); ")
    assert f"{right:g} %" in told.out.replace(".0 %", " %")
    assert told.out.endswith("  written to maps\n")
    assert told.err == ""


def test_by_default_it_is_the_saliency_of_each_pictures_class() -> None:
    assert survey("--out", "maps") == 0
    done = xw.open_survey("maps")
    assert done.facts.method == "saliency"
    table = done.table()
    assert (table["target"] == table["predicted"]).all()


def test_the_same_command_goes_on(capsys: Any) -> None:
    for _ in range(2):
        assert survey("--out", "maps") == 0
    assert survey("--out", "maps", "--target", "bee") == 1
    assert "xwidgets: 'maps' holds another survey, whose targets" in capsys.readouterr().err


def test_it_ends_when_a_mean_is_known(capsys: Any) -> None:
    folder = Path("pictures", "ant")
    for number in range(5, 200):
        (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes())
    words = ["--measures", "half_area", "--until", "half_area=0.5"]
    assert survey("--out", "maps", *words) == 0
    count = len(xw.open_survey("maps").table())
    assert 64 <= count < 200
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith(f"a random {count} of 200 pictures by saliency (small); ")
    assert survey("--out", "maps", "--measures", "half_area") == 0
    assert capsys.readouterr().out.startswith("200 pictures by saliency (small); ")


def test_workers_are_processes() -> None:
    assert survey("--out", "alone") == survey("--out", "both", "--workers", "2") == 0
    left, right = xw.open_survey("alone"), xw.open_survey("both")
    pd.testing.assert_frame_equal(left.table(), right.table())


def test_pictures_without_a_map_are_told(capsys: Any) -> None:
    Path("pictures", "broken\x1b[2J.png").write_bytes(b"no picture")
    assert survey("--out", "maps") == 1
    told = capsys.readouterr()
    assert "1 have no map, and the table says why" in " ".join(told.out.split())
    assert told.err == "xwidgets: 1 of 6 pictures have no map; their rows say why\n"
    assert "\x1b" not in told.out + told.err


def test_what_failed_is_computed_again_where_asked_for() -> None:
    assert survey("--out", "maps") == 0
    rows = xw.open_survey("maps").part(0)
    table = pd.read_parquet(rows)
    table.loc[2, "error"] = "the server is away"
    table.to_parquet(rows)
    assert survey("--out", "maps") == 1
    assert survey("--out", "maps", "--again") == 0
    assert xw.open_survey("maps").failed == set()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--out", "maps", "--method", "saliancy"], 2, "did you mean 'saliency'?"),
        (["--out", "maps", "--workers", "many"], 2, "argument --workers: invalid int value"),
        (["--out", "maps", "--workers", "0"], 1, "workers is 0, but must be a whole number of"),
        (["--out", "maps", "--target", "bees"], 1, "unknown class 'bees'; did you mean 'bee'"),
        (["--out", "pictures"], 1, "'pictures' holds 'ant' and no survey; give a new or empty"),
        (["--out", "maps", "--targets", "ant,"], 2, "'ant,' must be names with commas between"),
        (["--out", "maps", "--measures", "area"], 1, "unknown measure 'area'"),
        (["--out", "maps", "--layers", "99"], 1, "there is no convolution 99"),
        (
            ["--out", "maps", "--until", "half_area"],
            2,
            "must be measures and standard errors, such",
        ),
        (["--out", "maps", "--until", "half_area=0.1"], 1, "unknown measure 'half_area'; "),
        ([], 2, "the following arguments are required: --out"),
        (["--out", "maps", "--dtype", "int8"], 2, "argument --dtype: invalid choice: 'int8'"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    words: list[str], code: int, sentence: str, capsys: Any
) -> None:
    before = sorted(os.listdir())
    assert survey(*words) == code
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_the_examples_of_the_help_can_be_understood(capsys: Any) -> None:
    assert main(["survey", "--help"]) == 0
    lines = [
        line.strip().removeprefix("xwidgets ").replace("photographs", "pictures")
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("  xwidgets survey ")
    ]
    assert len(lines) == 4
    with known_as("resnet18", small(size=40)):
        for line in lines:
            assert main(line.split()) == 0, line
    assert {"saliency", "occlusion"} <= {*os.listdir()}


def test_the_help_of_a_method_lists_its_parameters(capsys: Any) -> None:
    assert main(["survey", "--method", "occlusion", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "--window N|N,N side of the rectangle in pixels" in told
    assert "--workers N number of processes (default: this one alone)" in told
