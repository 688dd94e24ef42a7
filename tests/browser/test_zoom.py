"""Enlarging a map and moving it, on pages without a kernel and in JupyterLab."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

import xwidgets as xw

from .fingers import touched
from .lab import Notebook, browser_page
from .stage import await_colors, differs, seen

SIDE = 64  # pixels of the picture


@pytest.fixture(scope="module")
def result() -> xw.Relevance:
    image = xw.scenes.bird(seed=3).image
    return xw.prediction_difference(xw.network("birds"), image, samples=1, stride=4)


@pytest.fixture(scope="module")
def exported(result: xw.Relevance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zoom") / "bird.html"
    narrow = xw.prediction_difference(
        xw.network("birds"), xw.scenes.bird(seed=3).image, window=5, samples=1, stride=4
    )
    view = xw.RelevanceOverlay([narrow, result])
    view.outline = True
    view.to_html(path)
    return path


@pytest.fixture
def offline(browser: Browser, exported: Path) -> Iterator[Page]:
    with browser_page(browser, offline=True) as page:
        page.goto(exported.as_uri())
        await_colors(page)
        yield page


def pixel_under(page: Page, x: float, y: float, stage: int = 0) -> tuple[int, int]:
    """Row and column under a point of the screen, from where the enlarged map stands."""
    box = page.locator(".xw-map").nth(stage).bounding_box()
    assert box is not None
    return int((y - box["y"]) / box["height"] * SIDE), int((x - box["x"]) / box["width"] * SIDE)


def middle(
    page: Page, down: float = 0.5, right: float = 0.5, stage: int = 0
) -> tuple[float, float]:
    """A point of the stage on the screen, by default its middle: x and y."""
    box = page.locator(".xw-stage").nth(stage).bounding_box()
    assert box is not None
    return box["x"] + right * box["width"], box["y"] + down * box["height"]


def times(page: Page, stage: int = 0) -> float:
    """How many times the map is enlarged, from its size on the screen."""
    sizes = [page.locator(name).nth(stage).bounding_box() for name in (".xw-map", ".xw-stage")]
    return sizes[0]["width"] / sizes[1]["width"]


def expect_reading(page: Page, pixel: tuple[int, int]) -> None:
    row, column = pixel
    expect(page.locator(".xw-readout").first).to_contain_text(f"row {row}, column {column}:")


def read_value(page: Page) -> float:
    text = page.locator(".xw-readout").first.inner_text()
    return float(text.split(": ")[1].split()[0].replace("−", "-"))


def inset(page: Page) -> Locator:
    return page.locator(".xw-inset").first


def test_a_wheel_with_ctrl_enlarges_about_the_pointer_and_without_scrolls(
    offline: Page, result: xw.Relevance
) -> None:
    x, y = middle(offline, 0.3, 0.4)
    offline.mouse.move(x, y)
    before = pixel_under(offline, x, y)
    expect_reading(offline, before)
    offline.keyboard.down("Control")
    for _ in range(4):
        offline.mouse.wheel(0, -100)
    offline.keyboard.up("Control")
    expect(offline.locator(".xw-times").first).to_have_text("4 ×")
    assert times(offline) == pytest.approx(4, abs=0.02)
    assert pixel_under(offline, x, y) == before
    expect_reading(offline, before)
    offline.mouse.move(x + 100, y + 60)
    here = pixel_under(offline, x + 100, y + 60)
    expect_reading(offline, here)
    choice = offline.get_by_label("window", exact=True)
    choice.focus()
    offline.keyboard.press("End")  # the map that is given as result
    assert times(offline) == pytest.approx(4, abs=0.02), "kept through slider moves"
    offline.mouse.move(x + 101, y + 60)
    assert read_value(offline) == pytest.approx(float(result.values[here]), abs=0.02)
    offline.set_viewport_size({"width": 1000, "height": 300})
    x, y = middle(offline, 0.1)
    offline.mouse.move(x, y)
    offline.mouse.wheel(0, 60)
    offline.wait_for_function("() => document.scrollingElement.scrollTop > 0")
    assert times(offline) == pytest.approx(4, abs=0.02)


def test_keys_enlarge_read_beyond_the_part_and_show_the_whole(offline: Page) -> None:
    canvas = offline.locator(".xw-map").first
    canvas.focus()
    whole = seen(offline)
    expect(inset(offline)).to_be_hidden()
    for _ in range(3):
        canvas.press("+")
    assert times(offline) == pytest.approx(8)
    assert differs(whole, seen(offline))
    expect(inset(offline)).to_have_attribute(
        "aria-label", "shown: rows 28 to 35, columns 28 to 35 of 64 × 64 pixels"
    )
    for _ in range(6):
        canvas.press("ArrowDown")
    expect_reading(offline, (38, 32))
    expect(inset(offline)).to_have_attribute("aria-label", "shown: rows 31 to 38, columns 28 to 35"
                                             " of 64 × 64 pixels")  # fmt: skip
    marker, stage = (offline.locator(name).bounding_box() for name in (".xw-marker", ".xw-stage"))
    assert (
        stage["y"]
        < marker["y"]
        < marker["y"] + marker["height"]
        <= stage["y"] + stage["height"] + 2
    )
    canvas.press("-")
    assert times(offline) == pytest.approx(4)
    canvas.press("0")
    assert times(offline) == pytest.approx(1)
    expect(inset(offline)).to_be_hidden()


def test_dragging_moves_the_map_a_click_reads_and_a_double_click_shows_the_whole(
    offline: Page,
) -> None:
    offline.locator(".xw-map").first.focus()
    offline.keyboard.press("+")
    offline.keyboard.press("+")
    x, y = middle(offline, 0.52, 0.52)  # not where four pixels meet
    offline.mouse.move(x, y)
    grasped = pixel_under(offline, x, y)
    offline.mouse.down()
    offline.mouse.move(x + 120, y - 90, steps=5)
    assert pixel_under(offline, x + 120, y - 90) == grasped
    expect_reading(offline, grasped)
    offline.mouse.up()
    assert pixel_under(offline, x + 120, y - 90) == grasped
    offline.mouse.move(x, y)
    assert pixel_under(offline, x + 120, y - 90) == grasped, "no button is held"
    offline.mouse.click(x - 50, y + 20)
    expect_reading(offline, pixel_under(offline, x - 50, y + 20))
    offline.mouse.dblclick(x, y)
    assert times(offline) == pytest.approx(1)
    offline.mouse.down()
    offline.mouse.move(x + 50, y)
    offline.mouse.up()
    assert times(offline) == pytest.approx(1)
    expect_reading(offline, pixel_under(offline, x + 50, y))


def test_buttons_enlarge_and_are_named(offline: Page) -> None:
    tools = offline.get_by_role("group", name="zoom")
    expect(tools.locator(".xw-zoom-tools")).to_have_css("opacity", "0")
    more, whole = (tools.get_by_role("button", name=name) for name in ("zoom in", "show the whole"))
    expect(tools.get_by_role("button", name="zoom out")).to_have_attribute("aria-disabled", "true")
    more.focus()
    expect(tools.locator(".xw-zoom-tools")).to_have_css("opacity", "1")
    offline.keyboard.press("Enter")
    offline.keyboard.press("Enter")
    assert times(offline) == pytest.approx(4)
    for _ in range(4):
        offline.keyboard.press("Enter")
    assert times(offline) == pytest.approx(16)
    expect(more).to_have_attribute("aria-disabled", "true")
    whole.press("Enter")
    assert times(offline) == pytest.approx(1)
    expect(whole).to_be_focused()


def test_two_fingers_enlarge_and_one_moves(browser: Browser, exported: Path) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, device_scale_factor=2
    ) as profile:
        page = profile.new_page()
        page.goto(exported.as_uri())
        await_colors(page)
        fingers = touched(page)
        x, y = middle(page)
        held = pixel_under(page, x, y)
        fingers("touchStart", (x - 20, y), (x + 20, y))
        for step in range(1, 6):
            fingers("touchMove", (x - 20 - 12 * step, y), (x + 20 + 12 * step, y))
        fingers("touchEnd")
        assert times(page) == pytest.approx(4, abs=0.1)
        row, column = pixel_under(page, x, y)
        assert np.abs(np.subtract((row, column), held)).max() <= 1
        fingers("touchStart", (x, y))
        for step in range(1, 6):
            fingers("touchMove", (x + 12 * step, y + 6 * step))
        fingers("touchEnd")
        assert times(page) == pytest.approx(4, abs=0.1)
        moved = pixel_under(page, x + 60, y + 30)
        assert np.abs(np.subtract(moved, (row, column))).max() <= 1
        assert page.evaluate("visualViewport.scale") == 1, "the page itself is as it was"


def test_the_png_is_of_the_whole_and_lines_stay_thin(offline: Page) -> None:
    def saved() -> np.ndarray:
        with offline.expect_download() as download:
            offline.get_by_role("button", name="Save PNG").click()
        return np.asarray(Image.open(BytesIO(Path(download.value.path()).read_bytes())), int)

    whole = saved()
    offline.locator(".xw-map").first.focus()
    for _ in range(3):
        offline.keyboard.press("+")
    enlarged = saved()
    assert whole.shape == enlarged.shape
    assert np.abs(whole - enlarged).max() == 0
    widths = offline.evaluate("""() => {
      const canvas = document.querySelector('.xw-hatching');
      return [canvas.clientWidth, canvas.width / devicePixelRatio];
    }""")
    assert widths[0] == pytest.approx(offline.locator(".xw-stage").bounding_box()["width"], abs=1)
    assert widths[1] == pytest.approx(widths[0], abs=1), "drawn for the part that is shown"


def test_maps_that_are_compared_show_one_part_without_a_kernel(
    browser: Browser, result: xw.Relevance, tmp_path: Path
) -> None:
    other = xw.prediction_difference(
        xw.network("birds"), xw.scenes.bird(seed=3).image, window=4, samples=1, stride=4
    )
    for name, view in (
        ("comparison", xw.Comparison(result, other)),
        ("methods", xw.MethodComparison([result, other])),
    ):
        view.to_html(tmp_path / f"{name}.html")
        with browser_page(browser, offline=True, dark=True) as page:
            page.goto((tmp_path / f"{name}.html").as_uri())
            canvas = page.locator(".xw-map:visible")
            canvas.first.wait_for()
            count = canvas.count()
            assert count == {"comparison": 3, "methods": 2}[name]
            canvas.nth(1).focus()
            page.keyboard.press("+")
            page.keyboard.press("ArrowLeft")
            expect(page.locator(".xw-times:visible")).to_have_text(["2 ×"] * count)
            assert [times(page, at) for at in range(count)] == pytest.approx([2] * count)
            read = page.locator(".xw-readout:visible").all_inner_texts()
            assert {text.split(":")[0] for text in read} == {"row 32, column 31"}


STUDIES = """
import xwidgets as xw
net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
left, right = (xw.Study(net, image, window=k, samples=1, stride=4) for k in (8, 4))
"""
SHOWN = """
import ipywidgets
comparison = xw.Comparison(left, right)
methods = xw.MethodComparison([xw.saliency(net, image), xw.excitation_backprop(net, image)])
overlay = xw.RelevanceOverlay(left)
link = ipywidgets.link((overlay, "zoom"), (methods, "zoom"))
ipywidgets.VBox([comparison, methods, overlay])
"""


def test_maps_that_are_compared_show_one_part_and_python_knows_it(
    run: Callable[..., Notebook],
) -> None:
    notebook = run(STUDIES, SHOWN)
    page = notebook.page
    page.locator(".xw-map:visible").nth(5).wait_for()
    canvas = page.locator(".xw-comparison .xw-map:visible").first
    canvas.focus()
    canvas.press("+")
    canvas.press("+")
    for _ in range(20):
        canvas.press("ArrowLeft")
    expect(page.locator(".xw-comparison .xw-times:visible")).to_have_text(["4 ×"] * 3)
    parts = [
        one.get_attribute("aria-label")
        for one in page.locator(".xw-comparison .xw-inset:visible").all()
    ]
    assert len(parts) == 3
    assert set(parts) == {"shown: rows 24 to 39, columns 12 to 27 of 64 × 64 pixels"}
    look = "print([(one.zoom, one.center) for one in comparison._maps])"
    notebook.until(look, "[(4.0, [0.5, 0.3125]), (4.0, [0.5, 0.3125])]")
    notebook.kernel("overlay.zoom = 8")
    expect(page.locator(".xw-methods .xw-times")).to_have_text(["8 ×"] * 2)
    notebook.kernel("left.window = 6; left.wait()")
    expect(page.locator(".xw-comparison .xw-times:visible")).to_have_text(["4 ×"] * 3)
    notebook.kernel("left.close(); right.close()")
