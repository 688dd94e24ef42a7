"""Ten minutes of use that wear a kernel out: what stays, what is slow, and what comes back.

    python -m benchmarks.soak [--moves 10000] [--studies 30]      (or make soak)

In a real JupyterLab the window slider of an explorer is moved while the user's cells are answered;
studies are made and thrown away; the connection is cut, the kernel and the server are started
again. After each, memory, threads and comms of the kernel are counted, and whether the slider is
answered.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page

from tests.browser.lab import (
    Notebook,
    browser_page,
    free_port,
    jupyter_lab,
    running_chromium,
    write_notebook,
)

CELLS = (
    """
import gc, threading
import comm, psutil
import xwidgets as xw
net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
study = xw.Study(net, image, window=8, samples=20)

def shown():
    return study.relevance and study.relevance.parameters["window"]

def counted():
    gc.collect()
    memory = psutil.Process().memory_info().rss / 2**20
    print(f"{memory:.0f} {threading.active_count()} {len(comm.get_comm_manager().comms)}")
""",
    "xw.Explorer(study)",
)
MOVE = """async ([moves, pause]) => {
  const slider = document.querySelector('.xw-parameter input[type=range]');
  const [least, most] = [Number(slider.min), Number(slider.max)];
  for (let move = 0; move < moves; move++) {
    slider.value = least + move % (most - least + 1);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => setTimeout(done, pause));
  }
  return Number(slider.value);
}"""
ANSWERED = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const begun = performance.now();
  await kernel.requestExecute({ code: '1 + 1', store_history: false }).done;
  return performance.now() - begun;
}"""
RESTART = """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"""
STUDIES = """
for _ in range({count}):
    short = xw.Study(net, image, samples=1, stride=4)
    view = xw.Explorer(short)
    short.wait(); view.close()
del short, view
"""
PAUSE, BATCH, PATIENCE = 15, 200, 60
"""Milliseconds between moves, moves between answers, and seconds that a slider may take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=10_000)
    parser.add_argument("--studies", type=int, default=30)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, running_chromium() as browser:
        write_notebook(Path(folder, "soak.ipynb"), *CELLS)
        port = free_port()
        with browser_page(browser) as page:
            print("| after | memory, MB | threads | comms | slider | `1 + 1`: p50 | p95 |")
            print("|---|---|---|---|---|---|---|")
            with jupyter_lab(Path(folder), port=port) as address:
                notebook = Notebook(page, address, "soak.ipynb")
                with _row(notebook, "opening"):
                    notebook.run_all()
                with _row(notebook, f"{options.moves:,} moves") as answers:
                    answers += _moves(page, options.moves)
                with _row(notebook, f"{options.studies} studies, their views closed"):
                    notebook.kernel(STUDIES.format(count=options.studies))
                with _row(notebook, "five seconds without a network"):
                    page.context.set_offline(True)
                    page.wait_for_timeout(5000)
                    page.context.set_offline(False)
                with _row(notebook, "another kernel"):
                    page.evaluate(RESTART)
                    page.get_by_text("The kernel is gone").first.wait_for()
                    notebook.run_all()
            with jupyter_lab(Path(folder), port=port), _row(notebook, "another server"):
                notebook.open()
                notebook.run_all()


@contextmanager
def _row(notebook: Notebook, name: str) -> Iterator[list[float]]:
    """Print the counts after a step; yields the list of answer times in milliseconds to fill."""
    answers: list[float] = []
    yield answers
    seconds = _answer(notebook)
    memory, threads, comms = notebook.kernel("counted()").split()
    quantiles = np.quantile(answers, [0.5, 0.95]) if answers else ()
    told = [f"{value:.0f} ms" for value in quantiles] or ["", ""]
    cells = [name, memory, threads, comms, f"{seconds:.1f} s", *told]
    print(f"| {' | '.join(cells)} |", flush=True)


def _moves(page: Page, count: int) -> list[float]:
    """Milliseconds that ``1 + 1`` took, between moves of the slider."""
    answers = []
    for _ in range(0, count, BATCH):
        page.evaluate(MOVE, [BATCH, PAUSE])
        answers.append(float(page.evaluate(ANSWERED)))
    return answers


def _answer(notebook: Notebook) -> float:
    """Seconds from a move until the kernel has that window, and a map of it."""
    begun = time.monotonic()
    window = notebook.page.evaluate(MOVE, [4, PAUSE])
    while time.monotonic() < begun + PATIENCE:
        told = notebook.kernel("print(study.window, shown())")
        if told.split() == [str(window)] * 2:
            return time.monotonic() - begun
        notebook.page.wait_for_timeout(50)
    raise RuntimeError(f"the slider stands at {window}, and the study tells {told.strip()!r}")


if __name__ == "__main__":
    main()
