"""``xwidgets explain`` does what the same lines of Python do, and says what it did."""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.commands import main
from xwidgets.results.numbers import percent
from xwidgets.results.sentences import sentence

from ..test_hostile_labels import HOSTILE, Elements
from ..widgets.pages import states
from .networks import SIZE, known_as, small

NET = small()


@pytest.fixture(autouse=True)
def named() -> Iterator[None]:
    with known_as("small", NET):
        yield


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a photograph of random pixels to the folder that commands run in."""
    monkeypatch.chdir(tmp_path)

    def write(name: str = "cat.png", seed: int = 0) -> str:
        pixels = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        Path(name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(name)
        return name

    return write


def explain(*words: str) -> int:
    return main(["explain", *words, "--network", "small"])


def test_it_is_the_method_run_in_python(photo: Any, capsys: Any) -> None:
    path = photo()
    words = ["--method", "occlusion", "--window", "3", "--stride", "2", "--target", "bee"]
    assert explain(path, *words, "--out", "cat.npz") == 0
    expected = xw.occlusion(NET, path, "bee", window=3, stride=2)
    saved = xw.Relevance.load("cat.npz")
    np.testing.assert_array_equal(saved.values, expected.values)
    assert saved.parameters == expected.parameters
    told = capsys.readouterr()
    lines = " ".join(told.out.split())
    assert lines == (
        f"cat.png: 'bee', {percent(expected.probability)} occlusion: {sentence(expected)} "
        "written to cat.npz"
    )
    assert told.err == ""


def test_without_a_target_it_is_the_likeliest_class(photo: Any, capsys: Any) -> None:
    [(index, label, share)] = NET.top(photo(), k=1)
    for target in ([], ["--target", str(index)], ["--target", label]):
        assert explain("cat.png", "--method", "saliency", *target) == 0
        assert capsys.readouterr().out.startswith(f"cat.png: {label!r}, {percent(share)}\n")


def test_a_class_that_is_called_by_a_number_is_found_by_its_name(photo: Any, capsys: Any) -> None:
    path = photo()
    with known_as("small", small(("one", "two", "1"))):
        assert explain(path, "--target", "1", "--method", "saliency") == 0
        assert "'1'" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--method", "prediction-difference"]])
def test_by_default_it_is_the_method_of_a_study(photo: Any, words: list[str]) -> None:
    assert explain(photo(), *words, "--samples", "2", "--window", "4", "--out", "cat.npz") == 0
    saved = xw.Relevance.load("cat.npz")
    assert saved.method == xw.PredictionDifference().name
    with xw.Study(NET, "cat.png") as study:
        assert study.method.name == saved.method


def test_a_seed_makes_the_same_map_again(photo: Any) -> None:
    words = ["--method", "saliency", "--samples", "3", "--sigma", "0.2"]
    photo()
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert explain("cat.png", *words, "--seed", seed, "--out", f"{name}.npz") == 0
    one, same, other = (xw.Relevance.load(f"{name}.npz").values for name in "abc")
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_page_shows_the_map_and_is_called_as_the_photograph(photo: Any) -> None:
    assert explain(photo(), "--method", "saliency", "--out", "map.html") == 0
    [state] = states(Path("map.html"))
    result = xw.saliency(NET, "cat.png")
    assert state["frames"][0]["title"] == result.title
    assert state["segments"] is False
    page = Elements(Path("map.html").read_text("utf-8")).text
    [(_, label, share)] = NET.top("cat.png", k=1)
    assert f"cat.png\n{result.title}\n{label!r} has a probability of {percent(share)}\n" in page


def test_a_picture_has_the_map_on_top_and_its_legend_below(photo: Any) -> None:
    assert explain(photo(), "--method", "saliency", "--out", "map.png") == 0
    picture = np.asarray(Image.open("map.png"))
    overlay = xw.saliency(NET, "cat.png").overlay(size=picture.shape[1])
    np.testing.assert_array_equal(picture[: len(overlay)], overlay)
    assert len(picture) > len(overlay) + 40


def test_several_photographs_have_a_file_each(photo: Any, capsys: Any) -> None:
    photos = [photo("one/cat.png"), photo("dog.png", 1)]
    assert explain(*photos, "--method", "saliency", "--out", "maps/") == 0
    assert {path.name for path in Path("maps").iterdir()} == {"cat.html", "dog.html"}
    assert explain(*photos, "--method", "saliency", "--out", "maps/map of {name}.npz") == 0
    for path in photos:
        saved = xw.Relevance.load(f"maps/map of {Path(path).stem}.npz")
        np.testing.assert_array_equal(saved.values, xw.saliency(NET, path).values)
    assert "written to maps" in capsys.readouterr().out


def test_pictures_that_are_known_by_name_need_no_file(photo: Any) -> None:
    words = ["--method", "saliency", "--out", "{name}.npz"]
    assert explain("chelsea", *words) == 0
    saved = xw.Relevance.load("chelsea.npz")
    np.testing.assert_array_equal(saved.values, xw.saliency(NET, "chelsea").values)
    Path(photo("coffee.png")).rename("coffee")
    assert explain("coffee", *words) == 0
    saved = xw.Relevance.load("coffee.npz")
    np.testing.assert_array_equal(saved.values, xw.saliency(NET, Path("coffee")).values)


def test_without_out_nothing_is_written(photo: Any, capsys: Any) -> None:
    assert explain(photo(), "--method", "saliency") == 0
    assert os.listdir() == ["cat.png"]
    assert "written" not in capsys.readouterr().out


def test_one_that_cannot_be_read_is_told_and_the_others_are_explained(
    photo: Any, capsys: Any
) -> None:
    Path("broken.jpg").write_text("no picture") if photo("dog.png") else None
    words = ["gone.png", "broken.jpg", "dog.png"]
    assert explain(*words, "--method", "saliency", "--out", "{name}.npz") == 1
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.err.splitlines()] == ["xwidgets explain"] * 2
    assert "no picture at 'gone.png'" in told.err
    assert "'broken.jpg' cannot be read" in told.err
    assert told.out.startswith("dog.png")
    assert xw.Relevance.load("dog.npz").completed == 1
    assert sorted(os.listdir()) == ["broken.jpg", "dog.npz", "dog.png"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--network", "smal"], 1, "unknown network 'smal'; did you mean 'small'?"),
        (["--target", "be"], 1, "unknown class 'be'; did you mean 'bee'? (of small)"),
        (["--target", "3"], 1, "class 3 does not exist: small has classes 0 to 2"),
        (["--method", "occlusion", "--window", "13"], 1, "larger than the image"),
        (["--method", "saliency", "--samples", "3"], 1, "needs samples > 1 and sigma > 0"),
        (["--method", "deconvnet", "--device", "nowhere"], 1, "to the device 'nowhere'"),
        (["--method", "saliency", "--device", "cuda:99"], 1, "to the device 'cuda:99'"),
        (["--out", "gone/cat.html"], 1, "there is no folder 'gone'; make it first"),
        (["--out", "cat.gif"], 2, "ends in none of .html, .npz and .png"),
        (["--out", "cat"], 2, "give a file, or a folder with / at its end"),
        (["--out", "cat.png"], 2, "is the photograph itself"),
        (["dog.png", "--out", "cat.html"], 2, "would both be written to 'cat.html'"),
        (["x/cat.png", "--out", "./"], 2, "'cat.png' and 'x/cat.png' would both be written"),
        (["--method", "oclusion"], 2, "unknown method 'oclusion'; did you mean 'occlusion'?"),
        (["--method"], 2, "--method: expected one argument"),
        (["--method", "saliency", "--window", "3"], 2, "unknown option '--window'"),
        (["--nework", "small"], 2, "unknown option '--nework'; did you mean '--network'"),
    ],
)
def test_what_cannot_be_is_one_sentence_before_anything_is_written(
    words: list[str], code: int, told: str, photo: Any, capsys: Any
) -> None:
    photo()
    before = os.listdir()
    assert main(["explain", "cat.png", "--network", "small", *words]) == code
    out, error = capsys.readouterr()
    assert told in error
    assert error.startswith("xwidgets")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert out == ""
    assert os.listdir() == before


def test_a_network_and_a_photograph_are_needed(capsys: Any) -> None:
    assert main(["explain"]) == 2
    assert "required: --network" in capsys.readouterr().err
    assert explain() == 2
    assert "required: PHOTO" in capsys.readouterr().err


def test_a_map_that_cannot_be_computed_leaves_what_was_there(photo: Any, capsys: Any) -> None:
    photo()
    Path("cat.html").write_text("mine")
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * SIZE**2, 3))
    with known_as("small", xw.Network(module, size=(SIZE, SIZE), name="small")):
        words = ["--method", "class-activation-map", "--out", "cat.html"]
        assert explain("cat.png", *words) == 1
    assert capsys.readouterr().err.startswith("xwidgets: small ")
    assert Path("cat.html").read_text() == "mine"


def test_a_file_that_may_not_be_written_is_told_before_anything_is_computed(
    photo: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo()
    Path("cat.html").mkdir()
    assert explain("cat.png", "dog.png", "--out", "{name}.html") == 1
    assert "'cat.html' may not be written to" in capsys.readouterr().err


def test_ctrl_c_ends_with_its_code_and_leaves_no_half_file(
    photo: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [photo(), photo("dog.png", 1)]
    results = iter([xw.Saliency.explain, None])

    def interrupted(method: Any, subject: Any, target: Any) -> xw.Relevance:
        explained = next(results)
        if explained is None:
            raise KeyboardInterrupt
        return explained(method, subject, target)

    monkeypatch.setattr(xw.Saliency, "explain", interrupted)
    assert explain(*photos, "--method", "saliency", "--out", "{name}.html") == 130
    assert sorted(os.listdir()) == ["cat.html", "cat.png", "dog.png"]
    assert "Traceback" not in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "words", "bar"),
    [(Terminal, [], True), (Terminal, ["--quiet"], False), (io.StringIO, [], False)],
)
def test_a_bar_is_shown_on_a_terminal_alone(
    stream: Any, words: list[str], bar: bool, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xwidgets.commands.explanation.PERIOD", 0.0)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    monkeypatch.setattr(sys, "stderr", stream())
    path = photo("c\x1b[2Jat.png")
    assert explain(path, "--method", "occlusion", "--window", "4", *words) == 0
    told = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert bool(told) == bar
    assert "\x1b[2J" not in told
    if bar:
        shares = [int(share) for share in re.findall(r"(\d+) %", told)]
        assert r"c\x1b[2Jat.png" in told
        assert shares == sorted(shares)
        assert shares[0] == 0


@pytest.mark.parametrize("label", HOSTILE)
def test_names_of_classes_and_files_stay_text(label: str, photo: Any) -> None:
    photo("cat.png")
    words = ["--method", "saliency", "--target", "0"]
    assert explain("cat.png", *words, "--out", "plain.html") == 0
    file = "cat.png" if sys.platform == "win32" else f"{label.replace('/', '')}.png"
    photo(file)
    with known_as("small", small((label, "bee", "cat"), name=label)):
        assert explain(file, *words, "--out", "hostile.html") == 0
    plain, hostile = (
        Elements(Path(name).read_text("utf-8")) for name in ("plain.html", "hostile.html")
    )
    assert hostile.found == plain.found
    assert file in hostile.text
    assert repr(label) in hostile.text


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are Unicode there")
def test_a_file_name_of_any_bytes_is_told_and_shown(photo: Any, capsys: Any) -> None:
    name = os.fsdecode(b"c\xff\x1b[31m\na.png")
    Path(photo()).rename(name)
    assert explain(name, "--method", "saliency", "--out", "map.html") == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.startswith(r"c\udcff\x1b[31m\na.png: ")
    assert "<h1>c\ufffd" in Path("map.html").read_text("utf-8")


def test_class_names_cannot_command_the_terminal(photo: Any, capsys: Any) -> None:
    path = photo()
    with known_as("small", small(("\x1b[2Jant", "\x1b[2Jbee", "\x1b[2Jcat"))):
        assert explain(path, "--method", "saliency") == 0
        assert explain(path, "--target", "\x1b[2J") == 1
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err


def test_the_help_says_what_each_method_asks_and_costs(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["explain", "--help"]) == 0
    told = capsys.readouterr().out
    words = " ".join(told.split())
    for method in (xw.Occlusion(), xw.Saliency(), xw.PredictionDifference(), xw.Deconvnet(),
                   xw.ExcitationBackprop(), xw.ClassActivationMap()):  # fmt: skip
        assert method.asks in words
        assert method.cost
        assert method.cost in words
    assert told.count("\n  xwidgets explain ") == 3
    assert "--window" not in told.partition("examples:")[0]
    assert max(map(len, told.splitlines())) <= 100


def test_the_help_of_a_method_lists_its_parameters(capsys: Any) -> None:
    assert main(["explain", "--method", "occlusion", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "--window N|N,N side of the rectangle in pixels" in told
    assert "(default: 8 pixels)" in told
    assert "--quality quick|normal|fine" in told
    assert "quick: --stride 4; normal: --stride 2; fine: --stride 1" in told


def test_the_examples_of_the_help_can_be_understood(
    photo: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo("cat.jpg"), photo("dog.jpg", 1)
    Path("maps").mkdir()
    main(["explain", "--help"])
    lines = [
        line.strip().removeprefix("xwidgets explain ")
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("  xwidgets explain ")
    ]
    net = small(("tabby", "bee", "cat"), size=40)
    for line in lines:
        words = line.replace("*.jpg", "cat.jpg dog.jpg").replace("'", "").split()
        with known_as("resnet18", net):
            assert main(["explain", *words]) == 0, line
    assert {"cat.html"} <= set(os.listdir())
    assert sorted(os.listdir("maps")) == ["cat.png", "dog.png"]


def test_a_warning_is_a_sentence(photo: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from xwidgets.errors import warn

    def warning(method: Any, subject: Any, target: Any) -> xw.Relevance:
        warn("the picture\nis dark")
        return plain(method, subject, target)

    plain = xw.Saliency.explain
    monkeypatch.setattr(xw.Saliency, "explain", warning)
    assert explain(photo(), "--method", "saliency") == 0
    assert capsys.readouterr().err == "xwidgets: the picture is dark\n"


def test_facts_of_the_result_are_json(photo: Any) -> None:
    assert explain(photo(), "--method", "excitation-backprop", "--out", "cat.npz") == 0
    json.dumps(dict(xw.Relevance.load("cat.npz").parameters))
