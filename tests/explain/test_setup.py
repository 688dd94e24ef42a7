"""What a study computes before its first batch of windows: one forward of one image, once."""

from unittest.mock import patch

import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.incremental import IncrementalInference, WholeInference

SIZE = (16, 16)
GREY = xw.ConstantSampler(0.5)
METHODS = {
    "evidence": xw.PredictionDifference(4, GREY, samples=1),
    "difference": xw.PredictionDifference(4, GREY, samples=2, measure="difference"),
    "occlusion": xw.Occlusion(4),
    "occlusion of rectangles": xw.Occlusion((3, 6), 2, measure="drop"),
    "probability": xw.Occlusion(4, measure="probability"),
}
each = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def network():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 3)
    )
    return xw.Network(module, size=SIZE, classes=["ant", "bee", "cat"], name="small")


def image(seed=1, size=SIZE):
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))


class Log(list):
    """What happened, in order: images in a forward of the module, and batches of windows."""

    def of(self, net):
        net.module.register_forward_hook(lambda module, inputs, output: self.append(len(inputs[0])))
        return net

    def batch(self, outputs):
        def logged(inference, corners, contents):
            self.append("windows")
            return outputs(inference, corners, contents)

        return logged

    def before_windows(self):
        """The forwards before the first batch of windows; forgets what happened."""
        forwards = self[: self.index("windows")]
        self.clear()
        return forwards


@pytest.fixture
def log():
    log = Log()
    with (
        patch.object(WholeInference, "outputs", log.batch(WholeInference.outputs)),
        patch.object(IncrementalInference, "outputs", log.batch(IncrementalInference.outputs)),
    ):
        yield log


def listed(log):
    net = log.of(network())
    net.layers  # noqa: B018  # lists them
    log.clear()
    return net


@each
@pytest.mark.parametrize("target", [None, 1, "cat"])
def test_a_new_study_runs_one_image_once_before_its_first_windows(log, method, target):
    net = listed(log)
    with xw.Study(net, image(), target, method) as study:
        study.wait()
    assert log.before_windows() == [1]


@each
def test_a_slider_that_moves_and_another_class_run_none(log, method):
    net = listed(log)
    with xw.Study(net, image(), 0, method) as study:
        study.wait()
        for change in (
            lambda: study.move(window=5),
            lambda: setattr(study, "window", 6),
            lambda: setattr(study, "target", 2),
            lambda: setattr(study, "target", "bee"),
            lambda: study.move(measure="difference", window=7),
            lambda: setattr(study, "method", xw.Occlusion(8)),
        ):
            log.clear()
            change()
            study.wait()
            assert log.before_windows() == []


@each
def test_a_result_that_is_known_runs_nothing_at_all(log, method):
    net = listed(log)
    with xw.Study(net, image(), 0, method) as study:
        study.wait()
        first = study.method
        study.move(window=5)
        study.wait()
        log.clear()
        study.method = first
        study.wait()
        study.at(5)
    assert log == []


@each
def test_another_image_runs_once(log, method):
    net = listed(log)
    with xw.Study(net, image(), 0, method) as study:
        study.wait()
        log.clear()
        study.image = image(seed=2)
        study.wait()
        assert log.before_windows() == [1]
        study.target = (study.target + 1) % 3
        study.wait()
        assert log.before_windows() == []


def test_the_layers_are_listed_once_a_network_and_size(log):
    net = log.of(network())
    with xw.Study(net, image(), 0, METHODS["evidence"]) as study:
        study.wait()
        assert log.before_windows() == [1, 1]
        study.image = image(seed=2)
        study.wait()
        assert log.before_windows() == [1]
        study.image = image(size=(14, 18))
        study.wait()
        assert log.before_windows() == [1, 1]
    for size in (SIZE, (14, 18)):
        with xw.Study(net, image(seed=3, size=size), 1, METHODS["occlusion"]) as study:
            study.wait()
        assert log.before_windows() == [1]


def test_the_networks_own_sampler_needs_no_forward(log):
    net = listed(log)
    net.examples = lambda: torch.rand(30, 3, *SIZE, generator=torch.Generator().manual_seed(4))
    with xw.Study(net, image(), samples=1) as study:
        study.wait()
    assert log.before_windows() == [1]


@pytest.mark.parametrize("target", [xw.Channel(1, 2), xw.Unit(1, 2, 3, 4)], ids=str)
def test_a_part_of_a_layer_takes_one_more_each_time(log, target):
    net = listed(log)
    with xw.Study(net, image(), target, METHODS["occlusion"]) as study:
        study.wait()
        assert log.before_windows() == [1, 1]  # the classes, and the layer, which is not kept
        study.move(window=5)
        study.wait()
        assert log.before_windows() == [1]


@each
def test_a_call_runs_one_image_once_for_all_its_targets(log, method):
    net = listed(log)
    method.run(net, image())
    assert log.before_windows() == [1]
    method.run_each(net, image(), [2, 0, "bee"])
    assert log.before_windows() == [1]
    steps = method.steps(net, image(), 1)
    assert log == [1]
    next(steps)
    steps.close()
    assert log.before_windows() == [1]


def test_what_is_shown_beside_a_study_runs_none(log):
    net = listed(log)
    with xw.Study(net, image(), 0, METHODS["occlusion"]) as study:
        study.wait()
        log.clear()
        assert len(study.ranking) == 3
        assert study.largest_window == 16
        assert study.picture.shape == (*SIZE, 3)
        xw.RelevanceOverlay(study)
        xw.ClassChooser(study)
        xw.MethodControls(study)
    assert log == []
