"""Two samplers side by side in JupyterLab, and on a page without a kernel."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from .lab import Notebook, browser_page, soon
from .stage import codes

SIDES = """
import xwidgets as xw
net, image = xw.network("birds"), xw.scenes.bird(seed=8).image
fills = xw.ConstantSampler(0.5), xw.ConstantSampler(0.0)
left, right = (xw.Study(net, image, window=8, sampler=fill, {options}) for fill in fills)
"""


def compared(run: Callable[..., Notebook], options: str) -> Iterator[Notebook]:
    shown = "comparison = xw.Comparison(left, right); comparison"
    notebook = run(SIDES.format(options=options), shown)
    notebook.page.locator(".xw-map").nth(2).wait_for()
    yield notebook
    notebook.kernel("left.close(); right.close()")


@pytest.fixture
def quick(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    """Both maps take about a second."""
    yield from compared(run, "samples=1, stride=4")


@pytest.fixture
def slow(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    """Both maps take minutes."""
    yield from compared(run, "samples=50")


def maps(page: Page) -> np.ndarray:
    """The pixels of the three maps, RGBA."""
    shown = page.locator(".xw-map:visible").all()
    return np.array([codes(canvas) for canvas in shown])


def await_complete(page: Page) -> None:
    for place in range(3):
        expect(page.locator(".xw-status").nth(place)).to_have_text("complete", timeout=60_000)


def expect_one_pixel(page: Page, pointed: int) -> None:
    """Pointing at a pixel of one map reads it in all three."""
    canvas = page.locator(".xw-map:visible").nth(pointed)
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * 20.5 / 64, "y": box["height"] * 32.5 / 64})
    for place in range(3):
        expect(page.locator(".xw-readout:visible").nth(place)).to_contain_text("row 32, column 20:")


def test_two_samplers_and_their_difference_stand_side_by_side(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    captions = page.locator("figcaption:visible")
    expect(captions).to_have_text(["ConstantSampler(value=0.5)", "ConstantSampler(value=0.0)",
                                   "Difference: left minus right"])  # fmt: skip
    boxes = [one.bounding_box() for one in page.locator(".xw-map:visible").all()]
    assert len({round(box["y"]) for box in boxes}) == 1, "in one row"
    assert boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]
    ends = page.locator(".xw-high:visible").all_inner_texts()
    assert ends[0] == ends[1] != ends[2]
    expect(page.locator(".xw-for:visible").nth(2)).to_contain_text("more for")
    assert (maps(page)[..., 3::4] > 0).any(1).all()


def test_one_slider_moves_both_and_moving_back_is_instant(slow: Notebook) -> None:
    page = slow.page
    slow.kernel(
        "import time\nwhile min(left.progress.share, right.progress.share) < 0.01: time.sleep(0.1)"
    )
    slider = page.get_by_label("window in pixels")
    expect(slider).to_have_count(1)
    slider.focus()
    page.keyboard.press("ArrowRight")
    slow.until("print(left.window, right.window)", "9 9")
    assert float(slow.kernel("print(left.progress.share)")) < 0.01
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(700)
    shares = slow.kernel("print(left.progress.share, right.progress.share)").split()
    assert min(map(float, shares)) >= 0.01, "both go on from where they were"
    assert (maps(page)[..., 3::4] > 0).any(1).all()


def test_a_pixel_is_read_in_all_maps_and_controls_change_all(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    read = page.locator(".xw-readout:visible")
    expect_one_pixel(page, 1)
    first, second, gap = (
        float(text.split(": ")[1].split()[0].replace("−", "-")) for text in read.all_inner_texts()
    )
    assert gap == pytest.approx(first - second, abs=0.1)
    before = maps(page)
    page.get_by_label("colour map").locator("visible=true").select_option("magenta-green")
    assert soon(page, lambda: (maps(page) != before).any(1).all())


def test_what_is_too_small_is_hatched_in_all_maps(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    shares = (maps(page)[:, 3::4] > 0).mean(1)
    least = page.get_by_label("too small", exact=True).locator("visible=true")
    least.focus()
    page.keyboard.press("End")
    assert soon(page, lambda: ((maps(page)[:, 3::4] > 0).mean(1)[:2] < shares[:2]).all())


def test_another_picture_on_one_side_says_why_there_is_no_difference(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    quick.kernel("right.image = image.flip(-1)")
    note = page.locator(".xw-note:visible")
    expect(note).to_contain_text("Maps of different pictures have no difference", timeout=30_000)
    expect(page.locator(".xw-map:visible")).to_have_count(2)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparison") / "samplers.html"
    scope: dict = {}
    exec(SIDES.format(options="samples=1, stride=4"), scope)
    xw, left, right = scope["xw"], scope["left"], scope["right"]
    with left, right:
        for study in (left, right):
            study.at(4)
            study.wait()
        xw.Comparison(left, right).to_html(path)
    return path


@pytest.fixture
def offline(browser: Browser, exported: Path) -> Iterator[Page]:
    with browser_page(browser, offline=True, width=1100) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(exported.as_uri())
        page.locator(".xw-map").nth(2).wait_for()
        yield page
        assert all(url.startswith(("file:", "data:")) for url in asked)


def test_the_page_slides_and_reads_without_a_kernel(offline: Page) -> None:
    before = maps(offline)
    assert len(before) == 3
    sizes = offline.get_by_label("window", exact=True).locator("visible=true")
    expect(sizes).to_have_attribute("aria-valuetext", "8 × 8 pixels")
    sizes.focus()
    offline.keyboard.press("ArrowLeft")
    expect(sizes).to_have_attribute("aria-valuetext", "4 × 4 pixels")
    assert (maps(offline) != before).any(1).all()
    ends = offline.locator(".xw-high:visible").all_inner_texts()
    assert ends[0] == ends[1] != ends[2]
    expect_one_pixel(offline, 2)
    expect(offline.get_by_role("button", name="Save PNG")).to_have_count(0)


@pytest.mark.parametrize(("width", "rows"), [(400, 3), (700, 2), (1400, 1)])
def test_maps_stand_below_each_other_where_there_is_no_room(
    browser: Browser, exported: Path, width: int, rows: int
) -> None:
    with browser_page(browser, offline=True, width=width) as page:
        page.goto(exported.as_uri())
        page.locator(".xw-map").nth(2).wait_for()
        boxes = [one.bounding_box() for one in page.locator(".xw-map:visible").all()]
        assert len({round(box["y"]) for box in boxes}) == rows
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


ESTIMATED = """
import numpy as np, xwidgets as xw
values = np.array([[4, 1], [-1, 0]], np.float32)
error = np.array([[1, 0.25], [0.75, np.nan]], np.float32)
picture = np.zeros((2, 2, 3), np.uint8)
result = xw.Relevance(values, picture, "bits", "test", "none", 0, "wren", {}, standard_error=error)
"""


def test_standard_errors_are_read_and_what_is_uncertain_is_hatched(
    browser: Browser, tmp_path: Path
) -> None:
    scope: dict = {}
    exec(ESTIMATED, scope)
    path = tmp_path / "estimated.html"
    scope["xw"].RelevanceOverlay(scope["result"]).to_html(path)
    with browser_page(browser, offline=True) as page:
        page.goto(path.as_uri())
        canvas = page.locator(".xw-map")
        box = canvas.bounding_box()
        canvas.hover(position={"x": box["width"] * 0.25, "y": box["height"] * 0.25})
        expect(page.locator(".xw-readout")).to_have_text("row 0, column 0: +4.00 ± 1.0 bits")
        assert (maps(page)[0, 3::4] > 0).tolist() == [True, True, False, False]
        expect(page.locator(".xw-hatching")).to_be_visible()
        page.get_by_label("Hatch what is within 2 standard errors of zero").uncheck()
        assert (maps(page)[0, 3::4] > 0).tolist() == [True, True, True, False]  # it is 0
        page.get_by_label("too small", exact=True).press("Home")
        assert (maps(page)[0, 3::4] > 0).tolist() == [True, True, True, True]
        expect(page.locator(".xw-hatching")).to_be_hidden()


def test_the_legend_says_what_is_hatched_in_each_map(browser: Browser, tmp_path: Path) -> None:
    scope: dict = {}
    exec(ESTIMATED, scope)
    path, result = tmp_path / "paired.html", scope["result"]
    scope["xw"].Comparison(result, result).to_html(path)
    with browser_page(browser, offline=True, width=1100) as page:
        page.goto(path.as_uri())
        legends = page.locator(".xw-overlay[data-controls='none'] .xw-swatch-row")
        noise = "hatched: within ±0.05 bits, or not told from zero (2 standard errors)"
        expect(legends).to_have_text([noise, noise, "hatched: within ±0.05 bits"])
