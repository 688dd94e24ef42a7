"""Maps side by side: read by mouse and keys, enlarged and closed, in JupyterLab."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Notebook

GRID = """
import numpy as np
import xwidgets as xw
net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
maps = [[xw.saliency(net, xw.scenes.bird(seed=seed).image, target) for target in (6, 7)]
        for seed in (3, 8)]
rows = [[*row, row[0].image] for row in maps]
grid = xw.RelevanceGrid(rows, ["first bird", "second bird"], ["ruby", "speckled", "picture"])
grid
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Notebook:
    notebook = run(GRID)
    cell(notebook.page, "first bird, ruby").wait_for(timeout=60_000)
    return notebook


@pytest.fixture
def grid(opened: Notebook) -> Notebook:
    """The notebook with nothing enlarged and the focus on the first map."""
    opened.kernel("grid.enlarged = []")
    expect(opened.page.get_by_role("dialog")).to_be_hidden()
    cell(opened.page, "first bird, ruby").focus()
    return opened


def cell(page: Page, name: str) -> Locator:
    return page.locator(".xw-grid table").get_by_role("button", name=name)


def test_every_map_has_a_name_with_its_numbers(grid: Notebook) -> None:
    page = grid.page
    expect(page.locator(".xw-grid table").get_by_role("button")).to_have_count(6)
    expect(cell(page, "second bird, speckled: saliency")).to_have_attribute(
        "aria-label", grid.kernel("""
r = maps[1][1]
high = np.format_float_positional(float(f"{r.values.max():.3g}"), trim="-")
from xwidgets.results.sentences import sentence
print(f"second bird, speckled: {r.title}; strongest {high} {r.unit}. {sentence(r)}", end="")
""")
    )  # fmt: skip
    expect(page.get_by_role("columnheader", name="speckled")).to_be_visible()
    expect(page.get_by_role("rowheader", name="second bird")).to_be_visible()
    widths = page.locator(".xw-grid td img").evaluate_all("found => found.map(i => i.naturalWidth)")
    assert widths == [64] * 6


def test_pointing_at_a_map_reads_it(grid: Notebook) -> None:
    page = grid.page
    cell(page, "second bird, ruby").hover()
    expect(page.locator(".xw-readout")).to_contain_text("second bird, ruby: saliency")
    expect(page.locator(".xw-readout")).to_contain_text("; strongest ")


def test_keys_move_enlarge_and_close_and_stay_in_the_grid(grid: Notebook) -> None:
    page = grid.page
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "second bird, speckled")).to_be_focused()
    expect(page.locator(".xw-readout")).to_contain_text("second bird, speckled")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("second bird, speckled")
    assert dialog.locator("img").bounding_box()["width"] > 400
    grid.until("print(grid.enlarged)", "[1, 1]")
    page.keyboard.press("ArrowUp")
    expect(dialog).to_contain_text("first bird, speckled")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cell(page, "first bird, speckled")).to_be_focused()
    grid.until("print(grid.enlarged)", "[]")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 1, "the keys reached the grid, not the notebook"


def test_cells_take_the_room_there_is(grid: Notebook) -> None:
    page = grid.page
    picture = page.locator(".xw-grid td img").first
    wide = page.viewport_size
    assert wide is not None
    assert picture.bounding_box()["width"] == pytest.approx(224, abs=1)
    page.set_viewport_size({"width": 420, "height": 800})
    assert picture.bounding_box()["width"] == pytest.approx(128, abs=1)
    scroll = page.locator(".xw-grid .xw-scroll")
    assert scroll.evaluate("one => one.scrollWidth > one.clientWidth"), "what has no room scrolls"
    page.set_viewport_size(wide)


def test_only_one_map_is_in_the_tab_order(grid: Notebook) -> None:
    page = grid.page
    page.keyboard.press("ArrowRight")
    stops = page.locator('.xw-grid table button[tabindex="0"]')
    expect(stops).to_have_count(1)
    expect(stops).to_be_focused()


def test_a_click_enlarges_and_python_does_too(grid: Notebook) -> None:
    page = grid.page
    cell(page, "first bird, picture").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("first bird, picture: the picture")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    grid.until("print(grid.enlarged)", "[]")
    grid.kernel("grid.enlarged = [1, 0]")
    expect(dialog).to_contain_text("second bird, ruby")


def test_another_map_that_is_opened_at_once_stays_open(grid: Notebook) -> None:
    page = grid.page
    dialog = page.get_by_role("dialog")
    cell(page, "second bird, ruby").click()
    expect(dialog).to_contain_text("second bird, ruby")
    another = cell(page, "first bird, picture").element_handle()
    dialog.evaluate("(dialog, another) => { dialog.close(); another.click(); }", another)
    page.wait_for_timeout(200)
    expect(dialog).to_contain_text("first bird, picture")
    grid.until("print(grid.enlarged)", "[0, 2]")
