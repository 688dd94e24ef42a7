"""Frames a second of a survey's points in Chromium, drawn by software, and time to lay maps out.

    python -m benchmarks.survey_points [--points 50000] [--maps 5000]

Each frame is a turn of the wheel with Ctrl, which enlarges the points and draws all of them anew. A
frame that comes in time takes 16.7 ms.
"""

import argparse
import time
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import numpy as np

import xwidgets as xw
from tests.browser.lab import browser_page, running_chromium
from xwidgets.surveys.likeness import Layout, reduced
from xwidgets.widgets.survey_explorer import PALETTE

FRAMES = """async () => {
  const canvas = document.querySelector(".xw-scatter canvas");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const times = [];
  let before = performance.now();
  for (let frame = 0; frame < 120; frame++) {
    const place = { clientX: left + 0.4 * width, clientY: top + 0.4 * height };
    const turn = { deltaY: frame < 60 ? -6 : 6, ctrlKey: true, bubbles: true, cancelable: true };
    canvas.dispatchEvent(new WheelEvent("wheel", { ...place, ...turn }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const now = performance.now();
    times.push((now - before) / 2);
    before = now;
  }
  return times;
}"""


def page_of(count: int, selected: int) -> xw.Page:
    """Page of a survey with drawn points in place of its own."""
    rng = np.random.default_rng(0)
    scenes = [xw.scenes.bird(seed) for seed in range(12)]
    with TemporaryDirectory() as folder:
        xw.survey(xw.network("birds"), scenes, xw.Saliency(), folder, progress=False)
        explorer = xw.SurveyExplorer(folder)
        explorer.growth.wait()
        page = explorer.to_page()
        explorer.close()
    heap = rng.integers(0, len(PALETTE), count)
    places = 8 * rng.normal(size=(len(PALETTE), 2))[heap] + rng.normal(size=(count, 2))
    named = {
        "name": "class", "values": heap.astype(np.int16).tobytes(),
        "names": [f"class {number}" for number in range(len(PALETTE))], "colors": list(PALETTE),
    }  # fmt: skip
    page.parts[0].state.update(
        numbers=np.arange(count, dtype=np.int32).tobytes(),
        places=places.astype(np.float32).tobytes(),
        columns=[named], colored_by="class", selected=list(range(selected)),
    )  # fmt: skip
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--maps", type=int, default=5_000)
    arguments = parser.parse_args()
    print("| points | selected | ms a frame, median | of 20 the slowest | frames a second |")
    print("|---|---|---|---|---|")
    with TemporaryDirectory() as folder, running_chromium() as browser:
        for count in (arguments.points // 10, arguments.points):
            for selected in (0, count // 3):
                path = Path(folder, "points.html")
                page_of(count, selected).save(path)
                with browser_page(browser) as page:
                    page.goto(path.as_uri())
                    page.wait_for_timeout(1000)
                    times = page.evaluate(FRAMES)
                slowest = quantiles(times, n=20)[-1]
                print(
                    f"| {count} | {selected} | {median(times):.1f} | {slowest:.1f} "
                    f"| {1000 / median(times):.0f} |",
                    flush=True,
                )
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(20, 16, 16))
    maps = centers[rng.integers(0, 20, arguments.maps)]
    vectors = reduced(maps + 0.8 * rng.normal(size=maps.shape))
    layout, begun = Layout(), time.perf_counter()
    layout.add(vectors)
    for _ in layout.steps():
        pass
    print(f"\n{arguments.maps} maps laid out at once in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
