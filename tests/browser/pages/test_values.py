"""A map in words and its values as a table, in a page without a kernel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import xwidgets as xw
from tests.results.examples import relevance

from ..lab import browser_page
from .test_everywhere import AXE, RULES

SIDE = 40
"""Side of the maps in pixels, so that a cell of the table stands for 5 x 5 of them."""


def of(window: int, seed: int) -> xw.Relevance:
    values = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    values[:5, :5] = 0.001
    values[10:15, 35:] = np.nan
    return relevance(
        values=values, image=np.full((SIDE, SIDE, 3), 120, np.uint8), label="<i>wren</i>",
        parameters={"window": window}, completed=1.0, standard_error=None,
    )  # fmt: skip


MAPS = [of(4, 0), of(8, 1)]


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    xw.RelevanceOverlay(MAPS).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True, width=390) as page:
        page.goto((tmp_path / "page.html").as_uri())
        yield page


def table(page: Page) -> Locator:
    return page.get_by_role("table")


def open_by_keyboard(page: Page) -> None:
    page.locator(".xw-values summary").focus()
    page.keyboard.press("Enter")
    expect(table(page)).to_be_visible()


def cells(page: Page) -> list[list[str]]:
    rows = table(page).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def numbers(texts: list[list[str]]) -> np.ndarray:
    signs = str.maketrans({"−": "-", "–": "nan", "≈": " "})
    return np.array([[text.strip("()").translate(signs) for text in row] for row in texts], float)


def means(values: np.ndarray, top: int = 0, left: int = 0, side: int = 5) -> np.ndarray:
    return np.array(
        [
            [np.nanmean(values[top + y * side :, left + x * side :][:side, :side])
             if np.isfinite(values[top + y * side :, left + x * side :][:side, :side]).any()
             else np.nan for x in range(8)]
            for y in range(8)
        ]
    )  # fmt: skip


def test_the_table_has_the_means_of_the_map_at_hand(page: Page) -> None:
    expect(table(page)).to_be_hidden()
    open_by_keyboard(page)
    caption = table(page).locator("caption")
    expect(caption).to_contain_text("Means over parts of the picture in bits, by rows and columns")
    expect(caption).to_contain_text("In brackets: all of it is hatched.")
    expect(caption).to_contain_text("in steps of 0.05.")
    assert cells(page)[0][0] == "(≈ 0)"
    assert cells(page)[2][7] == "–"
    for at, result in enumerate(MAPS):
        page.get_by_label("window", exact=True).fill(str(at))
        np.testing.assert_allclose(numbers(cells(page)), means(result.values), atol=0.04)
    expect(table(page).get_by_role("columnheader").first).to_have_text("0–4")
    expect(table(page).get_by_role("rowheader").last).to_have_text("35–39")


def test_brackets_follow_what_is_hatched(page: Page) -> None:
    open_by_keyboard(page)
    end = max(float(np.nanmax(np.abs(result.values))) for result in MAPS)
    largest = np.nan_to_num(np.abs(MAPS[0].values), nan=-1).reshape(8, 5, 8, 5).max((1, 3))
    known = largest >= 0
    counts = []
    for percent in (75, 0):  # more than the steps in which values travel from any largest
        page.get_by_label("too small", exact=True).fill(str(percent))
        brackets = np.array([[text.startswith("(") for text in row] for row in cells(page)])
        expected = known & (largest < percent / 100 * end)
        np.testing.assert_array_equal(brackets, expected)
        counts.append(int(expected.sum()))
    assert 10 < counts[0] < known.sum()
    assert counts[1] == 0


def test_an_enlarged_map_has_a_table_of_what_is_shown_down_to_its_pixels(page: Page) -> None:
    open_by_keyboard(page)
    canvas = page.locator(".xw-map")
    canvas.focus()
    for _ in range(3):
        page.keyboard.press("+")
    expect(table(page).locator("caption")).to_contain_text("Values in bits")
    first = int(table(page).get_by_role("rowheader").first.inner_text())
    left = int(table(page).get_by_role("columnheader").first.inner_text())
    count = len(cells(page))
    shown = MAPS[0].values[first : first + count, left : left + count]
    np.testing.assert_allclose(numbers(cells(page)), shown, atol=0.11)


def test_it_is_for_everyone_and_no_wider_than_a_telephone(page: Page) -> None:
    open_by_keyboard(page)
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(RULES) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.emulate_media(media="print")
    expect(table(page)).to_be_visible()


def test_the_map_says_what_it_shows_to_who_does_not_see_it(page: Page) -> None:
    canvas = page.locator(".xw-map")
    for at in (1, 0):
        page.get_by_label("window", exact=True).fill(str(at))
        told = page.locator(".xw-finding").inner_text()
        assert "strongest in the " in told
        words = f"Signed relevance: {MAPS[at].title}. {told} Arrow keys read pixels"
        assert (canvas.get_attribute("aria-label") or "").startswith(words)


def test_maps_of_several_methods_have_a_table_each(browser: Browser, tmp_path: Path) -> None:
    xw.MethodComparison(MAPS).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True, width=390) as page:
        page.goto((tmp_path / "page.html").as_uri())
        for at, result in enumerate(MAPS):
            page.locator(".xw-values summary").nth(at).click()
            rows = page.locator(".xw-values table").nth(at).locator("tbody tr")
            expect(rows.first).to_be_visible()
            texts = [row.locator("td").all_inner_texts() for row in rows.all()]
            np.testing.assert_allclose(numbers(texts), means(result.values), atol=0.04)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.set_viewport_size({"width": 718, "height": 1000})
        tables = page.locator(".xw-values table").all()
        beside = [table.bounding_box()["x"] for table in tables]
        page.emulate_media(media="print")
        below = [table.bounding_box()["x"] for table in tables]
        assert beside[0] < beside[1]
        assert below[0] == below[1], "nothing scrolls on paper"


def test_compared_maps_whose_tables_are_open_are_printed_below_each_other(
    browser: Browser, tmp_path: Path
) -> None:
    xw.Comparison(*MAPS).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True, width=1200) as page:
        page.goto((tmp_path / "page.html").as_uri())
        page.emulate_media(media="print")
        maps = page.locator(".xw-part:visible .xw-map:visible").all()
        assert len({round(canvas.bounding_box()["x"]) for canvas in maps}) == 3
        page.locator(".xw-values summary:visible").first.click()
        assert len({round(canvas.bounding_box()["x"]) for canvas in maps}) == 1
        tables = page.locator(".xw-values .xw-scroll:visible")
        cut = tables.evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
        assert cut == [0]


LINES = """canvas => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const inks = [0, 0, 0, 0]; // lines in the quarters of the map
  for (let i = 0; i < width * height; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    if (data[4 * i + 3]) inks[2 * (row >= height / 2) + (column >= width / 2)]++;
  }
  return inks;
}"""


def test_a_grid_is_hatched_where_its_maps_tell_nothing(browser: Browser, tmp_path: Path) -> None:
    values = np.full((SIDE, SIDE), 0.01, np.float32)
    values[: SIDE // 2, : SIDE // 2] = 1
    large = np.repeat(np.repeat(values, 10, 0), 10, 1)
    maps = [
        relevance(values=one, image=np.full((*one.shape, 3), 120, np.uint8), standard_error=None)
        for one in (values, large)
    ]
    grid = xw.RelevanceGrid([[*maps, maps[0].image]], columns=["one", "other", "picture"])
    grid.to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True, scale=2) as page:
        page.goto((tmp_path / "page.html").as_uri())
        buttons = page.locator(".xw-grid td button")
        for at in (0, 1):
            canvas = buttons.nth(at).locator(".xw-hatching")
            expect(canvas).to_be_visible()
            first, *others = canvas.evaluate(LINES)
            assert first == 0
            assert min(others) > 500
            width = canvas.evaluate("canvas => canvas.width")
            assert width == pytest.approx(2 * canvas.bounding_box()["width"], abs=1)
        expect(buttons.nth(2).locator(".xw-hatching")).to_be_hidden()
        expect(page.locator(".xw-swatch-row")).to_have_text("hatched: within ±0.05 bits")
        buttons.nth(1).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator(".xw-caption")).to_contain_text("75 % of the picture is hatched")
        canvas = dialog.locator(".xw-hatching")
        first, *others = canvas.evaluate(LINES)
        assert first == 0
        assert min(others) > 5000
        page.keyboard.press("ArrowRight")
        expect(canvas).to_be_hidden()
