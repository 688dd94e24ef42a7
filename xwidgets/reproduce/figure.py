"""A figure of a paper: rows and columns of maps, pictures and masks, and its file.

A file keeps a map as the views show it, to 1/254 of its scale, and every picture once: some dozens
of maps of 224 x 224 pixels take about a megabyte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import number, one_line
from xwidgets.files import whole
from xwidgets.results import Relevance, npz, render
from xwidgets.results.facts import parsed
from xwidgets.results.result import versions

Cell = Relevance | NDArray[np.uint8] | NDArray[np.bool_]
"""A map, a picture ``(H, W, 3)``, or a mask ``(H, W)``."""

SCALES = ("own", "row", "all")
"""Whose largest magnitude the colours of a map end at: its own, its row's or the figure's."""


@dataclass(frozen=True, eq=False)
class Figure:
    """Maps side by side, as :class:`xwidgets.RelevanceGrid` takes them.

    Attributes:
        cells: rows of maps, 8-bit pictures and masks.
        rows: their titles.
        columns: theirs.
        scale: ``"own"`` when every map is coloured by its own largest magnitude, ``"row"`` or
            ``"all"`` when by that of its row or of the figure.
    """

    cells: list[list[Cell]]
    rows: list[str]
    columns: list[str]
    scale: str = "own"

    def save(self, path: str | Path, **facts: Any) -> None:
        """Write to an ``.npz`` file that :meth:`load` reads, with ``facts`` that JSON can hold."""
        arrays: dict[str, NDArray[Any]] = {}
        rows: list[list[dict[str, Any]]] = []
        for cells in self.cells:
            rows.append([])
            for cell in cells:
                picture = cell.image if isinstance(cell, Relevance) else cell
                known = [name for name, array in arrays.items() if np.array_equal(array, picture)]
                name = known[0] if known else f"picture{len(arrays)}"
                arrays[name] = picture
                described: dict[str, Any] = {"picture": name}
                if isinstance(cell, Relevance):
                    size = render.scale_of(cell.values)
                    described |= {"map": f"map{len(arrays)}", "scale": size}
                    arrays[described["map"]] = render.quantize(cell.values, size)
                    described["facts"] = {
                        item.name: getattr(cell, item.name)
                        for item in fields(cell)
                        if item.name not in ("values", "image", "standard_error", "samples")
                    }
                rows[-1].append(described)
        text = json.dumps({
            "cells": rows, "rows": self.rows, "columns": self.columns, "scale": self.scale,
            "facts": facts, "versions": versions(),
        })  # fmt: skip
        with whole(path) as part, open(part, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, figure=np.array(text), **arrays)

    @classmethod
    def load(cls, path: str | Path, **facts: Any) -> Self:
        """Read what :meth:`save` wrote. Maps come back without their standard errors and
        numbers of samples.

        Args:
            path: of the file.
            facts: that it must have been saved with.

        Raises:
            ValueError: when the file is missing or damaged, or has other facts.

        Example:
            >>> mask = np.eye(3, dtype=bool)
            >>> Figure([[mask]], ["row"], ["mask"]).save("figure.npz", seed=1)
            >>> bool((Figure.load("figure.npz", seed=1).cells[0][0] == mask).all())
            True
        """
        try:
            arrays = npz.read(path)
            state = parsed(str(arrays["figure"]))
            cells = [[_cell(described, arrays) for described in row] for row in state["cells"]]
            saved = state["facts"]
            figure = cls(cells, state["rows"], state["columns"], state["scale"])
            figure._check()
        except npz.DAMAGE as error:
            raise ValueError(
                f"{str(path)!r} is no readable figure ({one_line(error)}); compute it again"
            ) from error
        if saved != json.loads(json.dumps(facts)):
            raise ValueError(
                f"{str(path)!r} was computed with {saved}, not with {facts}; take another folder, "
                "or compute it again"
            )
        return figure

    def _check(self) -> None:
        """Raise ValueError unless its cells have titles and a scale."""
        for name, titles in (("rows", self.rows), ("columns", self.columns)):
            if not isinstance(titles, list) or not all(isinstance(one, str) for one in titles):
                raise ValueError(f"its {name} are no list of titles")
        widths = {len(row) for row in self.cells}
        if len(self.rows) != len(self.cells) or widths != {len(self.columns)} or 0 in widths:
            raise ValueError("its titles are not as many as its cells")
        if self.scale not in SCALES:
            raise ValueError(f"its scale is {self.scale!r}")


def _cell(described: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Cell:
    picture = arrays[described["picture"]]
    if "map" not in described:
        colors = picture.dtype == np.uint8 and picture.shape[2:] == (3,)
        if not picture.size or not (colors or (picture.dtype == bool and picture.ndim == 2)):
            raise ValueError(f"its picture is {picture.dtype} {picture.shape}")
        return picture
    codes, scale = arrays[described["map"]], described["scale"]
    number("scale", scale, lambda size: 0 < size < inf, "above 0")
    if codes.dtype != np.int8:
        raise ValueError(f"its map is {codes.dtype}")
    values = codes.astype(np.float32) * np.float32(scale / 127)
    values[codes == render.UNKNOWN] = np.nan
    return Relevance.restored(described["facts"] | {"values": values, "image": picture})
