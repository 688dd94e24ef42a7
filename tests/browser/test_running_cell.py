"""Controls are heard while a cell runs, at first and after cells have set what they control."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from .lab import Notebook

SHOWN = """
import time
import xwidgets as xw
net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
study = xw.Study(net, scene.image, window=8, samples=50)
other = xw.Study(net, scene.image, method=xw.Saliency())
""", "explorer = xw.Explorer(study); explorer", """
maps = [xw.saliency(net, scene.image, reduce=one) for one in ("maximum", "signed")]
comparison = xw.Comparison(*maps)
comparison
""", "neurons = xw.NeuronExplorer(other); neurons", "painter = xw.RegionPainter(other); painter"  # fmt: skip

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
print({condition})
"""
"""A cell that runs until the kernel has heard of something, or for ten seconds."""


@pytest.fixture
def notebook(run: Callable[..., Notebook], request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook that was just run, with a view that no cell has written to since."""
    notebook = run(*SHOWN)
    page = notebook.page
    page.locator(".xw-map").nth(3).wait_for()
    page.locator(".xw-ranking .xw-row").first.wait_for()
    page.locator(".xw-painter canvas").wait_for()
    yield notebook
    notebook.kernel("study.close(); other.close()")


def view(page: Page, kind: str) -> Locator:
    """The output that shows such a view first."""
    return page.locator(f".jp-OutputArea-output:has(.{kind})").first


def keyed(kind: str, label: str, key: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        view(page, kind).get_by_label(label, exact=True).first.press(key)

    return act


def stop(page: Page) -> None:
    view(page, "xw-overlay").get_by_role("button", name="Stop").click()


def point(page: Page) -> None:
    page.locator(".xw-map").first.hover(position={"x": 30, "y": 40})


def choose(page: Page) -> None:
    view(page, "xw-overlay").locator(".xw-chooser select").select_option(index=2)


def select(page: Page) -> None:
    page.locator(".xw-ranking .xw-row").nth(1).click()


def stroke(page: Page) -> None:
    canvas = page.locator(".xw-painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for step, do in enumerate((page.mouse.down, None, page.mouse.up)):
        page.mouse.move(box["x"] + 100 + 20 * step, box["y"] + 100)
        if do:
            do()


CONTROLS: dict[str, tuple[str, Callable[[Page], Any], str]] = {
    "stop": ("study.window = 9", stop, "study.progress.state == 'stopped'"),
    "slider": ("study.window = 9", keyed("xw-overlay", "window in pixels", "ArrowRight"),
               "study.window == (10 if changed else 9)"),
    "choice": ("study.move(measure='difference')", keyed("xw-overlay", "measure", "Home" ),
               "study.method.measure == 'evidence'"),
    "class": ("study.target = 0", choose, "study.target == explorer.children[0].options[2][1]"),
    "pixel": ("explorer._overlay.pixel = [1, 1]", point,
              "explorer._overlay.pixel not in ([], [1, 1])"),
    "opacity": ("explorer._overlay.opacity = 0.5", keyed("xw-overlay", "Opacity", "ArrowLeft"),
                "explorer._overlay.opacity < (0.5 if changed else 0.85)"),
    "linked opacity": ("comparison._maps[0].opacity = 0.5",
                       keyed("xw-comparison", "Opacity", "ArrowLeft"),
                       "{round(one.opacity, 2) for one in comparison._maps} == {0.84}"),
    "neuron": ("neurons._table.top = 4", select, "len(other.neurons.selected) == 1"),
    "region": ("painter.tools.brush = 3", stroke, "other.regions.mask.any()"),
}  # fmt: skip
"""By control: what a cell sets of its view, how it is used, and what the kernel has then."""


@pytest.mark.parametrize("changed", [False, True], ids=["at first", "after a cell wrote"])
@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_heard_while_a_cell_runs(notebook: Notebook, name: str, changed: bool) -> None:
    change, act, condition = CONTROLS[name]
    assert notebook.kernel(f"changed = {changed}\nif changed: {change}") == ""
    notebook.page.evaluate(RUN, WAITING.format(condition=condition))
    act(notebook.page)
    assert notebook.page.evaluate("() => window.ended").strip() == "True"
