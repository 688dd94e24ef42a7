"""Going back and forth through what a study was asked."""

import time

import numpy as np
import torch

import xwidgets as xw


def asked(study):
    return study.target, study.method.window, study.image


def history_of(study):
    history = study.history
    history.pause = 0
    return history


def test_steps_go_back_and_forth(study):
    history = history_of(study)
    first = asked(study)
    study.window = 3
    time.sleep(0.01)
    study.target = (study.target + 1) % 3
    last = asked(study)
    assert (history.can_undo, history.can_redo) == (True, False)
    history.undo()
    assert asked(study) == (first[0], 3, first[2])
    history.undo()
    assert asked(study) == first
    assert (history.can_undo, history.can_redo) == (False, True)
    history.undo()  # nothing more
    assert asked(study) == first
    history.redo()
    history.redo()
    history.redo()
    assert asked(study) == last


def test_another_change_leaves_no_way_forth(study):
    history = history_of(study)
    study.window = 3
    history.undo()
    study.window = 5
    assert not history.can_redo
    history.undo()
    assert study.window == 4


def test_another_picture_is_one_step_with_the_class_it_brought(study, other):
    history = study.history  # with its pause
    first = asked(study)
    study.image = other
    second = asked(study)
    history.undo()
    assert asked(study)[:2] == first[:2]
    assert torch.equal(study.image, first[2])
    assert not history.can_undo
    history.redo()
    assert asked(study)[:2] == second[:2]
    assert torch.equal(study.image, other)


def test_a_slider_that_is_dragged_is_one_step(study):
    history = study.history
    for window in (5, 6, 7, 8):
        study.window = window
    history.undo()
    assert study.window == 4
    history.redo()
    assert study.window == 8


def test_a_region_is_a_step_once_it_is_included(study):
    history = history_of(study)
    history.include(study.regions)
    mask = np.zeros(study.image.shape[1:], bool)
    mask[2:5, 3:7] = True
    study.regions.mask = mask
    history.undo()
    assert not study.regions.mask.any()
    history.redo()
    assert (study.regions.mask == mask).all()


def test_all_views_share_the_history_and_a_closed_study_can_be_asked(study):
    assert study.history is xw.live.History.of(study)
