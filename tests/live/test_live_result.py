"""The live result: which answers are kept, complete or begun, and what is told of progress."""

import threading
import time
from collections import Counter

import pytest

from tests.live.waiting import until
from xwidgets.live.live_result import CLOSED, Growth, LiveResult
from xwidgets.live.worker import Worker

PATIENCE = 20
"""Seconds after which something hangs."""


class Counted:
    """A live result whose answer to a number counts up to it, a turn for each step."""

    def __init__(self, **options):
        self.turns, self.begun, self.ended = threading.Semaphore(0), [], Counter()
        self.worker = Worker()
        self.live = LiveResult(self.worker, self.count, self.share, **options)
        self.live._task._interval = 0  # every step is shown

    def count(self, end):
        self.begun.append(end)
        try:
            for step in range(1, end + 1):
                assert self.turns.acquire(timeout=PATIENCE)
                yield step, end
        finally:
            self.ended[end] += 1

    def share(self, answer):
        step, end = answer
        return step / end

    def go(self, steps, answer):
        """Let it compute so many steps, until the answer is there."""
        for _ in range(steps):
            self.turns.release()
        deadline = time.monotonic() + PATIENCE
        while self.live.answer != answer:
            assert time.monotonic() < deadline, self.live.answer
            time.sleep(0.001)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()
        for _ in range(1000):
            self.turns.release()
        self.worker.join()


def test_a_begun_answer_is_there_at_once_and_goes_on():
    with Counted() as desk:
        desk.live.ask(100)
        desk.go(30, (30, 100))
        desk.live.ask(50)
        assert (desk.live.answer, desk.live.progress.share) == (None, 0)
        desk.turns.release()  # the step of 100 that waited for its turn when 50 was asked
        desk.go(10, (10, 50))
        desk.live.ask(100)
        assert desk.live.answer == (31, 100)
        assert desk.live.progress.state == "computing"
        assert desk.live.progress.share == pytest.approx(0.31)
        desk.turns.release()  # and that of 50
        desk.go(69, (100, 100))
        assert desk.live.wait(PATIENCE) == (100, 100)
        assert desk.begun == [100, 50]


