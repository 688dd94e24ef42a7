"""The hosts: what each is, and how it shows the scene in a page of a browser."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from playwright.sync_api import Page

import xwidgets as xw
from tests.browser.lab import READY, Notebook, free_port, jupyter_lab, serving

from . import cdn, scene
from .environment import variables

Opened = AbstractContextManager[None]


@dataclass(frozen=True)
class Place:
    """Where a host is opened.

    Attributes:
        page: of the browser.
        python: that has the host.
        folder: an empty one.
    """

    page: Page
    python: str
    folder: Path

    def run(self, *command: str | Path) -> None:
        """Run the host's Python."""
        subprocess.run(
            [self.python, *command],
            cwd=self.folder, env=variables(self.folder), check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def serve(self, command: Sequence[str | Path], address: str) -> Iterator[None]:
        """A server by a module of the host's Python, looked at; ``{port}`` is where."""
        port = str(free_port())
        server = f"http://127.0.0.1:{port}"
        filled = [str(part).replace("{port}", port) for part in command]
        environment = variables(self.folder)
        with serving([self.python, "-m", *filled], f"{server}/here", environment, self.folder):
            self.page.goto(f"{server}{address}")
            yield

    def look(self, path: Path) -> None:
        """Open a file."""
        self.page.goto(path.as_uri())


@dataclass(frozen=True)
class Host:
    """A host.

    Attributes:
        name: of it.
        open: opens it, with the scene.
        pins: packages that it takes, each ``name==version``.
        of: packages that make it, where they are at hand.
        kernel: whether there is Python behind it.
        absent: acts whose views it is not given.
        limits: why an act is not possible, by the act.
        remark: how it was opened.
    """

    name: str
    open: Callable[[Place], Opened]
    pins: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    kernel: bool = True
    absent: tuple[str, ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages whose versions are told."""
        return tuple(pin.partition("==")[0] for pin in self.pins) or self.of


@contextmanager
def lab(place: Place) -> Iterator[None]:
    path = scene.notebook(place.folder)
    with jupyter_lab(place.folder) as address:
        Notebook(place.page, address, path.name).run_all()
        yield


@contextmanager
def notebook_7(place: Place) -> Iterator[None]:
    path = scene.notebook(place.folder)
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--port={port}"]
    options += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    with place.serve(["notebook", *options], f"/notebooks/{path.name}"):
        place.page.wait_for_function(READY, timeout=60_000)
        place.page.get_by_role("menuitem", name="Run", exact=True).click()
        place.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        yield


@contextmanager
def voila(place: Place) -> Iterator[None]:
    path = scene.notebook(place.folder)
    with place.serve(["voila", path, "--no-browser", "--port={port}"], "/"):
        yield


@contextmanager
def marimo(place: Place) -> Iterator[None]:
    path = scene.marimo_app(place.folder)
    options = ["--headless", "--no-token", "--port", "{port}"]
    with place.serve(["marimo", "run", path, *options], "/"):
        yield


@contextmanager
def panel(place: Place) -> Iterator[None]:
    path = scene.panel_app(place.folder)
    cdn.answer(place.page)
    with place.serve(["panel", "serve", path, "--port", "{port}"], f"/{path.stem}"):
        yield


@contextmanager
def nbconvert(place: Place) -> Iterator[None]:
    path = scene.executed(place.folder)
    place.run("-m", "nbconvert", "--to", "html", path)
    cdn.answer(place.page)
    place.look(path.with_suffix(".html"))
    yield


def open_site(place: Place, site: Path) -> None:
    """Open the page of the scene in a site that takes code from a CDN."""
    cdn.unchecked(site)
    cdn.answer(place.page)
    place.look(site / "scene.html")


@contextmanager
def myst_nb(place: Place) -> Iterator[None]:
    path = scene.executed(place.folder)
    settings = f'extensions = ["myst_nb"]\nnb_execution_mode = "off"\nroot_doc = "{path.stem}"\n'
    (place.folder / "conf.py").write_text(settings, "utf-8")
    site = place.folder / "site"
    place.run("-m", "sphinx", "-q", place.folder, site)
    open_site(place, site)
    yield


@contextmanager
def jupyter_book_1(place: Place) -> Iterator[None]:
    path = scene.executed(place.folder)
    book = place.folder / "book"
    book.mkdir()
    shutil.move(path, book)
    (book / "_config.yml").write_text("title: Scene\nexecute:\n  execute_notebooks: off\n", "utf-8")
    (book / "_toc.yml").write_text("format: jb-book\nroot: scene\n", "utf-8")
    place.run(Path(place.python).with_name("jupyter-book"), "build", book)
    site = book / "_build" / "html"
    open_site(place, site)
    yield


@contextmanager
def vs_code(place: Place) -> Iterator[None]:
    notebook = nbformat.read(scene.executed(place.folder), 4)
    outputs = (output for cell in notebook.cells for output in cell.outputs)
    shown = [
        output.data[SHOWN]["model_id"] for output in outputs if SHOWN in output.get("data", {})
    ]
    told = json.dumps({"state": notebook.metadata.widgets[STATE], "shown": shown})
    (place.folder / "scene.json").write_text(told, "utf-8")
    name, version = VS_CODE.rsplit("@", 1)
    for path in (
        cdn.package(name, version) / "dist" / "ipywidgets.js",
        cdn.package("requirejs", "2.3.6") / "require.js",
        HERE / "vs_code.html",
    ):
        shutil.copy(path, place.folder)
    shutil.copytree(cdn.EXTENSIONS, place.folder / "nbextensions")
    with place.serve(["http.server", "{port}", "--bind", "127.0.0.1"], "/vs_code.html"):
        yield


@contextmanager
def notebook_page(place: Place) -> Iterator[None]:
    path = scene.executed(place.folder)
    page = path.with_suffix(".html")
    page.write_text(xw.notebook_page(path), "utf-8")
    place.page.context.set_offline(True)
    place.look(page)
    yield


@contextmanager
def own_html(place: Place) -> Iterator[None]:
    path = scene.fragments(place.folder)
    place.page.context.set_offline(True)
    place.look(path)
    yield


@contextmanager
def sphinx(place: Place) -> Iterator[None]:
    source = scene.directives(place.folder)
    place.run("-m", "sphinx", "-q", source, source / "site")
    place.page.context.set_offline(True)
    place.look(source / "site" / "index.html")
    yield


HERE = Path(__file__).parent
SHOWN = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
VS_CODE = "@vscode/jupyter-ipywidgets8@1.0.9"

PAINTER, CHART = "region painted (ipycanvas)", "chart (bqplot)"
LIVES = {"kernel": False}
"""Options of hosts that draw saved state."""
CDN = "code from a CDN, answered from the packages installed and npm"
OFFLINE = "opened offline"
VIEWS = {"kernel": False, "absent": (PAINTER, CHART), "remark": OFFLINE}
"""Options of pages that are made of views alone."""

HOSTS = (
    Host("JupyterLab", lab, of=("jupyterlab",)),
    Host("Notebook", notebook_7, pins=("notebook==7.6.5",)),
    Host("Voila", voila, pins=("voila==0.5.13",)),
    Host(
        "marimo",
        marimo,
        pins=("marimo==0.25.2",),
        limits=dict.fromkeys((PAINTER, CHART), "marimo takes anywidgets alone"),
    ),
    Host(
        "Panel",
        panel,
        pins=("panel==1.9.4", "ipywidgets_bokeh==1.8.0"),
        limits={PAINTER: "it shows no drawing of any ipycanvas"},
        remark=CDN,
    ),
    Host("nbconvert", nbconvert, of=("nbconvert",), **LIVES, remark=CDN),
    Host("Sphinx, myst-nb", myst_nb, of=("sphinx", "myst-nb"), **LIVES, remark=CDN),
    Host(
        "Jupyter Book 1", jupyter_book_1, pins=("jupyter-book==1.0.4.post1",), **LIVES, remark=CDN
    ),
    Host(
        "VS Code's widget manager",
        vs_code,
        of=("anywidget",),
        **LIVES,
        remark=f"npm's {VS_CODE} in a page, without kernel",
    ),
    Host(
        "`xwidgets notebook`",
        notebook_page,
        of=("xwidgets",),
        kernel=False,
        remark=OFFLINE,
    ),
    Host("own HTML, fragments", own_html, of=("xwidgets",), **VIEWS),
    Host("Sphinx, `{live-view}`", sphinx, of=("sphinx",), **VIEWS),
)
