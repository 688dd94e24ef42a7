"""Acts that are tried in each host; each answers "yes" or "picture", or raises an error."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import soon
from tests.browser.stage import codes

PATIENCE = 45_000
"""Milliseconds in which a part is drawn."""
WAIT = 20_000
"""Milliseconds for anything else."""
expect.set_options(timeout=WAIT)


def changes(page: Page, canvas: Locator, act: Callable[[], None]) -> None:
    """Check that pixels of a canvas become others by an act."""
    before = codes(canvas)
    act()
    assert soon(page, lambda: len(now := codes(canvas)) != len(before) or (now != before).any()), (
        "the map stays as it was"
    )


def slides(page: Page) -> str:
    """Slider of finished maps."""
    slider = page.locator(".xw-overlay [aria-label=window]:visible").first
    slider.wait_for(timeout=PATIENCE)
    changes(page, page.locator(".xw-overlay .xw-map").first, lambda: slider.press("End"))
    return "yes"


def computes(page: Page) -> str:
    """Explorer that asks the kernel: map, status, sentence, and the ranking of another class."""
    view = page.locator(".xw-explorer")
    slider = view.get_by_label("window in pixels")
    slider.wait_for(timeout=PATIENCE)
    sentence = view.locator(".xw-overlay .xw-finding")
    before = sentence.inner_text()
    changes(page, view.locator(".xw-overlay .xw-map"), lambda: slider.press("End"))
    expect(view.locator(".xw-overlay .xw-status")).to_have_text("complete")
    expect(sentence).not_to_have_text(before)
    heading = page.locator(".xw-ranking .xw-heading")
    before = heading.inner_text()
    view.locator(".xw-classes button").nth(1).click()
    expect(heading).not_to_have_text(before)
    return "yes"


def compares(page: Page) -> str:
    """Two maps and their difference, which are read together."""
    view = page.locator(".xw-comparison")
    maps = view.locator(".xw-map:visible")
    maps.nth(2).wait_for(timeout=PATIENCE)
    maps.first.hover(position={"x": 60, "y": 60})
    for place in range(3):
        expect(view.locator(".xw-readout:visible").nth(place)).to_contain_text("row")
    return "yes"


def sorts(page: Page) -> str:
    """Ranking that is sorted by a click."""
    table = page.locator(".xw-ranking")
    head = table.get_by_role("columnheader", name="channel").get_by_role("button")
    head.wait_for(timeout=PATIENCE)
    rows = table.locator(".xw-row")
    before = rows.all_inner_texts()
    head.click()
    assert soon(page, lambda: rows.all_inner_texts() != before), "the rows stay as they were"
    return "yes"


def paints(page: Page) -> str:
    """Region that is painted on an ipycanvas, and its value."""
    kept = page.locator(".xw-marked img:visible, img[alt*='no region of it was removed']:visible")
    canvas = page.locator(".xw-painter canvas:visible")
    canvas.or_(kept).first.wait_for(timeout=PATIENCE)
    if kept.count():
        return "picture"
    canvas = canvas.first
    canvas.scroll_into_view_if_needed()
    assert soon(page, lambda: codes(canvas)[3::4].any()), "the canvas stays empty"
    box = canvas.bounding_box()
    places = [(box["x"] + x / 64 * box["width"], box["y"] + y / 64 * box["height"])
              for x, y in ((41, 26), (45, 32))]  # fmt: skip
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=5)
    page.mouse.up()
    value = page.locator(".xw-region-scores tbody .xw-evidence").first
    expect(value).to_contain_text("bits", timeout=PATIENCE)
    return "yes"


def charts(page: Page) -> str:
    """Chart by bqplot, or its drawing."""
    line = page.locator(".bqplot path.line")
    drawing = page.locator("img[src^='data:image/svg']")
    line.or_(drawing).first.wait_for(state="attached", timeout=PATIENCE)
    return "yes" if line.count() else "picture"


def escapes(page: Page) -> str:
    """Labels with markup, which stay text."""
    view = page.locator(".xw-view").filter(has_text="<b>bold</b> & <i>more</i>")
    view.first.wait_for(timeout=PATIENCE)
    expect(page.locator("b", has_text=re.compile("^bold$"))).to_have_count(0)
    return "yes"


ACTS = {
    "slider of finished maps": slides,
    "explorer that computes": computes,
    "comparison": compares,
    "ranking sorted": sorts,
    "region painted (ipycanvas)": paints,
    "chart (bqplot)": charts,
    "markup stays text": escapes,
}
"""Head of a column, and what is tried."""
NEED_A_KERNEL = ("explorer that computes",)
