"""Messages that browsers send over a line reach the widgets that they name."""

from typing import Any

import comm
import pytest
import traitlets
from comm.base_comm import BaseComm

import xwidgets as xw
from xwidgets.widgets.line import TARGET

from ..results.examples import relevance


class Silent(BaseComm):
    """A line that notes what is sent over it: nothing may be."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        super().__init__(target_name=TARGET, primary=False)

    def publish_msg(self, *message: Any, **more: Any) -> None:
        self.sent.append(message)


@pytest.fixture
def view() -> xw.RelevanceOverlay:
    return xw.RelevanceOverlay(relevance())


@pytest.fixture
def sent(view: xw.RelevanceOverlay, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the view sends to browsers."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view, "_send", lambda message, buffers=None: sent.append(message))
    return sent


@pytest.fixture
def line(view: xw.RelevanceOverlay) -> Silent:
    """A line that a browser has opened."""
    line = Silent()
    comm.get_comm_manager().targets[TARGET](line, {})
    return line


def say(line: Silent, data: Any, *buffers: bytes) -> None:
    line.handle_msg({"content": {"data": data, "comm_id": line.comm_id}, "buffers": [*buffers]})


def update(view: xw.RelevanceOverlay, **traits: Any) -> dict[str, Any]:
    return {"to": view.model_id, "data": {"method": "update", "state": traits}}


def test_traits_and_commands_reach_the_view_that_is_named_in_their_order(view, line) -> None:
    said: list[Any] = []
    view.observe(lambda change: said.append(change.new), "opacity")
    view.hear_stop = lambda of=None: said.append(of)
    other = xw.RelevanceOverlay(relevance())
    for message in (
        update(view, opacity=0.5),
        {"to": view.model_id, "data": {"method": "custom", "content": {"type": "stop", "of": "a"}}},
        update(view, opacity=0.25),
    ):
        say(line, message)
    assert said == [0.5, "a", 0.25]
    assert other.opacity == 0.85


def test_binary_values_arrive(view, line) -> None:
    data = {"method": "update", "state": {}, "buffer_paths": [["photo"]]}
    say(line, {"to": view.model_id, "data": data}, b"a picture")
    assert view.photo == b"a picture"


def test_the_kernel_never_speaks_on_the_line(view, line) -> None:
    say(line, update(view, opacity=0.5))
    say(line, {"to": view.model_id, "data": {"method": "request_state"}})
    assert line.sent == []


def test_the_browser_is_told_its_own_value_as_an_echo_alone(view, line, sent) -> None:
    """By its echo the browser that sent the value knows it, and others take it over."""
    say(line, update(view, opacity=0.5))
    assert [message["method"] for message in sent] == ["echo_update"]


@pytest.mark.parametrize(
    "data",
    [None, "stop", {}, {"to": "nobody", "data": {"method": "update", "state": {}}}, {"to": 3},
     {"to": ["a"], "data": {}}],
)  # fmt: skip
def test_what_names_no_widget_is_dropped_without_a_word(view, line, caplog, data) -> None:
    before = view.get_state()
    say(line, data)
    assert view.get_state() == before
    assert caplog.text == ""


def test_a_closed_view_hears_nothing(view, line) -> None:
    message = update(view, opacity=0.5)
    view.close()
    say(line, message)
    assert view.opacity == 0.85


def test_what_is_no_state_of_the_view_is_not_set(view, line) -> None:
    say(line, update(view, lock="mine", comm=None, _works={}))
    assert view.lock != "mine"
    assert view.comm is not None


@pytest.mark.parametrize("wrong", [{"opacity": 3}, {"color_map": "x"}, {"pixel": [1, 2, 3]}])
def test_refused_values_are_put_back_with_what_came_along(view, sent, wrong) -> None:
    before = view.get_state()
    with pytest.raises(traitlets.TraitError):
        view.set_state({"threshold": 0.5} | wrong)
    assert view.get_state() == before
    back = sent[-1]
    assert back["method"] == "update"
    assert back["state"] == {name: before[name] for name in ("threshold", *wrong)}


def test_a_choice_that_is_not_offered_any_more_is_put_back(study, monkeypatch) -> None:
    control = xw.ParameterControl("measure", study)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(control, "_send", lambda message, buffers=None: sent.append(message))
    with pytest.raises((KeyError, ValueError)):
        control.set_state({"value": "gone"})
    assert control.value == study.method.measure == "evidence"
    assert sent[-1]["state"] == {"value": "evidence"}


def test_what_stands_beside_a_view_is_brought_along(study) -> None:
    painter = xw.RegionPainter(study)
    assert painter.tools._on_line == [painter.tools.model_id, painter._canvas.model_id]


def test_pages_without_a_kernel_know_no_line(view, tmp_path) -> None:
    view.to_html(tmp_path / "page.html")
    assert view.model_id not in (tmp_path / "page.html").read_text("utf-8")
