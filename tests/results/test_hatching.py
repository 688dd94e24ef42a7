"""What is hatched, against a loop; one scale for several maps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.results.common_scale import CommonScale
from xwidgets.results.hatching import EFFECTS

from .examples import relevance

numbers = st.floats(-1, 1, width=32)
cells = st.tuples(numbers | st.just(np.nan), st.floats(0, 1, width=32) | st.just(np.nan))


def of(values, errors=None, **changes):
    values = np.array(values, np.float32)
    image = np.zeros((*values.shape, 3), np.uint8)
    error = None if errors is None else np.array(errors, np.float32)
    return relevance(values=values, image=image, standard_error=error, completed=1.0, **changes)


@settings(max_examples=100, deadline=None)
@given(st.lists(cells, min_size=1, max_size=6), st.floats(0, 1) | st.none(), st.booleans())
def test_hatched_is_what_is_small_or_within_two_errors(row, effect, uncertain):
    result = of([[value for value, _ in row]], [[error for _, error in row]])
    limit = 0.05 if effect is None else effect
    expected = [
        not np.isnan(value)
        and (abs(value) < limit or (uncertain and not np.isnan(error) and abs(value) <= 2 * error))
        for value, error in zip(result.values[0], result.standard_error[0], strict=True)
    ]
    assert result.hatched(effect, uncertain)[0].tolist() == expected


def test_without_errors_only_the_effect_counts():
    assert of([[0.0, 0.2, np.nan]]).hatched().tolist() == [[True, False, False]]
    assert not of([[0.0, 0.2]], unit="logits").hatched().any()


def test_values_without_signs_have_no_effect_that_is_too_small():
    assert {unit: of([[1]], unit=unit).effect for unit in EFFECTS} == EFFECTS
    assert of([[1]], unit="probability", signed=False).effect == 0


def of_window(window, *values, **changes):
    return of([values], parameters={"window": window}, **changes)


def test_all_maps_of_one_question_have_the_scale_of_the_largest():
    scale = CommonScale()
    assert scale.of(of_window(8, 2.0, -1.0)) == 2
    assert scale.of(of_window(4, 0.25, -0.1)) == 2
    assert scale.of(of_window(2, 0.5, -3)) == 3
    assert scale.of(of_window(8, 2.0, -1.0)) == 3


def test_a_map_that_has_only_begun_does_not_pale_the_others():
    scale = CommonScale()
    assert scale.of(of_window(8, 2.0, np.nan)) == 2
    assert scale.of(of_window(4, 0.5, 0.5)) == 0.5


def test_a_map_that_grows_has_its_latest_magnitude():
    scale = CommonScale()
    assert scale.of(of_window(8, 2.0, 1.0)) == 2
    assert scale.of(of_window(8, 1.5, 1.0)) == 1.5
    assert scale.of(of_window(4, 0.1, 0.1)) == 1.5


def test_other_questions_have_scales_of_their_own():
    for changes in ({"label": "bee"}, {"unit": "logits"}, {"method": "occlusion"}):
        scale = CommonScale()
        scale.of(of_window(8, 2.0))
        assert scale.of(of_window(4, 0.5, **changes)) == 0.5
    scale.clear()
    assert scale.of(of_window(4, 0.5)) == 0.5


def test_nothing_has_a_scale_of_one():
    assert CommonScale().of(of_window(8, np.nan, np.nan)) == 1
    assert CommonScale().of(of_window(8, 0, 0)) == 1
