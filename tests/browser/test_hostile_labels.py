"""Names that are markup stay text in a real browser: on every exported page and in JupyterLab."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.test_hostile_labels import Shown

from .lab import Notebook, browser_page

LABEL = '<img src=x onerror="hacked = 1"><script>hacked = 1</script><b>wren</b>'
VIEWS = """
from IPython.display import display
from tests.test_hostile_labels import study_of, views_of
study = study_of({label!r})
views = views_of({label!r}, study)
"""


WORDS = """() => {
  const named = [...document.querySelectorAll('[aria-label], [title], [aria-valuetext]')];
  const words = named.flatMap((one) => [one.ariaLabel, one.title, one.ariaValueText]);
  return [document.title, document.body.innerText, ...words].join(' ');
}"""


def says_it_as_text(page: Page) -> bool:
    """Whether the label is on the page, of which nothing may be markup or have run."""
    page.wait_for_timeout(300)  # in which an image would fail
    assert page.evaluate("typeof hacked") == "undefined"
    for selector in ("img[src=x]", "b:text-is('wren')"):
        assert page.locator(selector).count() == 0
    return LABEL in page.evaluate(WORDS)


def test_exported_pages_show_it_as_text(browser: Browser, tmp_path: Path) -> None:
    pages = Shown(LABEL, tmp_path).pages
    assert len(pages) > 20
    said = 0
    with browser_page(browser, offline=True) as page:
        for number, html in enumerate(pages):
            path = tmp_path / f"{number}.html"
            path.write_text(html, "utf-8")
            page.goto(path.as_uri())
            said += says_it_as_text(page)
    assert said > 20, "but for pages of lessons, which name nothing"


def test_views_in_jupyterlab_show_it_as_text(run: Callable[..., Notebook]) -> None:
    notebook = run(VIEWS.format(label=LABEL), "for view in views: display(view)")
    drawn = notebook.page.locator(".jp-OutputArea-output .xw-view")
    drawn.nth(24).wait_for(state="attached", timeout=60_000)
    assert says_it_as_text(notebook.page)
    notebook.kernel("study.close()")
