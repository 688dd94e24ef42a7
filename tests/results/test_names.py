"""What people call x-features: kept by module, merged, and in a file that they can read."""

import json
import os
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets import files
from xwidgets.results.names import VOTES, Names, Opinion

from .examples import x_features

ROOT = Path(__file__).parents[2]
ODD = [
    "yellow beak", "gelber Schnabel ü", "黄色い嘴", "🐦", "<b>beak</b>", "<img src=x>",
    'say "beak"', "back\\slash", "tab\tand\nline", "&amp;", "{{ beak }}", " ", "e\u0301", "\u2028",
]  # fmt: skip


def of_module(module="m", count=3, **changes):
    return x_features(count, module=module, **changes)


def opinion(*names, votes=None):
    return Opinion(list(names), ["" for _ in names] if votes is None else list(votes))


def contents(names, founds):
    return [names.of(found) for found in founds]


# What is said of a module


def test_what_was_said_is_found_again_and_of_others_nothing_is_known():
    names, found = Names(), of_module()
    assert not names.knows(found)
    assert names.of(found) == opinion("", "", "")
    said = opinion("beak", "", "wing", votes=["trust", "distrust", ""])
    names.note(found, said)
    assert names.knows(found)
    assert names.of(found) == said
    assert not names.knows(of_module("other"))
    assert names.of(of_module("other", 5, label="tit")) == opinion("", "", "", "", "")


def test_a_name_belongs_to_the_module_whatever_the_picture():
    names = Names()
    names.note(of_module(seed=1, score=3.0, top="tit"), opinion("beak", "", ""))
    assert names.of(of_module(seed=2, score=1.0, top="crow")) == opinion("beak", "", "")


def test_what_is_said_later_replaces_what_was_said_before():
    names, found = Names(), of_module()
    names.note(found, opinion("beak", "tail", "", votes=["trust", "", ""]))
    names.note(found, opinion("", "wing", "", votes=["", "distrust", ""]))
    assert names.of(found) == opinion("", "wing", "", votes=["", "distrust", ""])
    assert names.suggestions() == ["wing"]
    names.note(found, opinion("", "", ""))
    assert names.of(found) == opinion("", "", "")
    assert names.suggestions() == []


def test_what_was_handed_over_can_be_changed_without_changing_it():
    names, found, said = Names(), of_module(), opinion("beak", "", "")
    names.note(found, said)
    said.names[0] = said.votes[0] = "changed"
    names.of(found).names[1] = "changed"
    assert names.of(found) == opinion("beak", "", "")


def test_names_and_votes_that_are_not_as_many_are_refused_and_nothing_is_lost():
    names, found = Names(), of_module()
    names.note(found, opinion("beak", "", ""))
    with pytest.raises(ValueError, match="there are 3 x-features"):
        names.note(found, opinion("a", "b", "c", votes=["trust"]))
    assert names.of(found) == opinion("beak", "", "")


def test_a_vote_that_a_file_would_be_refused_for_is_refused():
    names, found = Names(), of_module()
    with pytest.raises(ValueError, match="a vote of 'trust', 'distrust' or '' for each"):
        names.note(found, opinion("a", "b", "c", votes=["maybe", "", ""]))
    assert not names.knows(found)


def test_a_file_nested_without_end_is_refused(tmp_path):
    (tmp_path / "names").write_text("[" * 10**5)
    with pytest.raises(ValueError, match="holds no names"):
        Names.load(tmp_path / "names")


def test_a_file_of_fewer_names_than_x_features_is_refused(tmp_path):
    names, found = Names(), of_module()
    names.note(found, opinion("a", "b", "c"))
    names.save(tmp_path / "names")
    text = json.loads((tmp_path / "names").read_text("utf-8"))
    [module] = text["modules"].values()
    module["x-features"].pop()
    (tmp_path / "names").write_text(json.dumps(text))
    with pytest.raises(ValueError, match="are of 2 x-features, not of 3"):
        Names.load(tmp_path / "names").of(found)


# Other modules of the same class


