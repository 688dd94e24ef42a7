"""A line of code knows its room: who may import whom."""

import ast
from pathlib import Path

import pytest

import xwidgets

ROOT = Path(xwidgets.__file__).parent
COMPUTE = ("networks", "images", "incremental", "explain", "evaluate", "results")
VIEWS = ("relevance_overlay.py", "parameter_control.py", "class_chooser.py", "explorer.py",
         "comparison.py", "difference.py", "region_painter.py", "region_tools.py",
         "region_scores.py", "relevance_grid.py", "xfeature_explorer.py",
         "parts_form.py")  # fmt: skip


def imported(path):
    """The absolute names of all that a file imports, wherever in it."""
    package = ("xwidgets", *path.relative_to(ROOT).parent.parts)
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def within(names, *roots):
    return {name for name in names for root in roots if f"{name}.".startswith(f"{root}.")}


def named(path):
    return str(path.relative_to(ROOT))


COMPUTE_FILES = [
    *(path for room in COMPUTE for path in sorted((ROOT / room).rglob("*.py"))),
    ROOT / "render.py",
    ROOT / "errors.py",
    ROOT / "evidence.py",
]


@pytest.mark.parametrize("path", COMPUTE_FILES, ids=named)
def test_nothing_that_computes_knows_of_views(path):
    views = ("ipywidgets", "anywidget", "IPython", "traitlets", "xwidgets.widgets",
             "xwidgets.export")  # fmt: skip
    assert not within(imported(path), *views)


@pytest.mark.parametrize("path", [*(ROOT / "widgets" / name for name in VIEWS), ROOT / "export.py"],
                         ids=named)  # fmt: skip
def test_no_view_computes(path):
    assert not within(imported(path), "torch", "torchvision")


@pytest.mark.parametrize("path", sorted((ROOT / "images").rglob("*.py")), ids=named)
def test_images_know_neither_networks_nor_methods(path):
    others = ("xwidgets.networks", "xwidgets.explain", "xwidgets.evaluate", "xwidgets.results")
    assert not within(imported(path), *others)


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "results").glob("*.py")), ROOT / "render.py"], ids=named
)
def test_results_are_arrays(path):
    assert not within(imported(path), "torch")


def test_the_rules_look_at_real_imports():
    assert "torch" in imported(ROOT / "explain" / "samplers.py")
    assert "xwidgets.networks.layers.Layer" in imported(ROOT / "networks" / "network.py")
    assert within(imported(ROOT / "widgets" / "study.py"), "traitlets")
    assert within(imported(ROOT / "widgets" / "explorer.py"), "ipywidgets", "xwidgets.widgets")
    assert len(COMPUTE_FILES) > 15
