"""The controls that methods bring with them: moved by mouse and keys, replaced, shared, refused."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Notebook, soon
from .stage import codes

STUDIES = """
from dataclasses import dataclass
import xwidgets as xw
from xwidgets.explain import MapMethod, parameter

@dataclass(frozen=True)
class Brightness(MapMethod):
    '''How bright the picture is.'''
    name, unit = "brightness", "share of white"
    gain: int = parameter(2, "what it is multiplied with", least=0, most=9, label="Gain")
    inverted: bool = parameter(True, "whether dark counts", label="Inverted")

    def check(self, subject, targets):
        if self.gain % 2:
            raise ValueError(f"gain is {self.gain}, but must be <b>even</b>")

    def explain(self, subject, target):
        bright = subject.pixels.mean(0)
        values = self.gain - bright if self.inverted else bright
        return self.relevance(subject, target, values)

def quick(**parameters):
    return xw.PredictionDifference(samples=1, stride=4, **parameters)

net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
study = xw.Study(net, image, method=quick(window=8))
left = xw.Study(net, image, method=xw.Occlusion(window=8, stride=4))
right = xw.Study(net, image, method=quick(window=8))
"""
CALLED = "inputs => inputs.map(one => one.ariaLabel)"


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(STUDIES, "xw.Explorer(study)", "xw.Comparison(left, right)")
    notebook.page.locator(".xw-map").nth(2).wait_for()
    yield notebook
    notebook.kernel("for one in (study, left, right): one.close()")


@pytest.fixture
def notebook(opened: Notebook) -> Notebook:
    """The notebook as it was opened, whatever was done in it before."""
    ask(opened, "quick(window=8)")
    expect(moving(explorer(opened))).to_have_count(2)
    return opened


def explorer(notebook: Notebook) -> Locator:
    return notebook.page.locator(".jp-OutputArea-output:has(.xw-overlay)").first


def moving(view: Locator) -> Locator:
    """What moves the parameters in a view."""
    return view.locator(".xw-parameter").locator("input, select")


def control(notebook: Notebook, name: str) -> Locator:
    return explorer(notebook).get_by_label(name, exact=True)


def ask(notebook: Notebook, method: str) -> None:
    """Set the study's method from a cell, and wait for its map."""
    assert notebook.kernel(f"study.method = {method}; study.wait()") == ""


def method(notebook: Notebook) -> str:
    """What the kernel's study has for a method, once it answered."""
    return notebook.kernel("study.wait(); print(study.method)").strip()


def colors(notebook: Notebook) -> np.ndarray:
    """The pixels of the explorer's map once it is complete, RGBA."""
    notebook.kernel("study.wait()")
    expect(explorer(notebook).locator(".xw-status")).to_have_text("complete")
    notebook.page.wait_for_timeout(300)
    return codes(explorer(notebook).locator(".xw-map"))


