"""The worker: of each task the newest request wins, whatever the threads do."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from xwidgets.live.worker import Worker

PATIENCE = 20
"""Seconds after which something hangs."""


class Desk:
    """A worker on requests (name, number of steps), and all that it showed."""

    def __init__(self, rate=1e9, rests=0):
        self.shown, self.failed, self.begun, self.steps = [], [], [], Counter()
        self.closed = []
        self.gate = threading.Event()
        self.gate.set()
        self.reached, self.looked = threading.Semaphore(0), threading.Semaphore(0)
        self.ended = threading.Event()
        self.worker = Worker()
        self.task = self.worker.task(self.compute, self.show, self.failed.append, rate, rests=rests)

    def compute(self, request):
        name, count = request
        self.begun.append(name)
        try:
            for step in range(count):
                self.reached.release()
                assert self.gate.wait(PATIENCE)
                if name == "bad" and step == 1:
                    raise ArithmeticError("no such thing")
                self.steps[name] += 1
                yield name, step
        finally:
            self.closed.append(name)
            self.ended.set()

    def show(self, part, last):
        self.shown.append((*part, last))
        self.looked.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.worker.close()
        self.worker._thread.join(PATIENCE)
        assert not self.worker._thread.is_alive()

    def hold(self, name="held", count=3):
        """Begin a request, and come back while its first step computes."""
        self.gate.clear()
        self.task.request((name, count))
        assert self.reached.acquire(timeout=PATIENCE)

    def finish(self):
        self.gate.set()
        assert self.task.wait(PATIENCE)


def test_every_step_is_shown_in_order_and_the_last_is_marked():
    with Desk() as desk:
        desk.task.request(("a", 4))
        desk.finish()
        assert desk.shown[-1] == ("a", 3, True)
        assert desk.shown[:-1] == [("a", step, False) for step in range(4)]
        assert not desk.failed


def test_at_a_low_rate_only_the_first_and_the_last_are_shown():
    with Desk(rate=1e-4) as desk:
        desk.task.request(("a", 500))
        desk.finish()
        assert desk.shown == [("a", 0, False), ("a", 499, True)]


def test_a_new_request_replaces_what_runs_and_what_waits():
    with Desk() as desk:
        desk.hold("first")
        desk.task.request(("second", 2))
        desk.task.request(("third", 2))
        desk.finish()
        assert desk.begun == ["first", "third"]
        assert {name for name, *_ in desk.shown} == {"third"}
        assert desk.steps["first"] == 1
        assert desk.closed == ["first", "third"]


def test_the_same_request_can_be_made_again():
    with Desk() as desk:
        for _ in range(3):
            desk.task.request(("a", 2))
            desk.finish()
        assert [part for part in desk.shown if part[2]] == [("a", 1, True)] * 3


def test_under_stress_nothing_old_is_shown_after_a_new_request():
    newest, wrong, requests = [None], [], 4 * 150

    class Checking(Desk):
        def show(self, part, last):
            super().show(part, last)
            if part[0] != newest[0]:
                wrong.append((part, newest[0]))

    with Checking() as desk:

        def hammer(thread):
            for i in range(150):
                with desk.worker.lock:
                    newest[0] = (thread, i)
                    desk.task.request(((thread, i), 1 + i % 4))
                if i % 10 == 0:
                    desk.task.wait(0.01)
                if i % 17 == 0:
                    desk.task.stop()

        threads = [threading.Thread(target=hammer, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        desk.task.resume()
        desk.finish()
        assert not wrong
        assert not desk.failed
        assert desk.shown[-1][0] == newest[0]
        assert desk.shown[-1][2]
        assert 1 < len({name for name, *_ in desk.shown}) <= requests
        assert desk.begun == desk.closed


def test_what_is_dropped_is_never_shown():
    with Desk() as desk:
        desk.hold("a")
        desk.task.request(("waiting", 1))
        desk.task.drop()
        desk.finish()
        assert not desk.shown
        assert desk.begun == ["a"]
        assert desk.steps["a"] == 1
        desk.task.request(("b", 1))
        desk.finish()
        assert desk.shown[-1] == ("b", 0, True)


def test_what_is_dropped_after_its_last_step_is_not_shown_as_complete():
    with Desk() as desk:
        tidying, go = threading.Event(), threading.Event()

        def steps(name):
            yield name, 0
            tidying.set()
            assert go.wait(PATIENCE)

        desk.task._steps = steps
        desk.task.request("a")
        assert tidying.wait(PATIENCE)
        desk.task.drop()
        go.set()
        desk.finish()
        assert desk.shown == [("a", 0, False)]


def test_a_stopped_computation_goes_on_without_losing_or_repeating_a_step():
    with Desk() as desk:
        desk.hold("a", count=5)
        desk.task.stop()
        assert desk.task.wait(PATIENCE)  # does not wait for what rests
        desk.gate.set()
        assert not desk.reached.acquire(timeout=0.5)  # no further step begins
        assert desk.shown == [("a", 0, False)]
        assert desk.steps["a"] == 1
        desk.task.resume()
        desk.finish()
        assert desk.steps["a"] == 5
        assert desk.begun == ["a"]
        assert [step for _, step, last in desk.shown if not last] == list(range(5))
        assert desk.shown[-1] == ("a", 4, True)


def test_a_request_wakes_a_stopped_worker():
    with Desk() as desk:
        desk.hold("a")
        desk.task.stop()
        desk.task.request(("b", 2))
        desk.finish()
        assert desk.shown[-1] == ("b", 1, True)


def test_dropping_ends_a_stopped_computation():
    with Desk() as desk:
        desk.hold("a")
        desk.task.stop()
        desk.gate.set()
        assert desk.looked.acquire(timeout=PATIENCE)  # now it rests
        desk.task.drop()
        assert desk.ended.wait(PATIENCE)
        assert desk.shown == [("a", 0, False)]


def test_an_error_is_reported_and_the_worker_goes_on():
    with Desk() as desk:
        desk.task.request(("bad", 3))
        desk.finish()
        assert [type(error) for error in desk.failed] == [ArithmeticError]
        assert desk.shown == [("bad", 0, False)]
        desk.task.request(("good", 1))
        desk.finish()
        assert desk.shown[-1] == ("good", 0, True)
        assert len(desk.failed) == 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_would_end_a_program_is_reported_and_the_worker_goes_on(error):
    with Desk() as desk:

        def leave(_):
            yield "a", 0
            raise error

        desk.task._steps = leave
        desk.task.request(("a", 1))
        desk.finish()
        [failed] = desk.failed
        assert type(failed) is RuntimeError
        assert failed.__cause__ is error
        assert str(failed).startswith(f"{error!r} was raised while it was computed; ")
        desk.task._steps = desk.compute
        desk.task.request(("good", 1))
        desk.finish()
        assert desk.shown[-1] == ("good", 0, True)


def test_a_viewer_that_would_end_the_program_is_reported_and_the_worker_goes_on():
    with Desk() as desk:

        def leave(part, last):
            raise SystemExit

        desk.task._show, desk.task._fail = leave, leave
        desk.task.request(("a", 3))
        desk.finish()
        desk.task._show = desk.show
        desk.task.request(("good", 1))
        desk.finish()
        assert desk.shown[-1] == ("good", 0, True)


def test_an_error_of_a_replaced_request_is_not_reported():
    with Desk() as desk:
        ready, go = threading.Event(), threading.Event()

        def fail(_):
            ready.set()
            assert go.wait(PATIENCE)
            raise ArithmeticError("too late")
            yield

        desk.task._steps = fail
        desk.task.request(("late", 1))
        assert ready.wait(PATIENCE)
        desk.task.drop()
        go.set()
        desk.finish()
        assert not desk.failed


def test_an_error_while_showing_is_reported_too():
    with Desk() as desk:

        def refuse(part, last):
            raise LookupError("no view")

        desk.task._show = refuse
        desk.task.request(("a", 3))
        desk.finish()
        assert [type(error) for error in desk.failed] == [LookupError]


def test_a_request_can_be_made_while_showing():
    with Desk() as desk:

        def follow(part, last):
            desk.shown.append((*part, last))
            if part == ("a", 0):
                desk.task.request(("b", 1))

        desk.task._show = follow
        desk.task.request(("a", 3))
        desk.finish()
        assert desk.shown == [("a", 0, False), ("b", 0, False), ("b", 0, True)]


def test_nobody_waits_for_a_step_to_ask_stop_or_look():
    with Desk() as desk:
        desk.hold("a")
        for call in (
            lambda: desk.task.request(("b", 1)),
            desk.task.stop,
            desk.task.resume,
            desk.task.drop,
            lambda: desk.task.request(("c", 1)),
        ):
            done = threading.Event()
            threading.Thread(target=lambda call=call, done=done: (call(), done.set())).start()
            assert done.wait(PATIENCE / 2)  # the step still computes
        assert desk.steps["a"] == 0
        assert desk.worker.lock.acquire(timeout=PATIENCE / 2)
        desk.worker.lock.release()
        assert desk.task.wait(0.01) is False
        desk.finish()
        assert desk.shown[-1] == ("c", 0, True)


@pytest.mark.parametrize("state", ["idle", "computing", "stopped"])
def test_closing_ends_the_thread_and_refuses_requests(state):
    with Desk() as desk:
        if state != "idle":
            desk.hold("a", count=100)
        if state == "stopped":
            desk.task.stop()
        desk.worker.close()
        desk.worker.close()
        desk.gate.set()
        joined = threading.Thread(target=desk.worker.join)
        joined.start()
        joined.join(PATIENCE)
        assert not joined.is_alive()
        assert not desk.worker._thread.is_alive()
        assert desk.steps["a"] <= 1
        assert not desk.shown
        assert desk.task.wait(PATIENCE)
        with pytest.raises(RuntimeError, match="closed; make a new one"):
            desk.task.request(("b", 1))


def test_the_interpreter_ends_while_a_worker_computes():
    program = """
