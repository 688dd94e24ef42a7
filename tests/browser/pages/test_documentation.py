"""The pages of the documentation that hold live views: built, then opened without a network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import xwidgets as xw
from xwidgets import explain
from xwidgets.explain import Method

from ..lab import ROOT, browser_page

pytestmark = pytest.mark.timeout(900)  # the site takes a minute of a processor's time to build

DOCS = ROOT / "docs"
PAGES = [
    path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")
    if "```{live-view}" in path.read_text("utf-8")
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without the notebooks, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-t", "views", str(DOCS), str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view_is_drawn_without_a_network(site: Path, browser: Browser, dark: bool) -> None:
    assert len(PAGES) > 12
    with browser_page(browser, offline=True, width=390, dark=dark) as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda told: told.type == "error" and wrong.append(f"{page.url}: {told.text}"),
        )
        page.on("requestfailed", lambda asked: wrong.append(f"{page.url}: {asked.url}"))
        for name in PAGES:
            page.goto((site / name.with_suffix(".html")).as_uri())
            views = page.locator(".xw-page")
            expect(page.locator(".xw-page:has(.xw-view)")).to_have_count(views.count())
            assert views.count() or page.locator(".live-view table").count(), name
            expect(page.locator(".xw-page-blank")).to_have_count(0)
            expect(page.get_by_role("alert")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert wrong == []


def test_pictures_keep_their_colours_where_the_theme_is_dark(site: Path, browser: Browser) -> None:
    with browser_page(browser, offline=True, dark=True) as page:
        page.goto((site / "gallery.html").as_uri())
        shown = "(all) => [...new Set(all.map((img) => getComputedStyle(img).{}))]"
        pictures = page.locator(".xw-page img")
        assert pictures.evaluate_all(shown.format("backgroundColor")) == ["rgba(0, 0, 0, 0)"]
        filters = pictures.evaluate_all(shown.format("filter"))
        assert set(filters) == {"none", "grayscale(0.7)", "grayscale(0.85)"}
        scheme = "(view) => getComputedStyle(view).colorScheme"
        assert page.locator(".xw-view").first.evaluate(scheme) == "dark"


def test_every_method_has_its_page() -> None:
    told = "".join(path.read_text("utf-8") for path in DOCS.glob("methods/*.md"))
    named = set(re.findall(r"{about-method} (\w+)", told))
    public = {name: getattr(explain, name) for name in explain.__all__}
    kinds = {name: each for name, each in public.items() if isinstance(each, type)}
    methods = {name for name, kind in kinds.items() if issubclass(kind, Method)}
    assert named == methods - {"MapMethod", "Method"}


def test_a_page_says_what_the_class_says(site: Path) -> None:
    text = (site / "methods" / "saliency.html").read_text("utf-8")
    assert xw.Saliency().asks in text
    for name in xw.Saliency.parameters:
        assert f'<span class="pre">{name}</span>' in text
