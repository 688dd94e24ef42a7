"""JupyterLab on this machine, and a browser page that looks at it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from playwright.sync_api import Browser, Page, sync_playwright

from . import chromium

ROOT = Path(__file__).parents[2]
PATIENCE = 30
"""Seconds in which a page and a kernel answer on a machine that is busy with other things."""

READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN = """() => {
  window.ran = false;
  window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.ran = true; });
}"""
IDLE = """() => window.ran && window.jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === 'code')
  .every((cell) => cell.model.executionCount !== null
    && cell.model.executionState !== 'running')"""


TURN = """async ([path, emptied]) => {
  const { shell, commands } = window.jupyterapp;
  const panel = shell.currentWidget;
  const { kernel } = panel.sessionContext.session;
  await kernel.requestExecute({ code: emptied, store_history: false }).done;
  panel.dispose();
  await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: kernel.model });
}"""
EMPTIED = """
import gc
from ipywidgets.widgets.widget import _instances
for _one in [*_instances.values()]:
    if _one._model_name != "CanvasManagerModel":  # which ipycanvas makes when it is imported
        _one.close()
get_ipython().run_line_magic("reset", "-f")
gc.collect()
"""


@contextmanager
def jupyter_lab(
    folder: Path, dark: bool = False, checkout: Path = ROOT, port: int | None = None
) -> Iterator[str]:
    """A JupyterLab server on ``folder``, whose kernels import a checkout; gives its address."""
    port = port or free_port()
    with TemporaryDirectory() as home:
        settings = Path(home, "settings")
        _setting(settings, "notebook-extension/tracker", windowingMode="none")
        _setting(settings, "apputils-extension/notification", fetchNews="false")
        _setting(
            settings, "apputils-extension/themes", theme=f"JupyterLab {'Dark' if dark else 'Light'}"
        )
        places = {
            name: str(Path(home, name))
            for name in (
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "IPYTHONDIR",
            )
        }
        path = filter(None, [str(checkout), os.environ.get("PYTHONPATH")])
        places["PYTHONPATH"] = os.pathsep.join(path)
        options = {
            "ServerApp.port": port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": folder,
            "ServerApp.allow_root": True,
            "ServerApp.password": "",
            "ServerApp.ip": "127.0.0.1",
            "IdentityProvider.token": "",
            "LabApp.expose_app_in_browser": True,
            "LabApp.user_settings_dir": settings,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.extension_manager": "readonly",
            "LanguageServerManager.autodetect": False,  # asks npm for seconds
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
        command += [f"--{name}={value}" for name, value in options.items()]
        address = f"http://127.0.0.1:{port}"
        with serving(command, f"{address}/api/status", os.environ | places):
            yield address


@contextmanager
def serving(
    command: Sequence[str], address: str, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[None]:
    """A server that a command starts, from when an address answers on."""
    with TemporaryDirectory() as home:
        log = Path(home, "log")
        with open(log, "w") as output:
            server = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            _await(address, server, log)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:  # Panel's waits for what computes
                server.kill()


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A Chromium without a window."""
    executable = chromium.find()
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS) as browser,
    ):
        yield browser


@contextmanager
def browser_page(
    browser: Browser,
    scale: float = 1,
    width: int = 1280,
    height: int = 1000,
    dark: bool = False,
    offline: bool = False,
) -> Iterator[Page]:
    """A page in a fresh browser profile."""
    with browser.new_context(
        device_scale_factor=scale,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        offline=offline,
    ) as profile:
        yield profile.new_page()


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page = page
        self._workspace = f"{address}/lab/workspaces/w{time.monotonic_ns()}/tree/"
        self._address = self._workspace + name
        self.open("?reset")

    def turn_to(self, name: str) -> None:
        """Close the notebook and open another in its place, with its kernel, emptied."""
        self._address = self._workspace + name
        self.page.evaluate(TURN, [name, EMPTIED])
        self.page.wait_for_function(READY, timeout=120_000)

    def open(self, query: str = "") -> None:
        """Open, or open again."""
        self.page.goto(self._address + query)
        self.page.wait_for_function(READY, timeout=120_000)

    def run_all(self, timeout: float = 180) -> None:
        """Run every cell and wait for the end."""
        self.page.evaluate(RUN)
        self.page.wait_for_function(IDLE, timeout=1000 * timeout)

    def command(self, name: str) -> None:
        """Execute a JupyterLab command, to its end."""
        self.page.evaluate(
            "async (name) => { await window.jupyterapp.commands.execute(name); }", name
        )

    def kernel(self, code: str) -> str:
        """Run code in the kernel behind the cells; gives what it printed, or its error."""
        return str(self.page.evaluate(
            """async (code) => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              let printed = '';
              const future = kernel.requestExecute({ code, store_history: false });
              future.onIOPub = ({ header, content }) => {
                if (header.msg_type === 'stream') printed += content.text;
                if (header.msg_type === 'error') printed += `${content.ename}: ${content.evalue}`;
              };
              await future.done;
              return printed;
            }""",
            code,
        ))  # fmt: skip

    def until(self, code: str, printed: str) -> None:
        """Wait until the kernel prints this: it hears of a click after the page shows it."""
        last = ""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            last = self.kernel(code).strip()
            if last == printed:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{code} prints {last!r} after {PATIENCE} seconds, not {printed!r}")


def soon(page: Page, condition: Callable[[], bool]) -> bool:
    """Whether it is so before long: the kernel hears of a click after the page."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        page.wait_for_timeout(50)
    return False


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, path)


def _setting(folder: Path, plugin: str, **values: Any) -> None:
    path = folder / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))


def _await(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except urllib.error.HTTPError:  # an answer too
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server at {address} did not start:\n{log.read_text()}")
