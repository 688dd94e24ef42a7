"""Painting a region in JupyterLab: mouse, keys, numbers, a busy kernel, a reloaded page."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from .lab import Notebook

BIRD = """
import xwidgets as xw
scene = xw.scenes.bird(seed=3)
study = xw.Study(xw.network("birds"), scene.image)
"""
BREAST = ((41, 26), (43, 30), (45, 28), (45, 32))
"""Points (x, y) on the bird's breast, which tells it from its twin."""


@pytest.fixture
def notebook(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(BIRD, "painter = xw.RegionPainter(study)\npainter")
    page = notebook.page
    canvas(page).wait_for()
    page.wait_for_function("() => document.querySelector('.xw-painter canvas').role === 'img'")
    until_drawn(page)
    yield notebook
    notebook.kernel("study.close()")


@pytest.fixture
def errors(notebook: Notebook) -> list[str]:
    """Errors of the page from now on."""
    found: list[str] = []
    page = notebook.page
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    return found


def canvas(page: Page):
    return page.locator(".xw-painter canvas")


def until_drawn(page: Page) -> None:
    page.wait_for_function("""() => {
      const canvas = document.querySelector('.xw-painter canvas');
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return data[3] === 255;
    }""")


def seen(page: Page) -> np.ndarray:
    """The canvas as it is on the screen."""
    canvas(page).scroll_into_view_if_needed()
    return np.asarray(Image.open(io.BytesIO(canvas(page).screenshot())).convert("RGB"), int)


def drag(page: Page, *points: tuple[float, float], button: str = "left") -> None:
    """Paint along points (x, y) of the picture, in its pixels."""
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    scale = box["width"] / 64
    places = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down(button=button)
    for place in places:
        page.mouse.move(*place, steps=4)
    page.mouse.up(button=button)


def await_scores(page: Page) -> None:
    expect(page.locator(".xw-region-scores .xw-status")).to_have_text(
        "mean of 20 samples", timeout=60_000
    )


def region(notebook: Notebook) -> int:
    return int(notebook.kernel("print(study.regions.mask.sum())"))


def until_region(notebook: Notebook, condition) -> int:
    for _ in range(100):
        if condition(pixels := region(notebook)):
            return pixels
        notebook.page.wait_for_timeout(100)
    raise AssertionError(f"the region stays at {pixels} pixels")


def test_painting_the_breast_changes_the_scores(notebook: Notebook, errors: list[str]) -> None:
    page = notebook.page
    before = seen(page)
    expect(page.locator(".xw-region-scores .xw-without")).to_have_count(1)  # in the key only
    page.get_by_label("brush size in pixels").fill("10")
    drag(page, *BREAST)
    await_scores(page)
    until_region(notebook, lambda pixels: pixels > 100)
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    changed = np.abs(seen(page) - before).sum(-1) > 30
    edges = [np.nonzero(changed.any(axis))[0][[0, -1]] * 64 / len(changed) for axis in (0, 1)]
    expected = ((36, 50), (21, 37))  # five pixels around the points
    np.testing.assert_allclose(edges, expected, atol=1.5, err_msg="it is drawn elsewhere")
    first = page.locator(".xw-region-scores tbody tr").first
    expect(first.locator("th")).to_have_text("Dune finch (ruby breast)")
    bits = float(
        re.match(r"\+([\d.]+) ± [\d.]+ bits", first.locator(".xw-evidence").inner_text())[1]
    )
    expected = notebook.kernel(
        "r = study.regions.removal.wait(); print(r.evidence[scene.label], r.mask.sum())"
    ).split()
    assert bits == pytest.approx(float(expected[0]), abs=0.006)
    assert bits > 1
    expect(page.locator(".xw-contents img")).to_have_count(6)
    expect(page.locator(".xw-region-tools output").first).to_have_text(f"{expected[1]} pixels")
    assert notebook.kernel(
        "import numpy as np; again = xw.remove_region(study.network, scene.image, r.mask);"
        "print(np.allclose(again.probabilities, r.probabilities))"
    ) == "True\n"  # fmt: skip
    assert errors == []


def test_erasing_clearing_and_other_fillings(notebook: Notebook, errors: list[str]) -> None:
    page = notebook.page
    drag(page, *BREAST)
    painted = until_region(notebook, bool)
    page.get_by_role("button", name="Erase").click()
    drag(page, (42, 27))
    rest = until_region(notebook, lambda pixels: pixels < painted)
    assert rest > 0
    drag(page, (10, 10), (60, 10), button="right")
    assert region(notebook) == rest, "the right button paints nothing"
    page.keyboard.press("Escape")
    page.get_by_label("fill the region with").select_option("grey")
    expect(page.locator(".xw-region-scores .xw-status")).to_have_text("one filling", timeout=30_000)
    expect(page.locator(".xw-evidence").nth(1)).not_to_contain_text("±")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".xw-region-scores .xw-status")).to_have_text("paint a region to remove it")
    expect(page.locator(".xw-contents img")).to_have_count(0)
    assert errors == []


