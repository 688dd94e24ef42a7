"""Every label that a view shows is a plain word, or has help."""

import re
from pathlib import Path

import pytest

import xwidgets as xw
from scripts import glossary
from xwidgets import explain
from xwidgets.explain import Method
from xwidgets.results import METRICS
from xwidgets.widgets.terms import TERMS, term_of

WIDGETS = Path(xw.__file__).parent / "widgets"

PLAIN = {
    "copy answers", "please download the answers, or copy them, and send them back.",
    "class", "opacity", "colours", "colour map", "save png", "stop", "close", "paint",
    "erase", "clear", "undo", "brush", "brush size in pixels", 
    "rectangle by numbers", "all", "none", "tick all", "tick none", "selected", "progress",
    "maps", "square", "back", "next", "images", "patches alone",
    "what is predicted with the region and without", "as it is", "what could have been there",
    "select neurons in the ranking table.", "one map, enlarged", "fill the region with", "search",
    "frames on the way, by step", "download answers", "questions answered", "more on this",
    "which parts does the heat map show? tick all of them.",
    "all questions are answered. thank you.", "0",
    "share computed", "enter", "backspace",
    "share of the maps computed", "share of the layers randomised", "ctrl+z",
    "classes", "pictures", "pictures before these", "pictures after these", "‹", "›", "more",
    "open…", "open a picture file, or drop one here", "settings", "further views", "open:",
    "pictures like those that the network was trained on", "larger", "larger, for a projector",
    "copy", "restore…", "restore settings from a file", "python of what is shown",
    "remove a region", "ways to remove the region", "parts of the drawing", "share of the steps",
    "both classes are shown once their x-features are known.",
    "each map has its own scale: do not compare how strong they look.", "share searched",
    "reconstructions in the whole picture", "share of the fit", "find", "★",
    "all layers", "layers, from the picture to the output", "zoom", "zoom in", "zoom out",
    "show the whole picture", "values as a table", "values of the map",
    "colour by", "name them", "keep", "name of the selected group", "points", "lasso", "move",
    "select what is shown", "select none", "show more", "table", "remove this name",
    "select this group", "×", "all points", "share of the pictures that are done",
}  # fmt: skip
"""Labels that need no help. A new label stands here, or in the table of terms."""

LESSONS = {"convolution_lesson", "deconvolution_lesson", "unpooling_lesson", "lesson"}
"""Views that explain their own terms in their text."""

LABEL = re.compile(
    r'(?:makeNamed|tick|press|makeWork|makeField)\(\s*(?:model, "\w+", )?"([^"]+)"'
    r'|(?:textContent|ariaLabel|title): "([^"]+)"'
    r'|make\("(?:label|th|caption|legend|summary)", \{[^}]*\}, "([^"]+)"'
)


def labels() -> dict[str, str]:
    """Labels in the ES modules, by the place where they were found."""
    found: dict[str, str] = {}
    for path in sorted(WIDGETS.rglob("*.mjs")):
        place = path.relative_to(WIDGETS)
        if LESSONS & {place.stem, place.parts[0]}:
            continue
        for several in LABEL.findall(path.read_text("utf-8")):
            found[next(filter(None, several))] = str(place)
    return found


def methods() -> list[type[Method]]:
    """All methods of the package."""
    names = (getattr(explain, name) for name in explain.__all__)
    return [one for one in names if isinstance(one, type) and issubclass(one, Method)]


def test_every_label_of_a_module_is_plain_or_has_help() -> None:
    found = labels()
    assert len(found) > 60
    strange = {
        label: place
        for label, place in found.items()
        if label.lower() not in PLAIN and term_of(label) is None
    }
    assert not strange, "put each into the table of terms, or among the plain labels"


def test_every_axis_of_a_chart_has_help() -> None:
    axes = re.findall(r'label="([^"]+)"', (WIDGETS / "charts.py").read_text("utf-8"))
    assert "epoch" in axes
    assert {label for label in axes if term_of(label) is None} == set()


def test_every_parameter_with_a_control_has_help() -> None:
    shown = {
        known.label for method in methods() for known in method.parameters.values() if known.label
    }
    assert {"Window", "Samples", "Measure"} <= shown
    assert {label for label in shown if term_of(label) is None} == set()


def test_every_metric_and_unit_has_help() -> None:
    units = {"bits", "logits", "probability", "activation", "share of the excitation",
             "logits per unit of pixel value", "logits per pixel value",
             "activation squared per pixel value", "importance"}  # fmt: skip
    told = {method.unit for method in methods() if isinstance(vars(method).get("unit"), str)}
    assert {name for name in {*METRICS, *units, *told} if term_of(name) is None} == set()


@pytest.mark.parametrize("name", TERMS)
def test_help_is_two_sentences_and_a_link(name: str) -> None:
    term = TERMS[name]
    assert len(re.findall(r"[.?](?= |$)", term.words)) == 2
    assert re.fullmatch(r"[a-z.]+\.org/[\w./-]+", term.link)
    assert all(label == label.lower() for label in term.labels)


def test_what_is_made_of_the_table_is_current() -> None:
    assert glossary.MODULE.read_text("utf-8") == glossary.module()
    assert glossary.PAGE.read_text("utf-8") == glossary.page()
