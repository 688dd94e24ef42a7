"""Line charts: points where they belong, round numbers along the axes, and names as text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xwidgets.results.line_chart import (
    BOLD,
    COLORS,
    HEIGHT,
    LETTER,
    MARGIN,
    WIDTH,
    Axis,
    Line,
    line_chart,
    save,
)

TOP, RIGHT, BELOW, LEFT = MARGIN
NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(*lines, x=Axis(), left=Axis(), right=None, title=""):  # noqa: B008
    return ElementTree.fromstring(line_chart(lines, x, left, right, title))


def all_of(svg, tag):
    return svg.findall(f".//{NAMESPACE}{tag}")


def points(element):
    pairs = [pair.split(",") for pair in element.get("points").split()]
    return np.array(pairs, float)


def texts(svg):
    return [element.text for element in all_of(svg, "text")]


def boxes(svg):
    """Left, top, right and bottom of each text, by the estimated width of its letters."""
    for element in all_of(svg, "text"):
        width = len(element.text) * (BOLD if element.get("font-weight") else LETTER)
        before = {"middle": 0.5, "end": 1}.get(element.get("text-anchor"), 0) * width
        x, y = float(element.get("x")), float(element.get("y"))
        left, top, right, bottom = x - before, y - 10, x - before + width, y + 3
        turned = re.fullmatch(
            r"translate\((\S+) (\S+)\) rotate\((-?90)\)",
            element.get("transform", "translate(0 0) rotate(90)"),
        )
        if element.get("transform"):
            x, y, angle = map(float, turned.groups())
            if angle == 90:
                left, top, right, bottom = x - bottom, y + left, x - top, y + right
            else:
                left, top, right, bottom = x + top, y - right, x + bottom, y - left
        yield left, top, right, bottom


def expect_room_for_all_texts(svg):
    """Each lies on the drawing, and none over another."""
    _, _, width, height = map(float, svg.get("viewBox").split())
    assert (svg.get("width"), svg.get("height")) == (f"{width:g}", f"{height:g}")
    found = [*boxes(svg)]
    for at, (left, top, right, bottom) in enumerate(found):
        assert 0 <= left <= right <= width
        assert 0 <= top <= bottom <= height
        for other in found[:at]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (texts(svg)[at], left, top, right, bottom, other)


def test_points_lie_between_the_ends_in_proportion():
    [line] = all_of(drawn(Line([0, 5, 10], [2.0, 4.0, 3.0], "#123456")), "polyline")
    expected = [[LEFT, HEIGHT - BELOW], [(LEFT + WIDTH - RIGHT) / 2, TOP],
                [WIDTH - RIGHT, (TOP + HEIGHT - BELOW) / 2]]  # fmt: skip
    np.testing.assert_allclose(points(line), expected, atol=0.051)
    assert line.get("stroke") == "#123456"


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis():
    svg = drawn(Line([1, 2, 3, 4], [0.01, 0.1, 1, 0], "red"), left=Axis("error", log=True))
    [line] = all_of(svg, "polyline")
    heights = points(line)[:, 1]
    assert len(heights) == 3, "zero is nowhere"
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.11)
    assert {"0.01", "0.1", "1"} <= set(texts(svg))


def test_lines_have_gaps_where_nothing_is_known_and_a_lonely_point_is_seen():
    values = [1, 2, np.nan, 4, np.nan, 6, 7]
    svg = drawn(Line(range(7), values, "red"))
    assert [len(points(line)) for line in all_of(svg, "polyline")] == [2, 2]
    [point] = all_of(svg, "circle")
    assert float(point.get("cx")) == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 2)


def test_points_alone_are_marks_without_a_line():
    svg = drawn(Line([0, 1], [0, 1], "red", width=0, points=True))
    assert not all_of(svg, "polyline")
    assert len(all_of(svg, "circle")) == 2


def test_each_side_has_its_own_scale():
    lines = Line([0, 1], [0, 1], "red"), Line([0, 1], [0, 1000], "blue", right=True, dashed=True)
    svg = drawn(*lines, left=Axis("small"), right=Axis("large"))
    one, other = all_of(svg, "polyline")
    np.testing.assert_array_equal(points(one), points(other))
    assert one.get("stroke-dasharray") is None
    assert other.get("stroke-dasharray")
    assert {"small", "large", "0.2", "200", "1000"} <= set(texts(svg))


def test_ends_that_are_given_hold():
    svg = drawn(Line([0, 1], [0.4, 0.6], "red"), left=Axis(least=-0.5, most=1))
    height = HEIGHT - BELOW - TOP
    [line] = all_of(svg, "polyline")
    np.testing.assert_allclose(
        points(line)[:, 1], [TOP + 0.4 * height, TOP + 0.4 / 1.5 * height], atol=0.051
    )
    assert "−0.5" in texts(svg)


@given(
    st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.booleans()
)  # fmt: skip
def test_numbers_along_an_axis_are_few_round_and_within(least, length, log):
    least = abs(least) + 1e-3 if log else least
    svg = drawn(Line([0, 0], [least, least + length], "red"), left=Axis(log=log))
    shown = [element for element in all_of(svg, "text") if element.get("text-anchor") == "end"]
    places = [float(element.get("y")) - 4.5 for element in shown]
    assert all(TOP - 0.1 <= place <= HEIGHT - BELOW + 0.1 for place in places)
    assert 2 <= len(shown) <= 12


def test_names_are_text_and_the_drawing_says_what_it_is():
    hostile = '<script>"&'
    svg = drawn(Line([0, 1], [0, 1], "red", name=hostile), title="Figure 2", x=Axis(hostile))
    assert svg.get("aria-label") == f"Figure 2: {hostile}"
    assert texts(svg).count(hostile) == 2
    assert not all_of(svg, "script")
    assert not re.search(r"(href|url\(|src)", line_chart([], Axis(), Axis()))


@pytest.mark.parametrize("values", [[], [np.nan], [0.0], [5.0, 5.0]])
@pytest.mark.parametrize("log", [True, False])
def test_nothing_and_equal_values_have_axes_too(values, log):
    svg = drawn(Line(range(len(values)), values, "red"), left=Axis(log=log))
    assert "nan" not in ElementTree.tostring(svg, "unicode")
    assert len(all_of(svg, "path")) > 2


@pytest.mark.parametrize("points", [True, False])
def test_a_line_beyond_the_ends_of_an_axis_is_cut_off_there(points):
    svg = drawn(Line([0, 1, 9], [0, 1, 5], "red", points=points), x=Axis(most=1),
                left=Axis(least=0, most=1))  # fmt: skip
    [inner] = all_of(svg, "svg")
    assert inner.get("overflow") == "hidden"
    assert {one.tag for one in all_of(inner, "*")} <= {f"{NAMESPACE}polyline", f"{NAMESPACE}circle"}
    assert len(all_of(inner, "polyline")) == len(all_of(svg, "polyline")) == 1
    assert len(all_of(inner, "circle")) == len(all_of(svg, "circle")) == (3 if points else 0)
    names = ("x", "y", "width", "height")
    place = [float(inner.get(name)) for name in names]
    assert place == [float(number) for number in inner.get("viewBox").split()], "nothing is moved"
    x, y, width, height = place
    ends = [x, y, x + width, y + height]
    frame = [LEFT, TOP, WIDTH - RIGHT, HEIGHT - BELOW]
    beyond = np.array([-5, -5, 5, 5])
    np.testing.assert_allclose(ends, frame + beyond, err_msg="a mark at an end is whole")


NAMES = [f"{letter}bcdefghij klmnopqrs tuvwxyz"[:26] for letter in "ABCDE"]


@pytest.mark.parametrize("names", [NAMES, [f"seed {n}" for n in range(8)], ["a" * 200, "b"], [""]])
@pytest.mark.parametrize("title", ["", "Figure 2", "What a network thinks of " * 12, "x" * 150])
@pytest.mark.parametrize("label", ["", "epoch", "a label of many words " * 5])
def test_all_texts_have_room(names, title, label):
    lines = [
        Line([0, 1], [12345678, 12345679], COLORS[at % 5], name) for at, name in enumerate(names)
    ]
    right = Line([0, 1], [0, 123456], "red", "right", right=True)
    for svg in (
        drawn(*lines, x=Axis(label), left=Axis(label), title=title),
        drawn(*lines, right, x=Axis(label), left=Axis(label), right=Axis(label), title=title),
        drawn(Line(lines[0].y, [0, 1], "red", names[0]), x=Axis(label), left=Axis(), title=title),
    ):
        expect_room_for_all_texts(svg)
        together = "".join(texts(svg)).replace(" ", "")
        for text in (title, label, names[0]):
            assert text.replace(" ", "") in together, "nothing is left out"


def test_a_second_row_makes_a_drawing_higher_and_moves_no_line_nearer_to_another():
    def line_of(count):
        svg = drawn(*[Line([0, 1], [0, 1], "red", f"seed {seed}") for seed in range(count)])
        return points(all_of(svg, "polyline")[0]), float(svg.get("height"))

    few, low = line_of(5)
    many, high = line_of(8)
    assert low == HEIGHT < high
    np.testing.assert_allclose(many - few, [[0, high - low]] * 2)


@pytest.mark.parametrize(("least", "most"), [(12345678, 12345679), (-1e9, 3 - 1e9), (1e6, 1e6 + 2)])
def test_numbers_along_an_axis_have_the_digits_that_tell_them_apart(least, most):
    svg = drawn(Line([0, 1], [least, most], "red"))
    shown = [one.text for one in all_of(svg, "text") if one.get("text-anchor") == "end"]
    told = [float(text.replace("−", "-")) for text in shown]
    assert len(told) > 2
    np.testing.assert_allclose(np.diff(told, 2), 0, atol=1e-6, err_msg="equal steps")
    assert least <= min(told) < max(told) <= most


def test_characters_that_xml_forbids_are_left_out():
    name = "a\x0bb\x00\x1f\ud800\uffff \U0001f426"
    svg = drawn(Line([0, 1], [0, 1], "red\x01", name), x=Axis(name), left=Axis(name), title=name)
    clean = "ab \U0001f426"
    assert texts(svg).count(clean) == 4
    assert svg.get("aria-label") == f"{clean}: {clean}"
    assert all_of(svg, "polyline")[0].get("stroke") == "red"


@pytest.mark.parametrize("name", ["least", "most"])
@pytest.mark.parametrize("end", [0, -1, np.nan, np.inf])
def test_an_end_that_a_logarithm_does_not_reach_is_refused(name, end):
    with pytest.raises(ValueError, match=f"{name} is .*, but must be a number above 0 on a log"):
        Axis(log=True, **{name: end})
    if np.isfinite(end):
        assert getattr(Axis(**{name: end}), name) == end
    else:
        with pytest.raises(ValueError, match=f"{name} is .*, but must be a number that is finite"):
            Axis(**{name: end})


def test_a_drawing_is_written_whole_or_not_at_all(tmp_path):
    save(line_chart([], Axis("ünit"), Axis()), tmp_path / "chart.svg")
    assert "ünit" in (tmp_path / "chart.svg").read_text("utf-8")
    with pytest.raises(UnicodeEncodeError):
        save("<svg>\ud800</svg>", tmp_path / "chart.svg")
    assert "ünit" in (tmp_path / "chart.svg").read_text("utf-8")
    with pytest.raises(OSError, match="there is no folder"):
        save("<svg/>", tmp_path / "missing" / "chart.svg")
