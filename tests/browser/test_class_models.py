"""Class models in JupyterLab: growth, stop, frames on the way, choice of the class."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .lab import Notebook

STUDY = """
import xwidgets as xw
study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image)
explorer = xw.ClassModelExplorer(study, seeds=(0, 1), iterations=32)
explorer
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(STUDY)
    notebook.page.locator(".xw-class-models .xw-seed").first.wait_for(timeout=60_000)
    yield notebook
    notebook.kernel("study.close()")


STATE = "print(study.class_models.growing.progress.state)"


def test_it_grows_stops_and_goes_on(opened: Notebook) -> None:
    view = opened.page.locator(".xw-class-models")
    expect(view.locator(".xw-seed img")).to_have_count(2)
    opened.kernel("explorer.hear_move('iterations', 256)")
    view.get_by_role("button", name="Stop").click()
    opened.until(STATE, "stopped")
    view.get_by_role("button", name="Continue").click()
    opened.until(STATE, "computing")
    opened.kernel("explorer.hear_move('iterations', 16)")
    opened.kernel("study.class_models.growing.wait()")
    expect(view.locator(".xw-strip button")).to_have_count(9)
    expect(view.locator("polyline")).to_have_count(4)


def test_frames_are_chosen_by_click_and_keyboard(opened: Notebook) -> None:
    page = opened.page
    opened.kernel("study.class_models.move(iterations=16)")
    opened.kernel("study.class_models.growing.wait()")
    view = page.locator(".xw-class-models")
    words = view.locator(".xw-seed figcaption").first
    newest = words.inner_text()
    view.get_by_role("button", name="Frame of step 0", exact=True).click()
    expect(words).not_to_have_text(newest)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(words).to_have_text(newest)
    opened.until("print(explorer.shown)", "-1")


def test_another_class_is_chosen(opened: Notebook) -> None:
    view = opened.page.locator(".xw-class-models")
    view.get_by_label("class", exact=True).select_option("Fern finch (striped crown)")
    opened.until("print(study.network.class_name(study.target))", "Fern finch (striped crown)")
    expect(view.locator(".xw-heading")).to_contain_text("Fern finch (striped crown)")


def test_a_page_without_a_kernel_is_alive(opened: Notebook, folder: Path) -> None:
    opened.kernel("study.class_models.move(iterations=16)")
    opened.kernel("study.class_models.growing.wait()")
    opened.kernel(f"explorer.to_html({str(folder / 'page.html')!r})")
    with opened.page.context.new_page() as page:
        page.goto((folder / "page.html").as_uri())
        words = page.locator(".xw-seed figcaption").first
        newest = words.inner_text()
        page.get_by_role("button", name="Frame of step 0", exact=True).click()
        expect(words).not_to_have_text(newest)
        expect(page.get_by_text("λ and regularisers")).to_be_hidden()
