"""What a person does with the form: tick, go on, go back, come back later, send a file."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import xwidgets as xw

from .lab import Notebook, browser_page, soon

MARKUP = "<b>beak</b>"
PARTS = [MARKUP, "crown", "tail"]
FOUND = """
import xwidgets as xw
net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
found = list(xw.x_features_each(net, module, images[:3]))
"""
SHOW = f"""
form = xw.PartsForm(found, {PARTS!r}, questions=6, path="answers.json")
form
"""
LONG = "import time\ntime.sleep(12)"

FOCUSED = """() => {
  const { activeElement: element } = document;
  return (element.labels?.[0]?.querySelector("span") ?? element).textContent;
}"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Notebook:
    return run(FOUND, SHOW)


@pytest.fixture
def form(opened: Notebook) -> Notebook:
    """A notebook with a form at its first question, without answers."""
    assert soon(opened.page, lambda: kernel_and_view_agree(opened))
    assert opened.kernel("form.answers, form.position = [], 0") == ""
    expect(view(opened.page).get_by_text("1 of 6")).to_be_visible()
    return opened


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[xw.PartsForm, Path]:
    scope: dict[str, Any] = {}
    exec(FOUND, scope)
    form = xw.PartsForm(scope["found"], PARTS, questions=6)
    path = tmp_path_factory.mktemp("page") / "form.html"
    form.to_html(path)
    return form, path


@pytest.fixture
def offline(browser: Browser, exported: tuple[xw.PartsForm, Path]) -> Iterator[Page]:
    with browser_page(browser, offline=True) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(exported[1].as_uri())
        expect(view(page).get_by_text("1 of 6")).to_be_visible()
        yield page
        assert all(url.startswith(("file:", "data:")) for url in asked)


def kernel_and_view_agree(form: Notebook) -> bool:
    """Whether the kernel has heard of all that the last test did: it would undo a reset."""
    asked = form.kernel("print(min(form.position + 1, 6))").strip()
    return view(form.page).get_by_text(f"{asked} of 6").is_visible()


def view(page: Page) -> Locator:
    return page.locator(".xw-parts-form")


def tick(page: Page, name: str) -> Locator:
    return view(page).get_by_role("checkbox", name=name, exact=True)


def press(page: Page, name: str) -> None:
    view(page).get_by_role("button", name=name).click()


def saved(page: Page, folder: Path, count: int) -> list[list[str]]:
    """The parts in the file, once the kernel has heard of so many answers."""
    for _ in range(100):
        answers = json.loads((folder / "answers.json").read_text("utf-8"))["answers"]
        if len(answers) == count:
            break
        page.wait_for_timeout(50)
    return [answer["parts"] for answer in answers]


def test_a_page_is_answered_and_its_file_is_what_the_kernel_writes(
    offline: Page, exported: tuple[xw.PartsForm, Path], tmp_path: Path
) -> None:
    form, _ = exported
    given = [[MARKUP], ["crown", "tail"], [], ["context"], ["tail"], [MARKUP]]
    keys = ["1", "23", "0", "4", "3", "1"]
    for pressed in keys:
        for key in [*pressed, "Enter"]:
            offline.keyboard.press(key)
    expect(view(offline).get_by_text("All questions are answered")).to_be_visible()
    with offline.expect_download() as download:
        press(offline, "Download answers")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    form.load(path)
    assert [answer["parts"] for answer in form.answers] == given
    assert form.position == 6
    form.save(tmp_path / "kernel.json")
    assert (tmp_path / "kernel.json").read_bytes() == path.read_bytes()
    assert xw.PartsForm.counts_of(path).sum(0).tolist() == [2, 1, 2, 1]


def test_a_page_warns_before_answers_are_lost(offline: Page) -> None:
    asked: list[str] = []
    offline.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    offline.keyboard.press("1")
    with offline.expect_download():
        press(offline, "Download answers")
    offline.reload()
    assert asked == []
    offline.locator(".xw-frame").click()
    offline.keyboard.press("1")
    offline.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("width", [320, 700, 1200])
def test_nothing_is_wider_than_the_page(
    browser: Browser, exported: tuple[xw.PartsForm, Path], width: int
) -> None:
    with browser_page(browser, offline=True, width=width, scale=2) as page:
        page.goto(exported[1].as_uri())
        expect(view(page)).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        clipped = page.evaluate(
            """() => [...document.querySelectorAll('.xw-option, button')]
              .filter((element) => element.scrollWidth > element.clientWidth)
              .map((element) => element.textContent)"""
        )
        assert clipped == []


