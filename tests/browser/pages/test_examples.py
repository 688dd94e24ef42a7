"""The examples that people copy: each is built and opened, as its first line says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..lab import ROOT, browser_page, free_port, serving, soon
from ..stage import codes

EXAMPLES = ROOT / "examples"
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser_page(browser) as page:
        yield page


def run(*command: str | Path) -> None:
    """Run Python."""
    subprocess.run([sys.executable, *command], env=ENVIRONMENT, check=True)


@contextmanager
def served(*command: str | Path) -> Iterator[str]:
    """Address of a server that a module of Python starts; it takes a port last."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}/"
    asked: Sequence[str] = [sys.executable, "-m", *map(str, command), port]
    with serving(asked, f"{address}here", ENVIRONMENT):
        yield address


def expect_to_change(page: Page, label: str) -> None:
    """Moving the first visible slider of a name changes the pixels of the map beside it."""
    slider = page.locator(f"[aria-label='{label}']:visible").first
    slider.wait_for(timeout=60_000)
    canvas = page.locator(".xw-map:visible").first
    before = codes(canvas)
    slider.press("End")
    assert soon(page, lambda: (codes(canvas) != before).any())


def test_a_lesson_of_own_html_has_two_views(browser: Browser, tmp_path: Path) -> None:
    run(EXAMPLES / "lesson_page.py", tmp_path / "lesson.html")
    with browser_page(browser, offline=True, width=390) as page:
        page.goto((tmp_path / "lesson.html").as_uri())
        expect(page.locator(".xw-map:visible")).to_have_count(2)
        expect_to_change(page, "window")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_sphinx_site_names_the_extension(browser: Browser, tmp_path: Path) -> None:
    run("-m", "sphinx", "-q", "-W", EXAMPLES / "sphinx_page", tmp_path)
    with browser_page(browser, offline=True) as page:
        page.goto((tmp_path / "index.html").as_uri())
        expect_to_change(page, "window")


def test_a_dashboard_of_voila_computes(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("voila", reason="Voila is not installed: pip install 'xwidgets[hosts]'")
    shutil.copy(EXAMPLES / "dashboard.ipynb", tmp_path)
    notebook = tmp_path / "dashboard.ipynb"
    with served("voila", notebook, "--no-browser", "--port") as address:
        page.goto(address)
        expect_to_change(page, "window in pixels")


def test_marimo_computes_and_another_cell_follows(page: Page) -> None:
    pytest.importorskip("marimo", reason="marimo is not installed: pip install 'xwidgets[hosts]'")
    notebook = EXAMPLES / "notebook_marimo.py"
    with served("marimo", "run", notebook, "--headless", "--no-token", "--port") as address:
        page.goto(address)
        expect_to_change(page, "window in pixels")
        canvas = page.locator(".xw-map:visible").first
        box = canvas.bounding_box()
        canvas.hover(position={"x": box["width"] * 20.5 / 64, "y": box["height"] * 32.5 / 64})
        expect(page.get_by_text("Pixel 32, 20:")).to_be_visible()
