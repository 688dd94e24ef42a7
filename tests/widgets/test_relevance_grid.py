"""The grid's state: what the browser is told."""

import base64
import io
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import xwidgets as xw
from xwidgets.results import render
from xwidgets.results.legend import MARGIN, RAMP, with_key
from xwidgets.results.sentences import sentence

PICTURE = np.full((4, 6, 3), 200, np.uint8)
MASK = np.eye(4, 6, dtype=bool)


def relevance(largest: float, unit: str = "bits") -> xw.Relevance:
    values = np.full((4, 6), largest / 8, np.float32)
    values[1, 2], values[0, 0] = largest, -largest / 4
    return xw.Relevance(
        values=values, image=PICTURE, unit=unit, method="method", network_name="net", target=0,
        label="wren", parameters={},
    )  # fmt: skip


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_every_cell_is_its_map_over_its_picture() -> None:
    one, other = relevance(1), relevance(8)
    grid = xw.RelevanceGrid([[one, other]], ["row"], ["one", "other"])
    for cell, result in zip(grid.cells[0], (one, other), strict=True):
        expected = render.overlay(result.image, result.values, size=6)
        np.testing.assert_array_equal(pixels(cell["png"]), expected)
        assert cell["title"] == result.title
        assert cell["coarse"]
    assert (grid.rows, grid.columns) == (["row"], ["one", "other"])
    assert [cell["highest"] for cell in grid.cells[0]] == [1, 8]
    assert [cell["lowest"] for cell in grid.cells[0]] == [-0.25, -2]


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("own", [[1, 2], [4, 8]]), ("row", [[2, 2], [8, 8]]), ("all", [[8, 8], [8, 8]])],
)
def test_maps_share_a_scale(scale: str, expected: list[list[float]]) -> None:
    rows = [[relevance(1), relevance(2)], [relevance(4), relevance(8)]]
    grid = xw.RelevanceGrid(rows, scale=scale)
    for cell, result, end in zip(chain(*grid.cells), chain(*rows), chain(*expected), strict=True):
        shown = render.overlay(PICTURE, result.values, size=6, scale=end)
        np.testing.assert_array_equal(pixels(cell["png"]), shown)


def test_maps_of_different_pictures_sizes_and_unknown_values_fit_in() -> None:
    part = relevance(1)
    part.values[3] = np.nan
    large = xw.Relevance(
        values=np.ones((200, 300), np.float32), image=np.zeros((200, 300, 3), np.uint8),
        unit="bits", method="m", network_name="n", target=0, label="l", parameters={},
    )  # fmt: skip
    grid = xw.RelevanceGrid([[part, large]], scale="row")
    assert [cell["coarse"] for cell in grid.cells[0]] == [True, False]
    assert pixels(grid.cells[0][1]["png"]).shape == (200, 300, 3)
    assert grid.cells[0][0]["highest"] == 1


def test_a_speck_of_a_large_map_is_seen_in_its_cell() -> None:
    values = np.full((200, 300), 0.01, np.float32)
    values[101, 203] = -1
    large = replace(relevance(1), values=values, image=np.full((200, 300, 3), 90, np.uint8))
    (cell,) = xw.RelevanceGrid([[large]]).cells[0]
    full, small = pixels(cell["png"]), pixels(cell["small"]["png"])
    assert (full.shape, small.shape) == ((200, 300, 3), (100, 150, 3))
    np.testing.assert_array_equal(small[50, 101], full[101, 203])
    assert (small != small[0, 0]).any(2).sum() == 1
    assert "small" not in xw.RelevanceGrid([[relevance(1)]]).cells[0][0]


def unpacked(bits: bytes, shape: tuple[int, int]) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bits, np.uint8))[: shape[0] * shape[1]].reshape(shape)


def test_what_tells_nothing_is_hatched_and_not_coloured() -> None:
    values = np.array([[1, 0.04, -0.04], [0.2, -0.2, np.nan]], np.float32)
    error = np.array([[0.1, 0, 0], [0.15, 0.05, 0.1]], np.float32)
    image = np.full((2, 3, 3), 90, np.uint8)
    result = replace(relevance(1), values=values, image=image, standard_error=error)
    grid = xw.RelevanceGrid([[result]])
    (cell,) = grid.cells[0]
    expected = [[0, 1, 1], [1, 0, 0]]  # below 0.05 bits, or within 2 standard errors of zero
    assert unpacked(cell["hatched"], (2, 3)).tolist() == expected
    painted = (pixels(cell["png"]) != 90).any(2)
    assert painted.tolist() == [[True, False, False], [False, True, False]]
    words = "hatched: within ±0.05 bits, or not told from zero (2 standard errors)"
    assert grid.key["hatching"] == words
    assert cell["sentence"] == sentence(result)
    assert "60 % of that is hatched" in cell["sentence"]


