"""A class so certain, or so improbable, that its evidence has no room left says so."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

import xwidgets as xw
from xwidgets.widgets.region_scores import RegionScores

SIDE, N = 8, 1000
IMAGE = torch.full((3, SIDE, SIDE), 0.75)
GREY = xw.ConstantSampler(0.5)


class Scores(nn.Module):
    """The first class is ahead by ``lead`` at the image, and by two thirds of it at a grey one."""

    def __init__(self, lead, classes):
        super().__init__()
        self.convolution = nn.Conv2d(3, 2, 1)
        self.scores = nn.Linear(2, classes)
        nn.init.constant_(self.convolution.weight, 1 / 3)
        for zero in (self.convolution.bias, self.scores.weight, self.scores.bias):
            nn.init.zeros_(zero)
        nn.init.constant_(self.scores.weight[0], lead / 0.75 / 2)

    def forward(self, x):
        return self.scores(self.convolution(x).mean((2, 3)))


def network(lead, classes=2):
    names = ["wren", *(f"tit {number}" for number in range(1, classes))]
    return xw.Network(
        Scores(lead, classes), size=(SIDE, SIDE), classes=names, name="small", training_size=N
    )


def odds(p, classes):
    """Log2 odds after the Laplace correction."""
    p = (p * N + 1) / (N + classes)
    return np.log2(p / (1 - p))


SURE, DOUBTFUL = float(np.log(2.5 * N)), float(np.log(0.4 * N))
"""Leads at which the other class has a probability of 0.4 / N, and of 2.5 / N."""


@pytest.mark.parametrize(("lead", "flat"), [(SURE, True), (DOUBTFUL, False), (60.0, True)])
@pytest.mark.parametrize("target", [0, 1])
def test_evidence_of_windows_says_so(lead, flat, target):
    net = network(lead)
    result = xw.prediction_difference(net, IMAGE, target, SIDE, GREY, samples=1)
    before, after = (1 / (1 + np.exp((-1) ** (target + 1) * lead * part)) for part in (1, 2 / 3))
    np.testing.assert_allclose(result.values, odds(before, 2) - odds(after, 2), rtol=1e-3)
    if not flat:
        assert result.note == ""
        return
    name, end = ("wren", 1) if target == 0 else ("tit 1", 0)
    assert result.note.startswith(f"the evidence for '{name}' is flat by construction")
    assert f"so near {end} that" in result.note
    assert result.note.endswith("'difference' shows the score before softmax or sigmoid")
    difference = xw.prediction_difference(
        net, IMAGE, target, SIDE, GREY, samples=1, measure="difference"
    )
    assert difference.note == ""
    if target == 0:
        np.testing.assert_allclose(difference.values, lead / 3, rtol=1e-5)


def test_many_classes_are_flat_sooner():
    lead = float(np.log(30 * N))  # p = 1 - 99 / (30 N): beyond 1 - (K - 1) / N, within 1 - 1 / N
    result = xw.prediction_difference(network(lead, 100), IMAGE, 0, SIDE, GREY, samples=1)
    assert "for 'wren' is flat" in result.note


def test_each_target_says_its_own():
    maps = xw.prediction_difference_each(network(SURE, 3), IMAGE, [0, 1, 2], SIDE, GREY, samples=1)
    names = [re.search(r"for '(.*?)'", result.note)[1] for result in maps]
    assert names == ["wren", "tit 1", "tit 2"]


def test_every_step_says_so_from_the_first():
    steps = xw.prediction_difference_steps(network(SURE), IMAGE, 0, 2, GREY, samples=2, memory=0)
    assert {"flat" in result.note for result in steps} == {True}


def test_channels_and_other_measures_have_nothing_to_say():
    net = network(60.0)
    channel = xw.Channel("convolution", 0)
    assert xw.prediction_difference(net, IMAGE, channel, 4, GREY, samples=1).note == ""
    for measure in ("difference", "drop", "probability"):
        assert xw.occlusion(net, IMAGE, 0, 4, measure=measure).note == ""


def test_units_say_so():
    images = torch.rand(12, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    net = network(SURE)
    result = xw.unit_relevance(net, IMAGE, "convolution", 0, images, samples=2)
    assert "for 'wren' is flat" in result.note
    other = xw.unit_relevance(net, IMAGE, "convolution", 0, images, samples=2, measure="difference")
    assert "flat" not in other.note


def test_a_note_on_the_computation_stays_beside_it():
    class Branching(Scores):
        def forward(self, x):
            scores = super().forward(x)
            return scores if scores.sum() > -1e9 else -scores

    net = network(SURE)
    net.module.__class__ = Branching
    result = xw.prediction_difference(net, IMAGE, 0, 2, GREY, samples=1, memory=0)
    flat, whole = result.note.split("; small is run ")
    assert flat.endswith("'difference' shows the score before softmax or sigmoid")
    assert whole.startswith("whole for every window: ")


@pytest.mark.parametrize(("lead", "flat"), [(SURE, True), (DOUBTFUL, False)])
def test_a_region_says_so_and_its_view_shows_it(tmp_path, lead, flat):
    net, mask = network(lead), np.eye(SIDE, dtype=bool)
    removal = xw.remove_region(net, IMAGE, mask, GREY, samples=1)
    assert ("for 'wren' is flat" in removal.note) == flat
    removal.save(tmp_path / "removal.npz")
    assert xw.RegionRemoval.load(tmp_path / "removal.npz").note == removal.note
    assert RegionScores(removal).remark == removal.note
    with xw.Study(net, IMAGE, 0, xw.Saliency()) as study:
        view = RegionScores(study)
        assert view.remark == ""
        study.regions.fill, study.regions.mask = "grey", mask
        study.regions.removal.wait()
        assert view.remark == removal.note
        study.regions.mask = np.zeros_like(mask)
        assert view.remark == ""


def test_the_overlay_shows_it_and_moving_the_measure_takes_it_away(tmp_path):
    net = network(SURE)
    with xw.Study(net, IMAGE, 0, window=4, sampler=GREY, samples=1) as study:
        view = xw.RelevanceOverlay(study)
        result = study.wait()
        assert "for 'wren' is flat" in result.note
        assert view.frames[0]["remark"] == result.note
        result.save(tmp_path / "map.npz")
        assert xw.Relevance.load(tmp_path / "map.npz").note == result.note
        view.to_html(tmp_path / "page.html")
        assert json.dumps("is flat by construction")[1:-1] in (tmp_path / "page.html").read_text()
        study.move(measure="difference")
        study.wait()
        assert view.frames[0]["remark"] == ""


@pytest.mark.parametrize(("lead", "flat"), [(SURE, True), (DOUBTFUL, False)])
def test_a_label_of_its_own_says_so_whatever_the_others(lead, flat):
    module = Scores(lead, 30)
    nn.init.constant_(module.scores.bias[1], 20)
    net = xw.Network(module, size=(SIDE, SIDE), training_size=N, outputs="independent")
    notes = [
        result.note
        for result in xw.prediction_difference_each(net, IMAGE, [0, 1, 2], SIDE, GREY, samples=1)
    ]
    assert [("is flat by construction" in note) for note in notes] == [flat, True, False]
