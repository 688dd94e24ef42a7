"""A whole session with the explorer, as a person has one, and the same again from what it left."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import xwidgets as xw

from .lab import Notebook
from .stage import await_colors

STUDY = """
import xwidgets as xw
study = xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1, stride=4)
explorer = xw.Explorer(study, [xw.scenes.bird(seed=seed) for seed in (3, 4, 5)])
explorer
"""

STATE = """
print([study.target, study.method, float(study.image.sum()), explorer.overlay.opacity,
       explorer.overlay.scale_locked, list(explorer.panes.panels), study.neurons.selected,
       int(study.regions.mask.sum())])
"""


def drop(page: Page, path: Path) -> None:
    """Drop a file on the strip of pictures, as from a folder on the desktop."""
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(
        """async ([data, name]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
          const strip = document.querySelector(".xw-strip");
          for (const kind of ["dragover", "drop"]) {
            const how = { dataTransfer, bubbles: true, cancelable: true };
            strip.dispatchEvent(new DragEvent(kind, how));
          }
        }""",
        [data, path.name],
    )


def paint(page: Page) -> None:
    canvas = page.locator(".xw-painter canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 160, steps=4)
    page.mouse.up()


@pytest.mark.timeout(600)
def test_a_session_is_gone_through_undone_saved_restored_and_repeated(
    run: Callable[..., Notebook], tmp_path: Path
) -> None:
    notebook = run(STUDY)
    page = notebook.page
    await_colors(page)
    pixels = np.round(255 * xw.scenes.bird(seed=8).image.permute(1, 2, 0).numpy()).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mine.png")

    drop(page, tmp_path / "mine.png")
    expect(page.get_by_role("button", name="picture mine.png")).to_have_attribute(
        "aria-pressed", "true", timeout=30_000
    )
    notebook.until("print(study.network.top(study.image)[0][0] == study.target)", "True")

    search = page.locator(".xw-class-search")
    search.fill("dune ruby")
    expect(page.locator(".xw-class")).to_have_count(1)
    search.press("Enter")
    notebook.until("print(study.network.class_name(study.target))", "Dune finch (ruby breast)")
    search.press("Escape")
    expect(page.locator('.xw-class[aria-pressed="true"]')).to_contain_text("Dune finch (ruby")

    slider = page.get_by_label("window in pixels")
    slider.focus()
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    notebook.until("print(study.window)", "8")
    page.wait_for_timeout(800)  # what follows at once counts to the same step
    page.get_by_role("button", name="normal").click()
    notebook.until("print(study.method.stride, study.method.samples)", "2 10")
    page.get_by_role("button", name="undo the last change").click()
    notebook.until("print(study.method.stride, study.method.samples)", "4 1")
    await_colors(page)
    page.get_by_label("opacity").first.press("ArrowLeft")
    notebook.until("print(explorer.overlay.opacity)", "0.84")

    page.get_by_role("button", name="One scale for all maps").first.click()
    notebook.until("print(explorer.overlay.scale_locked)", "False")

    page.get_by_role("button", name="Because of what?").click()
    name = page.locator(".xw-part-reasons input:visible[type=text]").first
    name.wait_for(timeout=120_000)
    expect(page.locator(".xw-part-reasons")).to_be_in_viewport()
    name.fill("a red breast")
    name.press("Enter")
    notebook.until("print('a red breast' in explorer.panes.panels['reasons'].names)", "True")
    page.get_by_role("button", name="Because of what?").click()

    page.get_by_role("button", name="Remove a region").click()
    paint(page)
    notebook.until("print(study.regions.mask.any())", "True")
    page.get_by_role("button", name="Neurons").click()
    row = page.locator(".xw-ranking .xw-row").nth(1)
    row.click()
    notebook.until("print(len(study.neurons.selected))", "1")

    kept = notebook.kernel(STATE)
    with page.expect_download() as download:
        page.get_by_role("button", name="save the settings").click()
    download.value.save_as(tmp_path / "explorer.json")
    assert json.loads((tmp_path / "explorer.json").read_text())["panels"] == ["neurons"]
    page.get_by_role("button", name="Python that shows this").click()
    told = page.get_by_label("Python of what is shown")
    expect(told).to_have_value(re.compile("explorer"))
    code = told.input_value()
    page.locator(".xw-copy").get_by_role("button", name="Close").click()

    page.locator(".xw-thumb").last.click()
    notebook.until("print(int(study.regions.mask.sum()))", "0")  # or else the page moves meanwhile
    page.get_by_role("button", name="Neurons").click()
    notebook.until("print(list(explorer.panes.panels))", "[]")
    page.locator('.xw-tools input[type="file"]').set_input_files(tmp_path / "explorer.json")
    notebook.until(STATE, kept.strip())
    await_colors(page)

    notebook.kernel("study.close()")
    again = run(code)
    again.page.locator(".xw-map").first.wait_for()
    await_colors(again.page)
    again.until(STATE, kept.strip())
    notebook.kernel("study.close()")
    again.kernel("study.close()")
