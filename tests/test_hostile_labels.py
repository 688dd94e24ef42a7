"""Names of classes, layers, networks and files are text wherever they are shown."""

import json
from collections import OrderedDict
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from ipywidgets import Widget
from torch import nn

import xwidgets as xw
from xwidgets import results, widgets
from xwidgets.reproduce.zintgraf2016 import readable
from xwidgets.results.result import Result
from xwidgets.widgets.region_scores import RegionScores

from .results.examples import (
    class_model,
    patch,
    ranking,
    relevance,
    removal,
    segmentation,
    top_images,
    unit_relevance,
    x_features,
)

HARMLESS = "wren"
HOSTILE = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>', "</script>"]
PUBLIC = [getattr(widgets, name) for name in widgets.__all__]
VIEWS = {one.__name__ for one in PUBLIC if isinstance(one, type) and issubclass(one, Widget)}


class Elements(HTMLParser):
    """The elements of a piece of HTML with the names of their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.text += data


def results_of(label: str) -> list[Result]:
    """One of every kind, all of whose names are ``label``."""
    whose = {"network_name": label, "label": label}
    layer = {"network_name": label, "layer": label}
    return [
        relevance(method=label, unit=label, note=label, parameters={"sampler": label}, **whose),
        segmentation(method=label, **whose),
        ranking(layers=(label, label * 2), **whose),
        removal(classes=(label, label * 2, label * 3), network_name=label),
        patch(**layer),
        class_model(unit=label, notes=(label, label), **whose),
        top_images(sources=(label,) * 3, skipped=(label,), **layer),
        unit_relevance(layer=label, unit=label, note=label, **whose),
        x_features(top=label, method=label, layer=label, rivals=((label, 1.0),), **whose),
    ]


def study_of(label: str) -> xw.Study:
    """One of a tiny network, all of whose names are ``label``."""
    torch.manual_seed(0)
    layers = {
        label: nn.Conv2d(3, 4, 3), "relu": nn.ReLU(), "flatten": nn.Flatten(),
        "linear": nn.Linear(4 * 6 * 6, 3),
    }  # fmt: skip
    classes = [f"{label} {n}" for n in range(3)]
    net = xw.Network(nn.Sequential(OrderedDict(layers)), size=(8, 8), classes=classes, name=label)
    image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))
    return xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1)


def survey_of(label: str, study: xw.Study) -> xw.SurveyExplorer:
    """A view on a survey whose names are ``label``, with a group, and a picture that is opened."""
    pictures = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    images = [(picture, f"{label} {number % 3}") for number, picture in enumerate(pictures)]
    with TemporaryDirectory() as folder:
        xw.survey(study.network, images, xw.Saliency(), folder, progress=False)
        explorer = xw.SurveyExplorer(folder, images, study.network)
        explorer.growth.wait()
        explorer.selected, explorer.opened = [0, 1], 1
        explorer.name(label)
    return explorer


def views_of(label: str, study: xw.Study) -> list[Widget]:
    """One of every view of results, and of every view of a study, whose names are ``label``."""
    kinds = {type(result): result for result in results_of(label)}
    heat, found = kinds[xw.Relevance], kinds[xw.XFeatures]
    other = replace(heat, label=label * 2, parameters={"window": 4})
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    explorer = xw.XFeatureExplorer(found)
    explorer.names = [label] * len(found.weights)
    views = [
        xw.ClassChooser(study), xw.WindowSlider(study), xw.Explorer(study), xw.Panes(study),
        xw.MethodChooser(study), xw.PictureStrip(xw.live.Pictures(study)),
        xw.FillingComparison(study), xw.Group({"classes": xw.ClassChooser(study)}),
        xw.ParameterControl("measure", study), xw.MethodControls(study),
        xw.RelevanceOverlay(study), xw.RelevanceOverlay([heat, other]),
        xw.Comparison(heat, other), xw.RelevanceGrid([[heat]], [label], [label]),
        xw.MethodComparison([heat, other]), xw.MethodComparison(study, [xw.Saliency()]),
        xw.NeuronExplorer(study, images=images, samples=2, minimum=0),
        xw.NeuronRanking(kinds[xw.Ranking]), xw.PatchGallery([kinds[xw.NeuronPatch]]),
        xw.PatchGallery(study), xw.RegionPainter(study), RegionScores(kinds[xw.RegionRemoval]),
        explorer, xw.XFeatureComparison(found, replace(found, label=f"{label} 2", target=7)),
        xw.PartsForm([found], [label]), xw.ClassModelExplorer(kinds[xw.ClassModel]),
        xw.ClassModelExplorer(study, seeds=(0,), iterations=2),
        xw.DeconvolutionLesson(), xw.UnpoolingLesson(), xw.TopImagesGallery(kinds[xw.TopImages]),
        xw.TopImagesGallery(study, (label, 0), images), survey_of(label, study),
    ]  # fmt: skip
    study.wait()
    study.class_models.growing.wait()
    study.dataset_search.wait()
    study.neurons.ranking.wait()
    study.neurons.selected = [(label, 0)]
    study.neurons.patches.wait()
    study.neurons.matches.wait()
    study.regions.samples = 1
    study.regions.mask = np.eye(8, dtype=bool)
    study.regions.removal.wait()
    return views


def shown(value: object) -> list[tuple[str, list[str]]]:
    """The elements of what a notebook shows of a value; [] where that is no HTML."""
    if isinstance(value, Widget):  # which displays its bundle itself
        bundle = value._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
    else:
        data, _ = DisplayFormatter().format(value)
    return Elements(data.get("text/html", "")).found


class Shown:
    """All that is shown of names: elements in the notebook, and pages."""

    def __init__(self, label: str, folder: Path) -> None:
        with study_of(label) as study:
            kinds = results_of(label)
            views = views_of(label, study)
            frames = [one.frame() for one in kinds if hasattr(one, "frame")]
            table = pd.DataFrame({label: [label]}, index=[label])
            self.kinds = {type(one).__name__ for one in (*kinds, *views)}
            self.shown = [shown(one) for one in (*kinds, *views, *frames, readable(table))]
            self.pages = []
            for view in views:
                for title in (None, label) if hasattr(view, "to_html") else ():
                    view.to_html(folder / "page.html", title=title)
                    self.pages.append((folder / "page.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return Shown(HARMLESS, tmp_path_factory.mktemp("harmless"))


def test_every_result_and_every_view_is_looked_at(harmless: Shown) -> None:
    public = [getattr(results, name) for name in results.__all__]
    kinds = {one.__name__ for one in public if isinstance(one, type) and issubclass(one, Result)}
    assert harmless.kinds == kinds | VIEWS | {"RegionScores"}
    assert len(kinds) == 9
    assert len(VIEWS) == 26
    assert sum(bool(elements) for elements in harmless.shown) >= 7


@pytest.mark.parametrize("label", HOSTILE)
def test_a_name_adds_nothing_to_what_is_shown(label: str, harmless: Shown, tmp_path: Path) -> None:
    hostile = Shown(label, tmp_path)
    assert hostile.shown == harmless.shown
    for page, plain in zip(hostile.pages, harmless.pages, strict=True):
        assert Elements(page).found == Elements(plain).found


@pytest.mark.parametrize("label", HOSTILE)
def test_a_name_is_read_as_it_is_written(label: str, tmp_path: Path) -> None:
    whose = {"network_name": label, "label": label}
    data, _ = DisplayFormatter().format(ranking(layers=(label, label), **whose))
    assert Elements(data["text/html"]).text.count(label) == 2 + 7
    xw.RelevanceOverlay(relevance(**whose)).to_html(tmp_path / "page.html")
    page = Elements((tmp_path / "page.html").read_text("utf-8"))
    assert repr(label) in page.text
    (line,) = [line for line in page.text.splitlines() if line.startswith('{"parts"')]
    assert repr(label) in json.loads(line)["parts"][0]["state"]["frames"][0]["title"]


@pytest.mark.parametrize(
    "path", sorted(Path(xw.__file__).parent.rglob("*.mjs")), ids=lambda p: p.name
)
def test_views_never_write_html_into_a_page(path: Path) -> None:
    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc",
            "createContextualFragment", "DOMParser", "eval(", "new Function")  # fmt: skip
    assert not [way for way in ways if way in path.read_text("utf-8")]
