"""One scale, hatching, a map of nothing, and help, in a page without a kernel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import xwidgets as xw
from tests.results.examples import relevance

from ..lab import browser_page
from ..stage import codes

SIDE = 32


def of(window: int, strength: float) -> xw.Relevance:
    values = np.zeros((SIDE, SIDE), np.float32)
    values[8:16, 8:16] = strength  # which lies across the ninths of the picture
    return relevance(
        values=values, image=np.full((SIDE, SIDE, 3), 120, np.uint8), label="<i>wren</i>",
        parameters={"window": window, "measure": "evidence"}, completed=1.0,
        standard_error=np.full((SIDE, SIDE), 0.01, np.float32), probability=0.9999,
    )  # fmt: skip


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    maps = [of(4, 2.0), of(6, 0.5), of(8, 0.03)]
    xw.RelevanceOverlay(maps).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True, width=390, scale=2) as page:
        page.goto((tmp_path / "page.html").as_uri())
        yield page


def look_at(page: Page, number: int) -> None:
    page.get_by_label("window", exact=True).fill(str(number))


def painted(page: Page) -> np.ndarray:
    return codes(page.locator(".xw-map")).reshape(SIDE, SIDE, 4)


def test_one_scale_holds_until_it_is_unlocked(page: Page) -> None:
    lock = page.get_by_role("button", name="One scale for all maps")
    strong = painted(page)[10, 10]
    look_at(page, 1)
    expect(page.locator(".xw-high")).to_have_text("+2.00")
    weak = painted(page)[10, 10]
    assert (weak != strong).any(), "a quarter of the effect is paler"
    lock.click()
    expect(page.locator(".xw-lock")).to_have_text("Scale of this map alone")
    expect(page.locator(".xw-high")).to_have_text("+0.500")
    np.testing.assert_array_equal(painted(page)[10, 10], strong)


def test_what_tells_nothing_is_hatched_at_the_devices_resolution(page: Page) -> None:
    assert (painted(page)[..., 3] > 0).sum() == 64
    hatching = page.locator(".xw-hatching")
    box, width = hatching.bounding_box(), hatching.evaluate("canvas => canvas.width")
    assert width == pytest.approx(2 * box["width"], abs=1)
    lines = codes(hatching).reshape(-1, width, 4)
    inside, outside = lines[width // 3 : width // 2 - 8, width // 3 : width // 2 - 8], lines[-40:]
    assert not inside[..., 3].any()
    assert {0, 255} <= set(outside[..., 0][outside[..., 3] > 0].tolist())
    expect(page.locator(".xw-swatch-row")).to_have_text(
        "hatched: within ±0.05 bits, or not told from zero (2 standard errors)"
    )


def test_a_map_of_nothing_says_so_and_what_to_call(page: Page) -> None:
    notice, finding = page.locator(".xw-notice"), page.locator(".xw-finding")
    expect(notice).to_be_hidden()
    expect(finding).to_contain_text("Most of what speaks for '<i>wren</i>' is in the centre")
    look_at(page, 2)
    expect(notice).to_contain_text("nothing here changes the score by more than 0.05 bits")
    expect(notice).to_contain_text("The network is sure of '<i>wren</i>' (> 99.9 %)")
    expect(notice).to_contain_text('xw.prediction_difference(..., measure="difference")')
    expect(notice.get_by_role("button")).to_be_hidden()
    expect(finding).to_be_hidden()
    page.get_by_label("too small", exact=True).fill("0")
    page.get_by_label("Hatch what is within").uncheck()
    expect(notice).to_be_hidden()


def test_help_opens_by_keyboard_fits_the_page_and_closes(page: Page) -> None:
    button = page.get_by_role("button", name="What does “bits” mean?")
    button.focus()
    page.keyboard.press("Enter")
    box = page.locator(".xw-help-box:popover-open")
    expect(box).to_contain_text("Log2 odds")
    expect(box.get_by_role("link")).to_have_attribute("href", "https://en.wikipedia.org/wiki/Logit")
    place = box.bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(button).to_be_focused()
    for other in page.locator("button.xw-help:visible").all():
        other.click()
        place = box.bounding_box()
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= 390
        page.keyboard.press("Escape")
