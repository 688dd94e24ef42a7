"""The page of a survey: points, what is selected, and one map, without a kernel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import xwidgets as xw

from ..fingers import touched
from ..lab import browser_page


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page on which three pictures are selected, and one is opened."""
    folder = tmp_path_factory.mktemp("survey")
    net, scenes = xw.network("birds"), [xw.scenes.bird(seed) for seed in range(20)]
    survey = xw.survey(net, scenes, xw.Saliency(), folder / "birds", progress=False)
    explorer = xw.SurveyExplorer(survey, scenes, net)
    explorer.selected, explorer.opened = [1, 2, 3], 2
    explorer.to_html(folder / "survey.html")
    explorer.close()
    return folder / "survey.html"


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    with browser_page(browser, offline=True) as page:
        page.goto(path.as_uri())
        yield page


def test_points_are_drawn_and_selected_ones_shown(page: Page) -> None:
    expect(page.locator(".xw-survey .xw-card")).to_have_count(3)
    expect(page.locator(".xw-survey .xw-overlay")).to_be_visible()
    painted = page.locator(".xw-scatter canvas").evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
          .filter((value, at) => at % 4 === 3 && value).length"""
    )
    assert painted > 100


def test_only_maps_of_the_selected_are_shown(page: Page) -> None:
    page.get_by_role("button", name="Select none").click()
    expect(page.locator(".xw-survey .xw-card")).to_have_count(0)
    expect(page.locator(".xw-selection .xw-heading")).to_contain_text("Draw a line")
    page.get_by_role("button", name="Select what is shown").click()
    expect(page.locator(".xw-selection .xw-heading")).to_have_text("20 pictures selected")
    expect(page.locator(".xw-survey .xw-card")).to_have_count(3)
    expect(page.locator(".xw-selection")).to_contain_text("where there is a kernel")


def test_the_opened_map_is_closed(page: Page) -> None:
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".xw-survey .xw-overlay")).to_be_hidden()
    expect(page.get_by_role("button", name="Close")).to_be_hidden()


def test_two_fingers_enlarge_the_points_and_select_none(browser: Browser, path: Path) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True) as profile:
        page = profile.new_page()
        page.goto(path.as_uri())
        canvas = page.locator(".xw-scatter canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        fingers = touched(page)
        before = canvas.screenshot()
        fingers("touchStart", (x - 20, y), (x + 20, y))
        for step in range(1, 6):
            fingers("touchMove", (x - 20 - 12 * step, y), (x + 20 + 12 * step, y))
        fingers("touchMove", (x - 80, y + 30))
        fingers("touchEnd")
        page.wait_for_timeout(300)
        assert canvas.screenshot() != before, "other points are shown"
        expect(page.locator(".xw-selection .xw-heading")).to_have_text("3 pictures selected")
        fingers("touchStart", (box["x"] + 2, box["y"] + 2))
        for corner in (
            (box["width"] - 2, 2),
            (box["width"] - 2, box["height"] - 2),
            (2, box["height"] - 2),
        ):
            fingers("touchMove", (box["x"] + corner[0], box["y"] + corner[1]))
        fingers("touchEnd")
        expect(page.locator(".xw-selection .xw-heading")).not_to_have_text("3 pictures selected")
