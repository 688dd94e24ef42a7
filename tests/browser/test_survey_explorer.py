"""A survey as a view in JupyterLab: it grows, and points are selected, named and opened."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Notebook

VIEW = """
from tempfile import mkdtemp
import time
import xwidgets as xw
net, scenes = xw.network("birds"), [xw.scenes.bird(seed) for seed in range(70)]
study = xw.Study(net, scenes[0].image, method=xw.Saliency())
folder = mkdtemp()
explorer = xw.SurveyExplorer(folder, scenes, study)
grown = []
explorer.growth.growing.observe(lambda change: grown.append(len(change.new.rows)), "answer")
explorer
"""
SURVEY = """
from xwidgets.surveys import writer
write = writer.Writer.write
def slowly(self, batch):
    write(self, batch)
    time.sleep(2)
writer.Writer.write = slowly
xw.survey(net, scenes, xw.Saliency(), folder, measures=["half_area"], progress=False)
writer.Writer.write = write
_ = explorer.growth.wait()
"""


@pytest.fixture(scope="module")
def done(run: Callable[..., Notebook]) -> Notebook:
    notebook = run(VIEW, SURVEY)
    expect(canvas(notebook.page)).to_have_attribute(
        "aria-label",
        "70 pictures as points, like maps near each other. Arrows go from point to point.",
    )
    return notebook


@pytest.fixture
def survey(done: Notebook) -> Notebook:
    """The notebook with nothing selected or opened, and all points in sight."""
    done.kernel("explorer.selected, explorer.opened, explorer.zoom = [], None, 1")
    done.kernel("explorer.center, explorer.colored_by = [0.5, 0.5], 'right or wrong'")
    done.until("print(explorer.selected, explorer.opened)", "[] None")
    expect(done.page.locator(".xw-survey .xw-card")).to_have_count(0)
    return done


def canvas(page: Page) -> Locator:
    return page.locator(".xw-scatter canvas")


def around(page: Page, *corners: tuple[float, float]) -> None:
    """Draw a lasso through these shares of the canvas, right and down."""
    box = canvas(page).bounding_box()
    assert box is not None
    for at, (right, down) in enumerate(corners):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=4)
        if at == 0:
            page.mouse.down()
    page.mouse.up()


def test_it_grows_while_a_cell_computes_the_survey(survey: Notebook) -> None:
    grown = [int(text) for text in survey.kernel("print(*grown)").split()]
    assert grown == sorted(grown)
    assert 0 < min(count for count in grown if count) < 70, "it showed a part of the survey"
    expect(survey.page.locator(".xw-survey > .xw-finding")).to_contain_text("for 70 pictures")
    expect(survey.page.locator(".xw-survey > .xw-work")).to_be_hidden()


def test_a_lasso_selects_what_is_inside(survey: Notebook) -> None:
    page = survey.page
    around(page, (0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99))
    survey.until("print(len(explorer.selected))", "70")
    expect(page.locator(".xw-survey .xw-card")).to_have_count(12)
    around(page, (0.01, 0.01), (0.5, 0.01), (0.5, 0.99), (0.01, 0.99))
    inside = """
import numpy as np
answer = explorer.growth.growing.answer
x = answer.places[:, 0]
middle = (x.min() + x.max()) / 2
left = sorted(int(n) for n in answer.rows["number"][x < middle])
print(explorer.selected == left, 0 < len(left) < 70)
"""
    survey.until(inside, "True True")
    expect(page.locator(".xw-selection .xw-heading")).to_contain_text("pictures selected")
    expect(page.locator(".xw-selection td").first).not_to_be_empty()


def test_a_click_on_a_point_opens_its_map_and_turns_the_study_to_it(survey: Notebook) -> None:
    page = survey.page
    place = survey.kernel("""
answer = explorer.growth.growing.answer
print([float(v) for v in answer.places[7]], [float(v) for v in answer.places.min(0)],
      [float(v) for v in answer.places.max(0)], int(answer.rows["number"].iloc[7]))
""")
    (x, y), low, high, number = eval(
        "[" + place.strip().replace("] [", "], [").replace("] ", "], ") + "]"
    )
    span = max(high[0] - low[0], (high[1] - low[1]) * 4 / 3) / 0.94
    right = 0.5 + (x - (low[0] + high[0]) / 2) / span
    down = 0.5 + 4 / 3 * (y - (low[1] + high[1]) / 2) / span
    box = canvas(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
    tip = page.locator(".xw-survey .xw-tip")
    expect(tip).to_contain_text(f"picture {number}")
    expect(tip.locator("img")).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".xw-survey .xw-overlay")).to_be_visible()
    survey.until("print(explorer.opened)", str(number))
    survey.until(f"print(bool((study.image == scenes[{number}].image).all()))", "True")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".xw-survey .xw-overlay")).to_have_count(0)


def test_a_group_gets_a_name_that_the_folder_keeps(survey: Notebook) -> None:
    page = survey.page
    page.locator(".xw-color-key select").select_option(label="predicted class")
    key = page.locator(".xw-keys button").first
    key.click()
    survey.until("print(len(explorer.selected) > 0)", "True")
    name = page.get_by_label("name of the selected group")
    name.fill("<b>first</b>")
    name.press("Enter")
    expect(page.locator(".xw-groups li")).to_contain_text("<b>first</b>")
    kept = "import json, pathlib; print(pathlib.Path(folder, 'groups.json').read_text())"
    selected = json.loads(survey.kernel("print(explorer.selected)"))
    assert json.loads(survey.kernel(kept))["groups"] == {"<b>first</b>": selected}
    expect(page.locator(".xw-color-key select")).to_contain_text("named group")
    page.get_by_role("button", name="remove the name").click()
    expect(page.locator(".xw-groups li")).to_have_count(0)


def test_keys_go_from_point_to_point_and_open_one(survey: Notebook) -> None:
    page = survey.page
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    first = page.locator(".xw-survey .xw-tip").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".xw-survey .xw-tip")).not_to_contain_text(first.splitlines()[0] + "\n")
    page.keyboard.press("Enter")
    expect(page.locator(".xw-survey .xw-overlay")).to_be_visible()
    page.keyboard.press("+")
    survey.until("print(explorer.zoom)", "2.0")
    page.get_by_role("button", name="Select what is shown").click()
    survey.until("print(0 < len(explorer.selected) < 70)", "True")
    canvas(page).focus()
    page.keyboard.press("Escape")
    survey.until("print(explorer.selected)", "[]")
