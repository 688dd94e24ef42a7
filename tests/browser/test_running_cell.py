"""Controls are heard while a cell runs, at first and after cells have set what they control."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from .lab import Notebook

STUDY = """
import time
import xwidgets as xw
net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
study = xw.Study(net, scene.image, window=8, samples={samples})
"""
EXPLORER = STUDY.format(samples=50), "explorer = xw.Explorer(study); explorer"
OTHERS = (
    STUDY.format(samples=1),
    "neurons = xw.NeuronExplorer(study); neurons",
    "painter = xw.RegionPainter(study); painter",
    """
maps = [xw.saliency(net, scene.image, reduce=reduce) for reduce in ("maximum", "signed")]
comparison = xw.Comparison(*maps)
comparison
""",
)

RUN = """(code) => new Promise((resolve) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  let printed = '';
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === 'execute_input') resolve();
    if (header.msg_type === 'stream') printed += content.text;
    if (header.msg_type === 'error') printed += `${content.ename}: ${content.evalue}`;
  };
  window.ended = future.done.then(() => printed);
})"""
"""Starts a cell."""

WAITING = """
until = time.monotonic() + 10
while time.monotonic() < until and not ({condition}):
    time.sleep(0.05)
print(bool({condition}))
"""
"""A cell that runs until the kernel has heard of something, or for ten seconds."""


def key(label: str, pressed: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_label(label, exact=True).locator("visible=true").press(pressed)


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()


def point(page: Page) -> None:
    page.mouse.move(5, 5)
    page.locator(".xw-map").first.hover(position={"x": 30, "y": 40})


def choose(page: Page) -> None:
    page.locator(".xw-class").nth(2).click()


def select(page: Page) -> None:
    page.locator(".xw-ranking .xw-row").nth(1).click()


def paint(page: Page) -> None:
    canvas = page.locator(".xw-painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 100, steps=3)
    page.mouse.up()


CONTROLS: dict[str, tuple[tuple[str, ...], Callable[[Page], None], str, str]] = {
    "stop": (EXPLORER, stop, "study.progress.state == 'stopped'", "study.window = 9"),
    "slider": (EXPLORER, key("window in pixels", "ArrowRight"), "study.window == 9",
               "study.window = 8"),
    "choice": (EXPLORER, key("measure", "ArrowDown"), "study.method.measure == 'difference'",
               "study.move(measure='evidence')"),
    "class": (EXPLORER, choose, "study.target == explorer.panes.classes.options[2][1]",
              "study.target = explorer.panes.classes.options[0][1]"),
    "pixel": (EXPLORER, point, "explorer.overlay.pixel", "explorer.overlay.pixel = []"),
    "opacity": (EXPLORER, key("opacity", "ArrowLeft"), "explorer.overlay.opacity == 0.84",
                "explorer.overlay.opacity = 0.85"),
    "linked opacity": (OTHERS, key("opacity", "ArrowLeft"),
                       "{overlay.opacity for overlay in comparison._maps} == {0.84}",
                       "for overlay in comparison.children: overlay.opacity = 0.85"),
    "neuron": (OTHERS, select, "study.neurons.selected", "study.neurons.selected = ()"),
    "region": (OTHERS, paint, "study.regions.mask.any()",
               "study.regions.mask = study.regions.mask & False"),
}  # fmt: skip
"""By control: where it is, how it is used, what the kernel has then, and a cell that undoes it."""


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_heard_while_a_cell_runs(run: Callable[..., Notebook], name: str) -> None:
    cells, use, condition, undo = CONTROLS[name]
    notebook = run(*cells)
    page = notebook.page
    page.locator(".xw-map:visible").last.wait_for()
    for before in ("", undo):
        assert notebook.kernel(before) == ""
        page.evaluate(RUN, WAITING.format(condition=condition))
        use(page)
        heard = page.evaluate("() => window.ended").strip()
        assert heard == "True", f"after {before!r}" if before else "at first"
    notebook.kernel("study.close()")
