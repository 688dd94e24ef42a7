"""A study that nobody holds is collected, whatever was used of it, and its thread ends."""

import gc
import threading
import weakref

import pytest
import torch

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.live import worker


class Endless:
    """Steps of a live result that go on until nobody wants them."""

    def __init__(self):
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self, question):
        try:
            while True:
                self.begun.set()
                yield question
        finally:
            self.ended.set()


@pytest.fixture(autouse=True)
def automatic_collection_is_off(monkeypatch):
    """No garbage is collected, so that only reference counts free objects."""
    monkeypatch.setattr(worker, "_IDLE", 0.05)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def thread_of(study):
    return study._worker._thread


def gone(study: weakref.ref, thread: threading.Thread) -> bool:
    thread.join(20)
    return study() is None and not thread.is_alive()


def make(net, image, **options):
    return xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1, **options)


@pytest.mark.parametrize("waits", [False, True])
def test_a_study_that_is_overwritten_is_gone_at_once(net, image, waits):
    study = make(net, image)
    if waits:
        study.wait()
        study.window = 3
        study.at(window=2)
    held, thread = weakref.ref(study), thread_of(study)
    study = None
    assert held() is None
    assert gone(held, thread)


def test_a_study_that_computes_stops_within_a_step_when_it_is_overwritten(net, image):
    study, steps = make(net, image), Endless()
    live = study.live(steps)
    live.ask("for ever")
    assert steps.begun.wait(20)
    held, thread = weakref.ref(study), thread_of(study)
    study = None
    assert held() is None
    assert steps.ended.wait(20)
    assert gone(held, thread)
    assert live.wait(20) is not None  # does not hang
    live.ask("again")
    with pytest.raises(ValueError, match="this study is closed"):
        live.wait(20)


def test_what_nobody_holds_of_a_study_is_computed_no_more(study):
    steps = Endless()
    live = study.live(steps)
    live.ask("for ever")
    assert steps.begun.wait(20)
    held = weakref.ref(live)
    live = None
    until(lambda: gc.collect() is not None and held() is None)
    assert steps.ended.wait(20)
    assert study.wait().completed == 1


def use_neurons(study):
    study.neurons.selected = [(1, 1), (1, 2)]
    return study.neurons.patches


def use_regions(study):
    study.regions.mask = study.regions.mask | True
    return study.regions.removal


def use_class_models(study):
    study.class_models.move(iterations=10_000, seeds=(0,))
    return study.class_models.growing


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("use", [use_neurons, use_regions, use_class_models])
def test_a_study_with_companions_is_collected(net, image, use, waits):
    study = make(net, image)
    live = use(study)
    if waits:
        live.wait(0.2)
    held, thread = weakref.ref(study), thread_of(study)
    study = live = None
    until(lambda: gc.collect() is not None and held() is None)  # also while it computes
    assert gone(held, thread)


@pytest.mark.filterwarnings(r"ignore:.* images")
def test_a_study_with_x_features_is_collected(net, image):
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    study = make(net, image)
    fit = study.x_features(images, features=2, epochs=3, hidden=(8, 4), cache=False)
    fit.wait()
    fit.shown = 0
    fit.matches.wait()
    held, thread = weakref.ref(study), thread_of(study)
    study = fit = None
    until(lambda: gc.collect() is not None and held() is None)
    assert gone(held, thread)


def test_maps_and_differences_are_collected(net, image):
    study, other = make(net, image), make(net, image, target="bee")
    difference = xw.live.difference.Difference(study, other)
    maps = xw.live.MethodMaps(study, [xw.Saliency(), xw.Occlusion(window=4)])
    held = [(weakref.ref(owner), thread_of(owner)) for owner in (study, other)]
    maps.randomise()
    del study, other, difference, maps
    until(lambda: gc.collect() is not None and all(ref() is None for ref, _ in held))
    assert all(gone(ref, thread) for ref, thread in held)


def test_threads_do_not_grow_when_studies_are_overwritten(net, image):
    before = threading.active_count()
    for _ in range(20):
        study = make(net, image)
    until(lambda: threading.active_count() == before + 1)
    study.close()
    until(lambda: threading.active_count() == before)
