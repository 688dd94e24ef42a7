"""The form for people: what is asked, what is kept, what is counted."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xwidgets as xw
from xwidgets.results import render

from .pages import states

PARTS = ["beak", "tail"]


@pytest.fixture
def found() -> list[xw.XFeatures]:
    """Four pictures and three x-features; the last is silent but in the first picture."""
    random = np.random.default_rng(0)
    made = []
    for number in range(4):
        maps = random.random((3, 8, 6), np.float32)
        maps[2] *= number == 0
        made.append(
            xw.XFeatures(
                maps=maps,
                activations=np.float32([1, 2, 3 * (number == 0)]),
                weights=np.float32([1, -1, 1]),
                intercept=0.0,
                score=1.0,
                rivals=(("crow", 0.5),),
                mass=maps.sum((1, 2)),
                image=random.integers(0, 256, (8, 6, 3), np.uint8),
                network_name="birds",
                layer="6",
                target=3,
                label="finch",
                top="finch",
                method="srae",
                module="0123abcd",
                parameters={"stop_at": "4", "contrastive": True},
            )
        )
    return made


def asked(form: xw.PartsForm) -> list[tuple[int, int]]:
    return [(one["picture"], one["x-feature"]) for one in form.questions]


def answer(form: xw.PartsForm, *several: list[str]) -> None:
    """Answer the first questions."""
    form.answers = [
        {"picture": one["picture"], "x-feature": one["x-feature"], "parts": parts}
        for one, parts in zip(form.questions, several, strict=False)
    ]


def test_every_heat_map_that_is_not_silent_is_asked_about_once(found: list[xw.XFeatures]) -> None:
    form = xw.PartsForm(found, PARTS)
    expected = [(n, i) for n in range(4) for i in range(3) if i < 2 or n == 0]
    assert sorted(asked(form)) == expected
    for one in form.questions:
        assert one["map"] == render.heat(found[one["picture"]].maps[one["x-feature"]])
    assert [one["photo"] for one in form.pictures] == [render.png(one.image) for one in found]
    assert [one["shape"] for one in form.pictures] == [[8, 6]] * 4


def test_the_seed_decides_the_order(found: list[xw.XFeatures]) -> None:
    form = xw.PartsForm(found, PARTS)
    assert asked(form) == asked(xw.PartsForm(found, PARTS))
    assert asked(form) != sorted(asked(form))
    others = [asked(xw.PartsForm(found, PARTS, seed)) for seed in (1, 2)]
    assert others[0] != others[1]
    assert {*others[0]} == {*others[1]} == {*asked(form)}
    assert asked(xw.PartsForm(found, PARTS, questions=4)) == asked(form)[:4]
    assert asked(xw.PartsForm(found, PARTS, questions=400)) == asked(form)


def test_colours_do_not_tell_what_speaks_against_the_class(found: list[xw.XFeatures]) -> None:
    for one in found:
        one.maps[1] = one.maps[0]
    form = xw.PartsForm(found, PARTS)
    maps = {place: one["map"] for place, one in zip(asked(form), form.questions, strict=True)}
    assert maps[1, 0] == maps[1, 1]


def test_ticks_are_counted_for_each_x_feature(found: list[xw.XFeatures]) -> None:
    form = xw.PartsForm(found, PARTS)
    given = [["beak"], ["beak", "tail"], [], ["context"], ["tail"], ["beak"]]
    answer(form, *given)
    expected = [[0, 0, 0] for _ in range(3)]
    for (_, feature), parts in zip(asked(form), given, strict=False):
        for part in parts:
            expected[feature][["beak", "tail", "context"].index(part)] += 1
    assert form.counts.tolist() == expected
    assert form.counts.sum() == 6


def test_locality_is_the_entropy_of_the_counts(found: list[xw.XFeatures]) -> None:
    form = xw.PartsForm(found, PARTS)
    several: dict[int, list[str]] = {0: ["beak"], 1: ["beak", "tail"], 2: []}
    answer(form, *(several[feature] for _, feature in asked(form)))
    assert form.counts.tolist() == [[4, 0, 0], [4, 4, 0], [0, 0, 0]]
    measured = form.locality
    np.testing.assert_allclose(measured.entropies, [0, np.log(2), np.nan])
    np.testing.assert_allclose(measured.mean, np.log(2) / 2)


def test_a_form_without_answers_has_no_locality(found: list[xw.XFeatures]) -> None:
    form = xw.PartsForm(found, PARTS)
    assert not form.counts.any()
    assert np.isnan(form.locality.entropies).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "some names"),
        ("beak", "some names"),
        (["beak", " "], "some names"),
        (["beak", 3], "some names"),
        (["beak", "beak"], "named twice"),
        (["beak", "context"], "named twice, or 'context'"),
    ],
)
def test_parts_are_different_names(found: list[xw.XFeatures], parts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        xw.PartsForm(found, parts)


def test_there_is_something_to_ask(found: list[xw.XFeatures]) -> None:
    for nothing in ([], found[0], [found[0], "a picture"]):
        with pytest.raises(ValueError, match="x_features_each"):
            xw.PartsForm(nothing, PARTS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="questions is 0"):
        xw.PartsForm(found, PARTS, questions=0)
    with pytest.raises(ValueError, match="silent"):
        xw.PartsForm([replace(one, maps=one.maps * 0) for one in found], PARTS)
    for other in ({"module": "x"}, {"parameters": {"stop_at": "2", "contrastive": True}}):
        with pytest.raises(ValueError, match="several modules or layers"):
            xw.PartsForm([found[0], replace(found[1], **other)], PARTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": ["wing"]}, "not offered"),
        ({"parts": ["beak", "beak"]}, "one twice"),
        ({"parts": "beak"}, "not offered"),
        ({"picture": 4}, "not asked about"),
        ({"picture": 1, "x-feature": 2}, "not asked about"),
        ({"extra": 1}, "is not a picture"),
    ],
)
def test_impossible_answers_are_refused(
    found: list[xw.XFeatures], change: dict[str, Any], message: str
) -> None:
    form = xw.PartsForm(found, PARTS)
    answer(form, ["beak"])
    before = form.answers
    with pytest.raises(ValueError, match=message):
        form.answers = [before[0] | change]
    with pytest.raises(ValueError, match="answered twice"):
        form.answers = [*before, *before]
    assert form.answers == before


def test_every_answer_is_written_and_a_new_form_goes_on_after_it(
    found: list[xw.XFeatures], tmp_path: Path
) -> None:
    path = tmp_path / "ann.json"
    form = xw.PartsForm(found, PARTS, path=path)
    assert not path.exists()
    for count in range(1, 4):
        answer(form, *[["beak"], [], ["tail", "context"]][:count])
        assert json.loads(path.read_text("utf-8"))["answers"] == form.answers
    again = xw.PartsForm(found, PARTS, path=path)
    assert again.answers == form.answers
    assert again.position == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["ann.json"]


def test_the_file_says_what_was_asked(found: list[xw.XFeatures], tmp_path: Path) -> None:
    form = xw.PartsForm(found, ["bec é"], seed=7, path=tmp_path / "ann.json")
    answer(form, ["bec é"])
    text = (tmp_path / "ann.json").read_text("utf-8")
    assert '"bec é"' in text
    saved = json.loads(text)
    assert saved.pop("answers") == form.answers
    assert len({*saved.pop("pictures")}) == 4
    assert saved == {
        "network": "birds",
        "layer": "6",
        "label": "finch",
        "method": "srae",
        "module": "0123abcd",
        "maps": {"layer": "4", "contrastive": True},
        "x-features": 3,
        "parts": ["bec é"],
        "seed": 7,
    }


def test_a_form_starts_at_the_first_question_without_answer(
    found: list[xw.XFeatures], tmp_path: Path
) -> None:
    path = tmp_path / "ann.json"
    form = xw.PartsForm(found, PARTS)
    answer(form, *[["beak"]] * 9)
    form.save(path)
    assert xw.PartsForm(found, PARTS, path=path).position == 9
    form.answers = [*form.answers[:2], *form.answers[3:]]
    form.save(path)
    assert xw.PartsForm(found, PARTS, path=path).position == 2


def test_a_study_is_extended_by_more_questions(found: list[xw.XFeatures], tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    form = xw.PartsForm(found, PARTS, questions=3, path=path)
    answer(form, *[["beak"]] * 3)
    longer = xw.PartsForm(found, PARTS, path=path)
    assert (longer.position, len(longer.questions)) == (3, 9)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not asked about"):
        xw.PartsForm(found, PARTS, questions=2, path=path)
    assert path.read_bytes() == before


OTHERS: dict[str, Callable[[list[xw.XFeatures], Path], object]] = {
    "module": lambda found, path: xw.PartsForm(
        [replace(one, module="ffff") for one in found], PARTS, path=path
    ),
    "maps": lambda found, path: xw.PartsForm(
        [replace(one, parameters={"stop_at": "2", "contrastive": True}) for one in found],
        PARTS,
        path=path,
    ),
    "parts": lambda found, path: xw.PartsForm(found, PARTS[::-1], path=path),
    "seed": lambda found, path: xw.PartsForm(found, PARTS, seed=1, path=path),
    "pictures": lambda found, path: xw.PartsForm(found[::-1], PARTS, path=path),
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_file_of_another_study_is_refused_and_stays(
    found: list[xw.XFeatures], tmp_path: Path, what: str
) -> None:
    path = tmp_path / "ann.json"
    answer(xw.PartsForm(found, PARTS, path=path), ["beak"])
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"another study, which differs in its {what}; give"):
        OTHERS[what](found, path)
    assert path.read_bytes() == before
    form = xw.PartsForm(found, PARTS)
    answer(form, ["tail"], ["tail"])
    with pytest.raises(ValueError, match="no file of answers"):
        form.load(tmp_path / "nothing.json")
    assert len(form.answers) == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"answers": []}', "\xff"])
def test_a_damaged_file_is_refused_and_stays(
    found: list[xw.XFeatures], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "ann.json"
    path.write_text(text, "latin-1")
    with pytest.raises(ValueError, match="holds no answers to this form"):
        xw.PartsForm(found, PARTS, path=path)
    assert path.read_text("latin-1") == text


def test_a_file_with_an_impossible_answer_is_damaged(
    found: list[xw.XFeatures], tmp_path: Path
) -> None:
    form = xw.PartsForm(found, PARTS)
    answer(form, ["beak"])
    path = tmp_path / "ann.json"
    for old, new in (('"beak"\n      ]', '"wing"\n      ]'), ('"picture": ', '"picture": 9')):
        form.save(path)
        assert old in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
        with pytest.raises(ValueError, match="holds no answers"):
            form.load(path)
    assert len(form.answers) == 1


def test_loading_takes_the_place_of_the_answers(found: list[xw.XFeatures], tmp_path: Path) -> None:
    ann = xw.PartsForm(found, PARTS)
    answer(ann, ["beak"], ["tail"])
    ann.save(tmp_path / "ann.json")
    bob = xw.PartsForm(found, PARTS, path=tmp_path / "bob.json")
    answer(bob, [])
    bob.load(tmp_path / "ann.json")
    assert bob.answers == ann.answers
    assert bob.position == 2
    assert (tmp_path / "bob.json").read_bytes() == (tmp_path / "ann.json").read_bytes()


def test_a_file_that_cannot_be_written_is_told_and_the_answers_stay(
    found: list[xw.XFeatures], tmp_path: Path
) -> None:
    form = xw.PartsForm(found, PARTS, path=tmp_path / "later" / "ann.json")
    answer(form, ["beak"])
    assert "form.save(path)" in form.message
    assert form.counts.sum() == 1
    (tmp_path / "later").mkdir()
    answer(form, ["beak"], ["tail"])
    assert form.message == ""
    assert len(json.loads((tmp_path / "later" / "ann.json").read_text("utf-8"))["answers"]) == 2


def test_a_write_that_fails_leaves_the_file_whole(
    found: list[xw.XFeatures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ann.json"
    form = xw.PartsForm(found, PARTS, path=path)
    answer(form, ["beak"])
    before = path.read_bytes()

    def half(self: Path, text: str, *_: object) -> None:
        self.write_bytes(text[:9].encode())
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", half)
        answer(form, ["beak"], ["tail"])
    assert "the disk is full" in form.message
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["ann.json"]


def test_several_peoples_counts_are_summed(found: list[xw.XFeatures], tmp_path: Path) -> None:
    paths, forms = [], []
    for seed, given in enumerate([[["beak"]] * 5, [["tail", "context"], []], []]):
        form = xw.PartsForm(found, PARTS, seed=seed)
        answer(form, *given)
        paths.append(tmp_path / f"{seed}.json")
        form.save(paths[-1])
        forms.append(form)
    counts = xw.PartsForm.counts_of(*paths)
    np.testing.assert_array_equal(counts, sum(form.counts for form in forms))
    assert counts.sum() == 7
    np.testing.assert_array_equal(xw.PartsForm.counts_of(paths[0]), forms[0].counts)
    xw.PartsForm(found, ["beak", "wing"]).save(tmp_path / "other.json")
    with pytest.raises(ValueError, match=r"other\.json.* differs in its parts"):
        xw.PartsForm.counts_of(*paths, tmp_path / "other.json")
    with pytest.raises(ValueError, match="no file"):
        xw.PartsForm.counts_of()


def test_a_page_starts_without_answers_and_holds_names_as_text(
    found: list[xw.XFeatures], tmp_path: Path
) -> None:
    form = xw.PartsForm(found, ["</script><b>beak</b>"])
    answer(form, ["context"])
    form.position = 1
    form.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    (state,) = states(tmp_path / "page.html")
    assert state["facts"] == form.facts
    assert state["answers"] == []
    assert state["position"] == 0
    assert not state["alive"]
    assert len(state["questions"]) == 9
    assert "</script><b>" not in text
    assert not re.search(r"(src|href)=|https?://", text)
    assert form.answers
