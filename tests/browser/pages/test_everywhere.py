"""Exported views where people teach: strict content policies, frames, several in one document."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import xwidgets as xw
from tests.test_hostile_labels import study_of, views_of
from xwidgets.widgets.exporting import Exporting
from xwidgets.widgets.page import Page as Exported

from ..lab import ROOT, browser_page

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
RULES = """async () => {
  const found = await axe.run(document, { rules: { region: { enabled: false } } });
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}"""
PRINTED = """addEventListener("beforeprint", () => {
  window.printed = document.querySelectorAll(".xw-row").length;
})"""
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def pages() -> list[Exported]:
    with study_of("wren") as study:
        return [view.to_page() for view in views_of("wren", study) if isinstance(view, Exporting)]


@pytest.fixture
def to_page(browser: Browser) -> Iterator[Page]:
    """A page without a network, on which nothing may go wrong unheard."""
    with browser_page(browser, offline=True) as page:
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: told.type == "error" and wrong.append(told.text))
        yield page
        assert wrong == []


def document(*bodies: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>lesson</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"></head>'
        f"<body><main><h1>Lesson</h1>{''.join(bodies)}</main></body></html>"
    )


def opened(page: Page, folder: Path, html: str) -> None:
    path = folder / "lesson.html"
    path.write_text(html, "utf-8")
    page.goto(path.as_uri())


def ids(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    return found


def test_every_view_has_a_page(pages: list[Exported]) -> None:
    assert len(pages) == 32
    assert max(len(page.html) for page in pages) < 500_000


def test_fragments_stand_in_one_document_twice_under_a_strict_policy(
    pages: list[Exported], page: Page, tmp_path: Path
) -> None:
    opened(page, tmp_path, document(*(each.fragment for each in pages for _ in range(2))))
    drawn = page.locator(".xw-page:has(.xw-view)")
    expect(drawn).to_have_count(2 * len(pages))
    expect(page.locator(".xw-page-blank")).to_have_count(0)
    assert len(ids(page)) == len(set(ids(page)))


def test_pages_live_in_sandboxed_frames(pages: list[Exported], page: Page, tmp_path: Path) -> None:
    frames = [
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(each.html)}"></iframe>' for each in pages
    ]
    opened(page, tmp_path, document(*frames))
    for at in range(len(frames)):
        frame = page.frame_locator("iframe").nth(at)
        expect(frame.locator(".xw-view").first).to_be_attached()
        expect(frame.locator(".xw-page-blank")).to_have_count(0)


def test_pages_are_for_everyone(pages: list[Exported], browser: Browser, tmp_path: Path) -> None:
    with browser_page(browser, offline=True, width=390) as page:
        found = {}
        for number, each in enumerate(pages):
            opened(page, tmp_path, each.html)
            expect(page.locator(".xw-view").first).to_be_attached()
            page.evaluate(AXE)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                wide = page.evaluate("document.documentElement.scrollWidth") > 390
                found[f"{number} {each.title}, {scheme}"] = [
                    *page.evaluate(RULES), *["too wide"] * wide,
                ]  # fmt: skip
        wrong = [f"{title}: {each}" for title, several in found.items() for each in several]
        assert not wrong, "\n".join(wrong)


def test_a_page_without_javascript_says_so(
    pages: list[Exported], browser: Browser, tmp_path: Path
) -> None:
    with browser.new_context(java_script_enabled=False) as profile:
        page = profile.new_page()
        opened(page, tmp_path, pages[0].html)
        expect(page.get_by_text("The views of this page could not be drawn")).to_be_visible()


def test_paper_shows_colours_and_all_rows(browser: Browser, tmp_path: Path) -> None:
    with xw.Study(xw.network("birds"), xw.scenes.bird(seed=3).image) as study:
        ranking = study.neurons.ranking.wait()
        xw.NeuronRanking(ranking, ["weight_sum"]).to_html(tmp_path / "page.html")
    with browser_page(browser, offline=True) as page:
        page.goto((tmp_path / "page.html").as_uri())
        listed = int(page.get_by_text("neurons listed").inner_text().split()[0])
        rows = page.locator(".xw-row")
        assert rows.count() < listed
        page.evaluate(PRINTED)
        page.pdf(path=tmp_path / "page.pdf")
        assert page.evaluate("window.printed") == listed
        assert rows.count() < listed
        page.emulate_media(media="print")
        style = "(bar) => getComputedStyle(bar).printColorAdjust"
        assert page.locator(".xw-bar i").first.evaluate(style) == "exact"
