"""The study: what is asked, what is kept, what is shown when something goes wrong."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.live.live_result import Clock

from .waiting import resting, until


def direct(study: xw.Study) -> xw.Relevance:
    return xw.prediction_difference(
        study.network, study.image, study.target, study.window, xw.ConstantSampler(0.5), samples=1
    )


def test_the_map_is_that_of_prediction_difference(study: xw.Study) -> None:
    np.testing.assert_array_equal(study.wait().values, direct(study).values)
    assert study.progress.state == "complete"
    assert study.progress.share == 1


def test_the_target_is_the_top_class_unless_given(net: xw.Network, image: torch.Tensor) -> None:
    top = net.top(image, 1)[0][0]
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5)) as study:
        assert study.target == top
    with xw.Study(net, image, "cat", window=4, sampler=xw.ConstantSampler(0.5)) as study:
        assert study.target == 2


def test_window_and_target_ask_anew(study: xw.Study) -> None:
    for window, target in ((5, 0), (5, 2), (3, 2)):
        study.window, study.target = window, target
        np.testing.assert_array_equal(study.wait().values, direct(study).values)


def test_a_complete_map_is_kept(study: xw.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = study.wait()
    study.window = 5
    study.wait()
    study.window = 4
    assert study.relevance is first
    assert study.progress.state == "complete"
    assert [kept.parameters["window"] for kept in study.complete()] == [4, 5]


def test_a_map_that_was_begun_is_kept_and_goes_on(net: xw.Network, image: torch.Tensor) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=40) as study:
        while study.progress.share < 0.01:
            time.sleep(0.001)
        with study._worker.lock:
            before = study.relevance
            study.window = 5
            study.window = 4
            assert study.relevance.completed >= before.completed
            assert study.progress.share == study.relevance.completed
        whole = study.wait()
    again = xw.prediction_difference(
        net, image, study.target, 4, xw.ConstantSampler(0.5), samples=40
    )
    np.testing.assert_array_equal(whole.values, again.values)


def test_another_image_forgets_what_was_begun(net: xw.Network, image: torch.Tensor) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=100) as study:
        while study.relevance is None:
            time.sleep(0.001)
        study.image = image.flip(-1)
        study.image = image
        assert len(study._live._task._begun) == 1


def test_no_map_of_another_question_is_ever_seen(net: xw.Network, image: torch.Tensor) -> None:
    wrong = []
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=50) as study:

        def look(change: dict) -> None:
            shown = change["new"]
            if shown is not None and shown.parameters["window"] != study.window:
                wrong.append((shown.parameters["window"], study.window))

        study.observe(look, "relevance")
        for window in (3, 5, 4, 6, 3, 7, 5):
            study.window = window
            assert study.relevance is None or study.relevance.parameters["window"] == window
            time.sleep(0.05)
    assert not wrong


@pytest.mark.parametrize("window", [0, -1, 17])
def test_an_impossible_window_is_refused_and_nothing_changes(study: xw.Study, window: int) -> None:
    before = study.wait()
    with pytest.raises(ValueError, match="window"):
        study.window = window
    assert (study.window, study.relevance) == (4, before)


def test_an_unknown_class_is_refused(study: xw.Study) -> None:
    with pytest.raises(ValueError, match="class 3 does not exist"):
        study.target = 3
    with pytest.raises(ValueError, match="did you mean 'ant'"):
        xw.Study(study.network, study.image, "aant", window=4, sampler=xw.ConstantSampler(0.5))


def test_a_network_without_examples_says_what_to_give(net: xw.Network, image: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="sampler="):
        xw.Study(net, image, window=4)


def test_an_error_is_kept_shown_and_gone_with_the_next_question(
    study: xw.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.wait()
    with monkeypatch.context() as patch:
        good = study.network.probabilities
        patch.setattr(study.network, "probabilities", lambda x: good(x) if len(x) == 1 else 1 / 0)
        study.window = 6
        with pytest.raises(ZeroDivisionError):
            study.wait()
        assert study.progress.state == "failed"
        assert "division" in study.progress.message
    study.window = 5
    np.testing.assert_array_equal(study.wait().values, direct(study).values)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_network_that_exits_fails_and_the_next_question_is_answered(
    net: xw.Network, image: torch.Tensor, error: type[BaseException]
) -> None:
    exits = threading.Event()

    class Exiting(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            if exits.is_set():
                raise error("away")
            return self.module(pixels)

    module = Exiting(net.module)
    exiting = xw.Network(module, size=(16, 16), classes=["ant", "bee", "cat"])
    with xw.Study(exiting, image, method=xw.Saliency()) as study:
        study.wait()
        exits.set()
        study.target = next(target for target in range(3) if target != study.target)
        with pytest.raises(RuntimeError, match=f"{error.__name__}.*away.* was raised while"):
            study.wait(20)
        assert study.progress.state == "failed"
        assert "was raised while it was computed" in study.progress.message
        exits.clear()
        study.method = xw.Saliency(reduce="signed")
        assert study.wait(20).completed == 1


def test_moving_leaves_nothing_behind_and_no_stale_map(study: xw.Study) -> None:
    wrong: list[tuple[int, int]] = []

    def look(change: object) -> None:
        if study.relevance is not None and study.relevance.parameters["window"] != study.window:
            wrong.append((study.relevance.parameters["window"], study.window))

    study.observe(look, "relevance")
    random = np.random.default_rng(0)
    for window in random.integers(1, 9, 500).tolist():
        study.window = window
    assert study.wait().parameters["window"] == study.window
    assert not wrong
    task = study._live._task
    assert len(task._begun) <= 2
    assert len(study._live.known()) <= 8
    until(lambda: not task._dropped)


def test_stopping_keeps_the_map_and_going_on_completes_it(
    net: xw.Network, image: torch.Tensor
) -> None:
    sampler = xw.ConstantSampler(0.5)
    with xw.Study(net, image, window=4, sampler=sampler, samples=60) as study:
        while study.relevance is None:
            time.sleep(0.001)
        study.stop()
        held = study.wait()
        time.sleep(0.2)
        assert study.progress.state == "stopped"
        assert held.completed <= study.relevance.completed < 1
        study.resume()
        done = study.wait()
        assert done.completed == 1
        np.testing.assert_allclose(done.values, study.at(4).values)


def test_work_rests_while_nobody_looks(net: xw.Network, image: torch.Tensor) -> None:
    sampler = xw.ConstantSampler(0.5)
    with xw.Study(net, image, window=4, sampler=sampler, samples=10_000) as study:
        study._live.watched(1)
        study._live.watched(1)
        study._live.watched(-1)
        before = study.progress.share
        until(lambda: study.progress.share > before)  # one view is left
        study._live.watched(-1)
        until(lambda: resting(study._live))
        before = study.progress.share
        time.sleep(0.2)
        assert study.progress.share == before, "nobody looks"
        study._live.watched(1)
        until(lambda: study.progress.share > before)


def test_a_stop_by_hand_outlasts_a_look(net: xw.Network, image: torch.Tensor) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=60) as study:
        study.stop()
        study._live.watched(1)
        assert study.progress.state == "stopped"
        study._live.watched(-1)
        study.resume()
        assert study.wait().completed == 1


def test_a_closed_study_says_so(net: xw.Network, image: torch.Tensor) -> None:
    study = xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=300)
    study.close()
    assert study.progress.state == "stopped"
    study.window = 5
    assert study.progress.state == "failed"
    assert "make a new one" in study.progress.message


def test_a_closed_study_has_what_is_known_and_computes_nothing(
    net: xw.Network, image: torch.Tensor
) -> None:
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5), samples=1) as study:
        known = study.wait()
    assert study.at(4) is known
    with pytest.raises(ValueError, match="this study is closed; make a new one"):
        study.at(5)
    assert study.complete() == [known]


def test_a_listener_that_raises_does_not_end_the_worker(study: xw.Study) -> None:
    study.wait()

    def listen(_: object) -> None:
        raise RuntimeError("the listener is broken")

    study.observe(listen, "progress")
    with pytest.raises(RuntimeError):
        study.window = 5
    study.unobserve(listen, "progress")
    study.window = 6
    assert study.wait().completed == 1


def test_closing_ends_the_thread(net: xw.Network, image: torch.Tensor) -> None:
    before = threading.active_count()
    with xw.Study(net, image, window=4, sampler=xw.ConstantSampler(0.5)):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_the_image_is_the_studys_own(study: xw.Study, image: torch.Tensor) -> None:
    kept = study.image.clone()
    image.zero_()
    assert torch.equal(study.image, kept)


def test_the_clock_extrapolates_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(0.5)
    assert clock.seconds_left(0.5) is None
    now[0] = 110.0
    assert clock.seconds_left(0.75) == pytest.approx(10.0)


def test_a_map_that_completes_while_a_trait_changes_is_kept_for_its_own_question(
    study: xw.Study,
) -> None:
    study.wait()
    late = xw.prediction_difference(
        study.network, study.image, study.target, 5, xw.ConstantSampler(0.5), samples=1
    )
    with study.hold_trait_notifications():  # the value is there, the question not yet asked
        study.window = 3
        at_5 = study.question.method.changed(window=5)
        study._live.question = replace(study.question, method=at_5)
        study._live._show(late, True)
        assert study.relevance.parameters["window"] == 4
    assert study.wait().parameters["window"] == 3
    assert [kept.parameters["window"] for kept in study.complete()] == [3, 4, 5]


def test_any_method_is_live_and_known_answers_are_kept(study: xw.Study) -> None:
    first = study.wait()
    study.method = xw.Saliency(reduce="signed")
    saliency = study.wait()
    assert study.relevance is study.result is saliency
    np.testing.assert_array_equal(
        saliency.values, xw.saliency(study.network, study.image, study.target, "signed").values
    )
    assert study.window is None
    study.method = xw.InputResampling(samples=4, minimum=0)
    assert study.wait().title.startswith("neurons by")
    assert study.relevance is None
    study.method = xw.PredictionDifference(4, xw.ConstantSampler(0.5), samples=1)
    assert study.relevance is first
    assert study.window == 4


def test_a_part_of_a_layer_is_a_target_like_a_class(study: xw.Study) -> None:
    study.target = xw.Channel(1, 2)
    found = study.wait()
    direct = xw.prediction_difference(
        study.network, study.image, 2, 4, xw.ConstantSampler(0.5), samples=1, layer=1
    )
    np.testing.assert_array_equal(found.values, direct.values)
    assert (found.unit, found.label) == ("activation", "0, channel 2")
    study.image = study.image.flip(-1)
    assert study.target == xw.Channel("0", 2), "the same part, in another image"
    study.target = None
    assert study.target == study.ranking[0][0]


def test_a_picture_that_comes_back_is_known(study: xw.Study) -> None:
    first, image = study.wait(), study.image.clone()
    study.image = image.flip(-1)
    study.wait()
    study.image = image
    assert study.relevance is first


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("method", None, "method is a NoneType, but must be a method such as"),
        ("method", xw.Occlusion(window=17), "window 17 is larger than the image"),
        ("method", xw.Saliency(samples=3), "needs samples > 1 and sigma > 0"),
        ("image", None, "images must be a tensor"),
        ("image", torch.rand(3, 9, 9), "cannot take images of 9 x 9"),
        ("target", xw.Channel("nowhere", 1), "unknown layer 'nowhere'"),
        ("window", None, "window is None"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    study: xw.Study, name: str, value: object, words: str
) -> None:
    before = study.wait()
    with pytest.raises(ValueError, match=words):
        setattr(study, name, value)
    assert study.wait() is before
    assert (study.target, study.window, study.method.window) == (before.target, 4, 4)


def test_parameters_move_and_results_are_had_for_their_values(study: xw.Study) -> None:
    study.method = xw.Occlusion(window=4)
    study.move(measure="drop", value=0.25)
    assert study.method == xw.Occlusion(window=4, measure="drop", value=0.25)
    drop = study.wait()
    gain = study.at(measure="difference")
    assert (drop.unit, gain.unit) == ("probability", "logits")
    assert study.complete("measure") == [drop, gain]
    assert study.complete() == [drop]
    assert study.at(6).parameters["window"] == 6
    assert [one.parameters["window"] for one in study.complete()] == [4, 6]
    with pytest.raises(ValueError, match="unknown parameter 'colour'"):
        study.move(colour=0)


def test_target_and_method_are_set_together_where_neither_goes_with_the_other(
    study: xw.Study,
) -> None:
    study.ask(xw.Channel(1, 2), xw.NeuronPatches())
    assert study.wait().channel == 2
    for name, value in (("target", 1), ("method", xw.InputResampling())):
        with pytest.raises(ValueError, match="a target is a"):
            setattr(study, name, value)
    study.ask(1, xw.InputResampling(samples=4, minimum=0))
    assert (study.target, study.wait().target) == (1, 1)


def test_a_study_begins_with_a_method_that_explains_its_target_alone(
    net: xw.Network, image: torch.Tensor
) -> None:
    with xw.Study(net, image, xw.Channel(1, 2), xw.NeuronPatches()) as study:
        assert study.wait().channel == 2


def test_what_is_known_is_of_the_weights_as_they_were(study: xw.Study) -> None:
    first = study.wait()
    with torch.no_grad():
        next(study.network.module.parameters()).mul_(2)
    study.window = 5
    study.window = 4
    assert not np.array_equal(study.wait().values, first.values)
    np.testing.assert_array_equal(study.wait().values, direct(study).values)
