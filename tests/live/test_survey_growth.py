"""A survey is followed while its folder grows, whoever computes it."""

import gc
import shutil
import threading
import weakref

import numpy as np
import pytest

import xwidgets as xw
from tests.live.waiting import until
from xwidgets.live import survey_growth, worker
from xwidgets.live.survey_growth import SurveyGrowth
from xwidgets.surveys import writer


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(worker, "_IDLE", 0.05)
    monkeypatch.setattr(survey_growth, "PAUSE", 0.02)


@pytest.fixture(scope="module")
def birds():
    return [xw.scenes.bird(seed) for seed in range(40)]


def survey(birds, folder, images=None, **options):
    images = birds if images is None else images
    return xw.survey(xw.network("birds"), images, xw.Saliency(), folder, progress=False, **options)


@pytest.fixture(scope="module")
def folder(birds, tmp_path_factory):
    return survey(birds, tmp_path_factory.mktemp("survey") / "birds", targets=[3, None]).folder


def test_rows_and_places_are_those_of_the_survey(folder):
    growth = SurveyGrowth(folder, target=1)
    answer = growth.wait(60)
    growth.close()
    rows = xw.open_survey(folder).table()
    rows = rows[rows["place"] == 1].set_index("number")
    assert answer.completed == 1
    assert answer.places.shape == (40, 2)
    assert np.isfinite(answer.places).all()
    assert sorted(answer.row_of) == list(range(40))
    for number, at in answer.row_of.items():
        assert answer.rows["number"].iloc[at] == number
        assert answer.row(number)["predicted_label"] == rows.loc[number, "predicted_label"]


def test_it_waits_for_a_survey_and_grows_with_it(birds, tmp_path, monkeypatch):
    write, written = writer.Writer.write, threading.Event()

    def one_by_one(self, batch):
        write(self, batch)
        assert written.wait(20)
        written.clear()

    monkeypatch.setattr(writer.Writer, "write", one_by_one)
    monkeypatch.setattr("xwidgets.explain.data_set._MEMORY", 4e6)  # batches of few pictures
    growth = SurveyGrowth(tmp_path / "later")
    until(lambda: growth.growing.answer is not None)
    assert growth.so_far.survey is None
    working = threading.Thread(target=survey, args=(birds, tmp_path / "later"))
    working.start()
    seen = []
    while working.is_alive():
        done = len(xw.open_survey(growth.folder).table()) if seen else 1
        until(lambda least=done: len(growth.growing.answer.rows) >= least)
        seen.append(growth.growing.answer)
        written.set()
        working.join(0.1)
    last = growth.wait(60)
    growth.close()
    counts = [len(answer.rows) for answer in seen]
    assert counts == sorted(counts)
    assert len(set(counts)) > 3
    shares = [answer.completed for answer in seen if answer.completed < 1]
    assert shares == [0.99 * count / 40 for count in counts[: len(shares)]]
    assert len(shares) > 3
    assert len(last.rows) == 40
    assert np.isfinite(last.places).all()


def test_pictures_without_a_map_have_rows_and_no_place(birds, tmp_path):
    images = [scene.image for scene in birds[:20]]
    images[7] = tmp_path / "gone.png"
    with pytest.warns(UserWarning, match="1 of 20 pictures have no map"):
        survey(birds, tmp_path / "survey", images)
    growth = SurveyGrowth(tmp_path / "survey")
    answer = growth.wait(60)
    growth.close()
    assert np.isnan(answer.places[answer.row_of[7]]).all()
    assert np.isfinite(answer.places).all(axis=1).sum() == 19
    assert answer.row(7)["error"]
    assert answer.row(7)["predicted_label"] is None


def test_it_is_done_with_a_survey_that_has_ended_early(birds, tmp_path):
    images = [birds[number % 40] for number in range(160)]
    done = survey(birds, tmp_path / "s", images, measures=["half_area"], until={"half_area": 0.5})
    growth = SurveyGrowth(done)
    answer = growth.wait(60)
    growth.close()
    taken = done.table()["number"].tolist()
    assert len(taken) < 160
    assert answer.completed == 1
    assert sorted(answer.row_of) == taken
    assert np.isfinite(answer.places).all()


def test_a_target_that_there_is_not_is_refused(folder):
    with pytest.raises(ValueError, match="target 2 does not exist: the survey has targets 0 to 1"):
        SurveyGrowth(folder, target=2)


def test_a_survey_that_cannot_be_read_is_said(birds, tmp_path):
    done = survey(birds, tmp_path / "survey")
    done.part(0).write_bytes(b"no rows")
    growth = SurveyGrowth(done)
    with pytest.raises(ValueError, match="remove it, and the survey"):
        growth.wait(60)
    assert growth.growing.progress.state == "failed"
    growth.close()


def test_one_that_nobody_holds_ends(tmp_path):
    growth = SurveyGrowth(tmp_path / "never")
    held, thread = weakref.ref(growth), growth._worker._thread
    assert thread.is_alive()
    del growth
    until(lambda: gc.collect() is not None and held() is None)
    until(lambda: not thread.is_alive())


def test_a_folder_that_holds_another_survey_by_now_is_told(birds, tmp_path, monkeypatch):
    monkeypatch.setattr("xwidgets.explain.data_set._MEMORY", 4e6)
    done = survey(birds, tmp_path / "survey")
    done.part(1).unlink()
    growth = SurveyGrowth(done)
    until(lambda: len(growth.so_far.rows) > 20)
    other = survey(birds, tmp_path / "other", measures=["half_area"])
    (other.folder / "survey.json").replace(done.folder / "survey.json")
    with pytest.raises(ValueError, match="another survey has begun in"):
        growth.wait(60)
    growth.close()


def test_a_folder_that_is_gone_is_told(birds, tmp_path):
    done = survey(birds, tmp_path / "survey")
    done.part(0).unlink()
    growth = SurveyGrowth(done)
    until(lambda: growth.growing.answer is not None)
    shutil.rmtree(done.folder)
    with pytest.raises(ValueError, match="there is no survey in"):
        growth.wait(60)
    growth.close()


def test_a_layout_can_be_left(birds, tmp_path, monkeypatch):
    monkeypatch.setattr("xwidgets.surveys.likeness.ITERATIONS", 10**9)
    growth = SurveyGrowth(survey(birds, tmp_path / "survey"))
    until(lambda: np.isfinite(growth.so_far.places).any())
    growth.close()
    growth._worker.join()


def test_a_survey_that_is_there_is_known_before_it_is_read(folder):
    growth = SurveyGrowth(folder)
    assert len(growth.so_far.survey) == 40
    growth.close()


@pytest.mark.parametrize("target", [-1, True, "first"])
def test_what_is_no_target_is_refused(tmp_path, target):
    with pytest.raises(ValueError, match="target"):
        SurveyGrowth(tmp_path / "later", target)
