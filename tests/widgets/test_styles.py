"""The style sheets: a view never styles the page around it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import xwidgets

SHEETS = sorted(Path(xwidgets.__file__).parent.rglob("*.css"))


def selectors(text: str) -> Iterator[str]:
    """Each selector of each rule, those within ``@media`` and ``@container`` too."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for block in re.finditer(r"([^{}]+)\{", text):
        head = block.group(1).split(";")[-1].split("}")[-1].strip()
        if not head.startswith("@"):
            yield from (part.strip() for part in split(head))


def split(head: str) -> list[str]:
    """The selectors of a list, whose commas in brackets are not ends."""
    depth, parts = 0, [""]
    for character in head:
        depth += (character in "([") - (character in ")]")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def test_selectors_are_found() -> None:
    text = """
    /* main { } */ .xw-a, main > p { color: red; --x: 1 } @media (x) { .xw-b:is(a, b) { top: 0; } }
    """
    assert list(selectors(text)) == [".xw-a", "main > p", ".xw-b:is(a, b)"]
    assert len(SHEETS) > 15


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_every_rule_begins_at_a_class_of_ours(path: Path) -> None:
    found = list(selectors(path.read_text("utf-8")))
    assert found
    assert [one for one in found if not re.match(r"\.xw-[a-z-]+", one)] == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_every_sheet_belongs_to_a_module(path: Path) -> None:
    assert path.with_suffix(".mjs").exists()
