"""What a person does with neurons: choose them, look at what they look at, compare, go on."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Notebook, soon

STUDY = """
import xwidgets as xw
net = xw.network("birds")
study = xw.Study(net, xw.scenes.bird(seed=3).image)
"""
SHOW = """
explorer = xw.NeuronExplorer(study, ["activation_precision", "output_correlation"])
explorer
"""
OVERLAY = "xw.RelevanceOverlay(study)"


AGAIN = """
study.image = xw.scenes.bird(seed=3).image
study.neurons.selected, explorer._table.top = (), 5
_ = study.neurons.ranking.wait()
"""


@pytest.fixture(scope="module")
def opened(run: Callable[..., Notebook]) -> Iterator[Notebook]:
    notebook = run(STUDY, SHOW, OVERLAY)
    notebook.page.locator(".xw-ranking .xw-row").first.wait_for(timeout=60_000)
    yield notebook
    notebook.kernel("study.close()")


@pytest.fixture
def neurons(opened: Notebook) -> Notebook:
    """A notebook with the neurons of a bird, nothing selected."""
    assert opened.kernel(AGAIN) == ""
    expect(opened.page.locator(".xw-card")).to_have_count(0)
    return opened


def row(page: Page, place: int) -> Locator:
    return page.locator(".xw-ranking .xw-row").nth(place)


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("group", name=title)


BEST = """
ranking = study.neurons.ranking.wait()
layer, convolution = ranking.layers[-1], ranking.convolutions[-1]
best = [channel for name, channel in ranking.by("activation_precision") if name == layer]
print(*(f"conv {convolution} · channel {channel} ({layer})" for channel in best[:2]), sep="|")
"""


def first_cards(notebook: Notebook) -> list[str]:
    """Titles of the cards of the first two rows, which are of the last layer."""
    return notebook.kernel(BEST).strip().split("|")


def await_selected(notebook: Notebook, printed: str) -> None:
    notebook.until("print([tuple(neuron) for neuron in study.neurons.selected])", printed)


def test_a_click_on_a_row_shows_the_patch_and_the_top_images(neurons: Notebook) -> None:
    page = neurons.page
    expect(page.get_by_text("Select neurons in the ranking table")).to_be_visible()
    title, _ = first_cards(neurons)
    row(page, 0).click()
    await_selected(neurons, neurons.kernel("print([(layer, best[0])])").strip())
    shown = card(page, title)
    expect(shown.get_by_alt_text("reconstruction")).to_be_visible()
    expect(shown.get_by_alt_text("patch", exact=True)).to_be_visible()
    expect(shown.get_by_role("button")).to_have_count(5, timeout=60_000)
    expect(page.locator(".xw-gallery .xw-side > .xw-frame .xw-box")).to_have_count(1)


def test_keys_move_select_and_extend_and_stay_in_the_table(neurons: Notebook) -> None:
    page = neurons.page
    _, title = first_cards(neurons)
    row(page, 0).click()
    page.keyboard.press("ArrowDown")
    expect(card(page, title)).to_be_visible()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".xw-card")).to_have_count(2)
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    expect(page.locator(".xw-card")).to_have_count(0)
    await_selected(neurons, "[]")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert cells == 3, "the keys reached the table, not the notebook"


def test_metrics_are_compared_and_the_shared_neurons_marked(neurons: Notebook) -> None:
    page = neurons.page
    both = neurons.kernel("""