import threading
from xwidgets.live.worker import Worker

def steps(_):
    try:
        while True:
            yield
    finally:
        print("ended")

begun = threading.Event()
task = Worker().task(steps, lambda part, last: begun.set(), print)
task.request(None)
begun.wait()
print("bye")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "bye\nended\n", "")


def test_what_was_replaced_rests_and_goes_on_from_there():
    with Desk(rests=1) as desk:
        desk.hold("a", count=4)
        assert desk.task.request(("b", 2)) is None
        desk.finish()
        assert desk.task.request(("a", 4)) == ("a", 0)
        desk.finish()
        assert desk.begun == ["a", "b"]
        assert desk.steps == {"a": 4, "b": 2}
        assert desk.shown[-1] == ("a", 3, True)


def test_only_the_newest_rest_and_the_others_end():
    with Desk(rests=2) as desk:
        for name in "abcd":
            desk.hold(name, count=2)
            desk.task.leave()
            desk.finish()
        assert desk.closed == ["a", "b"]
        desk.task.request(("c", 2))
        desk.finish()
        desk.task.request(("a", 2))
        desk.finish()
        assert desk.begun == [*"abcd", "a"]
        desk.task.drop()
        assert desk.task.wait(PATIENCE)
        assert sorted(desk.closed) == [*"aabcd"]


