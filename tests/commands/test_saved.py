"""``xwidgets show`` writes a page of any result that was saved."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xwidgets as xw
from xwidgets import results
from xwidgets.commands import main
from xwidgets.results.result import Result, kind_of
from xwidgets.widgets.result_page import VIEWS, views_of

from ..results import examples
from ..test_hostile_labels import HOSTILE, Elements, results_of
from ..widgets.pages import states

DATA = Path(__file__).parents[1] / "data" / "0.1.0"
EXAMPLES = {
    type(result).__name__: result
    for result in (
        examples.relevance(), examples.ranking(), examples.removal(), examples.patch(),
        examples.class_model(), examples.top_images(), examples.unit_relevance(),
        examples.x_features(), examples.segmentation(),
    )
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_there_is_a_view_of_every_kind_of_result() -> None:
    public = [getattr(results, name) for name in results.__all__]
    kinds = {one for one in public if isinstance(one, type) and issubclass(one, Result)}
    assert set(VIEWS) == kinds
    assert {kind.__name__ for kind in kinds} == set(EXAMPLES)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_result_of_any_kind_is_a_page(kind: str, capsys: Any) -> None:
    result = EXAMPLES[kind]
    result.save("a.npz")
    assert kind_of("a.npz") == kind
    if isinstance(result, xw.Ranking):
        result = replace(result, completed=1.0)
        result.save("a.npz")
    assert main(["show", "a.npz", "--out", "a.html"]) == 0
    assert len(states(Path("a.html"))) == 1
    out = capsys.readouterr().out
    assert out.startswith("a.npz: ")
    assert out.endswith("written to a.html\n")
    if hasattr(result, "title"):
        assert result.title in out


@pytest.mark.parametrize("path", sorted(DATA.glob("*.npz")), ids=lambda path: path.name)
def test_files_of_earlier_versions_are_shown(path: Path, capsys: Any) -> None:
    code = main(["show", str(path), "--out", "a.html"])
    assert (code, Path("a.html").exists()) == ((1, False) if "figure" in path.name else (0, True))
    assert bool(capsys.readouterr().err) == bool(code)


def maps(**changes: Any) -> list[xw.Relevance]:
    names = list(changes)
    return [
        examples.relevance(completed=1.0, **dict(zip(names, values, strict=True)))
        for values in zip(*changes.values(), strict=True)
    ]


def test_maps_of_one_picture_are_told_apart_by_a_slider() -> None:
    shown = maps(parameters=[{"window": 4}, {"window": 8}])
    for n, result in enumerate(shown):
        result.save(f"{n}.npz")
    assert main(["show", "0.npz", "1.npz", "--out", "a.html", "--title", "two"]) == 0
    [state] = states(Path("a.html"))
    assert [frame["window"] for frame in state["frames"]] == [4, 8]
    assert "<h1>two</h1>" in Path("a.html").read_text("utf-8")


def test_maps_by_several_methods_stand_beside_each_other() -> None:
    [view] = views_of(maps(method=["saliency", "occlusion"], unit=["logits", "logits"]))
    assert isinstance(view, xw.MethodComparison)


def test_maps_of_several_pictures_and_other_results_stand_below_each_other() -> None:
    other = np.zeros((5, 7, 3), np.uint8)
    first, second = maps(image=[examples.relevance().image, other])
    patch = examples.patch()
    views = views_of([first, patch, second, first, replace(patch, channel=patch.channel + 1)])
    kinds = (xw.MethodComparison, xw.PatchGallery, xw.RelevanceOverlay)
    assert all(isinstance(view, kind) for view, kind in zip(views, kinds, strict=True))


def test_views_are_closed_when_the_page_is_written() -> None:
    from ipywidgets.widgets.widget import _instances

    examples.relevance().save("a.npz")
    before = set(_instances)
    assert main(["show", "a.npz", "--out", "a.html"]) == 0
    assert set(_instances) == before


def page_of(label: str) -> Elements:
    for number, result in enumerate(results_of(label)):
        result.save(f"{number}.npz")
    files = [f"{number}.npz" for number in range(len(EXAMPLES))]
    assert main(["show", *files, "--out", "a.html", "--title", label]) == 0
    return Elements(Path("a.html").read_text("utf-8"))


@pytest.mark.parametrize("label", HOSTILE)
def test_names_in_results_stay_text(label: str) -> None:
    hostile = page_of(label)
    assert hostile.found == page_of("wren").found
    assert hostile.text.count(label) > len(EXAMPLES)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["gone.npz", "--out", "a.html"], 1, "there is no result at 'gone.npz'; check the path"),
        (["text.npz", "--out", "a.html"], 1, "'text.npz' is no readable result"),
        (["other.npz", "--out", "a.html"], 1, "'other.npz' is no readable result"),
        ([".", "--out", "a.html"], 1, "'.' is no readable result"),
        (["a.npz", "gone.npz", "--out", "a.html"], 1, "there is no result at 'gone.npz'"),
        (["a.npz", "--out", "gone/a.html"], 1, "there is no folder 'gone'; make it first"),
        (["a.npz", "--out", "a.pdf"], 2, "'a.pdf' does not end in .html"),
        (["a.npz"], 2, "required: --out"),
        (["--out", "a.html"], 2, "required: RESULT"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: list[str], code: int, told: str, capsys: Any
) -> None:
    examples.relevance().save("a.npz")
    Path("text.npz").write_text("no result")
    np.savez("other.npz", numbers=np.ones(3))
    before = sorted(os.listdir())
    assert main(["show", *words]) == code
    out, error = capsys.readouterr()
    assert told in error
    assert error.count("\n") == 1
    assert out == ""
    assert sorted(os.listdir()) == before
