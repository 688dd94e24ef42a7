"""What a removed region's numbers say, and how they look."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from scipy.stats import t

from xwidgets.results import render

from .examples import MASK, removal, unscored


def test_the_table_holds_the_classes_the_likeliest_first():
    frame = removal().frame()
    assert list(frame.columns) == ["class", "before", "after", "evidence"]
    assert list(frame["class"]) == ["grünspecht", "ant", "cat"]
    np.testing.assert_allclose(frame["after"], [0.3, 0.4, 0.3])

    def odds(p):
        corrected = (p * 1000 + 1) / (1000 + 3)
        return np.log2(corrected / (1 - corrected))

    np.testing.assert_allclose(
        frame["evidence"], [odds(0.7) - odds(0.3), odds(0.2) - odds(0.4), odds(0.1) - odds(0.3)]
    )
    np.testing.assert_allclose(
        removal().standard_error, np.array([0.1, 0.2, 0.1]) * t(1).ppf(0.975) / 2
    )


def test_certainty_is_finite_and_one_sigmoid_counts_as_two_classes():
    sure = removal(before=np.array([1.0]), probabilities=np.zeros((2, 1)), classes=("person",))
    corrected = 1 / 1002
    expected = 2 * np.log2((1 - corrected) / corrected)
    np.testing.assert_allclose(sure.evidence, [expected])


def test_a_saturated_class_is_told():
    sure = np.array([1e-6, 1 - 2e-6, 1e-6])
    assert removal().note == ""
    assert re.match(
        r"the evidence for 'cat' is flat.* near 1 .*before softmax",
        removal(before=sure[[0, 2, 1]], probabilities=np.stack([sure[[0, 2, 1]]] * 2)).note,
    )
    assert removal(before=sure[[0, 2, 1]]).note == ""  # it is changed, and the evidence tells it
    for before, shown in ((0.999998, True), (0.998, False), (2e-6, True), (0.002, False)):
        one = removal(before=np.array([before]), probabilities=np.ones((2, 1)), classes=("person",))
        assert ("'person' is flat" in one.note) == shown


def test_errors_are_unknown_for_fewer_than_two_samples():
    one = removal(probabilities=np.array([[0.3, 0.5, 0.2]]), samples=removal().samples[:1])
    assert np.isnan(one.standard_error).all()
    assert np.isnan(one.evidence_error).all()
    assert np.isfinite(one.evidence).all()
    none = unscored()
    for values in (none.after, none.evidence, none.standard_error, none.evidence_error):
        assert values.shape == (3,)
        assert np.isnan(values).all()


def test_the_title_says_what_changes():
    assert removal().title == (
        "region of 8 pixels for 'grünspecht' (zoo): 70.0 % with it, 30.0 % without, 75.0 % computed"
    )
    assert unscored().title.endswith("(zoo): 70.0 % with it, 25.0 % computed")
    one = np.zeros((5, 7), bool)
    one[0, 0] = True
    assert removal(mask=one, completed=1.0).title.startswith("region of 1 pixel for")


def test_the_png_shows_the_region_and_the_samples():
    result = removal()
    shown = np.asarray(Image.open(io.BytesIO(result.png())))
    assert shown.shape == (160, 3 * 224, 3)
    np.testing.assert_array_equal(shown[:, :224], render.marked(result.image, MASK, 224))
    np.testing.assert_array_equal(shown[16::32, 240:448:32], result.samples[0])
    assert np.asarray(Image.open(io.BytesIO(unscored()._repr_png_()))).shape == (160, 224, 3)


@pytest.mark.parametrize("value", [0, 255])
def test_a_marked_region_can_be_seen_on_black_and_on_white(value):
    image = np.full((5, 7, 3), value, np.uint8)
    shown = render.marked(image, MASK, size=70)
    inside = np.zeros((50, 70), bool)
    inside[10:30, 20:60] = True
    assert (shown[~inside] == (0 if value == 0 else 255)).mean() > 0.9
    middle = shown[20, 40].astype(int)
    assert np.abs(middle - value).max() > 80
    assert (shown[10, 20:60] == 255).all()
    assert (shown[9, 20:60] == 0).all()
