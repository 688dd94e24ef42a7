"""A line of code knows its room: who may import whom, told by folder."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import xwidgets

ROOT = Path(xwidgets.__file__).parent
ROOMS = {
    "": (),
    "images": (),
    "results": (),
    "networks": ("images", "results"),
    "incremental": ("networks",),
    "explain": ("incremental", "networks", "images", "results"),
    "evaluate": ("explain", "networks", "images", "results"),
    "surveys": ("evaluate", "explain", "networks", "images", "results"),
    "live": ("surveys", "evaluate", "explain", "networks", "images", "results"),
    "lessons": ("networks", "images"),
    "reproduce": ("widgets", "evaluate", "explain", "networks", "images", "results"),
    "commands": ("widgets", "surveys", "explain", "networks", "images", "results"),
    "widgets": (
        "lessons", "live", "surveys", "evaluate", "explain", "networks", "images", "results",
    ),
}  # fmt: skip
"""Of each folder, the folders that its files may import; all may import what lies in none."""

DOORS = {"xwidgets.__main__": "commands", "xwidgets.sphinx": "widgets"}
"""Of each file that a command or a setting names, and so lies in no folder, its room."""


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["xwidgets", *(parts[:-1] if parts[-1] == "__init__" else parts)])


FILES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def room_of(module):
    if module in DOORS:
        return DOORS[module]
    room = module.split(".")[1] if "." in module else ""
    return room if (ROOT / room).is_dir() else ""


@cache
def imported(module):
    """The absolute names of all that a module imports, wherever in it, types included.

    A package whose names are imported when they are first used imports what its stub says.
    """
    path = FILES[module]
    stub = path.with_suffix(".pyi")
    names = set()
    for source in (path, stub) if stub.exists() else (path,):
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package[: len(package) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                names |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def file_of(name):
    """The module that a name comes from, through the packages that only pass it on."""
    if name in FILES:
        return name
    package, _, attribute = name.rpartition(".")
    if package not in FILES:
        return None
    for other in imported(package):
        if other.rpartition(".")[2] == attribute and FILES[package].with_suffix(".pyi").exists():
            return file_of(other)
    return package


def arrows(module):
    """The modules of the package that a module imports; passing a name on is no import."""
    if FILES[module].with_suffix(".pyi").exists():
        return {file_of(name) for name in imported(module) if name == "xwidgets.aliases.attach"}
    return {file_of(name) for name in imported(module) if name.startswith("xwidgets")} - {None}


def within(names, *roots):
    return {name for name in names for root in roots if f"{name}.".startswith(f"{root}.")}


GRAPH = {module: arrows(module) for module in FILES}


def circles(graph):
    """Modules that import one another in a circle, if there are any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        return circle.args[1]
    return []


def upward(graph):
    """The imports that no room allows."""
    return [
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in sorted(others)
        if room_of(other) not in ("", room_of(module), *ROOMS[room_of(module)])
    ]


def test_every_folder_is_a_room():
    folders = {room_of(module) for module in FILES}
    assert folders == set(ROOMS)


def test_every_room_is_found_in_the_package():
    code = f"import xwidgets\nfor room in {sorted(set(ROOMS) - {''})}: getattr(xwidgets, room)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_imports_in_a_circle():
    assert not circles(GRAPH)


@pytest.mark.parametrize("module", FILES)
def test_nothing_imports_what_would_hide_an_arrow(module):
    """The whole package, or the package of its own room: names in it would be found later."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    assert "xwidgets" not in imported(module)
    if not FILES[module].with_suffix(".pyi").exists():
        assert package not in imported(module)


def test_no_arrow_runs_back():
    assert not upward(GRAPH)


@pytest.mark.parametrize("module", FILES)
def test_nothing_outside_of_the_views_draws(module):
    if room_of(module) != "widgets":
        shown = () if room_of(module) == "reproduce" else ("IPython",)  # as their notebooks do
        drawing = ("ipywidgets", "anywidget", "bqplot", "ipycanvas", *shown)
        assert not within(imported(module), *drawing)


@pytest.mark.parametrize("module", FILES)
def test_only_what_lives_observes(module):
    if room_of(module) not in ("live", "widgets"):
        assert not within(imported(module), "traitlets")


@pytest.mark.parametrize("module", FILES)
def test_neither_results_nor_views_compute(module):
    if room_of(module) in ("results", "widgets"):
        assert not within(imported(module), "torch", "torchvision")


@pytest.mark.parametrize("package", [name for name in FILES if FILES[name].name == "__init__.py"])
def test_no_function_hides_a_file_of_its_name(package):
    path = FILES[package].parent
    inside = {found.name for found in pkgutil.iter_modules([str(path)])}
    loaded = importlib.import_module(package)
    for name in inside & set(getattr(loaded, "__all__", ())):
        assert getattr(loaded, name) is importlib.import_module(f"{package}.{name}")


def test_measures_know_no_paper():
    for module in FILES:
        if room_of(module) == "evaluate":
            words = FILES[module].read_text("utf-8").lower()
            assert not any(paper in words for paper in ("qi2018", "zintgraf2016", "lengerich2017"))


def test_the_rules_look_at_real_imports():
    assert "torch" in imported("xwidgets.explain.removal.samplers")
    assert "xwidgets.networks.layers" in GRAPH["xwidgets.networks._network"]
    assert within(imported("xwidgets.live.study"), "traitlets")
    assert "xwidgets.explain.method" in GRAPH["xwidgets.live.study"]
    assert "xwidgets.explain.removal.samplers" in GRAPH["xwidgets.explain._prediction_difference"]
    assert len(FILES) > 100


def test_the_rules_would_see_what_breaks_them():
    assert circles({"a": {"b"}, "b": {"a"}})
    graph = {"xwidgets.networks._network": {"xwidgets.live.study", "xwidgets.networks.layers"}}
    assert upward(graph) == ["xwidgets.networks._network imports xwidgets.live.study"]