def drag(page: Page, slider: Locator, share: float) -> None:
    """Take a slider by its thumb to a share of its length."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high, value = (
        float(slider.evaluate(f"slider => slider.{name}")) for name in ("min", "max", "value")
    )
    middle = box["y"] + box["height"] / 2
    thumb = 8 + (value - low) / (high - low) * (box["width"] - 16)
    page.mouse.move(box["x"] + thumb, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + share * box["width"], middle, steps=4)
    page.mouse.up()


@pytest.mark.parametrize(
    ("asked", "name", "key", "said"),
    [
        ("quick(window=8)", "window in pixels", "ArrowRight", "window=9"),
        ("xw.Occlusion(window=8, stride=4)", "colour", "ArrowLeft", "value=0.45"),
    ],
)
def test_a_slider_is_moved_by_keys_and_mouse(
    notebook: Notebook, asked: str, name: str, key: str, said: str
) -> None:
    ask(notebook, asked)
    slider = control(notebook, name)
    before = colors(notebook)
    slider.focus()
    notebook.page.keyboard.press(key)
    assert soon(notebook.page, lambda: said in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())
    notebook.kernel("study.wait()")
    notebook.page.wait_for_timeout(300)
    keyed = colors(notebook)
    drag(notebook.page, slider, 0.9)
    parameter = said.split("=")[0]

    def kernel_has_it() -> bool:
        asked = float(notebook.kernel(f"print(study.method.{parameter})"))
        return asked == pytest.approx(float(slider.input_value()))

    assert soon(notebook.page, kernel_has_it)
    value = float(slider.input_value())
    expect(slider).to_have_attribute("aria-valuetext", f"{value:g} × {value:g} pixels"
                                     if parameter == "window" else f"{value:g}")  # fmt: skip
    assert soon(notebook.page, lambda: (colors(notebook) != keyed).any())


def test_a_square_becomes_a_rectangle_and_a_square_again(notebook: Notebook) -> None:
    ask(notebook, "xw.Occlusion(window=8, stride=4)")
    view, page = explorer(notebook), notebook.page
    square = view.get_by_label("square", exact=True)
    square.focus()
    page.keyboard.press("Space")
    height, width = (control(notebook, f"window {side} in pixels") for side in ("height", "width"))
    width.focus()
    page.keyboard.press("ArrowRight")
    assert soon(page, lambda: "window=(8, 9)" in method(notebook))
    drag(page, height, 0.5)

    def kernel_has_it() -> bool:
        sides = [slider.input_value() for slider in (height, width)]
        return notebook.kernel("print(*study.method.window)").split() == sides

    assert soon(page, kernel_has_it)
    notebook.kernel("study.wait()")
    longer = max(int(slider.input_value()) for slider in (height, width))
    square.click()
    assert soon(page, lambda: f"window={longer}," in method(notebook))
    expect(width).to_have_count(0)


def test_the_object_is_outlined_and_its_threshold_moves_the_outline(notebook: Notebook) -> None:
    ask(notebook, "xw.Saliency()")
    view, page = explorer(notebook), notebook.page
    tick = view.get_by_label("Outline the object", exact=True)
    outline = view.locator("canvas.xw-outline")
    expect(outline).to_be_hidden()
    tick.focus()
    page.keyboard.press("Space")
    expect(outline).to_be_visible()
    drawn = codes(outline)
    assert drawn.any()
    threshold = view.get_by_label("object", exact=True)
    threshold.focus()
    page.keyboard.press("PageUp")
    assert soon(page, lambda: (codes(outline) != drawn).any())
    tick.click()
    expect(outline).to_be_hidden()


def test_a_choice_is_made_by_keys_and_mouse(notebook: Notebook) -> None:
    choice = control(notebook, "measure")
    before = colors(notebook)
    choice.focus()
    notebook.page.keyboard.press("ArrowDown")
    assert soon(notebook.page, lambda: "measure='difference'" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())
    expect(explorer(notebook).locator(".xw-zero")).not_to_have_text("0 bits")
    choice.select_option("evidence")
    assert soon(notebook.page, lambda: "measure='evidence'" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) == before).all())


def test_a_switch_is_turned_by_keys_and_mouse(notebook: Notebook) -> None:
    ask(notebook, "Brightness()")
    switch = control(notebook, "inverted")
    expect(switch).to_be_checked()
    before = colors(notebook)
    switch.focus()
    notebook.page.keyboard.press("Space")
    assert soon(notebook.page, lambda: "inverted=False" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())
    explorer(notebook).get_by_text("Inverted", exact=True).click()
    expect(switch).to_be_checked()
    assert soon(notebook.page, lambda: "inverted=True" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) == before).all())


def test_contrast_is_the_methods_choice_or_the_persons(notebook: Notebook) -> None:
    ask(notebook, "xw.ExcitationBackprop()")
    choice, remark = control(notebook, "contrast"), explorer(notebook).locator(".xw-remark")
    expect(choice).to_have_value("default")
    expect(remark).to_contain_text("Without contrast, as further linear layers follow on the way")
    before = colors(notebook)
    choice.select_option("True")
    assert soon(notebook.page, lambda: "contrastive=True" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())
    expect(remark).to_contain_text("With contrast, as asked for")
    choice.select_option("False")
    assert soon(notebook.page, lambda: (colors(notebook) == before).all())
    expect(remark).to_have_text(
        "Without contrast, as asked for. 100 % of the plain excitation arrived."
    )
    control(notebook, "stop at").select_option("pixels")
    assert soon(notebook.page, lambda: "stop_at='pixels'" in method(notebook))
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())


def test_another_method_brings_its_own_controls(notebook: Notebook) -> None:
    view = explorer(notebook)
    assert moving(view).evaluate_all(CALLED) == ["window in pixels", "measure"]
    before = colors(notebook)
    ask(notebook, "xw.Saliency()")
    expect(control(notebook, "window in pixels")).to_have_count(0)
    assert moving(view).evaluate_all(CALLED) == ["channels"]
    assert soon(notebook.page, lambda: (colors(notebook) != before).any())
    ask(notebook, "quick(window=5)")
    expect(control(notebook, "window in pixels")).to_have_value("5")
    expect(control(notebook, "channels")).to_have_count(0)


def test_a_map_without_negative_values_has_half_a_scale(notebook: Notebook) -> None:
    view = explorer(notebook)
    expect(view.locator(".xw-tick")).to_be_visible()
    ask(notebook, "xw.Saliency()")
    expect(view.locator(".xw-tick")).to_be_hidden()
    expect(view.locator(".xw-low")).to_have_text("0")
    expect(view.locator(".xw-zero")).to_have_text("logits per unit of pixel value")
    expect(view.locator(".xw-against")).to_have_text("less sensitive")
    ramp = codes(view.locator(".xw-ramp"))
    assert ramp[:3].tolist() == [29, 11, 63]
    assert ramp[-4:-1].tolist() == [253, 234, 160]
    control(notebook, "channels").select_option("signed")
    expect(view.locator(".xw-tick")).to_be_visible()


def test_what_the_method_refuses_is_put_back_and_explained(notebook: Notebook) -> None:
    ask(notebook, "Brightness()")
    gain = control(notebook, "gain")
    alert = explorer(notebook).locator(".xw-parameter + .xw-alert").first  # the other is a switch's
    expect(alert).to_be_hidden()
    before = colors(notebook)
    gain.focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(alert).to_have_text("gain is 3, but must be <b>even</b>")
    expect(alert).to_have_role("alert")
    expect(gain).to_have_value("2")
    expect(gain).to_have_attribute("aria-valuetext", "2")
    assert "gain=2" in method(notebook)
    assert soon(notebook.page, lambda: (colors(notebook) == before).all())
    notebook.page.keyboard.press("PageUp")
    notebook.page.keyboard.press("End")
    expect(alert).to_have_text("gain is 9, but must be <b>even</b>")
    notebook.kernel("study.move(gain=4)")
    expect(gain).to_have_value("4")
    expect(alert).to_be_hidden()


def test_a_comparison_shares_what_both_methods_have(notebook: Notebook) -> None:
    view = notebook.page.locator(".xw-comparison")
    assert moving(view).evaluate_all(CALLED) == [
        "window in pixels", "colour (left)", "measure (left)", "measure (right)",
    ]  # fmt: skip
    expect(view.locator(".xw-parameter > span:first-child")).to_have_text(
        ["Window", "Colour (left)", "Measure (left)", "Measure (right)"]
    )
    window = view.get_by_label("window in pixels", exact=True)
    window.focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.until("print(left.window, right.window)", "9 9")
    view.get_by_label("measure (left)").select_option("drop")
    notebook.until("print(left.method.measure, right.method.measure)", "drop evidence")
    maps = [one.bounding_box() for one in view.locator(".xw-map:visible").all()]
    last = moving(view).last.bounding_box()
    assert len({round(box["y"]) for box in maps}) == 1, "in one row"
    assert last["y"] + last["height"] <= maps[0]["y"], "below all controls"