def test_what_ended_while_it_was_left_is_shown_when_it_is_asked_for_again():
    with Desk(rests=1) as desk:
        ending, go = threading.Event(), threading.Event()

        def steps(name):
            desk.begun.append(name)
            yield name, 0
            ending.set()
            assert go.wait(PATIENCE)

        desk.task._steps = steps
        desk.task.request("a")
        assert ending.wait(PATIENCE)
        desk.task.leave()
        go.set()
        assert desk.task.wait(PATIENCE)
        assert desk.shown == [("a", 0, False)]
        assert desk.task.request("a") == ("a", 0)
        desk.finish()
        assert desk.shown[-1] == ("a", 0, True)
        assert desk.begun == ["a"]


def test_what_failed_while_it_was_left_begins_anew():
    with Desk(rests=1) as desk:
        failing, go = threading.Event(), threading.Event()

        def steps(name):
            desk.begun.append(name)
            yield name, 0
            failing.set()
            assert go.wait(PATIENCE)
            raise ArithmeticError("no such thing")

        desk.task._steps = steps
        desk.task.request("a")
        assert failing.wait(PATIENCE)
        desk.task.leave()
        go.set()
        desk.finish()
        assert not desk.failed
        assert desk.task.request("a") is None
        desk.finish()
        assert [type(error) for error in desk.failed] == [ArithmeticError]
        assert desk.begun == ["a", "a"]


def test_what_rests_is_taken_between_two_steps():
    with Desk(rests=1) as desk:
        desk.hold("a", count=3)
        desk.task.leave()
        threading.Timer(0.1, desk.gate.set).start()
        assert list(desk.task.take(("a", 3))) == [("a", step) for step in range(3)]
        assert desk.begun == ["a"]
        assert list(desk.task.take(("a", 3))) == [("a", step) for step in range(3)]
        assert desk.begun == ["a", "a"]