def test_names_of_another_module_for_the_same_are_refused_in_one_sentence():
    names = Names()
    names.note(of_module("one", label="wren"), opinion("beak", "", ""))
    sentence = (
        "these names are of another module for 'wren', fitted with other images, options or seed; "
        r"load that module with xw\.ExplanationModule\.load, or name this one in another file"
    )
    with pytest.raises(ValueError, match=sentence) as caught:
        names.of(of_module("two", label="wren"))
    assert "\n" not in str(caught.value)
    assert names.of(of_module("one", label="wren")) == opinion("beak", "", "")
    assert not names.knows(of_module("two", label="wren"))


@pytest.mark.parametrize("name", ["network_name", "layer", "label", "method"])
def test_a_module_for_something_else_may_stand_beside_it(name):
    names, found = Names(), of_module("two", **{name: "another"})
    names.note(of_module("one"), opinion("beak", "", ""))
    assert names.of(found) == opinion("", "", "")
    names.note(found, opinion("wing", "", ""))
    assert contents(names, [of_module("one"), found]) == [
        opinion("beak", "", ""), opinion("wing", "", "")
    ]  # fmt: skip


def test_both_of_two_modules_for_the_same_can_be_named():
    names = Names()
    for module, name in (("one", "beak"), ("two", "wing")):
        names.note(of_module(module), opinion(name, "", ""))
    assert names.of(of_module("one")).names[0] == "beak"
    assert names.of(of_module("two")).names[0] == "wing"
    with pytest.raises(ValueError, match="another module"):
        names.of(of_module("three"))


# What others say


def test_what_others_say_is_taken_over_and_theirs_holds():
    mine, theirs = Names(), Names()
    founds = [of_module(module) for module in "abc"]
    mine.note(founds[0], opinion("beak", "", ""))
    mine.note(founds[1], opinion("wing", "tail", "", votes=["trust", "", ""]))
    theirs.note(founds[1], opinion("foot", "", "", votes=["", "distrust", ""]))
    theirs.note(founds[2], opinion("eye", "", ""))
    mine.add(theirs)
    assert contents(mine, founds) == [
        opinion("beak", "", ""),
        opinion("foot", "", "", votes=["", "distrust", ""]),
        opinion("eye", "", ""),
    ]
    assert not theirs.knows(founds[0])
    assert contents(theirs, founds[1:]) == contents(mine, founds[1:])
    mine.note(founds[2], opinion("", "", "leg"))
    assert theirs.of(founds[2]) == opinion("eye", "", "")


def test_suggestions_are_all_names_once_and_sorted():
    for order in permutations(("one", "two", "three")):
        names = Names()
        for module in order:
            names.note(of_module(module), opinion("wing", f"beak {module}", ""))
        assert names.suggestions() == ["beak one", "beak three", "beak two", "wing"]
    assert Names().suggestions() == []


# Files


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
opinions = st.lists(st.tuples(texts, st.sampled_from(VOTES)), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(texts, opinions, max_size=4))
def test_any_names_survive_a_file(tmp_path_factory, said):
    path = tmp_path_factory.mktemp("names") / "names.json"
    names = Names()
    for module, pairs in said.items():
        names.note(
            of_module(module, len(pairs)),
            Opinion([name for name, _ in pairs], [vote for _, vote in pairs]),
        )
    names.save(path)
    again = Names.load(path)
    founds = [of_module(module, len(pairs)) for module, pairs in said.items()]
    assert contents(again, founds) == contents(names, founds)
    assert again.suggestions() == names.suggestions()


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_odd_names_stay_as_they_were_typed(tmp_path, kind):
    names, found = Names(), of_module(count=len(ODD))
    names.note(found, opinion(*ODD))
    names.save(kind(tmp_path / "names.json"))
    assert Names.load(kind(tmp_path / "names.json")).of(found).names == ODD
    assert {*names.suggestions()} == {*ODD}
    assert [path.name for path in tmp_path.iterdir()] == ["names.json"]


def test_people_can_read_the_file(tmp_path):
    names = Names()
    names.note(of_module("f00", 2, label="Grünfink", target=3),
               opinion("gelber Schnabel ü", "黄", votes=["trust", ""]))  # fmt: skip
    names.save(tmp_path / "names.json")
    text = (tmp_path / "names.json").read_text("utf-8")
    assert "gelber Schnabel ü" in text
    assert "黄" in text
    assert len(text.splitlines()) > 10
    assert json.loads(text) == {
        "modules": {
            "f00": {
                "network": "birds",
                "layer": "classifier.0",
                "label": "Grünfink",
                "method": "srae",
                "x-features": [
                    {"name": "gelber Schnabel ü", "vote": "trust"},
                    {"name": "黄", "vote": ""},
                ],
            }
        }
    }


