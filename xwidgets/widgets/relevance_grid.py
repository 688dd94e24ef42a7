"""Signed maps side by side, in rows and columns."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import ceil
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from xwidgets.errors import listed, of_kind, one_of
from xwidgets.live.traits import Whole
from xwidgets.results import Relevance, common_settings, render, sentences
from xwidgets.results.legend import MARGIN, RAMP, hatch_words, with_key
from xwidgets.results.numbers import number, percent

from .view import View

SCALES = ("own", "row", "all")

Cell = Relevance | NDArray[np.uint8] | NDArray[np.bool_]


class RelevanceGrid(View, module="relevance_grid.mjs"):
    """Maps of several classes, methods, feature maps or pictures, each over its own grey picture.

    These are the figures of Zintgraf et al. (2016). The strongest values of a map are read by
    pointing at it or by going there with the arrow keys; a click or Enter enlarges it. What is too
    small to matter, or not told from zero, is hatched (:meth:`xwidgets.Relevance.hatched`). Cells
    are 128 to 224 pixels wide, as there is room; until it is enlarged, a large map shows the
    strongest pixel of every block, so that specks are seen.

    Args:
        results: rows of :class:`xwidgets.Relevance`, of any pictures; a cell may also be a plain
            picture, 8-bit ``(H, W, 3)``, or a mask, ``(H, W)`` of booleans, shown in white on
            black.
        rows: a title for each row; ``None`` for none.
        columns: a title for each column; ``None`` for none.
        scale: ``"own"`` colours every map by its own largest magnitude; ``"row"`` and ``"all"`` by
            the largest of its row or of the grid, so that maps of one unit can be compared.

    Attributes:
        hovered: row and column of the cell that is pointed at or has the focus, or nothing.
        enlarged: row and column of the cell that is shown large, or nothing.

    Raises:
        ValueError: when there is no result, a cell is something else, rows are not equally long,
            titles are missing, or maps of several units are to share a scale.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> maps = [xw.saliency(net, scene.image, target) for target in (4, 5)]
        >>> grid = RelevanceGrid([maps], rows=["sensitivity"], columns=["a class", "its twin"])
        >>> grid.cells[0][0]["unit"]
        'logits per unit of pixel value'
    """

    cells = traitlets.List(traitlets.List(traitlets.Dict())).tag(sync=True, echo_update=False)
    rows = traitlets.List(traitlets.Unicode()).tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    scale = traitlets.Enum(SCALES, "own").tag(sync=True)
    key = traitlets.Dict().tag(sync=True)
    hovered = traitlets.List(Whole(), maxlen=2).tag(sync=True)
    enlarged = traitlets.List(Whole(), maxlen=2).tag(sync=True)

    def __init__(
        self,
        results: Sequence[Sequence[Cell]],
        rows: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        scale: str = "own",
    ) -> None:
        self._results: list[list[Cell]] = [_list("a row", row) for row in _list("results", results)]
        for cell in chain(*self._results):
            _check(cell)
        widths = {len(row) for row in self._results}
        if not widths or 0 in widths:
            raise ValueError(
                "there is no result to show; give rows of results, such as [[first, second]]"
            )
        if len(widths) > 1:
            raise ValueError(f"the rows have {sorted(widths)} cells; give all of them as many")
        for name, titles, count in (
            ("rows", rows, len(self._results)), ("columns", columns, widths.pop()),
        ):  # fmt: skip
            if titles is None:
                continue
            if len(listed(name, titles, str, "a list of titles")) != count:
                raise ValueError(f"there are {count} {name}, but {len(titles)} titles for them")
        one_of("scale", scale, SCALES)
        super().__init__(
            cells=[
                [_described(cell, largest) for cell in row]
                for row, largest in zip(self._results, self._scales(scale), strict=True)
            ],
            key=self._key(scale),
            rows=list(rows or []),
            columns=list(columns or []),
            scale=scale,
        )

    def about(self) -> list[str]:
        """What the maps are of, and the settings that they have in common."""
        return [self._words(), common_settings(_maps(self._results))]

    def still(self) -> dict[str, Any]:
        """No map is enlarged."""
        return {"enlarged": [], "hovered": []}

    def preview(self) -> dict[str, str]:
        """All maps in one picture, and their titles."""
        sheet = render.png(self._sheet())
        titles = [" | ".join(self.columns), *self.rows]
        words = "\n".join([self._words(), *filter(None, titles), *self._told()])
        return {"image/png": b64encode(sheet).decode(), "text/plain": words}

    def with_legends(self) -> NDArray[np.uint8] | None:
        """All maps in one picture with one key; ``None`` where there is no map."""
        key, sheet = self._key(self.scale), self._sheet()
        if not key:
            return None
        kinds = _kinds(_maps(self._results))
        for signed in kinds:
            shares = np.linspace(-1 if signed else 0, 1, sheet.shape[1] - 2 * MARGIN)
            row = np.round(render.colorize(shares, signed=signed)).astype(np.uint8)
            words = [key["colors"], key["hatching"]] if signed == kinds[-1] else []
            sheet = with_key(
                sheet, np.repeat(row[None], RAMP, 0), signed, [ENDS[signed]], filter(None, words)
            )
        return sheet

    def _sheet(self) -> NDArray[np.uint8]:
        """All maps in one picture."""
        scales = self._scales(self.scale)
        return render.sheet(
            [
                [_preview(cell, largest) for cell in row]
                for row, largest in zip(self._results, scales, strict=True)
            ]
        )

    def _key(self, scale: str) -> dict[str, Any]:
        """What colours and hatching mean in the maps; {} where there is none."""
        maps = _maps(self._results)
        if not maps:
            return {}
        kinds = _kinds(maps)
        colors = {
            "own": "each map by its own largest magnitude",
            "row": "each row by its largest magnitude",
            "all": f"up to {'±' * kinds[0]}{number(self._scales(scale)[0])} {maps[0].unit}",
        }[scale]
        block = max(map(_block, maps))
        if block > 1:
            colors += f"; of every {block} × {block} pixels, the strongest"
        ramps = [{"stops": list(STOPS[signed]), "ends": ENDS[signed][::2]} for signed in kinds]
        return {"ramps": ramps, "colors": colors, "hatching": _hatching(maps)}

    def _told(self) -> Iterator[str]:
        """What each map shows."""
        for row, cells in enumerate(self._results):
            for column, cell in enumerate(cells):
                if isinstance(cell, Relevance):
                    titles = [
                        title[at]
                        for title, at in ((self.rows, row), (self.columns, column))
                        if title
                    ]
                    told = sentences.sentence(cell)
                    yield f"{', '.join(titles) or cell.title}: {told}"

    def _words(self) -> str:
        count = len(self._results), len(self._results[0])
        methods = dict.fromkeys(one.method for one in _maps(self._results))
        return f"{count[0]} × {count[1]} maps: {', '.join(methods) or 'pictures'}"

    def _scales(self, scale: str) -> list[float | None]:
        """For each row the magnitude of its strongest colours; None for each map's own."""
        if scale == "own":
            return [None] * len(self._results)
        groups = self._results if scale == "row" else [list(chain(*self._results))]
        largest = [_shared([one for one in group if isinstance(one, Relevance)])
                   for group in groups]  # fmt: skip
        return largest if scale == "row" else largest * len(self._results)


