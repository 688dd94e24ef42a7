"""The deconvolution lesson: in JupyterLab by mouse and keys, and in a page without a kernel."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import xwidgets as xw

from .lab import Notebook

LESSON = """
import xwidgets as xw
lesson = xw.DeconvolutionLesson()
lesson
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Notebook:
    notebook = run(LESSON)
    notebook.page.locator(".xw-lesson").wait_for(timeout=60_000)
    return notebook


def test_keys_and_fields_are_heard_in_the_kernel(opened: Notebook) -> None:
    page = opened.page
    page.get_by_role("button", name="y₁ =").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    expect(page.locator(".xw-reading")).to_have_text(
        "y₂ = w₁·x₁ + w₂·x₂ + w₃·x₃ + w₄·x₄ = (−1)·0 + 0·1 + 0·3 + 1·4 = 4"
    )
    expect(page.locator(".xw-vector td[data-active]")).to_have_text(["0", "1", "3", "4"])
    opened.until("print(lesson.row)", "1")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 1, "the keys reached the lesson, not the notebook"
    page.get_by_label("Stride s").fill("1")
    page.keyboard.press("Enter")
    opened.until("print(lesson.convolution.stride)", "1")
    expect(page.locator(".xw-product tbody tr")).to_have_count(9)
    opened.kernel("lesson.part = 'transpose'")
    expect(page.locator(".xw-product tbody tr")).to_have_count(12)


def test_a_page_without_a_kernel_computes_all(page: Page, tmp_path: Path) -> None:
    xw.DeconvolutionLesson().to_html(tmp_path / "page.html")
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_label("Filter w", exact=True).fill("-1, 0, 0, 0, 1")
    page.keyboard.press("Enter")
    expect(page.locator(".xw-panel")).to_contain_text("W is 4 × 12")
    page.locator(".xw-product tbody tr").nth(3).hover()
    expect(page.locator(".xw-reading")).to_contain_text("y₄ = ")
    page.get_by_role("button", name="3 Back to x").click()
    expect(page.locator(".xw-verdict")).to_contain_text("W Wᵀ is no multiple of I")
    page.get_by_role("button", name="4 Sub-pixel trick").click()
    for _ in range(5):
        page.get_by_role("button", name="Next").click()
    expect(page.locator(".xw-verdict")).to_contain_text("The 12 dot products equal Wᵀ y")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()


def test_what_cannot_be_is_said_and_changes_nothing(page: Page, tmp_path: Path) -> None:
    xw.DeconvolutionLesson().to_html(tmp_path / "page.html")
    page.goto((tmp_path / "page.html").as_uri())
    for field, text, sentence in (
        ("Filter w", "", "The filter must be 1 to 8 finite numbers"),
        ("Filter w", "1, x", "The filter must be 1 to 8 finite numbers"),
        ("Filter w", "0, 0", "The filter has zeros only"),
        ("Stride s", "0", "The stride must be a whole number from 1"),
        ("Padding p", "4", "The padding must be a whole number from 0 to 3"),
    ):
        page.get_by_label(field, exact=True).fill(text)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        expect(page.locator(".xw-panel")).to_contain_text("W is 5 × 12")


def test_unpooling_is_read_by_keys_and_reports_a_number_below_zero(
    page: Page, tmp_path: Path
) -> None:
    xw.UnpoolingLesson([3, 1, -2, -5]).to_html(tmp_path / "page.html")
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.locator(".xw-unpooling")).to_contain_text("gives 0 in place of −2")
    page.locator(".xw-unpooling button.xw-cell").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".xw-reading").first).to_contain_text("−2 is the largest of −2, −5")
