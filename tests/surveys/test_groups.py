"""Groups that people named stay in the survey's folder, whoever else names some."""

import json
import threading

import pytest

from xwidgets.surveys.groups import Groups


def test_groups_are_kept_replaced_and_removed(tmp_path):
    groups = Groups(tmp_path, 10)
    assert groups.all() == {}
    groups.put("  water \n mark ", [5, 3, 5])
    groups.put("wings", [1])
    groups.put("wings", [2])
    assert Groups(tmp_path, 10).all() == {"water mark": [3, 5], "wings": [2]}
    groups.remove("wings")
    groups.remove("unheard of")
    assert groups.all() == {"water mark": [3, 5]}


@pytest.mark.parametrize(
    ("name", "numbers", "sentence"),
    [
        ("", [1], "the group has no name; give it one"),
        ("mark", [], "no pictures are selected; select some"),
        ("mark", [10], "picture 10 does not exist: the survey has pictures 0 to 9"),
        (3, [1], "name is a int, but must be a text"),
    ],
)
def test_what_cannot_be_named_is_refused(tmp_path, name, numbers, sentence):
    with pytest.raises(ValueError, match=sentence):
        Groups(tmp_path, 10).put(name, numbers)
    assert not (tmp_path / "groups.json").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"groups": []}', '{"groups": {"a": [99]}}', '{"groups": {"a": 3}}', "{"],
)
def test_a_damaged_file_is_said_and_stays(tmp_path, text):
    path = tmp_path / "groups.json"
    path.write_text(text)
    groups = Groups(tmp_path, 10)
    for act in (groups.all, lambda: groups.put("mark", [1]), lambda: groups.remove("mark")):
        with pytest.raises(
            ValueError, match=r"groups.json' cannot be read as groups .*; correct it"
        ):
            act()
    assert path.read_text() == text


def test_what_other_versions_keep_there_stays(tmp_path):
    (tmp_path / "groups.json").write_text('{"groups": {"a": [1]}, "later": {"b": 2}}')
    Groups(tmp_path, 10).put("b", [2])
    held = json.loads((tmp_path / "groups.json").read_text())
    assert held == {"groups": {"a": [1], "b": [2]}, "later": {"b": 2}}


def test_no_name_of_several_people_is_lost(tmp_path):
    def name(person):
        for number in range(8):
            Groups(tmp_path, 10).put(f"{person} {number}", [number])

    people = [threading.Thread(target=name, args=(person,)) for person in "abc"]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    assert len(Groups(tmp_path, 10).all()) == 24
