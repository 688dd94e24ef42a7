"""Several methods beside each other: in JupyterLab, and on a page without a kernel."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import xwidgets as xw

from .lab import Notebook, browser_page

STUDY = """
import xwidgets as xw
study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, method=xw.Saliency())
methods = [xw.Saliency(), xw.Deconvnet(), xw.Occlusion(window=16, stride=16)]
"""


def cell(page: Page, number: int):
    return page.locator(".xw-method").nth(number)


def expect_pixel_in_all(page: Page, count: int) -> None:
    for number in range(count):
        expect(cell(page, number).locator(".xw-readout")).to_contain_text("row 20, column 41: ")


def read_pixel(page: Page) -> None:
    """Point at row 20, column 41 of the first map."""
    stage = cell(page, 0).locator(".xw-map")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 41.5 / 64, box["y"] + box["height"] * 20.5 / 64)


def test_methods_are_read_compared_and_randomised(run: Callable[..., Notebook]) -> None:
    notebook = run(STUDY, "view = xw.MethodComparison(study, methods)\nview")
    page = notebook.page
    notebook.until("print(view.progress['state'])", "complete")
    read_pixel(page)
    expect_pixel_in_all(page, 3)
    notebook.until("print(view.pixel)", "[20, 41]")
    expect(cell(page, 1).locator(".xw-agreement")).to_contain_text("Agrees with saliency: 0.")
    cell(page, 1).get_by_role("button", name="deconvnet").press("Enter")
    expect(cell(page, 0).locator(".xw-agreement")).to_contain_text("Agrees with deconvnet: 0.")
    expect(cell(page, 1).locator(".xw-agreement")).to_have_text(
        "The others are compared with this map."
    )
    notebook.until("print(view.chosen)", "1")
    page.get_by_role("button", name="Randomise the weights").click()
    for number in range(3):
        expect(cell(page, number)).to_contain_text(
            "With all 16 layers random: agrees with this map", timeout=120_000
        )
        expect(cell(page, number).locator(".xw-trace polyline")).to_be_visible()
    notebook.until("print(view.randomising.get('state'))", "complete")
    notebook.kernel("view.close(); study.close()")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("methods") / "methods.html"
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    maps = [method.run(net, image) for method in (xw.Saliency(), xw.Deconvnet())]
    xw.MethodComparison(maps).to_html(path)
    return path


@pytest.mark.parametrize("width", [390, 1920])
def test_a_page_reads_without_a_kernel(browser: Browser, exported: Path, width: int) -> None:
    with browser_page(browser, offline=True, width=width) as page:
        page.goto(exported.as_uri())
        read_pixel(page)
        expect_pixel_in_all(page, 2)
        cell(page, 1).get_by_role("button", name="deconvnet").click()
        expect(cell(page, 0).locator(".xw-agreement")).to_contain_text("Agrees with deconvnet")
        expect(page.get_by_role("button", name="Randomise")).to_have_count(0)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
