"""Notebooks are committed with what they show, small, and for who sees no widgets."""

import json
from pathlib import Path

import pytest
from PIL import Image

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LARGEST = 2_000_000
"""Bytes of a notebook."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def outputs(path: Path) -> list[dict]:
    notebook = json.loads(path.read_text("utf-8"))
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]


@each_notebook
def test_it_shows_something_and_is_small(path: Path) -> None:
    shown = {kind for one in outputs(path) for kind in one.get("data", {})}
    assert shown & {"image/png", "text/html"}
    assert path.stat().st_size < LARGEST
    assert "widgets" not in json.loads(path.read_text("utf-8"))["metadata"]


@each_notebook
def test_it_ran_from_the_first_cell_to_the_last(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    counts = [one["execution_count"] for one in notebook["cells"] if one["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [one for one in outputs(path) if one["output_type"] == "error"]


@each_notebook
def test_no_output_needs_a_widget_or_speaks_of_a_machine(path: Path) -> None:
    for output in outputs(path):
        assert not [kind for kind in output.get("data", {}) if "widget" in kind]
        text = json.dumps(output)
        assert "/tmp/" not in text
        assert "/home/" not in text
        assert "/.cache/" not in text
        assert str(Path.home()) not in text
        assert "Traceback" not in text


def test_the_picture_of_the_readme_shows_what_the_quickstart_says() -> None:
    folder = NOTEBOOKS[0].parents[1]
    first = outputs(folder / "notebooks" / "quickstart.ipynb")[0]
    with Image.open(folder / "docs" / "quickstart.png") as picture:
        assert "".join(first["data"]["text/plain"]).endswith(picture.text["sentence"])
