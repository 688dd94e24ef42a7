"""The exported page: opened from disk, without kernel and network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import xwidgets as xw
from xwidgets.widgets.view import View, page_of

from ..lab import browser_page
from ..stage import await_colors, codes, differs, seen


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "bird.html"
    image = xw.scenes.bird(seed=3).image
    with xw.Study(xw.network("birds"), image, window=8, samples=1, stride=2) as study:
        xw.RelevanceOverlay(study).to_html(path, windows=[4, 8, 12])
    return path


@pytest.fixture
def offline(browser: Browser, exported: Path) -> Iterator[Page]:
    with browser_page(browser, offline=True) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(exported.as_uri())
        await_colors(page)
        yield page
        assert all(url.startswith(("file:", "data:")) for url in asked)


def test_its_slider_changes_the_pixels(offline: Page) -> None:
    sizes = offline.get_by_label("window", exact=True)
    pictures = [seen(offline)]
    expect(offline.locator(".xw-overlay label output").first).to_have_text("8 × 8 pixels")
    sizes.focus()
    for key in ("ArrowLeft", "End"):
        offline.keyboard.press(key)
        pictures.append(seen(offline))
    assert differs(pictures[0], pictures[1])
    assert differs(pictures[1], pictures[2])
    expect(sizes).to_have_attribute("aria-valuetext", "12 × 12 pixels")


def test_its_own_policy_lets_it_load_nothing(offline: Page) -> None:
    asked = "fetch('data:,here').then(() => 'loaded', () => 'refused')"
    assert offline.evaluate(asked) == "refused"


@pytest.mark.parametrize(
    "code",
    [
        "export default { render() { throw new Error('<b>no</b> </script> numbers'); } };\n",
        "throw new Error('<b>no</b> </script> numbers');\nexport default {};\n",
    ],
    ids=["drawn", "begun"],
)
def test_a_part_that_fails_says_so_and_the_others_stand(
    browser: Browser, tmp_path: Path, code: str
) -> None:
    (tmp_path / "broken.mjs").write_text(code)

    class Broken(View, module=str(tmp_path / "broken.mjs")):
        """A view that cannot be drawn."""

    overlay = xw.RelevanceOverlay(xw.saliency(xw.network("birds"), xw.scenes.bird(seed=3).image))
    two = page_of(None, ["two"], [(Broken(), {}), (overlay, {})])
    two.save(tmp_path / "page.html")
    with browser_page(browser, offline=True) as page:
        page.goto((tmp_path / "page.html").as_uri())
        expect(page.get_by_role("alert").first).to_have_text(
            "This part of the page could not be drawn: Error: <b>no</b> </script> numbers"
        )
        await_colors(page)


def test_hover_opacity_and_colours_work(offline: Page) -> None:
    offline.get_by_label("too small", exact=True).press("Home")  # or else most of it is hatched
    first = codes(offline.locator(".xw-map"))
    offline.locator(".xw-map").hover()
    expect(offline.locator(".xw-readout")).to_contain_text("bits")
    offline.get_by_label("colour map").select_option("orange-purple")
    assert (codes(offline.locator(".xw-map")) != first).mean() > 0.01
    second = seen(offline)
    offline.get_by_label("opacity").focus()
    offline.keyboard.press("Home")
    assert differs(second, seen(offline))


def test_its_heading_says_what_is_shown(offline: Page) -> None:
    heading = offline.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    expect(heading).to_have_text(
        "prediction difference for 'Dune finch (ruby breast)' (birds), in bits"
    )
    expect(offline.locator("header p")).to_contain_text("samples 1, stride 2, seed 0")


def test_nothing_offers_to_compute(offline: Page) -> None:
    expect(offline.get_by_role("button", name="Stop")).to_be_hidden()


def test_it_is_one_small_file(exported: Path) -> None:
    assert exported.stat().st_size < 400_000
    assert "://" not in exported.read_text("utf-8").replace("http://www.w3.org", "")


def test_maps_of_several_methods_are_called_maps(browser: Browser, tmp_path: Path) -> None:
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    maps = [xw.saliency(net, image), xw.excitation_backprop(net, image, contrastive=False)]
    path = tmp_path / "methods.html"
    xw.RelevanceOverlay(maps).to_html(path)
    with browser_page(browser, offline=True) as page:
        page.goto(path.as_uri())
        await_colors(page)
        choice = page.get_by_label("map", exact=True)
        choice.focus()
        page.keyboard.press("End")
        expect(choice).to_have_attribute("aria-valuetext", maps[1].title)
        expect(choice.locator("..").locator("output")).to_contain_text("mass 1.00")


def test_a_page_switches_between_measures(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "measures.html"
    method = xw.Occlusion(window=8, stride=4)
    with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, method=method) as study:
        xw.Explorer(study).to_html(path, measure=["difference", "drop"])
    with browser_page(browser, offline=True) as page:
        page.goto(path.as_uri())
        measure = page.get_by_label("measure", exact=True)
        expect(page.locator(".xw-control:visible > span").first).to_have_text("Measure")
        expect(measure).to_have_attribute("aria-valuetext", "difference")
        expect(page.locator(".xw-zero")).to_have_text("0 logits")
        before = codes(page.locator(".xw-map"))
        measure.focus()
        page.keyboard.press("ArrowRight")
        expect(measure).to_have_attribute("aria-valuetext", "drop")
        expect(page.locator(".xw-zero")).to_have_text("0 probability")
        assert (codes(page.locator(".xw-map")) != before).any()
        assert not page.locator(".xw-parameter").count(), "nothing that needs a kernel"


def test_a_page_of_neurons_selects_sorts_and_shows_patches(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "neurons.html"
    with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1) as study:
        study.stop()
        xw.NeuronExplorer(study, ["activation_precision", "weight_sum"]).to_html(path)
        ranking = study.neurons.ranking.wait()
    layer, channel = ranking.by("activation_precision", 1)[-1]
    name = f"conv {ranking.convolutions[-1]} · channel {channel} ({layer})"
    with browser_page(browser, offline=True) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.locator(".xw-row").first.click()
        shown = page.get_by_role("group", name=name)
        expect(shown.get_by_alt_text("reconstruction")).to_be_visible()
        page.get_by_label("ranked by").select_option("weight_sum")
        page.keyboard.press("Tab")
        for width, beside in ((760, True), (740, False)):
            page.set_viewport_size({"width": width, "height": 900})
            parts = [page.locator(f".xw-{name}").bounding_box() for name in ("ranking", "gallery")]
            assert (parts[0]["y"] == parts[1]["y"]) is beside
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".xw-row").first.click(modifiers=["Control"])
        expect(page.locator(".xw-card")).to_have_count(2)
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        assert all(url.startswith(("file:", "data:")) for url in asked)


def test_a_remark_stands_below_the_map(browser: Browser, tmp_path: Path) -> None:
    image = xw.scenes.bird(seed=3).image
    result = xw.prediction_difference(xw.network("birds"), image, samples=1, stride=8)
    words = "birds is run whole for every window: its forward pass looks at values"
    xw.RelevanceOverlay(replace(result, note=words)).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True) as page:
        page.goto((tmp_path / "page.html").as_uri())
        await_colors(page)
        expect(page.locator(".xw-remark")).to_have_text(words)
        expect(page.locator(".xw-remark")).to_be_visible()


def test_a_map_that_is_not_complete_is_not_called_so(browser: Browser, tmp_path: Path) -> None:
    whole = xw.prediction_difference(
        xw.network("birds"), xw.scenes.bird(seed=3).image, samples=1, stride=8
    )
    part = replace(whole, completed=0.002, parameters={**whole.parameters, "window": 4})
    xw.RelevanceOverlay([part, whole]).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True) as page:
        page.goto((tmp_path / "page.html").as_uri())
        await_colors(page)
        words, bar = page.locator(".xw-status"), page.locator(".xw-work progress")
        expect(words).to_have_text("0.2 % computed")
        expect(bar).to_have_js_property("value", 0.002)
        expect(bar).to_be_visible()
        page.get_by_label("window", exact=True).focus()
        page.keyboard.press("End")
        expect(words).to_have_text("complete")
        expect(bar).to_be_hidden()


def test_a_page_of_a_grid_scrolls_where_it_is_narrow(browser: Browser, tmp_path: Path) -> None:
    net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
    maps = [xw.saliency(net, scene.image, target) for target in range(6)]
    path = tmp_path / "grid.html"
    xw.RelevanceGrid([maps], ["classes"], [one.label for one in maps]).to_html(path)
    with browser_page(browser, offline=True, width=400, dark=True, scale=2) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        last = page.locator(".xw-grid table").get_by_role("button").last
        last.wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        last.focus()
        expect(last).to_be_in_viewport(ratio=0.9)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text(maps[-1].label)
        assert all(url.startswith(("file:", "data:")) for url in asked)
