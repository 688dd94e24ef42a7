"""What a person does in JupyterLab: look, slide, choose, stop, read, reload."""

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from .lab import Notebook, soon
from .stage import await_colors, codes, differs, recoloured, seen


def await_complete(page: Page) -> None:
    expect(page.locator(".xw-status")).to_have_text("complete", timeout=240_000)


def slider(page: Page):
    return page.get_by_label("window in pixels")


def test_the_map_appears_and_the_slider_changes_it_by_mouse_and_keys(notebook: Notebook) -> None:
    page = notebook.page
    await_colors(page)
    notebook.kernel("study.stop()")
    first = seen(page)
    box = slider(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 7 / 15, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    dragged = int(slider(page).input_value())
    assert dragged > 10
    expect(page.locator(".xw-parameter:has(input[type=range]) output")).to_have_text(
        f"{dragged} × {dragged} pixels"
    )
    notebook.until("print(study.window)", str(dragged))
    await_colors(page)
    second = seen(page)
    assert differs(first, second)
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(slider(page)).to_have_value(str(dragged - 2))
    notebook.until("print(study.window)", str(dragged - 2))
    await_colors(page)
    assert differs(second, seen(page))
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 2, "the keys reached the slider, not the notebook"


def test_a_cell_answers_while_the_map_is_computed(notebook: Notebook) -> None:
    page = notebook.page
    await_colors(page)
    start = time.monotonic()
    assert notebook.kernel("print(1 + 1)") == "2\n"
    assert time.monotonic() - start < 5
    assert notebook.kernel("print(study.progress.state)").strip() == "computing"
    page.evaluate("""() => {
      const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
      const future = kernel.requestExecute({ code: 'import time; time.sleep(6)' });
      window.slept = false;
      future.done.then(() => { window.slept = true; });
    }""")
    page.wait_for_timeout(1000)
    drawn = page.locator(".xw-status").inner_text()
    expect(page.locator(".xw-status")).not_to_have_text(drawn, timeout=3000)
    assert not page.evaluate("() => window.slept"), "the map grows while a cell runs"


def test_stopping_and_going_on(notebook: Notebook) -> None:
    page = notebook.page
    await_colors(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".xw-status")).to_contain_text("stopped at")
    notebook.until("print(study.progress.state)", "stopped")
    page.wait_for_timeout(1000)  # for the step under way
    before = notebook.kernel("print(study.relevance.completed)")
    page.wait_for_timeout(700)
    assert notebook.kernel("print(study.relevance.completed)") == before
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".xw-status")).to_contain_text("left")
    page.wait_for_timeout(1000)
    assert float(notebook.kernel("print(study.relevance.completed)")) > float(before)


def test_an_error_appears_in_the_view_and_the_next_question_works(notebook: Notebook) -> None:
    page = notebook.page
    await_colors(page)
    notebook.kernel("""
def broken(logits):
    raise RuntimeError("the <b>device</b> is gone")
net.probabilities = broken
""")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("the <b>device</b> is gone")
    notebook.kernel("del net.probabilities")
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    expect(alert).to_be_hidden()
    await_colors(page)