ranking = study.neurons.ranking.wait()
precision, correlation = ranking.by("activation_precision"), ranking.by("output_correlation")
print(len({*precision} & {*correlation}), len({*precision} | {*correlation}))
""").split()
    line = page.locator(".xw-ranking").get_by_text(f"{both[0]} of {both[1]} neurons are in both")
    expect(line).to_be_visible()
    listed = page.get_by_role("grid")
    rows = int(listed.get_attribute("aria-rowcount") or 0)
    page.get_by_label("best of each layer").fill("2")
    page.keyboard.press("Enter")
    expect(listed).not_to_have_attribute("aria-rowcount", str(rows))
    assert soon(page, lambda: neurons.kernel("print(explorer._table.top)").strip() == "2")


def test_sorting_and_finding_are_known_to_the_kernel_and_set_by_it(neurons: Notebook) -> None:
    page = neurons.page
    table = page.locator(".xw-ranking")
    by_channel = table.get_by_role("columnheader", name="channel")
    by_channel.get_by_role("button").click()
    expect(by_channel).to_have_attribute("aria-sort", "ascending")
    table.get_by_label("Find").fill("features.0")
    expect(table.get_by_text("neurons listed")).to_contain_text("8 neurons listed")
    neurons.until(
        "print(explorer._table.order, explorer._table.find)",
        "{'by': 'channel', 'down': False} features.0",
    )
    neurons.kernel(
        "explorer._table.order, explorer._table.find = {'by': 'layer', 'down': False}, ''"
    )
    expect(by_channel).to_have_attribute("aria-sort", "none")
    expect(table.get_by_label("Find")).to_have_value("")
    neurons.kernel("explorer._table.order = {'by': 'layer', 'down': True}")


def test_a_strip_of_the_architecture_chooses_a_layer(neurons: Notebook) -> None:
    page = neurons.page
    table = page.locator(".xw-ranking")
    strip = table.get_by_role("toolbar", name="layers, from the picture to the output")
    blocks = strip.get_by_role("button")
    expect(blocks).to_have_count(13)
    expect(row(page, 0)).to_contain_text("conv 13")
    block = strip.get_by_role("button", name="conv 3 · features.5: 32 channels, 32 × 32")
    block.hover()
    expect(table.get_by_text("32 channels")).to_have_text(block.get_attribute("aria-label") or "")
    block.click()
    expect(block).to_have_attribute("aria-pressed", "true")
    neurons.until("print(explorer._table.shown_layers)", "['features.5']")
    rows = page.locator(".xw-ranking .xw-row")
    expect(rows.filter(has_text="conv 3")).to_have_count(rows.count())
    page.keyboard.press("ArrowRight")
    expect(blocks.nth(3)).to_be_focused()
    page.keyboard.press("Enter")
    neurons.until("print(explorer._table.shown_layers)", "['features.7']")
    page.keyboard.press("Enter")
    neurons.until("print(explorer._table.shown_layers)", "[]")
    expect(strip.locator('[aria-pressed="true"]')).to_have_count(0)
    block.click()
    table.get_by_role("button", name="All layers").click()
    neurons.until("print(explorer._table.shown_layers)", "[]")
    assert strip.locator('[tabindex="0"]').count() == 1, "one stop for Tab"


def test_reconstructions_are_of_the_patch_unless_the_whole_is_asked_for(neurons: Notebook) -> None:
    page = neurons.page
    neurons.kernel("study.neurons.selected = [(3, 1)]")
    reconstruction = page.get_by_alt_text("reconstruction")
    expect(reconstruction).to_be_visible()
    top, left, bottom, right = map(
        int, neurons.kernel("print(*study.neurons.patches.wait()[0].box)").split()
    )
    assert max(bottom - top, right - left) < 64

    def times() -> float:
        frame = page.locator(".xw-cut > div").bounding_box()
        return reconstruction.bounding_box()["width"] / frame["width"]

    assert times() == pytest.approx(64 / (right - left), rel=0.02)
    page.get_by_label("Reconstructions in the whole picture").check()
    assert times() == pytest.approx(1, rel=0.01)
    neurons.until("print(explorer._gallery.whole)", "True")
    page.get_by_label("Reconstructions in the whole picture").uncheck()


def test_the_views_do_not_style_each_other(neurons: Notebook) -> None:
    """A table beside an overlay, whose map has the class name of a column of the table."""
    line = row(neurons.page, 0)
    names = ["xw-mark", "xw-layer", "xw-map", "xw-value", "xw-share"]
    lefts = [line.locator(f".{name}").first.bounding_box()["x"] for name in names]
    assert lefts == sorted(set(lefts)), "the columns stand side by side"
    assert line.locator(".xw-map").first.bounding_box()["width"] < 60


def test_a_tick_counts_in_the_localisation_ratio(neurons: Notebook) -> None:
    page = neurons.page
    neurons.kernel("study.neurons.selected = [(3, 1), (3, 2)]")
    page.locator(".xw-card").first.get_by_label("contains the object").check()
    expect(page.locator(".xw-side output")).to_contain_text("1 of 2")
    neurons.until("print(explorer._gallery.localisation)", "0.5")


def test_a_top_image_becomes_the_image_of_every_view(neurons: Notebook) -> None:
    page = neurons.page
    before = neurons.kernel("print(study.image.sum())")
    row(page, 1).click()
    top = page.locator(".xw-card").get_by_role("button")
    expect(top).to_have_count(5, timeout=60_000)
    top.nth(2).click()
    assert soon(page, lambda: neurons.kernel("print(study.image.sum())") != before)
    target = neurons.kernel("print(net.class_name(study.target))").strip()
    expect(page.locator(".xw-ranking .xw-heading")).to_contain_text(target)
    expect(page.locator(".xw-gallery .xw-heading")).to_contain_text(target)