CELL = (
    "an xw.Relevance, an 8-bit picture (H, W, 3), which xw.images.picture makes of a tensor, or a "
    "mask (H, W) of booleans"
)

STOPS = {True: render.COLOR_MAPS["red-blue"], False: render.SEQUENTIAL}
ENDS = {True: ("against", "", "for"), False: ("zero", "", "strongest")}
"""Colours of maps with signs and without, and meanings of their ends and middle."""

PREVIEW = 160
"""The width of a cell of the preview, in pixels."""


def _list(name: str, value: Iterable[Any]) -> list[Any]:
    of_kind(name, value, Iterable, "a list, as in RelevanceGrid([[first, second]])")
    return list(value)


def _check(cell: object) -> None:
    """Raise when a cell is nothing that can be shown."""
    of_kind("a cell", cell, Relevance | np.ndarray, CELL)
    if isinstance(cell, np.ndarray):
        picture = cell.dtype == np.uint8 and cell.shape[2:] == (3,)
        mask = cell.dtype == bool and cell.ndim == 2
        if not (picture or mask):
            raise ValueError(f"a cell is {cell.dtype} {cell.shape}, but must be {CELL}")


def _maps(rows: Sequence[Sequence[Cell]]) -> list[Relevance]:
    return [cell for cell in chain(*rows) if isinstance(cell, Relevance)]


