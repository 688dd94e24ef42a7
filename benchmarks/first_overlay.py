"""How soon the slider is answered: from the key press to coloured pixels, in a real JupyterLab.

    python -m benchmarks.first_overlay [--beside ANOTHER_CHECKOUT] [--complete]

For the embedded birds on a drawn bird, and for SqueezeNet 1.1 on a photograph where its weights can
be had. ``--beside`` measures another build too, in turns, a move of each. ``--complete`` also waits
for the complete stride-1 map with S = 20 on the birds.
"""

import argparse
import os
import statistics
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import (
    ROOT,
    Notebook,
    browser_page,
    jupyter_lab,
    running_chromium,
    write_notebook,
)
from xwidgets.files import made

SUBJECTS = {
    "birds, 64 x 64": 'net = xw.network("birds")\nimage = xw.scenes.bird(seed=3).image',
    "SqueezeNet 1.1, 224 x 224": (
        'net = xw.network("squeezenet1_1")\nimage = net.prepare("chelsea")'
    ),
}
SHOWN = """
explorer = xw.Explorer(study)
overlay = getattr(explorer, "overlay", None)
if overlay is not None:  # in builds that hatch: what is hatched has no colour
    overlay.effect, overlay.hide_uncertain = 0, False
explorer"""
"""An explorer whose map is coloured wherever it is known."""
WATCH = """(slider) => {
  const canvas = document.querySelector('.xw-map');
  slider.addEventListener('keydown', () => { window.timing = { start: performance.now() }; });
  new MutationObserver(() => {
    const timing = window.timing;
    if (!timing || canvas.ariaLabel.includes('nothing computed yet')) {
      if (timing) timing.cleared = true;
      return;
    }
    if (!timing.cleared) return;
    const now = performance.now() - timing.start;
    timing.first ??= now;
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let covered = true;
    for (let i = 3; i < data.length; i += 4) covered &&= data[i] > 0;
    if (covered) timing.covered ??= now;
  }).observe(canvas, { attributes: true, attributeFilter: ['aria-label'] });
}"""


MOVES = 10


def move(notebook: Notebook) -> dict[str, float]:
    """Milliseconds to the first colours and to the covered picture, for one key press."""
    page = notebook.page
    page.bring_to_front()
    slider(page).focus()
    page.evaluate("() => { delete window.timing; }")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => window.timing?.covered", timeout=120_000, polling=50)
    timing: dict[str, float] = page.evaluate("() => window.timing")
    notebook.kernel("study.stop()")  # so that it does not compute while the other is measured
    return timing


def slider(page: Page) -> Locator:
    """The slider of the window."""
    control = page.locator(".xw-control", has=page.get_by_text("Window", exact=True)).first
    return control.locator("input[type=range]")


def opened(page: Page, lab: str) -> Notebook | None:
    """The notebook with its map, ready to move; ``None`` when the network cannot be had."""
    notebook = Notebook(page, lab, "bench.ipynb")
    notebook.run_all()
    if notebook.kernel("study.wait(3); study.stop()"):
        return None
    slider(page).evaluate(WATCH)
    return notebook


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--complete", action="store_true")
    arguments = parser.parse_args()
    builds = {"this build": ROOT}
    if arguments.beside:
        builds["the other"] = arguments.beside.resolve()
    print(
        f"| network | build | first colours | picture covered | ({os.cpu_count()} cores, medians) |"
    )
    print("|---|---|---|---|---|")
    with TemporaryDirectory() as folder, ExitStack() as servers:
        folders = {build: made(Path(folder, build)) for build in builds}  # each saves a notebook
        labs = {
            build: servers.enter_context(jupyter_lab(folders[build], checkout=checkout))
            for build, checkout in builds.items()
        }
        for name, subject in SUBJECTS.items():
            code = f"import xwidgets as xw\n{subject}\nstudy = xw.Study(net, image, window=16)"
            for build in builds:
                write_notebook(folders[build] / "bench.ipynb", code, SHOWN)
            with running_chromium() as browser, browser_page(browser) as page:
                pages = [page, *(page.context.new_page() for _ in list(labs)[1:])]
                notebooks = {
                    build: opened(one, lab)
                    for one, (build, lab) in zip(pages, labs.items(), strict=True)
                }
                ready = {build: one for build, one in notebooks.items() if one is not None}
                turns = [{build: move(one) for build, one in ready.items()} for _ in range(MOVES)]
                for build, notebook in ready.items():
                    first, covered = (
                        statistics.median(turn[build][key] for turn in turns) / 1000
                        for key in ("first", "covered")
                    )
                    print(f"| {name} | {build} | {first:.2f} s | {covered:.2f} s | |", flush=True)
                    if arguments.complete and name.startswith("birds"):
                        print(f"| {name}, complete, S = 20 | {build} | {complete(notebook)} | | |")
                    notebook.kernel("study.close()")


def complete(notebook: Notebook) -> str:
    """How long the complete stride-1 map takes."""
    notebook.kernel("import time; start = time.monotonic(); study.window = 10")
    expect(notebook.page.locator(".xw-status")).to_have_text("complete", timeout=600_000)
    took = notebook.kernel("study.wait(); print(time.monotonic() - start)")
    return f"{float(took):.0f} s"


if __name__ == "__main__":
    main()