def test_a_file_of_another_module_is_refused_when_it_is_asked(tmp_path):
    names = Names()
    names.note(of_module("one"), opinion("beak", "", ""))
    names.save(tmp_path / "names.json")
    again = Names.load(tmp_path / "names.json")
    with pytest.raises(ValueError, match="these names are of another module for"):
        again.of(of_module("two"))
    assert again.of(of_module("one")) == opinion("beak", "", "")


def test_writing_again_replaces_the_file(tmp_path):
    path, names = tmp_path / "names.json", Names()
    for name in ("a long name that is not there any more", "beak"):
        names.note(of_module(), opinion(name, "", ""))
        names.save(path)
    assert Names.load(path).suggestions() == ["beak"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_crash_leaves_the_older_file_whole_and_nothing_else(tmp_path, monkeypatch, error):
    path, names = tmp_path / "names.json", Names()
    names.note(of_module(), opinion("beak", "", ""))
    names.save(path)
    names.note(of_module(), opinion("wing", "", ""))

    def crash(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(type(error)):
            names.save(path)
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]
    assert Names.load(path).suggestions() == ["beak"]
    assert names.suggestions() == ["wing"]
    names.save(path)
    assert Names.load(path).suggestions() == ["wing"]


def test_a_name_that_cannot_be_written_leaves_the_older_file_whole(tmp_path):
    path, names = tmp_path / "names.json", Names()
    names.note(of_module(), opinion("beak", "", ""))
    names.save(path)
    names.note(of_module(), opinion("\ud800", "", ""))  # half a character
    with pytest.raises(UnicodeEncodeError):
        names.save(path)
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]
    assert Names.load(path).suggestions() == ["beak"]


def known(**changes):
    one = {
        "network": "birds", "layer": "classifier.0", "label": "wren", "method": "srae",
        "x-features": [{"name": "beak", "vote": "trust"}],
    }  # fmt: skip
    return json.dumps({"modules": {"m": one | changes}}).encode()


DAMAGED = {
    "empty": b"",
    "text": b"yellow beak",
    "cut": known()[:-9],
    "bytes": bytes(range(256)),
    "utf-16": known().decode().encode("utf-16"),
    "list": b"[]",
    "number": b"3",
    "nothing": b"null",
    "no-modules": b"{}",
    "list-of-modules": b'{"modules": []}',
    "null-modules": b'{"modules": null}',
    "text-module": b'{"modules": {"m": "beak"}}',
    "no-features": b'{"modules": {"m": {"network": "birds"}}}',
    "empty-features": known(**{"x-features": []}),
    "text-features": known(**{"x-features": "beak"}),
    "text-feature": known(**{"x-features": ["beak"]}),
    "no-name": known(**{"x-features": [{"vote": "trust"}]}),
    "no-vote": known(**{"x-features": [{"name": "beak"}]}),
    "number-name": known(**{"x-features": [{"name": 3, "vote": ""}]}),
    "null-name": known(**{"x-features": [{"name": None, "vote": ""}]}),
    "other-vote": known(**{"x-features": [{"name": "beak", "vote": "maybe"}]}),
    "list-vote": known(**{"x-features": [{"name": "beak", "vote": []}]}),
    "null-vote": known(**{"x-features": [{"name": "beak", "vote": None}]}),
    "second": known(**{"x-features": [{"name": "a", "vote": ""}, {"name": "b", "vote": "?"}]}),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_of_something_else_is_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / "names.json"
    path.write_bytes(DAMAGED[name])
    with pytest.raises(ValueError, match="holds no names of x-features") as caught:
        Names.load(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(repr(str(path)))
    assert str(caught.value).endswith("give another file")
    assert path.read_bytes() == DAMAGED[name]


def test_what_is_refused_above_is_so_for_its_fault_alone(tmp_path):
    (tmp_path / "names.json").write_bytes(known())
    assert Names.load(tmp_path / "names.json").suggestions() == ["beak"]


def test_every_cut_of_a_file_is_refused(tmp_path):
    path, names = tmp_path / "names.json", Names()
    names.note(of_module(), opinion(*ODD[:3]))
    names.save(path)
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 5), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="holds no names of x-features"):
            Names.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file of names at '.*gone\.json'; check"):
        Names.load(tmp_path / "gone.json")
    with pytest.raises(ValueError, match="holds no names of x-features"):
        Names.load(tmp_path)