def test_without_a_mouse(notebook: Notebook, errors: list[str]) -> None:
    page = notebook.page
    page.get_by_role("button", name="Paint").focus()
    named = []
    for _ in range(14):
        named.append(
            page.evaluate("""() => {
          const element = document.activeElement;
          return element.tagName + ' ' + (element.ariaLabel ?? element.labels?.[0]?.innerText
            ?? element.innerText).trim();
        }""")
        )
        if named[-1].startswith("SUMMARY"):
            page.keyboard.press("Enter")
        if named[-1] == "INPUT Top":
            for number in ("24", "38", "10", "9"):
                page.keyboard.press("Control+a")
                page.keyboard.type(number)
                page.keyboard.press("Tab")
            break
        page.keyboard.press("Tab")
    assert named == [
        "BUTTON Paint", "BUTTON Erase", "INPUT brush size in pixels",
        "SELECT fill the region with", "SUMMARY Rectangle by numbers", "INPUT Top",
    ]  # fmt: skip
    assert page.evaluate("() => document.activeElement.ariaLabel") == "Add the rectangle"
    page.keyboard.press("Enter")
    await_scores(page)
    notebook.until("m = study.regions.mask; print(m.sum(), m[24:34, 38:47].all())", "90 True")
    expect(canvas(page)).to_have_attribute("aria-label", re.compile("64 × 64 pixels, region of 90"))
    page.get_by_label("Width").fill("60")
    page.get_by_role("button", name="Add the rectangle").click()
    expect(page.locator(".xw-region-tools [role=alert]")).to_contain_text("out of the picture")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 2, "the keys reached the fields, not the notebook"
    assert errors == []


def test_the_canvas_lets_keys_and_the_wheel_through(notebook: Notebook) -> None:
    page = notebook.page
    drag(page, (30, 30))
    page.keyboard.press("b")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 2
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Paint"
    assert page.evaluate("""() => {
      const wheel = new WheelEvent('wheel', { bubbles: true, cancelable: true, deltaY: 100 });
      return document.querySelector('.xw-painter canvas').dispatchEvent(wheel);
    }"""), "nobody prevents scrolling"  # fmt: skip


def test_painting_beyond_the_edge_and_back(notebook: Notebook) -> None:
    page = notebook.page
    drag(page, (60, 40), (80, 40), (80, 50), (60, 50))
    until_region(notebook, bool)
    notebook.until("m = study.regions.mask; print(m[40, 62], m[50, 62])", "True True")


def test_a_reloaded_page_shows_the_same(notebook: Notebook) -> None:
    page = notebook.page
    drag(page, *BREAST)
    page.mouse.move(5, 5)
    await_scores(page)
    page.wait_for_timeout(500)
    before, words = seen(page), page.locator(".xw-region-scores table").inner_text()
    notebook.command("docmanager:save")
    notebook.open()
    canvas(page).wait_for()
    until_drawn(page)
    await_scores(page)
    page.wait_for_timeout(1000)
    after = seen(page)
    assert after.shape == before.shape
    assert np.abs(after - before).mean() < 1
    assert page.locator(".xw-region-scores table").inner_text() == words


def test_a_page_without_a_kernel(notebook: Notebook, folder: Path) -> None:
    page = notebook.page
    drag(page, *BREAST)
    await_scores(page)
    words = page.locator(".xw-region-scores table").inner_text()
    assert notebook.kernel("painter.to_html('region.html')") == ""
    notebook.kernel("study.close()")
    with page.context.new_page() as page:
        page.goto(f"file://{folder / 'region.html'}")
        expect(page.locator(".xw-marked img")).to_be_visible()
        assert page.locator(".xw-region-scores table").inner_text() == words
        expect(page.locator(".xw-contents img")).to_have_count(6)
        expect(page.locator(".xw-region-scores .xw-status")).to_have_text("mean of 20 samples")


def test_without_its_kernel_it_shows_the_picture_with_its_region(notebook: Notebook) -> None:
    page = notebook.page
    marked = page.locator(".xw-region-scores .xw-marked img")
    drag(page, *BREAST)
    await_scores(page)
    expect(marked).to_be_hidden()
    page.evaluate("""() => {
      const context = window.jupyterapp.shell.currentWidget.sessionContext;
      return context.session.kernel.restart();
    }""")
    expect(marked).to_be_visible()
    expect(canvas(page)).to_be_hidden()
    expect(page.locator(".xw-region-scores .xw-finding")).to_contain_text("Without the painted")
    notebook.run_all()
    until_drawn(page)
    expect(marked).to_be_hidden()