def test_the_time_left_is_told_by_the_pace_since_it_came_back(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("xwidgets.live.live_result.time.monotonic", lambda: now[0])
    live = LiveResult(worker := Worker(), lambda _: iter(()), lambda answer: answer)
    monkeypatch.setattr(live._task, "request", {"a": 0.5, "b": None}.get)
    live.ask("b")
    now[0] = 1000.0
    live.ask("a")
    assert (live.progress.share, live.progress.seconds_left) == (0.5, None)
    now[0] = 1001.0
    live._show(0.6, False)
    assert live.progress.seconds_left == pytest.approx(4.0)
    worker.close()


def test_the_time_left_does_not_count_the_rest_while_nobody_looks(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("xwidgets.live.live_result.time.monotonic", lambda: now[0])
    live = LiveResult(worker := Worker(), lambda _: iter(()), lambda answer: answer)
    monkeypatch.setattr(live._task, "request", lambda _: 0.5)
    live.ask("a")
    live.watched(1)
    live.watched(-1)
    now[0] = 1000.0
    live.watched(1)
    now[0] = 1001.0
    live._show(0.75, False)
    assert live.progress.seconds_left == pytest.approx(1.0)
    worker.close()


def test_only_the_newest_begun_answers_are_kept():
    with Counted(rests=2) as desk:
        for end in (10, 20, 30, 40):
            desk.live.ask(end)
            desk.go(1, (1, end))
            desk.turns.release()
        desk.live.ask(20)
        assert desk.live.answer[0] >= 1
        desk.live.ask(10)
        assert desk.live.answer is None


def test_what_is_forgotten_ends_and_begins_anew():
    with Counted() as desk:
        for end in (10, 20):
            desk.live.ask(end)
            desk.go(1, (1, end))
            desk.turns.release()
        desk.live.forget()
        desk.live._task.wait(PATIENCE)
        assert desk.ended == {10: 1, 20: 1}
        desk.live.ask(10)
        assert desk.live.answer is None


def test_a_complete_answer_is_computed_from_where_it_rests():
    with Counted() as desk:
        desk.live.ask(10)
        desk.go(4, (4, 10))
        desk.live.ask(20)
        desk.turns.release()
        desk.go(3, (3, 20))
        for _ in range(6):  # five for what is left of 10, one for the step of 20 that waits
            desk.turns.release()
        assert desk.live.at(10) == (10, 10)
        assert desk.begun == [10, 20]
        assert desk.live.progress.state == "computing"
        desk.live.ask(10)
        assert (desk.live.answer, desk.live.progress.share) == ((10, 10), 1)


def test_what_was_stopped_goes_on_when_it_is_asked_again():
    with Counted() as desk:
        desk.live.ask(10)
        desk.go(4, (4, 10))
        desk.live.stop()
        desk.turns.release()
        desk.live.ask(20)
        desk.live.ask(10)
        assert desk.live.progress.state == "computing"
        for _ in range(40):
            desk.turns.release()
        assert desk.live.wait(PATIENCE) == (10, 10)
        assert desk.begun.count(10) == 1


def test_an_answer_that_another_thread_computes_ends_within_a_step_when_it_is_closed():
    with Counted() as desk:
        desk.live.ask(100)
        raised = []

        def compute():
            try:
                desk.live.at(50)
            except ValueError as error:
                raised.append(str(error))

        desk.live.stop()
        thread = threading.Thread(target=compute)
        thread.start()
        while 50 not in desk.begun:
            time.sleep(0.001)
        desk.worker.close()
        desk.turns.release()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert raised == [CLOSED]
        until(lambda: desk.ended[50] == 1)


def test_closing_ends_what_rests():
    with Counted() as desk:
        for end in (10, 20):
            desk.live.ask(end)
            desk.go(1, (1, end))
            desk.turns.release()
    assert desk.ended == {10: 1, 20: 1}


class Resting(Counted):
    """The same, which writes down in which threads computations were told to rest."""

    def __init__(self, **options):
        self.rested = []
        super().__init__(**options)

    def count(self, end):
        desk, counted = self, super().count(end)

        class Steps:
            def __iter__(self):
                return self

            def __next__(self):
                return next(counted)

            def rest(self):
                desk.rested.append((end, threading.current_thread().name))

        return Steps()


def test_what_is_suspended_rests_before_the_next_step():
    with Resting() as desk:
        desk.live.ask(10)
        desk.go(1, (1, 10))
        assert desk.rested == []
        desk.live.ask(20)
        desk.turns.release()  # for the step that was waited for
        desk.go(1, (1, 20))
        assert desk.rested == [(10, "xwidgets-worker")]
        desk.live.ask(10)
        desk.turns.release()
        desk.go(1, (3, 10))
        assert desk.rested[1:] == [(20, "xwidgets-worker")]


def test_what_rests_already_is_left_alone():
    with Resting(rests=2) as desk:
        for end in (10, 20, 30):
            desk.live.ask(end)
            if end > 10:
                desk.turns.release()
            desk.go(1, (1, end))
        assert [end for end, _ in desk.rested] == [10, 20]


def test_one_that_cannot_rest_ends_nothing(caplog):
    class Restless(Resting):
        def count(self, end):
            steps = super().count(end)
            steps.rest = lambda: 1 / 0
            return steps

    with Restless() as desk:
        desk.live.ask(10)
        desk.go(1, (1, 10))
        desk.live.ask(20)
        desk.turns.release()
        desk.go(1, (1, 20))
    assert "could not rest" in caplog.text


def test_the_end_of_one_that_failed_is_not_told():
    class Failing:
        state, completed = "weights", 0.0

        def steps(self):
            yield
            raise ArithmeticError("no such thing")

        def results(self):
            return [self]

    told = []
    growth = Growth(Failing, told.append)
    next(growth)
    with pytest.raises(ArithmeticError):
        next(growth)
    assert list(growth) == []
    assert told == []