def test_names_are_as_many_as_the_x_features():
    for count in (1, 2, 7):
        found = of_module(count=count)
        assert Names().of(found) == Opinion([""] * count, [""] * count)
        assert len(found.weights) == count
        assert np.array_equal(found.order, np.argsort(-found.contributions, kind="stable"))


# A file that several change


def test_of_two_who_change_one_file_nothing_is_lost(tmp_path):
    path, found = tmp_path / "names.json", of_module()
    mine, theirs = Names(), Names()
    mine.note_in(path, found, opinion("beak", "", "", votes=["trust", "", ""]))
    held = theirs.note_in(path, found, opinion("", "wing", ""))
    assert held == opinion("beak", "wing", "", votes=["trust", "", ""])
    held = mine.note_in(path, found, opinion("bill", "", ""))
    assert held == Names.load(path).of(found) == opinion("bill", "wing", "")


def test_what_could_not_be_written_is_written_later_and_others_keep_theirs(tmp_path, monkeypatch):
    path, first, second = tmp_path / "names.json", of_module("first"), of_module("second")
    mine = Names()
    mine.note_in(path, first, opinion("beak", "", ""))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: os.stat(tmp_path / "gone"))
        with pytest.raises(OSError, match="could not be written"):
            mine.note_in(path, first, opinion("beak", "wing", ""))
    Names.load(path).note_in(path, first, opinion("beak", "", "tail"))
    mine.note_in(path, second, opinion("crown", "", ""))
    written = Names.load(path)
    assert written.of(first) == mine.of(first) == opinion("beak", "wing", "tail")
    assert written.of(second) == opinion("crown", "", "")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from("abc"))))
def test_the_last_who_names_an_x_feature_names_it(tmp_path_factory, said):
    path, found = tmp_path_factory.mktemp("names") / "names.json", of_module()
    people = [Names(), Names()]
    shown = [opinion("", "", "")] * 2
    expected = ["", "", ""]
    for who, which, name in said:
        names = list(shown[who].names)
        if names[which] != name:
            expected[which] = name
        names[which] = name
        shown[who] = people[who].note_in(path, found, opinion(*names))
    assert not said or Names.load(path).of(found).names == expected


PROCESS = """
import sys
from tests.results.test_names import of_module, opinion
from xwidgets.results.names import Names
path, who = sys.argv[1:]
names = Names()
for number in range(30):
    names.note_in(path, of_module(f"{who} {number}"), opinion(who, "", ""))
"""


def test_four_processes_lose_none_of_their_opinions(tmp_path):
    path = tmp_path / "names.json"
    command = [sys.executable, "-c", PROCESS, str(path)]
    running = [subprocess.Popen([*command, who], cwd=ROOT) for who in "abcd"]
    assert [process.wait(200) for process in running] == [0] * 4
    names = Names.load(path)
    assert all(
        names.of(of_module(f"{who} {number}")).names[0] == who
        for who in "abcd"
        for number in range(30)
    )
    assert {path.name for path in tmp_path.iterdir()} <= {"names.json", ".names.json.lock"}


def test_what_a_newer_version_wrote_besides_stays(tmp_path):
    path, found = tmp_path / "names.json", of_module("m", 1)
    content = json.loads(known(layer="classifier.0", mood="good"))
    content["modules"]["m"]["x-features"][0]["color"] = "red"
    path.write_text(json.dumps(content | {"version": 9}), "utf-8")
    Names().note_in(path, found, opinion("wing"))
    written = json.loads(path.read_text("utf-8"))
    assert written["version"] == 9
    assert written["modules"]["m"]["mood"] == "good"
    [feature] = written["modules"]["m"]["x-features"]
    assert feature == {"name": "wing", "vote": "trust", "color": "red"}


def test_a_file_that_another_process_holds_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    path = tmp_path / "names.json"
    with (
        files.locked(path),
        pytest.raises(OSError, match="' is being changed by another process; try again when"),
    ):
        Names().note_in(path, of_module(), opinion("beak", "", ""))
    Names().note_in(path, of_module(), opinion("beak", "", ""))
    assert Names.load(path).suggestions() == ["beak"]
