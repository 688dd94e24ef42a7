"""One JupyterLab and one browser for all browser tests, skipped where there is no browser."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from . import chromium
from .lab import PATIENCE, Notebook, jupyter_lab, running_chromium, write_notebook

expect.set_options(timeout=1000 * PATIENCE)


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


@pytest.fixture(scope="package")
def workspace(profile: BrowserContext, lab: str, folder: Path) -> Iterator[Notebook]:
    """The page of JupyterLab in which notebooks are opened, one after the other."""
    write_notebook(folder / "empty.ipynb", "")
    with profile.new_page() as page:
        notebook = Notebook(page, lab, "empty.ipynb")
        notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        yield notebook


@pytest.fixture(scope="module")
def run(workspace: Notebook, folder: Path) -> Callable[..., Notebook]:
    """Function that runs a notebook of these cells, the one that is open if it has them."""
    shown: list[str] = []

    def run(*cells: str) -> Notebook:
        workspace.page.bring_to_front()
        if shown != [*cells]:
            name = f"{time.monotonic_ns()}.ipynb"
            write_notebook(folder / name, *cells)
            workspace.turn_to(name)
            shown[:] = cells
        workspace.run_all()
        return workspace

    return run


STUDY = """
import xwidgets as xw
net = xw.network("birds")
study = xw.Study(net, xw.scenes.bird(seed=3).image, window=8, {options})
"""


AT_REST = """async () => {
  const map = document.querySelector('.xw-map');
  await new Promise((over) => setTimeout(over, 300));
  return Boolean(map?.isConnected);
}"""
"""Whether the map stays: one that was just drawn is replaced now and then."""


def explorer(run: Callable[..., Notebook], options: str) -> Iterator[Notebook]:
    notebook = run(STUDY.format(options=options), "explorer = xw.Explorer(study)\nexplorer")
    notebook.page.wait_for_function(AT_REST, timeout=1000 * PATIENCE)
    yield notebook
    notebook.kernel("study.close()")


@pytest.fixture
def notebook(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    """A notebook with an explorer on a bird, run; its map takes about a minute."""
    yield from explorer(run, "samples=20")


@pytest.fixture
def quick(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    """The same with a map that takes about a second."""
    yield from explorer(run, "samples=1, stride=4")
