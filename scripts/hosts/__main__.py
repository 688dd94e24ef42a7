"""Open the views in each host, try what a person would, and write what was seen.

``python -m scripts.hosts`` writes the table of ``docs/hosts.md``, ``python -m scripts.hosts marimo
Voila`` some of its rows. ``--folder`` keeps the environments of the hosts for the next time, and
pictures of the pages.
"""

import argparse
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.browser.lab import ROOT, browser_page, running_chromium
from xwidgets.files import whole

from .acts import ACTS, NEED_A_KERNEL, PATIENCE, WAIT
from .environment import python_with, versions
from .hosts import HOSTS, Host, Place

DOCUMENT = ROOT / "docs" / "hosts.md"
TABLE = re.compile(r"(?<=<!-- python -m scripts.hosts -->\n\n).*?(?=\n\n<!-- end -->)", re.S)
"""Where the table stands in the document."""


def answer(host: Host, name: str, place: Place) -> str:
    """Answer of a host to an act; each failure is printed, also one with a known reason."""
    if name in host.absent or (name in NEED_A_KERNEL and not host.kernel):
        return "–"
    try:
        return ACTS[name](place.page)
    except Exception:
        print(f"{host.name}, {name}:\n{traceback.format_exc(limit=-1)}", file=sys.stderr)
        return f"no: {host.limits[name]}" if name in host.limits else "no"


def tried(host: Host, browser: Browser, python: str, picture: Path) -> list[str]:
    """Answers of a host, one for each act, and the number of errors that its console told."""
    errors: list[str] = []
    with TemporaryDirectory() as folder, browser_page(browser) as page:
        page.set_default_timeout(WAIT)
        page.set_default_navigation_timeout(2 * PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: told.type == "error" and errors.append(told.text))
        place = Place(page, python, Path(folder))
        with host.open(place):
            answers = [answer(host, name, place) for name in ACTS]
            count = len(errors)
            page.screenshot(path=picture, full_page=True)
    for error in errors[:count]:
        print(f"{host.name}, console: {error[:300]}", file=sys.stderr)
    return [*answers, str(count)]


def row(cells: Sequence[str]) -> str:
    """Row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def write(host: Host, cells: Sequence[str], document: Path = DOCUMENT) -> None:
    """Put the row of a host into the table of a document."""
    text = document.read_text("utf-8")
    [table] = TABLE.findall(text)
    rows = {"**".join(line.split("**")[:2]): line for line in table.splitlines()}
    rows[f"| **{host.name}"] = row(cells)
    known = [rows[key] for key in (f"| **{each.name}" for each in HOSTS) if key in rows]
    heads = ["host", *ACTS, "errors in the console", "how"]
    lines = [row(heads), row(["---"] * len(heads)), *known]
    with whole(document) as part:
        part.write_text(TABLE.sub(lambda _: "\n".join(lines), text), "utf-8")


def main() -> int:
    """Number of the hosts that did not open."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(host.name for host in HOSTS)])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    chosen = [host for host in HOSTS if host.name in options.names or not options.names]
    closed = 0
    with TemporaryDirectory() as temporary, running_chromium() as browser:
        for host in chosen:
            folder = (options.folder or Path(temporary)) / re.sub(r"\W+", "_", host.name)
            python = python_with(host.pins, folder)
            try:
                answers = tried(host, browser, python, folder.with_suffix(".png"))
            except Exception:
                traceback.print_exc()
                answers = ["does not open", *[""] * len(ACTS)]
                closed += 1
            called = f"**{host.name}** {versions(host.packages, python)}"
            write(host, [called, *answers, host.remark])
    return closed


if __name__ == "__main__":
    sys.exit(main())
