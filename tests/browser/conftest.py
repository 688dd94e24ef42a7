"""One JupyterLab and one browser for all browser tests, skipped where there is no browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from . import chromium
from .lab import Notebook, jupyter_lab, running_chromium, write_notebook


@pytest.fixture(scope="session")
def executable() -> None:
    if chromium.find() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(chromium.ADVICE)
        pytest.skip(chromium.ADVICE)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(executable: None, folder: Path) -> Iterator[str]:
    with jupyter_lab(folder) as address:
        yield address


@pytest.fixture(scope="package")  # its event loop would be in the way of others in the process
def browser(executable: None) -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile for all pages of JupyterLab, which it loads once."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as profile:
        yield profile


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    with profile.new_page() as page:
        yield page


STUDY = """
import xwidgets as xw
net = xw.network("birds")
study = xw.Study(net, xw.scenes.bird(seed=3).image, window=8, {options})
"""


def explorer(page: Page, lab: str, folder: Path, options: str) -> Notebook:
    shown = "explorer = xw.Explorer(study)\nexplorer"
    write_notebook(folder / "bird.ipynb", STUDY.format(options=options), shown)
    notebook = Notebook(page, lab, "bird.ipynb")
    notebook.run_all()
    page.locator(".xw-map").wait_for()
    return notebook


@pytest.fixture
def notebook(lab: str, folder: Path, page: Page) -> Iterator[Notebook]:
    """A notebook with an explorer on a bird, run; its map takes about a minute."""
    yield (notebook := explorer(page, lab, folder, "samples=20"))
    notebook.kernel("study.close()")


@pytest.fixture
def quick(lab: str, folder: Path, page: Page) -> Iterator[Notebook]:
    """The same with a map that takes about a second."""
    yield (notebook := explorer(page, lab, folder, "samples=1, stride=4"))
    notebook.kernel("study.close()")
