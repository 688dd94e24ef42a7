"""The lessons' state: what the browser is told, and what is refused."""

import re
from pathlib import Path

import pytest
import traitlets

import xwidgets as xw
from xwidgets.lessons import Convolution1d, MaxPool

from .pages import states


def test_a_lesson_begins_with_the_example_of_the_notes() -> None:
    lesson = xw.DeconvolutionLesson()
    assert lesson.convolution == Convolution1d((-1, 0, 0, 1), 2, 2)
    assert len(lesson.signal) == 8
    assert (lesson.part, lesson.row, lesson.step) == ("matrix", 0, 0)


def test_what_the_browser_sets_is_read_in_python() -> None:
    lesson = xw.DeconvolutionLesson()
    change = {"filter": [1, 2], "stride": 1, "padding": 1, "signal": [5, 6, 7]}
    lesson.set_state({"setting": change, "part": "sub-pixel", "row": 2, "step": 4})
    assert lesson.convolution == Convolution1d((1, 2), 1, 1)
    assert (lesson.signal, lesson.part, lesson.row, lesson.step) == ([5, 6, 7], "sub-pixel", 2, 4)
    lesson.signal = [1, 2]
    lesson.convolution = Convolution1d((3,))
    assert lesson.setting == {"filter": [3.0], "stride": 1, "padding": 0, "signal": [1.0, 2.0]}


WHOLE = {"filter": [1, 2], "stride": 1, "padding": 1, "signal": [5, 6, 7]}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("setting", {}, "setting lacks filter, padding, signal, stride"),
        ("setting", WHOLE | {"stride": 0}, "stride is 0, but must be"),
        ("setting", WHOLE | {"padding": 2}, "padding is 2, but must be"),
        ("setting", WHOLE | {"filter": [float("nan")]}, "filter is .*nan"),
        (
            "setting",
            WHOLE | {"filter": [1] * 9, "signal": [1] * 9},
            "9 weights of the filter, but .* at most 8",
        ),
        ("setting", WHOLE | {"signal": [1] * 17}, "17 numbers of the signal, but .* at most 16"),
        ("setting", WHOLE | {"stride": 9}, "9 steps of the stride, but .* at most 8"),
        ("setting", WHOLE | {"signal": []}, r"signal is .*, but must be one finite number"),
        ("convolution", (1, 2), "convolution is a tuple, but must be an xw.lessons.Convolution1d"),
        ("signal", [1, float("inf")], "signal is .*inf.*, but must be one finite number"),
        ("part", "matrx", "unknown part 'matrx'; did you mean 'matrix'"),
        ("row", -1, "row is -1, but must be 0 or more"),
        ("step", 6, "step is 6, but must be 0 to 5"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    name: str, value: object, sentence: str
) -> None:
    lesson = xw.DeconvolutionLesson()
    before = lesson.get_state(["setting", "part", "row", "step"])
    with pytest.raises(ValueError, match=sentence):
        setattr(lesson, name, value)
    assert lesson.get_state(["setting", "part", "row", "step"]) == before


def test_a_lesson_that_cannot_be_is_not_made() -> None:
    with pytest.raises(ValueError, match="the filter has 3 weights, but the signal only 2"):
        xw.DeconvolutionLesson(Convolution1d((1, 2, 1)), [1, 2])
    with pytest.raises(ValueError, match="unknown part"):
        xw.DeconvolutionLesson(part="end")


def test_a_reader_without_widgets_gets_the_matrix_and_words() -> None:
    data, _ = xw.DeconvolutionLesson()._repr_mimebundle_()
    assert data["text/plain"] == (
        "convolution by (−1, 0, 0, 1), stride 2, padding 2, of 8 numbers: W is 5 × 12, W Wᵀ = 2 I"
    )
    rows = re.findall(r"<tr>.*?</tr>", data["text/html"])
    assert len(rows) == 1 + 5
    assert re.findall(r"<t[hd]>(.*?)</t", rows[2]) == [
        "row 2", "0", "0", "−1", "0", "0", "1", *["0"] * 6, "y = 4",
    ]  # fmt: skip
    assert "is no multiple of I" in xw.DeconvolutionLesson(
        Convolution1d((1, 2, 1))
    ).preview()["text/plain"]  # fmt: skip


def test_pages_hold_what_is_shown(tmp_path: Path) -> None:
    lesson = xw.DeconvolutionLesson(part="sub-pixel")
    lesson.step = 3
    lesson.to_html(tmp_path / "page.html", title="a <b>")
    (state,) = states(tmp_path / "page.html")
    assert state == {"setting": lesson.setting, "part": "sub-pixel", "row": 0, "step": 3}
    assert "<title>a &lt;b&gt;</title>" in (tmp_path / "page.html").read_text("utf-8")
    xw.UnpoolingLesson([1, 2], [[3, 4], [5, 6]]).to_html(tmp_path / "page.html")
    (state,) = states(tmp_path / "page.html")
    assert (state["signal"], state["map"]) == ([1, 2], [[3, 4], [5, 6]])


def test_unpooling_follows_the_browser() -> None:
    lesson = xw.UnpoolingLesson()
    lesson.set_state({"signal": [1, 5, 2], "map": [[1, 2], [3, 4]], "window": 2, "stride": 1})
    assert lesson.pool == MaxPool(2, 1)
    assert lesson.pool(lesson.signal).unpool().tolist() == [0, 10, 0]
    assert re.findall(r"<td>(.*?)</td>", lesson.preview()["text/html"]) == [
        "1", "5", "2", "5", "5", "0", "10", "0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"signal": []}, r"signal must be numbers of shape \(n,\), at most 12 long"),
        ({"signal": ["a"]}, "signal must be numbers"),
        ({"signal": [1] * 13}, "signal must be .* at most 12 long"),
        ({"signal": [1, float("nan")]}, "values hold NaN"),
        ({"map": [[1, 2], [3]]}, r"map must be numbers of shape \(H, W\)"),
        ({"map": [1, 2]}, r"map must be numbers of shape \(H, W\)"),
        ({"window": 5}, "at least 5 long"),
        ({"window": 0}, "window is 0, but must be a whole number of at least 1"),
        ({"stride": 0}, "stride is 0, but must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_pooled_is_refused(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        xw.UnpoolingLesson(**arguments)
    lesson = xw.UnpoolingLesson()
    before = lesson.get_state(["signal", "map", "window", "stride"])
    [(name, value)] = arguments.items()
    with pytest.raises((ValueError, traitlets.TraitError)):
        setattr(lesson, name, value)
    assert lesson.get_state(["signal", "map", "window", "stride"]) == before