def test_what_runs_is_not_taken():
    with Desk(rests=1) as desk:
        desk.hold("a", count=3)
        taken = desk.task.take(("a", 3))
        desk.gate.set()
        assert list(taken) == [("a", step) for step in range(3)]
        desk.finish()
        assert desk.shown[-1] == ("a", 2, True)
        assert not desk.failed


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_asked_each_step_is_computed_once_and_never_by_two_threads(seed):
    """Random requests, stops and leaves: a computation that rests never loses or repeats a step."""
    rng, inside, wrong = random.Random(seed), threading.Lock(), []

    class Checking(Desk):
        def compute(self, request):
            name, count = request
            self.begun.append(name)
            try:
                for step in range(count):
                    if not inside.acquire(blocking=False):
                        wrong.append("two at once")
                    time.sleep(0.0003)
                    inside.release()
                    if threading.current_thread() is not self.worker._thread:
                        wrong.append("another thread")
                    yield name, step
            finally:
                self.closed.append(name)

    names, newest, shown_of = "abcde", [None], {}
    with Checking(rests=len(names)) as desk:
        done = set()

        def show(part, last):
            name, step = part
            if name != newest[0] or step < shown_of.get(name, 0):
                wrong.append((part, newest[0]))
            shown_of[name] = step
            if last:
                done.add(name)

        desk.task._show = show
        for _ in range(150):
            action = rng.choice(["ask", "ask", "ask", "stop", "resume", "leave", "wait"])
            with desk.worker.lock:
                if action == "ask":
                    name = rng.choice([one for one in names if one not in done] or ["f"])
                    newest[0] = name
                    known = desk.task.request((name, 60))
                    if known is not None and known[1] < shown_of.get(name, 0):
                        wrong.append(("went back", known))
                elif action == "leave":
                    newest[0] = None
                    desk.task.leave()
                elif action != "wait":
                    getattr(desk.task, action)()
            if action == "wait":
                time.sleep(rng.random() * 0.01)
        for name in set(names) - done:
            with desk.worker.lock:
                newest[0] = name
                desk.task.request((name, 60))
            assert desk.task.wait(PATIENCE)
        assert not wrong
        assert done >= set(names)
        assert Counter(name for name in desk.begun if name in names) == dict.fromkeys(names, 1)
        assert all(shown_of[name] == 59 for name in names)
    assert sorted(desk.begun) == sorted(desk.closed)


class Counting:
    """A task whose steps wait for a turn each, and the order of all steps."""

    def __init__(self, worker, name, order, urgent=False):
        self.order, self.name = order, name
        self.task = worker.task(self.steps, lambda part, last: None, print, rate=1e9, urgent=urgent)

    def steps(self, count):
        for _ in range(count):
            self.order.append(self.name)
            yield


def started(gate, *tasks):
    """Requests of ten steps each that begin together."""
    worker = Worker()
    order = []
    blocked = worker.task(lambda _: iter([gate.wait(PATIENCE)]), lambda *_: None, print)
    blocked.request(None)
    made = [Counting(worker, name, order, urgent) for name, urgent in tasks]
    for one in made:
        one.task.request(10)
    return worker, order, made


def test_tasks_take_turns_of_one_step():
    gate = threading.Event()
    worker, order, made = started(gate, ("a", False), ("b", False))
    gate.set()
    assert all(one.task.wait(PATIENCE) for one in made)
    worker.close()
    assert sorted(order) == ["a"] * 10 + ["b"] * 10
    assert all({*order[at : at + 2]} == {"a", "b"} for at in range(0, 20, 2))


def test_urgent_tasks_come_first():
    gate = threading.Event()
    worker, order, made = started(gate, ("a", False), ("b", True))
    gate.set()
    assert all(one.task.wait(PATIENCE) for one in made)
    worker.close()
    assert order == ["b"] * 10 + ["a"] * 10


def test_a_stopped_task_leaves_the_others_their_turns():
    gate = threading.Event()
    worker, order, made = started(gate, ("a", True), ("b", False))
    made[0].task.stop()
    gate.set()
    assert made[1].task.wait(PATIENCE)
    assert order.count("b") == 10
    assert order.count("a") <= 1
    made[0].task.resume()
    assert made[0].task.wait(PATIENCE)
    assert order.count("a") == 10
    worker.close()


def test_what_is_dropped_before_its_turn_has_no_result():
    with Desk() as desk:
        desk.task.drop()
        with desk.worker.lock:
            turn = desk.task.begin()
        turn.compute()
        turn.end()  # as when the request goes between a look for work and the turn
        assert not desk.shown
        assert not desk.failed