def test_a_block_is_hatched_where_all_that_is_known_of_it_is() -> None:
    values = np.full((2, 322), 0.01, np.float32)
    values[0, 1], values[1, 3:6] = 0.5, np.nan
    values[:, 6:9] = np.nan
    large = replace(relevance(1), values=values, image=np.zeros((2, 322, 3), np.uint8))
    (cell,) = xw.RelevanceGrid([[large]]).cells[0]
    hatched = unpacked(cell["small"]["hatched"], (1, 108))[0]
    assert hatched[:4].tolist() == [0, 1, 0, 1]
    assert hatched[4:].all()


def test_the_key_says_what_full_colour_means() -> None:
    one, plain = relevance(2.5), replace(relevance(2.5), signed=False)
    large = replace(
        one, values=np.ones((2, 161), np.float32), image=np.zeros((2, 161, 3), np.uint8)
    )

    def told(*row: object, scale: str) -> str:
        return xw.RelevanceGrid([list(row)], scale=scale).key["colors"]

    assert told(one, scale="own") == "each map by its own largest magnitude"
    assert told(one, scale="row") == "each row by its largest magnitude"
    assert told(MASK, one, scale="all") == "up to ±2.50 bits"
    assert told(MASK, plain, scale="all") == "up to 2.50 bits"
    strongest = "up to ±2.50 bits; of every 2 × 2 pixels, the strongest"
    assert told(one, large, scale="all") == strongest
    assert xw.RelevanceGrid([[MASK, PICTURE]], scale="all").key == {}


def test_maps_with_signs_and_without_have_their_own_colors_and_ramps() -> None:
    one = relevance(2.5)
    plain = replace(one, values=np.abs(one.values), signed=False)

    def ends(*row: object) -> list[list[str]]:
        return [list(ramp["ends"]) for ramp in xw.RelevanceGrid([list(row)]).key["ramps"]]

    assert ends(one, MASK) == [["against", "for"]]
    assert ends(MASK, plain) == [["zero", "strongest"]]
    assert ends(plain, one) == [["against", "for"], ["zero", "strongest"]]
    [[cell, _]] = xw.RelevanceGrid([[plain, one]]).cells
    hatched = unpacked(cell["hatched"], (4, 6)).astype(bool)
    expected = render.overlay(
        plain.image, np.where(hatched, np.nan, plain.values), size=6, scale=2.5, signed=False
    )
    np.testing.assert_array_equal(pixels(cell["png"]), expected)


def test_the_key_says_of_hatching_what_is_so_in_some_map() -> None:
    bits, logits, share = relevance(1), relevance(1, "logits"), relevance(1, "probability")
    noise = replace(logits, standard_error=np.full((4, 6), 0.1, np.float32))

    def told(*row: object) -> str:
        return xw.RelevanceGrid([list(row)]).key["hatching"]

    assert told(MASK, bits, bits, logits) == "hatched: within ±0.05 bits"
    assert told(bits, share) == "hatched: too small to matter"
    assert told(bits, logits, noise) == "hatched: too small to matter, or not told from zero"
    assert told(noise) == "hatched: not told from zero (2 standard errors)"
    assert told(logits) == ""


@pytest.mark.parametrize("signed", [True, False])
def test_a_file_has_one_key_below_the_maps(signed: bool, tmp_path: Path) -> None:
    maps = [replace(relevance(largest), signed=signed) for largest in (1, 2)]
    grid = xw.RelevanceGrid([[PICTURE, *maps]], scale="all")
    grid.to_png(tmp_path / "bare.png", legend=False)
    grid.to_png(tmp_path / "grid.png")
    bare, sheet = (pixels((tmp_path / f"{name}.png").read_bytes()) for name in ("bare", "grid"))
    np.testing.assert_array_equal(bare, pixels(base64.b64decode(grid.preview()["image/png"])))
    ramp = sheet[len(bare) + MARGIN :][:RAMP, MARGIN:-MARGIN]
    for color, share in ((ramp[0, 0], -1 if signed else 0), (ramp[-1, -1], 1)):
        shade = render.colorize(np.array(share), signed=signed)
        np.testing.assert_array_equal(color, np.round(shade))
    ends = ("against", "", "for") if signed else ("zero", "", "strongest")
    words = ["up to ±2.00 bits", "hatched: within ±0.05 bits"] if signed else ["up to 2.00 bits"]
    np.testing.assert_array_equal(sheet, with_key(bare, ramp, signed, [ends], words))
    pictures = xw.RelevanceGrid([[PICTURE, MASK]])
    assert pictures.with_legends() is None


