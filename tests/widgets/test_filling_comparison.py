"""Which should one believe: ways to remove a region beside each other."""

import threading

import numpy as np
import pytest

import xwidgets as xw
from xwidgets.widgets import filling_comparison
from xwidgets.widgets.filling_comparison import DRAWN, MAP, Answer, answer_of, reasons_of, told

from .pages import states


@pytest.fixture(scope="module")
def scene():
    return xw.scenes.bird(seed=3)


@pytest.fixture
def bird(scene):
    net = xw.network("birds")
    net.examples = lambda: xw.scenes.draw("birds", range(10_000, 10_020))[0]
    method = xw.PredictionDifference(sampler=xw.ConstantSampler(0.5), samples=1, stride=4, window=8)
    with xw.Study(net, scene.image, method=method) as study:
        study.regions.samples = 2
        yield study


def waited(view):
    for live in view._lives:
        live.wait()
    return {answer.name: answer for answer in view.answers}


def test_each_row_is_what_its_method_gives(bird, scene):
    view = xw.FillingComparison(bird, scene)
    assert view.rows == []
    assert "breast" in view.parts
    view.part = "breast"
    assert (bird.regions.mask == scene.masks["breast"]).all()
    bird.wait()
    answers = waited(view)
    assert list(answers) == [DRAWN, "grey", "marginal", "conditional", MAP]
    target, net = bird.target, bird.network
    grey, mask = xw.ConstantSampler(0.5), scene.masks["breast"]
    for name, removal in (
        (DRAWN, xw.evaluate.drawn_without(net, scene, "breast")),
        ("grey", xw.remove_region(net, scene.image, mask, grey, 1)),
    ):
        assert answers[name].evidence == pytest.approx(removal.evidence[target], rel=1e-5)
        inside = removal.samples[:, removal.mask] / 255 - removal.image[removal.mask] / 255
        assert answers[name].change == pytest.approx(np.abs(inside).mean())
    mean = bird.relevance.values[scene.masks["breast"]].mean()
    assert answers[MAP].evidence == pytest.approx(float(mean), rel=1e-5)
    assert [row["name"] for row in view.rows] == list(answers)
    assert view.rows[-1]["after"] is None
    assert list(view.frame().columns) == list(Answer._fields)
    view.close()


def test_a_thread_that_draws_meanwhile_takes_no_row_away(bird, scene, monkeypatch):
    drawing, drawn = threading.Event(), threading.Event()
    without, mean = xw.evaluate.drawn_without, filling_comparison.mean_of_map

    def slow_truth(*arguments):
        drawing.wait(60)
        return without(*arguments)

    def slow_mean(relevance, mask, target):
        if mask.any() and threading.current_thread() is not threading.main_thread():
            drawing.set()
            drawn.wait(0.5)
        return mean(relevance, mask, target)

    monkeypatch.setattr(xw.evaluate, "drawn_without", slow_truth)
    monkeypatch.setattr(filling_comparison, "mean_of_map", slow_mean)
    view, shown = xw.FillingComparison(bird, scene), []

    def look(change):
        shown.append(DRAWN in [row["name"] for row in change.new])
        assert bird.regions.fills  # an observer may ask the study, whose thread draws just then

    view.observe(look, "rows")
    view.part = "breast"
    drawn.set()
    waited(view)
    assert any(shown)
    assert all(shown[shown.index(True) :])
    view.close()


def test_a_region_that_is_painted_has_no_truth_and_none_no_rows(bird, scene):
    view = xw.FillingComparison(bird, scene)
    mask = scene.masks["breast"].copy()
    mask[:4, :4] = True
    bird.regions.mask = mask
    assert view.part == ""
    assert DRAWN not in waited(view)
    bird.regions.mask = mask & False
    assert view.rows == []
    with pytest.raises(ValueError, match="no region is removed"):
        view.to_html("page.html")
    view.close()


def test_what_compares_no_more_computes_no_more(bird, scene):
    views = [xw.FillingComparison(bird, scene) for _ in range(2)]
    views[0].part = "beak"
    waited(views[1])
    views[0].close()
    bird.regions.mask = scene.masks["breast"]
    lives = views[1]._lives
    assert all(live.question is not None for live in lives)
    views[1].close()
    bird.regions.mask = scene.masks["tail"]
    assert all(live.question is None for live in lives)
    again = xw.FillingComparison(bird, scene)
    assert "grey" in waited(again)
    again.close()


