"""Dataset search in JupyterLab: the choice of what is searched for, keys, and the page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .lab import Notebook

STUDY = """
import xwidgets as xw
net = xw.network("birds")
images, _ = xw.scenes.draw("birds", range(40))
study = xw.Study(net, images[0], method=xw.Saliency())
gallery = xw.TopImagesGallery(study, (5, 48), images, k=6)
gallery
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(STUDY)
    notebook.page.locator(".xw-top-images .xw-tile").first.wait_for(timeout=60_000)
    yield notebook
    notebook.kernel("study.close()")


def view(notebook: Notebook) -> Locator:
    return notebook.page.locator(".xw-top-images")


SEARCHED = "print(study.dataset_search.wait().name)"


def test_images_and_their_number(opened: Notebook) -> None:
    expect(view(opened).locator(".xw-tile")).to_have_count(6)
    expect(view(opened).locator(".xw-tile .xw-box")).to_have_count(6)
    slider = view(opened).get_by_role("slider", name="images")
    slider.focus()
    opened.page.keyboard.press("ArrowRight")
    expect(view(opened).locator(".xw-tile")).to_have_count(7)
    opened.until("print(gallery.k)", "7")
    alone = view(opened).get_by_label("patches alone")
    alone.check()
    expect(view(opened).locator(".xw-tile .xw-frame").first).to_be_hidden()
    alone.uncheck()
    expect(view(opened).locator(".xw-tile .xw-frame").first).to_be_visible()


def test_what_is_searched_for_is_chosen(opened: Notebook) -> None:
    kind = view(opened).get_by_label("search for")
    kind.select_option(label="a class")
    view(opened).get_by_label("class", exact=True).select_option("Fern finch (striped crown)")
    opened.until(SEARCHED, "Fern finch (striped crown)")
    expect(view(opened).locator(".xw-heading")).to_contain_text("Fern finch (striped crown)")
    kind.select_option(label="a channel")
    opened.until(SEARCHED, "features.10 channel 48")
    channel = view(opened).get_by_label("channel", exact=True)
    expect(channel).to_have_value("48")
    channel.select_text()
    channel.press_sequentially("60")
    channel.press("Enter")
    opened.until(SEARCHED, "features.10 channel 60")
    expect(view(opened).locator(".xw-heading")).to_contain_text("channel 60")
    view(opened).get_by_label("layer", exact=True).select_option("conv 3 · features.5")
    opened.until(SEARCHED, "features.5 channel 31")
    expect(channel).to_have_value("31")


def test_an_image_is_looked_at_by_key_and_by_click(opened: Notebook) -> None:
    opened.kernel("study.dataset_search.searched = (5, 48)")
    opened.until(SEARCHED, "features.10 channel 48")
    tiles = view(opened).locator(".xw-tile")
    expect(view(opened).locator(".xw-heading")).to_contain_text("features.10 channel 48")
    sources = opened.kernel("print(*study.dataset_search.wait().sources)").split()
    tiles.first.focus()
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("Enter")
    opened.until("print(gallery.looked)", sources[1])
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    tiles.nth(2).click()
    opened.until(
        "print(gallery.looked, (study.picture == gallery._shown[0].images[2]).all())",
        f"{sources[2]} True",
    )
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "false")


def test_a_page_without_a_kernel_is_alive(opened: Notebook, folder: Path) -> None:
    opened.kernel("study.dataset_search.searched = (5, 48)")
    opened.until(SEARCHED, "features.10 channel 48")
    opened.kernel("gallery.k = 6")
    opened.kernel(f"gallery.to_html({str(folder / 'top_images.html')!r})")
    with opened.page.context.new_page() as page:
        page.goto((folder / "top_images.html").as_uri())
        tiles = page.locator(".xw-tile")
        expect(tiles).to_have_count(6)
        page.get_by_role("slider", name="images").focus()
        page.keyboard.press("Home")
        expect(tiles).to_have_count(1)
        page.get_by_label("patches alone").check()
        expect(page.locator(".xw-tile .xw-frame")).to_be_hidden()
        expect(page.get_by_label("search for")).to_be_hidden()
        expect(page.get_by_role("button")).to_have_count(0)