def test_pictures_and_masks_are_cells() -> None:
    grid = xw.RelevanceGrid([[PICTURE, MASK, relevance(1)]], scale="all")
    picture, mask, _ = grid.cells[0]
    np.testing.assert_array_equal(pixels(picture["png"]), PICTURE)
    np.testing.assert_array_equal(pixels(mask["png"])[..., 0], 255 * MASK)
    assert "unit" not in picture
    assert mask["title"] == "16.7 % of the pixels"


def test_what_cannot_be_shown_is_refused() -> None:
    one = relevance(1)
    with pytest.raises(ValueError, match="no result"):
        xw.RelevanceGrid([])
    with pytest.raises(ValueError, match=r"no result"):
        xw.RelevanceGrid([[]])
    with pytest.raises(ValueError, match=r"rows have \[1, 2\] cells"):
        xw.RelevanceGrid([[one], [one, one]])
    with pytest.raises(ValueError, match="1 rows, but 2 titles"):
        xw.RelevanceGrid([[one]], rows=["a", "b"])
    with pytest.raises(ValueError, match="2 columns, but 1 titles"):
        xw.RelevanceGrid([[one, one]], columns=["a"])
    with pytest.raises(ValueError, match="scale is 'column'"):
        xw.RelevanceGrid([[one]], scale="column")
    with pytest.raises(ValueError, match="bits and logits cannot share"):
        xw.RelevanceGrid([[one, relevance(1, "logits")]], scale="row")
    xw.RelevanceGrid([[one], [relevance(1, "logits")]], scale="row")


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        (
            relevance(1),
            r"results is a Relevance, but must be a list, .*\[\[first, second\]\]",
        ),
        ([relevance(1)], "a row is a Relevance, but must be a list"),
        ([[relevance(1), torch.zeros(3, 4, 6)]], "a cell is a Tensor, .* xw.images.picture"),
        ([[PICTURE / np.float32(255)]], r"a cell is float32 \(4, 6, 3\), but must be .* 8-bit"),
        ([PICTURE], r"a cell is uint8 \(6, 3\), but must be"),
        ([[MASK[0]]], r"a cell is bool \(6,\), but must be"),
    ],
)
def test_what_is_no_cell_or_row_is_refused(results: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        xw.RelevanceGrid(results)


def test_a_notebook_without_widgets_gets_a_png_and_words() -> None:
    grid = xw.RelevanceGrid([[PICTURE, MASK], [relevance(1), relevance(2)]], ["a", "b"], ["c", "d"])
    data, _ = grid._repr_mimebundle_()
    preview = pixels(base64.b64decode(data["image/png"]))
    height = round(160 * 4 / 6)
    assert preview.shape == (2 * height + 4, 2 * 160 + 4, 3)
    np.testing.assert_array_equal(preview[:height, :160], 200)
    titles = ["2 × 2 maps: method", "c | d", "a", "b"]
    told = [f"b, {name}: {sentence(relevance(largest))}" for name, largest in (("c", 1), ("d", 2))]
    assert data["text/plain"].splitlines() == [*titles, *told]
    expected = relevance(1).overlay(size=160)
    np.testing.assert_array_equal(preview[height + 4 :, :160], expected)
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_page_holds_the_grid_with_nothing_enlarged(tmp_path: Path) -> None:
    grid = xw.RelevanceGrid([[relevance(1)]], ["a"], ["b"])
    grid.enlarged = [0, 0]
    grid.to_html(tmp_path / "grid.html", title="a <b> title")
    page = (tmp_path / "grid.html").read_text("utf-8")
    assert "<title>a &lt;b&gt; title</title>" in page
    assert '"enlarged": []' in page
    assert base64.b64encode(grid.cells[0][0]["png"]).decode() in page
    assert grid.enlarged == [0, 0]
