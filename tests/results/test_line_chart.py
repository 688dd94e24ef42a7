"""Line charts: points where they belong, round numbers along the axes, and names as text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xwidgets.results.line_chart import HEIGHT, MARGIN, WIDTH, Axis, Line, line_chart

TOP, RIGHT, BELOW, LEFT = MARGIN
NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(*lines, x=Axis(), left=Axis(), right=None, title=""):  # noqa: B008
    return ElementTree.fromstring(line_chart(lines, x, left, right, title))


def all_of(svg, tag):
    return svg.findall(f"{NAMESPACE}{tag}")


def points(element):
    pairs = [pair.split(",") for pair in element.get("points").split()]
    return np.array(pairs, float)


def texts(svg):
    return [element.text for element in all_of(svg, "text")]


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
