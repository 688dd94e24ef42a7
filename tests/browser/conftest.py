"""A JupyterLab for all browser tests, skipped where there is no browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from . import chromium
from .lab import Notebook, browser_page, jupyter_lab, write_notebook


@pytest.fixture(scope="session")
def browser() -> None:
    if chromium.find() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(chromium.ADVICE)
        pytest.skip(chromium.ADVICE)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(browser: None, folder: Path) -> Iterator[str]:
    with jupyter_lab(folder) as address:
        yield address


@pytest.fixture
def page(browser: None) -> Iterator[Page]:
    with browser_page() as page:
        yield page


STUDY = """
import xwidgets as xw
net = xw.network("birds")
study = xw.Study(net, xw.scenes.bird(seed=3).image, window=8)
"""


@pytest.fixture
def notebook(lab: str, folder: Path, page: Page) -> Notebook:
    """A notebook with an explorer on a bird, run."""
    write_notebook(folder / "bird.ipynb", STUDY, "explorer = xw.Explorer(study)\nexplorer")
    notebook = Notebook(page, lab, "bird.ipynb")
    notebook.run_all()
    page.locator(".xw-map").wait_for()
    return notebook
