"""The files of CONTRIBUTING's recipes, written into a copy of the package."""

import importlib
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```(?:python|js|css)\n(?:# |// |/\* )(?P<path>\S+)(?: \*/)?\n(?P<text>.*?)^```$", re.M | re.S
)
FILES = {match["path"]: match["text"] for match in BLOCK.finditer(TEXT)}
"""By path from the root of the repository; the line that names it is not part of the text."""
ROOMS = ("explain", "widgets", "images")


def write(folder: Path) -> Path:
    """Copy the package and its tests to a folder, and write the recipes' files among them."""
    for name in ("xwidgets", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "browser", "data")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in FILES.items():
        with open(folder / path, "x", encoding="utf-8") as file:
            file.write(text)
    return folder


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Find the modules that :func:`write` added beside those of the package under test."""
    with ExitStack() as stack:
        for room in ROOMS:
            package = importlib.import_module(f"xwidgets.{room}")
            places = [*package.__path__, str(folder / "xwidgets" / room)]
            stack.enter_context(patch.object(package, "__path__", places))
        yield