def _kinds(maps: Sequence[Relevance]) -> list[bool]:
    """Whether there are maps with signs, and without."""
    return sorted({relevance.signed for relevance in maps}, reverse=True)


def _hatching(maps: Sequence[Relevance]) -> str:
    """What hatching means: in numbers where these are the same for all maps; "" for nothing."""
    meanings = set(filter(None, map(hatch_words, maps)))
    if len(meanings) < 2:
        return "".join(meanings)
    noise = any("not told from zero" in meaning for meaning in meanings)
    return f"hatched: too small to matter{', or not told from zero' if noise else ''}"


def _shared(maps: Sequence[Relevance]) -> float | None:
    units = {one.unit for one in maps}
    if len(units) > 1:
        raise ValueError(
            f"maps in {' and '.join(sorted(units))} cannot share a scale; give them scale='own', "
            "or grids of their own"
        )
    return render.scale_of(np.concatenate([one.values.ravel() for one in maps])) if maps else None


def _described(cell: Cell, largest: float | None) -> dict[str, Any]:
    """A cell as the view takes it: a PNG of its own size, and what is to be said of it."""
    if not isinstance(cell, Relevance):
        words = f"{percent(cell.mean())} of the pixels" if cell.dtype == bool else "the picture"
        return {"png": render.png(_picture(cell)), "coarse": cell.shape[1] < COARSE, "title": words}
    known = cell.values[np.isfinite(cell.values)]
    block = _block(cell)
    described = {
        **_drawn(cell, largest),
        "coarse": cell.image.shape[1] < COARSE,
        "title": cell.title,
        "unit": cell.unit,
        "signed": cell.signed,
        "highest": max(0.0, float(known.max(initial=0))),
        "lowest": min(0.0, float(known.min(initial=0))),
        "sentence": sentences.sentence(cell),
    }
    return described | ({"small": _drawn(cell, largest, block)} if block > 1 else {})


def _drawn(cell: Relevance, largest: float | None, block: int = 1) -> dict[str, bytes]:
    """A map over its picture as a PNG, with one pixel for every block, and which are hatched."""
    image, values, hatched = _reduced(cell, block)
    scale = _scale(cell, largest)
    shown = render.overlay(image, values, size=image.shape[1], scale=scale, signed=cell.signed)
    return {"png": render.png(shown), "hatched": np.packbits(hatched).tobytes()}


def _reduced(
    cell: Relevance, block: int
) -> tuple[NDArray[np.uint8], NDArray[np.floating], NDArray[np.bool_]]:
    """Picture, map and what is hatched, with one pixel for every block.

    The map has the strongest value of a block that is not hatched; NaN where there is none.
    """
    values = np.where(cell.hatched(), np.nan, cell.values)
    shown = render.strongest(values, block)
    known = np.isfinite(render.strongest(cell.values, block))
    return render.reduced(cell.image, block), shown, known & np.isnan(shown)


def _preview(cell: Cell, largest: float | None) -> NDArray[np.uint8]:
    """A cell as it is shown in place of widgets."""
    block = _block(cell)
    if not isinstance(cell, Relevance):
        return render.enlarged(render.reduced(_picture(cell), block), PREVIEW)
    image, values, hatched = _reduced(cell, block)
    scale = _scale(cell, largest)
    return render.overlay(
        image, values, size=PREVIEW, scale=scale, signed=cell.signed, hatched=hatched
    )


def _scale(cell: Relevance, largest: float | None) -> float:
    """Magnitude at the ends of a map's colours."""
    return render.scale_of(cell.values) if largest is None else largest


def _block(cell: Cell) -> int:
    """How many pixels, across and down, become one where a cell is shown small."""
    width: int = (cell.image if isinstance(cell, Relevance) else cell).shape[1]
    return ceil(width / COARSE)


def _picture(cell: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture, or a mask in white on black."""
    if cell.dtype == bool:
        return np.repeat(np.where(cell[..., None], 255, 0).astype(np.uint8), 3, 2)
    return cell.astype(np.uint8)


COARSE = 160
"""Pictures that have fewer pixels in width are shown with sharp pixels, maps that have more by the
strongest pixel of every block."""
