"""What a person does with x-features: watch them appear, name them, vote, look at others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Notebook, soon

STUDY = """
import xwidgets as xw
net = xw.network("birds")
images, _ = xw.scenes.draw("birds", range(20_000, 20_400))
study = xw.Study(net, xw.scenes.bird(seed=3).image)
"""
SHOW = """
explorer = xw.XFeatureExplorer(
    study, images, epochs=24, cache="features", names="names.json"
)
explorer
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(STUDY, SHOW)
    yield notebook
    notebook.kernel("study.close()")


@pytest.fixture
def explorer(opened: Notebook) -> Notebook:
    """A notebook whose module is fitted, with no name and no vote."""
    assert (
        opened.kernel("""
study.image = xw.scenes.bird(seed=3).image
_ = explorer.fit.wait()
blank = {"names": [""] * 5, "votes": [""] * 5, "history": []}
explorer.opinion, explorer.shown = explorer.opinion | blank, -1
""")
        == ""
    )
    expect(cards(opened.page)).to_have_count(5)
    return opened


def cards(page: Page) -> Locator:
    return page.locator(".xw-xfeatures .xw-card")


def known(folder: Path) -> list[dict[str, str]]:
    """What the file says of the module that was named last."""
    if not (folder / "names.json").exists():
        return []
    [*_, module] = json.loads((folder / "names.json").read_text("utf-8"))["modules"].values()
    features: list[dict[str, str]] = module["x-features"]
    return features


def distrusted(page: Page, folder: Path, expected: int) -> bool:
    """Whether the file soon says that so many x-features are not trusted."""
    return soon(
        page,
        lambda: sum(feature["vote"] == "distrust" for feature in known(folder)) == expected,
    )


def test_the_module_is_fitted_and_its_x_features_shown_before_it_is_complete(
    opened: Notebook,
) -> None:
    expect(cards(opened.page)).to_have_count(5, timeout=60_000)
    expect(opened.page.locator(".xw-xfeatures .xw-sentence")).to_contain_text("because of")
    opened.kernel("_ = explorer.fit.wait()")
    expect(opened.page.locator(".xw-xfeatures progress:visible")).to_have_count(0)
    assert opened.kernel("print(explorer.training)").strip() == "{}"


def test_a_name_is_in_the_sentence_and_in_the_file(explorer: Notebook, folder: Path) -> None:
    page = explorer.page
    field = cards(page).first.get_by_role("combobox")
    field.fill("<b>spoon</b>")
    field.press("Enter")
    expect(page.locator(".xw-xfeatures .xw-sentence")).to_contain_text("<b>spoon</b>")
    expect(page.locator(".xw-xfeatures datalist option").first).to_have_attribute(
        "value", "<b>spoon</b>"
    )
    assert soon(page, lambda: "<b>spoon</b>" in [feature["name"] for feature in known(folder)])


def test_a_vote_changes_the_score_at_once_and_undo_takes_it_back(
    explorer: Notebook, folder: Path
) -> None:
    page = explorer.page
    before = page.locator(".xw-xfeatures .xw-scores").inner_text()
    cards(page).first.get_by_role("button", name="Don't trust").click()
    expect(page.locator(".xw-xfeatures .xw-scores")).not_to_have_text(before)
    assert distrusted(page, folder, 1)
    page.locator(".xw-xfeatures").get_by_role("button", name="Undo").click()
    assert page.locator(".xw-xfeatures .xw-scores").inner_text() == before
    assert distrusted(page, folder, 0)


def test_an_x_feature_in_many_images_and_one_of_them_as_the_picture(explorer: Notebook) -> None:
    page = explorer.page
    cards(page).first.get_by_role("button", name="In many images").click()
    strip = page.locator(".xw-xfeatures .xw-strip").get_by_role("button")
    expect(strip).to_have_count(12, timeout=60_000)
    photo = page.locator(".xw-xfeatures .xw-summary img").first
    before, picture = photo.get_attribute("src"), explorer.kernel("print(study.picture.sum())")
    assert before is not None
    strip.nth(2).click()
    expect(photo).not_to_have_attribute("src", before)
    assert soon(page, lambda: explorer.kernel("print(study.picture.sum())") != picture)


def test_another_class_is_explained_by_a_module_of_its_own(explorer: Notebook) -> None:
    page = explorer.page
    explorer.kernel("study.target = (study.target + 1) % 20\nlabel = explorer.label")
    expect(page.locator(".xw-xfeatures .xw-heading").first).to_contain_text(
        explorer.kernel("print(label)").strip()
    )
    explorer.kernel("_ = explorer.fit.wait()")
    expect(cards(page)).to_have_count(5)


def test_it_stops_with_the_best_so_far_and_goes_on(explorer: Notebook) -> None:
    page = explorer.page
    explorer.kernel("study.target = (study.target + 7) % 20")
    view = page.locator(".xw-xfeatures")
    expect(cards(page)).to_have_count(5, timeout=60_000)
    view.get_by_role("button", name="Stop").click()
    expect(view.get_by_role("button", name="Continue")).to_be_visible()
    explorer.until("print(explorer.fit.fitting.progress.state)", "stopped")
    view.get_by_role("button", name="Continue").click()
    explorer.kernel("_ = explorer.fit.wait()")
    expect(view.get_by_role("button", name="Continue")).to_have_count(0)
