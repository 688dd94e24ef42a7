"""A view that is closed holds nothing: not its study, no widget, no thread."""

import gc
import threading
import weakref

import ipywidgets
import pytest
import torch
from ipywidgets.widgets.widget import _instances

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.live import worker
from xwidgets.widgets import charts
from xwidgets.widgets.closing import close_all
from xwidgets.widgets.region_scores import RegionScores
from xwidgets.widgets.region_tools import RegionTools

IMAGES = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
FIT = {"features": 2, "epochs": 3, "hidden": (8, 4), "cache": False}

VIEWS = {
    "explorer": xw.Explorer,
    "overlay": xw.RelevanceOverlay,
    "slider": xw.WindowSlider,
    "controls": xw.MethodControls,
    "chooser": xw.ClassChooser,
    "comparison": lambda study: xw.Comparison(study, study),
    "two sides": lambda study: xw.Comparison(study, xw.saliency(study.network, study.image)),
    "methods": lambda study: xw.MethodComparison(study, [xw.Saliency(), xw.Occlusion(window=4)]),
    "neuron explorer": xw.NeuronExplorer,
    "ranking": xw.NeuronRanking,
    "gallery": xw.PatchGallery,
    "painter": xw.RegionPainter,
    "scores": RegionScores,
    "tools": RegionTools,
    "class models": lambda study: xw.ClassModelExplorer(study, seeds=(0,), iterations=9),
    "top images": lambda study: xw.TopImagesGallery(study, images=IMAGES),
    "x-features": lambda study: xw.XFeatureExplorer(study, IMAGES, **FIT),
    "two classes": lambda study: xw.XFeatureComparison(study, images=IMAGES, **FIT),
    "fitting": lambda study: charts.FittingCurves({"a": study.x_features(IMAGES, **FIT)}),
    "likeness": lambda study: charts.LikenessCurves({"a": study.x_features(IMAGES, **FIT)}),
}
"""By name, a view of a study; all that follow one."""

pytestmark = pytest.mark.filterwarnings(r"ignore:.* images")


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch):
    monkeypatch.setattr(worker, "_IDLE", 0.05)


def make(net, image):
    return xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1)


@pytest.mark.parametrize("name", VIEWS)
def test_a_closed_view_leaves_no_widget_and_lets_its_study_go(net, image, name):
    study = make(net, image)
    before, threads = dict(_instances), threading.active_count() - 1
    view = VIEWS[name](study)
    assert len(_instances) > len(before)
    if hasattr(view, "hear_shown"):
        view.hear_shown()
    study.wait()
    view.close()
    left = [widget for key, widget in _instances.items() if key not in before]
    assert not left
    view.close()  # once more does no harm
    held, study = weakref.ref(study), None
    until(lambda: gc.collect() is not None and held() is None)  # while the view is still held
    until(lambda: threading.active_count() == threads)
    closed, view = weakref.ref(view), None
    if name != "painter":  # ipycanvas keeps the canvas that was drawn on last
        until(lambda: gc.collect() is not None and closed() is None)


@pytest.mark.parametrize("name", ["explorer", "two sides", "methods"])
def test_a_study_whose_views_are_closed_is_gone_at_once(net, image, name):
    gc.collect()
    gc.disable()
    try:
        study = make(net, image)
        view = VIEWS[name](study)
        study.wait()
        view.close()
        held, study = weakref.ref(study), None
        until(lambda: held() is None)
    finally:
        gc.enable()


def test_a_closed_view_is_no_viewer(study):
    first, second = xw.RelevanceOverlay(study), xw.RelevanceOverlay(study)
    for view in (first, second):
        view.hear_shown()
    first.close()
    assert study._live.viewed
    second.hear_hidden()
    assert not study._live.viewed


def test_closing_a_view_that_was_never_shown_stops_no_work(net, image):
    with make(net, image) as study:
        xw.RelevanceOverlay(study).close()
        until(lambda: study.progress.state == "complete")


def test_a_closed_view_says_so(study, tmp_path):
    explorer = xw.NeuronExplorer(study)
    explorer.close()
    with pytest.raises(ValueError, match="this NeuronExplorer is closed; make a new one"):
        explorer.to_html(tmp_path / "a.html")


def test_views_that_are_opened_and_closed_leave_nothing_with_a_study(study):
    def open_and_close():
        view = xw.MethodComparison(study, [xw.Saliency()])
        view.close()

    for _ in range(3):
        open_and_close()
    gc.collect()
    lives, observers = len(study._lives), len(study._trait_notifiers["image"]["change"])
    for _ in range(5):
        open_and_close()
    gc.collect()
    assert len(study._lives) == lives
    assert len(study._trait_notifiers["image"]["change"]) == observers


def test_parts_of_others_are_closed_too():
    inner = ipywidgets.VBox([ipywidgets.Dropdown(options=["a"])])
    before = len(_instances)
    close_all([inner])
    assert len(_instances) == before - 5  # two boxes' layouts, the drop-down, its layout and style
