"""Maps as pictures, against slow loops; colours for every kind of sight."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from skimage.color import rgb2lab

from xwidgets.results import render

values = st.floats(-1e6, 1e6) | st.just(np.nan)
maps = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=values)


@settings(max_examples=60, deadline=None)
@given(maps)
def test_the_scale_is_the_largest_known_magnitude(values):
    known = [abs(value) for value in values.ravel() if not np.isnan(value)]
    assert render.scale_of(values) == (max(known, default=0) or 1)


@settings(max_examples=60, deadline=None)
@given(maps, st.floats(0.1, 1e6))
def test_quantize_rounds_to_254_steps_and_marks_the_unknown(values, scale):
    codes = render.quantize(values, scale)
    assert codes.dtype == np.int8
    for code, value in zip(codes.ravel().tolist(), values.ravel().tolist(), strict=True):
        if np.isnan(value):
            assert code == render.UNKNOWN
        else:
            assert code == round(max(-127, min(127, value / scale * 127)))
            if abs(value) <= scale:
                assert abs(code / 127 * scale - value) <= scale / 254 * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(maps, st.integers(1, 4))
def test_a_shrunk_map_has_the_strongest_of_every_block(values, block):
    found = render.strongest(values, block)
    for (y, x), value in np.ndenumerate(found):
        part = values[y * block : (y + 1) * block, x * block : (x + 1) * block]
        known = part[~np.isnan(part)]
        assert value in known if known.size else np.isnan(value)
        assert abs(value) == np.abs(known).max() if known.size else True
    assert found.shape == tuple(-(-side // block) for side in values.shape)
    assert render.reduced(np.zeros((*values.shape, 3), np.uint8), block).shape[:2] == found.shape


def test_nothing_known_is_never_a_value():
    codes = render.quantize(np.array([-1e9, -1.0, np.nan, 1.0, 1e9]), 1.0)
    assert codes.tolist() == [-127, -127, render.UNKNOWN, 127, 127]


def slow_color(share, color_map):
    """The colour of one share, between the two nearest stops."""
    stops = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in render.COLOR_MAPS[color_map]]
    at = (max(-1, min(1, share)) + 1) / 2 * (len(stops) - 1)
    left = min(int(at), len(stops) - 2)
    part = at - left
    return [(1 - part) * a + part * b for a, b in zip(stops[left], stops[left + 1], strict=True)]


@pytest.mark.parametrize("color_map", render.COLOR_MAPS)
def test_colors_lie_between_the_nearest_stops(color_map):
    shares = np.array([[-2, -1, -0.9], [-0.13, 0, 0.07], [0.5, 1, 3]])
    colors = render.colorize(shares, color_map)
    assert colors.shape == (3, 3, 3)
    for place in np.ndindex(3, 3):
        np.testing.assert_allclose(colors[place], slow_color(shares[place], color_map))


@pytest.mark.parametrize(("positive", "sign"), [(True, 1), (False, -1)])
def test_heat_is_the_more_opaque_the_more_there_is(positive, sign):
    values = np.array([[0.0, 0.5], [2.0, 1.0]])
    layer = pixels(render.heat(values, positive))
    for place in np.ndindex(2, 2):
        share = round(255 * values[place] / 2) / 255
        color = slow_color(sign * share, next(iter(render.COLOR_MAPS)))
        np.testing.assert_allclose(layer[place][:3], color, atol=0.51)
        assert layer[place][3] == pytest.approx(0.85 * 255 * share, abs=0.51)


def test_a_silent_map_is_transparent():
    assert not pixels(render.heat(np.zeros((3, 4))))[..., 3].any()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def slow_cover(share):
    """A veil at zero, full from half the scale on, a straight line in between."""
    return 1 if abs(share) >= 0.5 else render.VEIL + (1 - render.VEIL) * abs(share) / 0.5


def test_small_values_veil_the_picture_and_large_ones_hide_it():
    shares = np.linspace(-1.2, 1.2, 25)
    np.testing.assert_allclose(render.cover(shares), [slow_cover(share) for share in shares])
    assert 0 < render.cover(np.array(0.0)) < 0.5


@pytest.mark.parametrize("opacity", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("color_map", render.COLOR_MAPS)
def test_the_overlay_mixes_colours_with_a_picture_that_turns_grey(opacity, color_map):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    values = rng.standard_normal((4, 6))
    values[1, 2] = np.nan
    shown = render.overlay(image, values, opacity, color_map, size=18)
    assert shown.dtype == np.uint8
    assert shown.shape == (12, 18, 3)
    scale = np.nanmax(np.abs(values))
    for y, x in np.ndindex(12, 18):
        pixel, value = image[y // 3, x // 3].astype(float), values[y // 3, x // 3]
        gray = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]
        mixed = (1 - opacity) * pixel + opacity * gray
        if not np.isnan(value):
            share = value / scale
            alpha = opacity * slow_cover(share)
            mixed = (1 - alpha) * mixed + alpha * np.array(slow_color(share, color_map))
        assert np.abs(shown[y, x] - mixed).max() <= 0.5 + 1e-9


def test_without_opacity_the_picture_is_untouched():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    assert np.array_equal(render.overlay(image, np.ones((4, 6)), 0, size=6), image)


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_a_map_of_nothing_is_a_picture_too(values):
    shown = render.overlay(np.full((3, 3, 3), 100, np.uint8), values, 1.0, size=3)
    white = 0 if np.isnan(values).all() else render.VEIL
    assert (shown == round((1 - white) * 100 + white * 247)).all()


def test_a_png_holds_the_very_pixels():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(render.png(image)))), image)


# Colour maps

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "no green cones": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
}  # fmt: skip


def seen(color, sight):
    """CIELAB of an 8-bit colour as somebody sees it."""
    c = np.asarray(color) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    linear = (SIGHT[sight] @ linear).clip(0, 1)
    c = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(c[None, None])[0, 0]


def difference(colors, sight):
    first, second = (seen(color, sight) for color in colors)
    return np.linalg.norm(first - second)


def test_the_simulation_confuses_red_and_green():
    red_green = ([190, 80, 40], [110, 120, 40])
    assert difference(red_green, "all cones") > 40
    assert difference(red_green, "no green cones") < 15


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("color_map", render.COLOR_MAPS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_for_and_against_can_be_told_apart_with_any_sight(color_map, sight, share):
    assert difference(render.colorize(np.array([-share, share]), color_map), sight) > 15


@pytest.mark.parametrize("color_map", render.COLOR_MAPS)
def test_zero_is_the_neutral_middle_and_the_lightest(color_map):
    assert len(render.COLOR_MAPS[color_map]) % 2 == 1
    middle = render.colorize(np.array(0.0), color_map)
    assert np.ptp(middle) == 0
    lightness = [
        seen(color, "all cones")[0] for color in render.colorize(np.linspace(-1, 1, 41), color_map)
    ]
    assert np.argmax(lightness) == 20
    assert (np.diff(lightness[:21]) > 0).all()
    assert (np.diff(lightness[20:]) < 0).all()


def test_maps_on_one_scale_can_be_compared():
    image, values = np.full((1, 2, 3), 255, np.uint8), np.array([[1.0, -1.0]])
    own, shared = (
        render.overlay(image, values, size=2),
        render.overlay(image, values, size=2, scale=4),
    )
    np.testing.assert_array_equal(own, render.overlay(image, values, size=2, scale=1))
    assert (shared > own).any(), "weaker colours"
    beside = render.overlay(np.repeat(image, 2, 0), np.array([[1.0, -1.0], [4, 0]]), size=2)
    np.testing.assert_array_equal(shared, beside[:1])


def test_a_sheet_keeps_rows_and_columns_apart():
    black, grey = np.zeros((2, 3, 3), np.uint8), np.full((4, 1, 3), 9, np.uint8)
    found = render.sheet([[black, grey], [grey, black]], gap=1)
    assert found.shape == (4 + 1 + 4, 3 + 1 + 3, 3)
    assert (found[:2, :3] == 0).all()
    assert (found[2:4, :3] == 255).all()
    assert (found[5:, 0] == 9).all()
    assert (found[5:7, 4:] == 0).all()


def test_sequential_colours_run_from_dark_to_light_for_every_kind_of_sight():
    shares = np.linspace(0, 1, 33)
    colors = render.colorize(shares, signed=False)
    lightness = rgb2lab(colors[None] / 255)[0, :, 0]
    assert (np.diff(lightness) > 0.5).all()
    assert np.diff(lightness).max() < 4 * np.diff(lightness).min()
    assert lightness[-1] - lightness[0] > 75


def test_what_cannot_be_negative_is_transparent_at_zero():
    assert render.cover(np.array([0, 0.25, 0.5, 1]), signed=False).tolist() == [0, 0.5, 1, 1]


def test_hatched_pixels_show_the_grey_picture_with_lines_of_two_kinds():
    image = np.full((2, 2, 3), 100, np.uint8)
    values = np.array([[1.0, 1.0], [np.nan, 1.0]])
    mask = np.array([[True, False], [False, False]])
    picture = render.overlay(image, values, size=36, hatched=mask)
    plain = render.overlay(image, values, size=36)
    part = picture[:18, :18]
    assert {*part[..., 0].ravel().tolist()} == {68, 100, 150}
    assert (part[..., 0] == 68).sum() == (part[..., 0] == 150).sum() == 18 * 18 // render.HATCH
    assert (picture[:18, 18:] == plain[:18, 18:]).all()
    assert (picture[18:] == plain[18:]).all()