def test_a_part_is_a_step_that_can_be_undone(bird, scene):
    explorer = xw.Explorer(bird, [scene])
    bird.history.pause = 0
    explorer.panes.open_panel("fillings").part = "beak"
    explorer.panes.hear_undo()
    assert not bird.regions.mask.any()
    explorer.panes.hear_redo()
    assert (bird.regions.mask == scene.masks["beak"]).all()
    explorer.close()


def test_another_picture_has_other_parts_or_none(bird, scene):
    explorer = xw.Explorer(bird, [scene, xw.scenes.bird(seed=4), 1 - scene.image])
    view = explorer.panes.open_panel("fillings")
    assert view.scene is scene
    explorer.panes.strip.hear_choose(1)
    assert view.scene.record.seed == 4
    explorer.panes.strip.hear_choose(2)
    assert (view.scene, view.parts) == (None, [])
    explorer.close()


def test_maps_in_other_units_and_of_other_classes_have_no_row(bird, scene):
    view = xw.FillingComparison(bird, scene)
    view.part = "beak"
    bird.wait()
    assert MAP in waited(view)
    bird.target = (bird.target + 1) % 20
    assert MAP not in [answer.name for answer in view.answers]
    bird.method = xw.Saliency()
    bird.wait()
    assert MAP not in [answer.name for answer in view.answers]
    view.close()


def test_a_page_has_the_rows_and_no_dead_buttons(bird, scene, tmp_path):
    view = xw.FillingComparison(bird, scene)
    view.part = "beak"
    view.to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert [row["title"] for row in state["rows"]][:2] == ["Drawn without it", "Plain grey"]
    assert state["alive"] is False
    view.close()


def drawn(evidence=8.0, before=0.9999, after=0.6, change=0.3):
    return Answer(DRAWN, evidence, np.nan, before, after, change)


def test_it_says_which_answer_to_believe_and_what_takes_the_lead(bird, scene):
    view = xw.FillingComparison(bird, scene)
    view.part = "breast"
    bird.wait()
    answers = waited(view)
    assert view.reasons[0].startswith("Believe “drawn without it”")
    assert answers[DRAWN].first == "" == view.rows[0]["first"]
    bird.target = bird.ranking[1][0]
    bird.wait()
    assert not waited(view)[DRAWN].first, "it was not the most likely one before either"
    mask = scene.masks["breast"].copy()
    mask[:4, :4] = True
    bird.regions.mask = mask
    waited(view)
    assert view.reasons[0].startswith("Press a part above")
    bird.method = xw.Saliency()
    bird.wait()
    assert any("logits" in reason for reason in view.reasons)
    view.close()


def test_a_class_that_is_overtaken_names_the_first(scene):
    net, tail = xw.network("birds"), xw.scenes.bird(seed=12)
    removal = xw.evaluate.drawn_without(net, tail, "tail")
    answer = answer_of(DRAWN, removal, tail.label)
    assert answer.first == "Heath finch (long tail)"
    assert told(answer).endswith("; most likely then: Heath finch (long tail), 60.0 %")


def test_reasons_are_given_where_the_numbers_have_them_and_not_else():
    alike = {DRAWN: drawn(), "conditional": Answer("conditional", 7.9, 0.2, 0.9999, 0.62, 0.29)}
    assert reasons_of(alike) == []
    back = {DRAWN: drawn(), "conditional": Answer("conditional", 0.5, 0.2, 0.9999, 0.995, 0.05)}
    [reason] = reasons_of(back)
    assert "differ from the picture by 5.0 %" in reason
    assert reason.endswith("bring much of the part back, and its evidence with it.")
    back["conditional"] = back["conditional"]._replace(evidence=12.0)
    [reason] = reasons_of(back)
    assert reason.endswith("bring much of the part back.")
    grey = {DRAWN: drawn(4.0), "grey": Answer("grey", 9.0, np.nan, 0.9999, 0.3, 0.2)}
    [reason] = reasons_of(grey)
    assert reason.startswith("Grey leaves the class 5.00 bits lower than the part's absence")
    sure = {DRAWN: drawn(0.1, 0.99999, 0.9999, 0.3)}
    [reason] = reasons_of(sure)
    assert reason.startswith("The network is sure of the class, and stays so")
    small = {DRAWN: drawn(), MAP: Answer(MAP, 0.2)}
    [reason] = reasons_of(small, 10)
    assert "one window of 10 × 10 pixels at a time" in reason
    assert reasons_of({}) == []
