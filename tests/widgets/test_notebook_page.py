"""Notebooks as pages in which the views live."""

import os
import re
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import xwidgets as xw
from xwidgets.widgets._notebook_page import STATE, VIEW, notebook_page, page_of_state

from .pages import states as states_on


def saved(path: Path, *widgets: ipywidgets.Widget) -> Path:
    """A notebook that was run and showed these widgets."""
    cells = [
        new_code_cell(
            "view",
            outputs=[
                new_output(
                    "display_data",
                    {VIEW: {"model_id": widget.model_id}, "text/plain": "in place of a view"},
                )
            ],
        )
        for widget in widgets
    ]
    notebook = new_notebook(cells=[new_markdown_cell("# A lesson"), *cells])
    notebook.metadata.widgets = {STATE: ipywidgets.Widget.get_manager_state()}
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def study(net: xw.Network, image) -> xw.Study:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1) as study:
        study.wait()
        yield study


def test_views_have_the_state_that_they_have_on_their_own_pages(study, tmp_path: Path) -> None:
    overlay = xw.RelevanceOverlay(study)
    found = page_of_state(overlay.model_id, ipywidgets.Widget.get_manager_state()["state"])
    (part,) = found.parts
    (own,) = overlay.to_page().parts
    assert part.module == own.module
    for name in ("photo", "frames", "shape", "color_map"):
        (tmp_path / "one.html").write_text(found.html, "utf-8")
        (tmp_path / "other.html").write_text(overlay.to_page().html, "utf-8")
        one, other = (states_on(tmp_path / f"{page}.html")[0][name] for page in ("one", "other"))
        assert one == other


def test_a_group_keeps_its_parts_but_for_those_that_ask_a_kernel(study) -> None:
    explorer = xw.Explorer(study)
    page = page_of_state(explorer.model_id, ipywidgets.Widget.get_manager_state()["state"])
    panes, *others = page.parts
    assert set(panes.held["parts"]) == {"classes", "map"}
    assert len(others) == 2
    assert panes.state["alive"] is False


def test_links_in_the_browser_are_kept(study) -> None:
    maps = [xw.RelevanceOverlay(study.wait()) for _ in range(2)]
    link = ipywidgets.jslink((maps[0], "opacity"), (maps[1], "opacity"))
    pair = ipywidgets.HBox(maps)
    page = page_of_state(pair.model_id, ipywidgets.Widget.get_manager_state()["state"])
    assert page.shared == ["opacity"]
    link.close()


def test_other_widgets_leave_what_stands_in_their_place(study, tmp_path: Path) -> None:
    path = saved(tmp_path / "lesson.ipynb", ipywidgets.IntSlider(), xw.RelevanceOverlay(study))
    html = notebook_page(path)
    assert html.count("in place of a view") == 1
    assert html.count('class="xw-page"') == 1
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert '<script src="h' not in html


def test_answers_stay_folded_and_pictures_are_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "a picture.png").write_bytes(b"PNG")
    path = saved(tmp_path / "lesson.ipynb")
    notebook = nbformat.read(path, 4)
    notebook.cells += [
        new_markdown_cell("<details><summary>Answer</summary>\n\nThe *beak*.\n\n</details>"),
        new_markdown_cell("![a bird](a%20picture.png) ![another](https://there/b.png)"),
    ]
    nbformat.write(notebook, path)
    html = notebook_page(path)
    assert re.search(r"</summary>\s*<p>The <em>beak</em>.</p>\s*</details>", html)
    assert 'src="data:image/png;base64,UE5H"' in html
    assert 'src="https://there/b.png"' in html


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "damaged.ipynb").write_text("{", "utf-8")
    for name in ("damaged.ipynb", "missing.ipynb"):
        with pytest.raises(ValueError, match=f"{name}' is no notebook that can be read"):
            notebook_page(tmp_path / name)
    here, there = os.pipe()
    with open(there, "wb"), pytest.raises(TypeError, match=r"path is .*, but must be the path"):
        notebook_page(here)  # type: ignore[arg-type]
    os.close(here)  # which is as open as before


def test_a_notebook_without_states_keeps_its_pictures(study, tmp_path: Path) -> None:
    path = saved(tmp_path / "lesson.ipynb", xw.RelevanceOverlay(study))
    notebook = nbformat.read(path, 4)
    del notebook.metadata["widgets"]
    nbformat.write(notebook, path)
    assert "in place of a view" in notebook_page(path)