def test_a_reload_shows_the_same_picture(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    before = seen(page)
    quick.command("docmanager:save")
    quick.open()
    page.locator(".xw-map").wait_for(timeout=60_000)
    await_complete(page)
    page.wait_for_timeout(500)
    assert not differs(before, seen(page))


def test_a_view_whose_kernel_restarted_says_so_and_keeps_the_picture(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    before = codes(page.locator(".xw-map"))
    said = page.get_by_text("The kernel is gone. This is what it showed last")
    expect(said).to_have_count(0)
    page.evaluate("""() => {
      const context = window.jupyterapp.shell.currentWidget.sessionContext;
      return context.session.kernel.restart();
    }""")
    expect(said.first).to_be_visible()
    assert (codes(page.locator(".xw-map")) == before).all()
    expect(page.locator(".xw-photo")).to_be_visible()
    quick.run_all()
    await_complete(page)
    expect(said).to_have_count(0)


def test_running_the_cells_again_leaves_no_old_worker_computing(notebook: Notebook) -> None:
    page = notebook.page
    await_colors(page)
    notebook.command("docmanager:save")
    notebook.open()
    page.locator(".xw-map").wait_for(timeout=60_000)
    notebook.kernel("old = study")
    notebook.run_all()
    await_colors(page)
    page.wait_for_timeout(1000)
    before = notebook.kernel("print(old is study, old.progress.share, study.progress.share)")
    page.wait_for_timeout(1000)
    after = notebook.kernel("print(old is study, old.progress.share, study.progress.share)")
    same, old, new = before.split()
    assert same == "False"
    assert after.split()[1] == old, "the old worker rests"
    assert after.split()[2] != new, "the new one computes"


def test_the_class_is_chosen_among_the_most_probable(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    assert page.locator(".xw-class").count() == 5
    first = seen(page)
    page.locator(".xw-class").nth(1).click()
    name = quick.kernel("print(study.ranking[1][1])").strip()
    expect(page.locator(".xw-for")).to_have_text(f"for {name}")
    await_complete(page)
    assert differs(first, seen(page))


def test_pixels_are_read_by_pointer_and_keys(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    page.locator(".xw-stage").scroll_into_view_if_needed()
    box = page.locator(".xw-map").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5 + 1, box["y"] + box["height"] * 0.25 + 1)
    readout = page.locator(".xw-readout")
    expect(readout).to_contain_text("row 16, column 32")
    page.mouse.move(0, 0)
    page.locator(".xw-map").focus()
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("row 32, column 33")
    page.keyboard.press("Shift+ArrowUp")
    expect(readout).to_contain_text("row 22, column 33")
    page.keyboard.press("b")
    page.get_by_role("button", name="Save PNG").focus()
    page.keyboard.press("b")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 2, "letters on the map are not commands to the notebook"


def test_the_pixel_that_is_read_is_known_to_the_kernel_and_set_by_it(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    readout = page.locator(".xw-readout")
    page.locator(".xw-map").focus()
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("row 32, column 33")
    pixel = "explorer.overlay.pixel"
    assert soon(page, lambda: quick.kernel(f"print({pixel})").strip() == "[32, 33]")
    quick.kernel(f"{pixel} = [5, 7]")
    expect(readout).to_contain_text("row 5, column 7")
    expect(page.locator(".xw-marker")).to_be_visible()


def test_opacity_what_is_too_small_and_colours_work_in_the_browser(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    pictures = [seen(page)]
    page.get_by_label("colour map").select_option("magenta-green")
    pictures.append(seen(page))
    for name in ("opacity", "too small"):
        control = page.get_by_label(name, exact=True)
        control.focus()
        page.keyboard.press("End" if name == "too small" else "Home")
        pictures.append(seen(page))
    assert all(recoloured(a, b) for a, b in pairwise(pictures))


def test_the_picture_can_be_saved(quick: Notebook) -> None:
    page = quick.page
    await_complete(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB"), int)
    assert saved.shape[1] >= 800
    assert np.ptp(saved, axis=(0, 1)).min() > 50


def test_a_failing_cell_shows_one_sentence(run: Callable[..., Notebook]) -> None:
    notebook = run("import xwidgets as xw\nxw.network('brids')")
    output = notebook.page.locator(".jp-OutputArea-output").last
    expect(output).to_contain_text("unknown network 'brids'; did you mean 'birds'?")


def test_what_is_opened_comes_into_sight(quick: Notebook) -> None:
    page = quick.page
    await_colors(page)
    whole = page.viewport_size
    page.set_viewport_size({"width": 1280, "height": 620})
    page.get_by_role("button", name="Remove a region").click()
    canvas = page.locator(".xw-painter canvas")
    expect(canvas).to_be_in_viewport(ratio=0.9, timeout=30_000)
    page.get_by_role("button", name="Methods side by side").click()
    panel = page.locator(".xw-part-methods")
    expect(panel.locator(".xw-map").first).to_be_in_viewport(timeout=30_000)
    panel.hover()
    page.mouse.wheel(0, -3000)
    expect(panel).not_to_be_in_viewport()
    page.wait_for_timeout(1500)  # in which it grows
    expect(panel).not_to_be_in_viewport()
    page.set_viewport_size(whole)
