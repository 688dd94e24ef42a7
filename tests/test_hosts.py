"""The script that fills the table of hosts: what it says of an act, and where it writes that."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.hosts import __main__ as script
from scripts.hosts.acts import ACTS
from scripts.hosts.hosts import HOSTS, Host

FIRST, SECOND = list(ACTS)[:2]


def host(**options) -> Host:
    return Host(options.pop("name", "JupyterLab"), lambda place: nullcontext(), **options)


def refuse(page):
    raise ValueError("the map stays as it was")


def test_what_fails_is_no_with_its_reason_and_is_printed(monkeypatch, capsys) -> None:
    monkeypatch.setitem(ACTS, FIRST, refuse)
    place = SimpleNamespace(page=None)
    assert script.answer(host(), FIRST, place) == "no"
    assert script.answer(host(limits={FIRST: "it has no slider"}), FIRST, place) == (
        "no: it has no slider"
    )
    assert capsys.readouterr().err.count("ValueError: the map stays") == 2


def test_what_does_not_apply_is_not_tried(monkeypatch) -> None:
    monkeypatch.setitem(ACTS, FIRST, refuse)
    monkeypatch.setitem(ACTS, SECOND, refuse)
    place = SimpleNamespace(page=None)
    assert script.answer(host(absent=(FIRST,)), FIRST, place) == "–"
    assert script.answer(host(kernel=False), SECOND, place) == "–"


def test_a_row_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    document = tmp_path / "hosts.md"
    document.write_text("before\n\n<!-- python -m scripts.hosts -->\n\n\n\n<!-- end -->\n\nafter\n")
    one, other = HOSTS[0], HOSTS[1]
    for each, answers in ((other, "yes"), (one, "no"), (one, "yes")):
        script.write(each, [f"**{each.name}** 1.0", *[answers] * len(ACTS), "0", ""], document)
    text = document.read_text()
    assert text.startswith("before")
    assert text.endswith("after\n")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert [line.split("**")[1] for line in rows] == [one.name, other.name]
    assert "no" not in rows[0].split("|")


@pytest.mark.parametrize("each", HOSTS, ids=lambda one: one.name)
def test_every_host_has_a_row(each: Host) -> None:
    rows = script.DOCUMENT.read_text("utf-8").splitlines()
    (row,) = [line for line in rows if line.startswith(f"| **{each.name}** ")]
    assert row.count("|") == 1 + len(ACTS) + 3
    assert "does not open" not in row
