"""How soon the slider is answered: from the key press to coloured pixels, in a real JupyterLab.

    python -m benchmarks.first_overlay [--complete]

For the embedded birds on a drawn bird, and for SqueezeNet 1.1 on a photograph where its weights can
be had. ``--complete`` also waits for the complete stride-1 map with S = 20 on the birds.
"""

import argparse
import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect

from tests.browser.lab import Notebook, browser_page, jupyter_lab, write_notebook

SUBJECTS = {
    "birds, 64 x 64": 'net = xw.network("birds")\nimage = xw.scenes.bird(seed=3).image',
    "SqueezeNet 1.1, 224 x 224": (
        'net = xw.network("squeezenet1_1")\nimage = net.prepare("chelsea")'
    ),
}
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


def moves(page: Page, count: int) -> list[dict[str, float]]:
    """Milliseconds to the first colours and to the covered picture, for some key presses."""
    control = page.locator(".xw-control", has=page.get_by_text("Window", exact=True)).first
    slider = control.locator("input[type=range]")
    slider.evaluate(WATCH)
    slider.focus()
    timings = []
    for _ in range(count):
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => window.timing?.covered", timeout=120_000)
        timings.append(page.evaluate("() => window.timing"))
    return timings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complete", action="store_true")
    arguments = parser.parse_args()
    print(f"| network | first colours | picture covered | ({os.cpu_count()} cores, medians) |")
    print("|---|---|---|---|")
    with TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as lab:
        for name, subject in SUBJECTS.items():
            write_notebook(
                Path(folder, "bench.ipynb"),
                f"import xwidgets as xw\n{subject}\nstudy = xw.Study(net, image, window=16)",
                "xw.Explorer(study)",
            )
            with browser_page() as page:
                notebook = Notebook(page, lab, "bench.ipynb")
                notebook.run_all()
                if error := notebook.kernel("study.wait(3)"):
                    print(f"| {name} | not measured: {error} | | |")
                    continue
                timings = moves(page, 5)
                first, covered = (
                    statistics.median(timing[key] for timing in timings) / 1000
                    for key in ("first", "covered")
                )
                print(f"| {name} | {first:.2f} s | {covered:.2f} s | |", flush=True)
                if arguments.complete and name.startswith("birds"):
                    notebook.kernel("import time; start = time.monotonic(); study.window = 10")
                    status = page.locator(".xw-status")
                    expect(status).to_have_text("complete", timeout=600_000)
                    took = notebook.kernel("study.wait(); print(time.monotonic() - start)")
                    print(f"| {name}, complete map, S = 20, stride 1 | {float(took):.0f} s | | |")
                notebook.kernel("study.close()")


if __name__ == "__main__":
    main()