def test_answers_are_counted_and_written(form: Notebook, folder: Path) -> None:
    page = form.page
    heat = view(page).locator(".xw-heat")
    before = heat.get_attribute("src")
    tick(page, MARKUP).check()
    tick(page, "context").check()
    press(page, "Next")
    expect(view(page).get_by_text("2 of 6")).to_be_visible()
    assert heat.get_attribute("src") != before
    expect(view(page).get_by_role("checkbox", checked=True)).to_have_count(1)
    assert saved(page, folder, 1) == [[MARKUP, "context"]]
    form.until("print(form.counts.sum(0).tolist())", "[1, 0, 0, 1]")
    first = form.kernel("print(form.counts[form.questions[0]['x-feature']].tolist())")
    assert first.strip() == "[1, 0, 0, 1]"


def test_without_an_answer_it_does_not_go_on(form: Notebook) -> None:
    page = form.page
    press(page, "Next")
    expect(view(page).get_by_text("Tick the parts that the heat map shows, or")).to_be_visible()
    expect(view(page).get_by_text("1 of 6")).to_be_visible()
    tick(page, "cannot tell").check()
    press(page, "Next")
    expect(view(page).get_by_text("2 of 6")).to_be_visible()


def test_an_answer_is_revised(form: Notebook, folder: Path) -> None:
    page = form.page
    for name in ("crown", "tail"):
        tick(page, name).check()
        press(page, "Next")
    assert saved(page, folder, 2) == [["crown"], ["tail"]]
    press(page, "Back")
    press(page, "Back")
    expect(tick(page, "crown")).to_be_checked()
    tick(page, "cannot tell").check()
    expect(tick(page, "crown")).not_to_be_checked()
    press(page, "Next")
    expect(tick(page, "tail")).to_be_checked()
    for _ in range(100):
        if saved(page, folder, 2)[0] == []:
            break
        page.wait_for_timeout(50)
    assert saved(page, folder, 2) == [[], ["tail"]]


def test_keys_tick_go_on_go_back_and_stay_in_the_form(form: Notebook, folder: Path) -> None:
    page = form.page
    view(page).locator(".xw-frame").click()
    page.keyboard.press("2")
    page.keyboard.press("4")
    expect(tick(page, "crown")).to_be_checked()
    page.keyboard.press("Enter")
    expect(view(page).get_by_text("2 of 6")).to_be_visible()
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    assert saved(page, folder, 2) == [["crown", "context"], []]
    page.keyboard.press("h")
    expect(view(page).locator(".xw-heat")).to_be_hidden()
    page.keyboard.press("h")
    expect(view(page).locator(".xw-heat")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(tick(page, "cannot tell")).to_be_checked()
    page.keyboard.press("b")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 2, "the keys reached the form, not the notebook"


def test_all_is_reached_by_tab(form: Notebook) -> None:
    page = form.page
    tick(page, "heat map").focus()
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert reached == [*PARTS, "context", "cannot tell", "Back", "Next"]


def test_an_answer_is_written_while_a_cell_runs(form: Notebook, folder: Path) -> None:
    page = form.page
    form.run_all()
    expect(view(page).get_by_text("1 of 6")).to_be_visible()
    page.wait_for_timeout(1000)
    page.evaluate(
        """(code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          window.long = kernel.requestExecute({ code, store_history: false }).done
            .then(() => { window.over = true; });
        }""",
        LONG,
    )
    tick(page, "tail").check()
    press(page, "Next")
    assert saved(page, folder, 1) == [["tail"]]
    assert not page.evaluate("() => Boolean(window.over)"), "the cell still runs"
    page.evaluate("() => window.long")


def test_a_reload_and_a_new_form_go_on(form: Notebook, folder: Path) -> None:
    page = form.page
    for name in ("crown", "tail"):
        tick(page, name).check()
        press(page, "Next")
    assert saved(page, folder, 2) == [["crown"], ["tail"]]
    form.command("docmanager:save")
    form.open()
    expect(view(page).get_by_text("3 of 6")).to_be_visible(timeout=60_000)
    press(page, "Back")
    expect(tick(page, "tail")).to_be_checked()
    form.run_all()
    expect(view(page).get_by_text("3 of 6")).to_be_visible()
    form.until("print(len(form.answers))", "2")
