"""Networks that hold code of packages, answered here, as none of them can be reached.

The installed packages of widgets bring the same files; the rest comes from npm.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Page, Route

EXTENSIONS = Path(sys.prefix, "share", "jupyter", "nbextensions")
"""Where packages of widgets have their code, a folder each."""
PACKAGE = re.compile(
    r"https://(?:cdn\.jsdelivr\.net/npm|unpkg\.com)/((?:@[^/]+/)?[^/@]+)@([^/]+)/(.+)"
)
REQUIRE = re.compile(r"https://cdnjs\.cloudflare\.com/ajax/libs/require\.js/")
ELSEWHERE = re.compile(r"^https?://(?!127\.0\.0\.1|localhost)")
CHECKS = re.compile(r' integrity="[^"]*"')
"""Checksums that a page demands of a file; npm has the same code, minified otherwise."""


def answer(page: Page) -> None:
    """Answer what a page asks of other machines: packages, and nothing else."""
    page.route(ELSEWHERE, _answer)


def unchecked(folder: Path) -> None:
    """Let pages in a folder take files with another sum."""
    for path in folder.rglob("*.html"):
        path.write_text(CHECKS.sub("", path.read_text("utf-8")), "utf-8")


@cache
def package(name: str, version: str) -> Path:
    """Folder of a package of npm; an empty one where there is none."""
    folder = Path(tempfile.mkdtemp(prefix="npm-"))
    command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{name}@{version}"]
    if subprocess.run(command, capture_output=True).returncode:
        return folder
    [archive] = folder.glob("*.tgz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder / "package"


def _answer(route: Route) -> None:
    url = unquote(route.request.url)
    path = package("requirejs", "2.3.6") / "require.js" if REQUIRE.match(url) else _file(url)
    if path is None or not path.is_file():
        route.abort()
    else:
        route.fulfill(path=path, headers={"access-control-allow-origin": "*"})


def _file(url: str) -> Path | None:
    asked = PACKAGE.match(url.partition("?")[0])
    if asked is None:
        return None
    name, version, inside = asked.groups()
    inside = inside if Path(inside).suffix else f"{inside}.js"
    installed = EXTENSIONS / name / Path(inside).name
    return installed if installed.is_file() else package(name, version) / inside
