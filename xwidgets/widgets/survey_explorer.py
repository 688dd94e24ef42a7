"""A survey as a view: pictures laid out by the likeness of their maps, while it grows."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import traitlets
from numpy.typing import NDArray

from xwidgets import surveys
from xwidgets.errors import index_within, one_line, unknown
from xwidgets.live.kind import is_study
from xwidgets.live.survey_growth import Growth, SurveyGrowth
from xwidgets.live.traits import Number, Whole, a_point
from xwidgets.results import Relevance, render
from xwidgets.results.numbers import percent
from xwidgets.surveys.groups import Groups
from xwidgets.surveys.likeness import FEWEST

from .closing import Held, close_all
from .group import Group
from .relevance_overlay import RelevanceOverlay

if TYPE_CHECKING:
    from xwidgets.live.study import Study
    from xwidgets.networks import Network
    from xwidgets.surveys import Survey
    from xwidgets.surveys.pictures import SurveyPictures


class SurveyExplorer(Group, module="survey_explorer.mjs"):
    """Pictures of a survey as points: those whose maps are alike are neighbours.

    It grows while the survey goes on, in another cell or process, and shows a finished one as it
    is. Points are coloured by class, by right or wrong, or by a measure. Those inside a lasso are
    selected: the view tells in what they differ from the rest, and shows their maps and rows. A
    group of them can be given a name, which is kept in the survey's folder. A click opens a
    picture with its map.

    Points are placed by t-SNE (see :class:`xwidgets.surveys.likeness.Layout`): that they are
    neighbours has a meaning, their distance and the size of a heap have none.

    Args:
        survey: or the folder of one, which may not have begun yet.
        images: pictures of the survey, to be shown with the maps; ``None`` for maps alone.
        net: network of the survey, which takes the pictures; or a study with it, whose image
            becomes the picture that is opened.
        target: place of the target among those of the survey.

    Attributes:
        colored_by: name of the column that tells the colours.
        selected: numbers of the pictures that are selected; can be set.
        shown: number of selected pictures that are shown, the first.
        opened: number of the picture that is shown with its map; ``None`` for none. Can be set.
        groups: numbers of the pictures of each named group.
        zoom, center: how many times the points are enlarged, and row and column of the middle of
            what is shown, as shares.
        growth: a :class:`xwidgets.live.survey_growth.SurveyGrowth`.
        lock: held while a thread writes to the view; the survey grows in one of its own.

    Raises:
        ValueError: for images without a network, or a target that the survey has not.

    Example:
        >>> import xwidgets as xw
        >>> net, scenes = xw.network("birds"), [xw.scenes.bird(seed) for seed in range(16)]
        >>> _ = xw.survey(net, scenes, xw.Saliency(), "birds", progress=False)
        >>> explorer = SurveyExplorer("birds", scenes, net)
        >>> _ = explorer.growth.wait()
        >>> explorer.selected = [3, 5, 8]
        >>> explorer.name("left wings")
        >>> explorer.groups
        {'left wings': [3, 5, 8]}
        >>> explorer.close()
    """

    numbers = traitlets.Bytes().tag(sync=True, echo_update=False)
    places = traitlets.Bytes().tag(sync=True, echo_update=False)
    columns = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    colored_by = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(Whole()).tag(sync=True)
    shown = Whole(12, min=1).tag(sync=True)
    cards = traitlets.List(traitlets.Dict()).tag(sync=True, echo_update=False)
    pointed = traitlets.Dict().tag(sync=True, echo_update=False)
    opened = Whole(None, allow_none=True, min=0).tag(sync=True)
    groups = traitlets.Dict().tag(sync=True, echo_update=False)
    zoom = Number(1.0, min=1, max=16).tag(sync=True)
    center = a_point().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    work = traitlets.Dict().tag(sync=True, echo_update=False)
    message = traitlets.Unicode().tag(sync=True)
    alive = traitlets.Bool(True).tag(sync=True)

    growth: Held[SurveyGrowth] = Held()
    _answer: Held[Growth] = Held()
    _drawn: Held[dict[int, dict[str, Any]]] = Held()
    _pictures: Held[SurveyPictures | None] = Held()
    _study: Held[Study | None] = Held()

    def __init__(
        self,
        survey: Survey | str | Path,
        images: object = None,
        net: Network | Study | None = None,
        target: int = 0,
    ) -> None:
        if (images is None) != (net is None):
            raise ValueError(
                "pictures are shown as the network takes them; give both images and net, or none"
            )
        study = net if is_study(net) else None
        network = study.network if study is not None else cast("Network | None", net)
        pictures = None if network is None else surveys.SurveyPictures(network, images)
        self.growth, self._pictures, self._study = SurveyGrowth(survey, target), pictures, study
        self._answer, self._drawn = self.growth.so_far, {}
        self._lasting = ""  # what stays wrong, whatever is done
        self.lock = threading.RLock()
        super().__init__({})
        growth = self.growth.growing
        self.show_work(work=growth)
        self.observe(lambda _: self._show_cards(), ["selected", "shown"])
        self.observe(lambda _: self._open(), "opened")
        self.follow(growth, self._grow, "answer")
        self.follow(growth, self._tell, "progress")
        self.refresh_after(growth)
        if self._answer.survey is not None:
            self._begin(self._answer.survey)
        self._grow()
        self._tell()

    def name(self, name: str) -> None:
        """Give the pictures that are selected a name, which replaces a group of that name.

        Raises:
            ValueError: for an empty name, or no selection.
            OSError: when the survey's folder cannot be written to.
        """
        self._groups().put(name, self.selected)
        self._regroup()

    def forget(self, name: str) -> None:
        """Remove a named group; its pictures stay.

        Raises:
            OSError: when the survey's folder cannot be written to.
        """
        self._groups().remove(name)
        self._regroup()

    def about(self) -> list[str]:
        """Method and network of the survey."""
        survey = self._answer.survey
        if survey is None:
            raise ValueError("the survey has not begun; wait until there is something to show")
        return [f"Survey: {survey.facts.method} ({survey.facts.network_name})"]

    def still(self) -> dict[str, Any]:
        """Points, groups and selected maps; all points where the survey has ended."""
        if self._answer.survey is not None and self._answer.survey.ended:
            self.growth.wait()
        return {"alive": False, "work": {}, "message": "", "pointed": {}}

    def preview(self) -> dict[str, str]:
        """The points in their colours."""
        with self.lock:
            growth, words = self._answer, {"text/plain": self.sentence}
            columns = [column for column in self.columns if column["name"] == self.colored_by]
        if not np.isfinite(growth.places).any():
            return words
        colors = _colors_of(columns[0]) if columns else np.full((len(growth.rows), 3), GREY)
        picture = render.png(_scatter(growth.places, colors))
        return {"image/png": b64encode(picture).decode(), **words}

    def hear_shown(self) -> None:
        """A browser shows the view, with the groups that others named meanwhile."""
        super().hear_shown()
        if self._answer.survey is not None:
            self._try(self._regroup)

    def hear_point(self, number: int) -> None:
        """Show the picture of a point under the pointer."""
        with self.lock:
            if number in self._answer.row_of:
                self.pointed = self._card(number)

    def hear_name(self, name: str) -> None:
        """Give the selected pictures a name."""
        self._try(lambda: self.name(name))

    def hear_forget(self, name: str) -> None:
        """Remove a named group."""
        self._try(lambda: self.forget(name))

    def _let_go(self) -> None:
        self.growth.close()
        super()._let_go()

    @traitlets.validate("selected")
    def _known_numbers(self, proposal: dict[str, Any]) -> list[int]:
        """Numbers in order, each once."""
        survey = self._answer.survey
        if survey is None and not proposal["value"]:
            return []
        if survey is None:
            raise traitlets.TraitError("the survey has not begun; nothing can be selected yet")
        try:
            numbers = {
                index_within("picture", number, len(survey), "the survey")
                for number in proposal["value"]
            }
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from error
        return sorted(numbers)

    @traitlets.validate("colored_by")
    def _known_column(self, proposal: dict[str, Any]) -> str:
        names = [column["name"] for column in self.columns]
        if proposal["value"] not in (*names, ""):
            raise traitlets.TraitError(str(unknown("column", proposal["value"], names)))
        name: str = proposal["value"]
        return name

    @traitlets.validate("opened")
    def _done_number(self, proposal: dict[str, Any]) -> int | None:
        number: int | None = proposal["value"]
        survey = self._answer.survey
        if number is None or number in self._answer.row_of:
            return number
        if survey is None or not survey.is_done(number):
            raise traitlets.TraitError(f"picture {number} is not done yet; wait until it is")
        return number

    def _groups(self) -> Groups:
        survey = self._answer.survey
        if survey is None:
            raise ValueError("the survey has not begun; there is nothing to name yet")
        return Groups(survey.folder, len(survey))

    def _grow(self) -> None:
        """Show what is known of the survey by now."""
        growth, before = self.growth.so_far, self._answer.survey
        with self.lock, self.hold_sync():
            self._answer = growth
            if before is None and growth.survey is not None:
                self._begin(growth.survey)
            self.numbers = np.array([*growth.row_of], np.int32).tobytes()
            self.places = growth.places.tobytes()
            self._show_columns()
            self.sentence = _sentence(self.growth.folder, growth)
            self._show_cards()

    def _begin(self, survey: Survey) -> None:
        """Show the groups that the folder has, and no pictures that are not the survey's."""
        try:
            if self._pictures is not None:
                self._pictures.check(survey)
        except ValueError as error:
            self._pictures, self._lasting = None, one_line(error)
        self._try(self._regroup)

    def _tell(self) -> None:
        self.work = asdict(self.growth.growing.progress)

    def _regroup(self) -> None:
        with self.lock:
            self.groups = self._groups().all()
            self._show_columns()

    def _show_columns(self) -> None:
        """Show what tells colours; by the first where the chosen one is there no more."""
        with self.lock:
            self.columns = list(columns_of(self._answer.rows, self.groups))
            if self.colored_by not in [column["name"] for column in self.columns]:
                self.colored_by = self.columns[0]["name"] if self.columns else ""

    def _show_cards(self) -> None:
        """Show the first of the selected pictures that are done."""
        with self.lock:
            done = [number for number in self.selected if number in self._answer.row_of]
            self.cards = [self._card(number) for number in done[: self.shown]]

    def _card(self, number: int) -> dict[str, Any]:
        """A picture with its map, and what its row says."""
        if number not in self._drawn:
            while len(self._drawn) >= DRAWN:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[number] = self._draw(number)
        return self._drawn[number]

    def _draw(self, number: int) -> dict[str, Any]:
        card = {"number": number, "source": self._answer.row(number)["source"]}
        try:
            relevance = self._relevance(number)
        except ValueError as error:
            return {**card, "fault": str(error), "png": b""}
        image, values = relevance.image, relevance.values
        shown = render.overlay(image, values, size=SIDE, signed=relevance.signed)
        return {**card, "fault": "", "png": render.png(shown)}

    def _relevance(self, number: int) -> Relevance:
        """Map of a picture, over grey where its picture is not known."""
        survey = self._answer.survey
        assert survey is not None, "a picture is done"
        image = None if self._pictures is None else self._pictures.picture(number)
        if image is None:
            image = np.full((*survey.facts.size, 3), GREY, np.uint8)
        return survey.relevance(number, image, self.growth.target)

    def _open(self) -> None:
        """Show the opened picture with its map, and turn the study to it."""
        before = list(self.children)
        self.parts = {}
        close_all(before)
        self._try(self._show_opened)

    def _show_opened(self) -> None:
        number = self.opened
        if number is None:
            return
        self.parts = {"map": RelevanceOverlay(self._relevance(number))}
        if self._study is None or self._pictures is None:
            return
        image = self._pictures.image(number)
        if image is None:
            raise ValueError(f"picture {number} cannot be read any more; the study keeps its own")
        self._study.image = image

    def _try(self, change: Callable[[], None]) -> None:
        """Make a change, and say what is wrong with it."""
        fault = ""
        try:
            change()
        except (ValueError, OSError) as error:
            fault = one_line(error)
        self.message = " ".join(filter(None, [self._lasting, fault]))


SIDE = 128
"""Width of a picture in the gallery, in pixels."""

DRAWN = 256
"""Number of pictures that are kept as they were drawn."""

GREY = 160
"""Grey value of a picture that is not known."""

CLASSES = {
    "predicted_label": "predicted class",
    "label": "class of the data set",
    "target_label": "explained class",
}
"""Columns of names that tell colours, and what they are called."""

PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#a6761d",
    "#66a61e", "#b2182b",
)  # fmt: skip
"""Colours of the most frequent names."""

UNKNOWN = "#8a8a8a"
"""Colour of all others, and of what is not known."""

RAMP = ("#4b2991", "#a3319f", "#ea4f88", "#f89078")
"""Colours of numbers, from the smallest to the largest."""

NUMBERS = {"probability": "probability of the target", "predicted_probability": "probability"}
"""Columns of numbers of every survey that tell colours, and what they are called."""

NO_MEASURES = {
    "number", "source", "place", "target", "predicted", "correct", "error", "measure_error",
    *CLASSES, *NUMBERS,
}  # fmt: skip
"""Columns that are no measures."""


def columns_of(rows: pd.DataFrame, groups: Mapping[str, Sequence[int]]) -> Iterator[dict[str, Any]]:
    """Columns by which points can be coloured: names with their colours, or numbers.

    Args:
        rows: of the pictures.
        groups: numbers of the pictures of each named group.

    Returns:
        Of each its ``name``; ``values`` as bytes, numbers as float32, or places in ``names`` as
        int16, -1 for none; and ``colors`` of the names, or ``stops`` from the smallest number to
        the largest.
    """
    if not len(rows):
        return
    if rows["error"].notna().any():
        known = rows["error"].isna().map({True: "map", False: "none"})
        yield _named("map or none", known, ["map", "none"])
    right = rows["correct"].map({True: "right", False: "wrong"})
    if right.notna().any():
        yield _named("right or wrong", right, ["right", "wrong"])
    for column, title in CLASSES.items():
        values = rows[column]
        if values.notna().any() and (column != "target_label" or values.nunique() > 1):
            yield _named(title, values, values.value_counts().index.tolist())
    if groups:
        grouped = pd.Series(pd.NA, index=rows["number"], dtype=object)
        for name, numbers in groups.items():
            grouped[grouped.index.intersection(numbers)] = name
        yield _named("named group", grouped, list(groups))
    measures = [column for column in rows if column not in NO_MEASURES]
    for column, title in [*NUMBERS.items(), *zip(measures, measures, strict=True)]:
        with np.errstate(over="ignore"):
            values = rows[column].to_numpy(np.float64, na_value=np.nan).astype(np.float32)
        values[np.isinf(values)] = np.nan
        if np.isfinite(values).any():
            yield {"name": title, "values": values.tobytes(), "stops": list(RAMP)}


def _named(name: str, values: pd.Series, names: list[str]) -> dict[str, Any]:
    codes = pd.Categorical(values, categories=names).codes.astype(np.int16)
    colors = [*PALETTE[: len(names)], *[UNKNOWN] * (len(names) - len(PALETTE))]
    return {"name": name, "values": codes.tobytes(), "names": names, "colors": colors}


def _colors_of(column: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Colours ``(n, 3)`` of the points by a column, as the browser has them."""
    if "names" in column:
        codes = np.frombuffer(column["values"], np.int16)
        table = [render.rgb(color) for color in (*column["colors"], UNKNOWN)]
        return np.array(table, np.uint8)[codes]
    values = np.frombuffer(column["values"], np.float32).astype(float)
    least, most = np.nanmin(values), np.nanmax(values)
    colors = render.ramp((values - least) / ((most - least) or 1), column["stops"])
    return np.where(np.isnan(values)[:, None], render.rgb(UNKNOWN), colors).round().astype(np.uint8)


PLOT = (336, 448)
"""Height and width of the points in a preview, in pixels."""


def _scatter(places: NDArray[np.float32], colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Points as squares of three pixels on white."""
    picture = np.full((*PLOT, 3), 255, np.uint8)
    known = np.isfinite(places).all(axis=1)
    if known.any():
        x, y = (places[known] - places[known].min(axis=0)).T
        scale = min((PLOT[1] - 9) / (x.max() or 1), (PLOT[0] - 9) / (y.max() or 1))
        columns, rows = (4 + scale * x).astype(int), (4 + scale * y).astype(int)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                picture[rows + down, columns + right] = colors[known]
    return picture


def _sentence(folder: Path, growth: Growth) -> str:
    """Sentence on a survey, and on how far it is."""
    if growth.survey is None:
        return f"There is no survey in {str(folder)!r} yet; this waits until one begins there."
    facts, rows = growth.survey.facts, growth.rows
    count = len(growth.survey)
    told = [f"{facts.method} ({facts.network_name}) for {count:,} picture{'s' * (count != 1)}"]
    if len(rows) < count and growth.completed == 1:
        told.append(f"it has ended with a random {len(rows):,} of them")
    elif len(rows) < count:
        told.append(f"{len(rows):,} of them done")
    if (known := rows["correct"].dropna()).size:
        told.append(f"{percent(float(known.mean()))} of those with a known class right")
    if failed := int(rows["error"].notna().sum()):
        told.append(f"{failed:,} without a map")
    placed = int(np.isfinite(growth.places).all(axis=1).sum())
    if growth.completed == 1 and not placed:
        told.append(f"no points, as there are fewer than {FEWEST} maps that are not zero")
    elif growth.completed == 1 and (zero := len(rows) - failed - placed):
        told.append(f"{zero:,} without a point, as their maps are zero")
    elif len(rows) == count and growth.completed < 1:
        told.append("the points are being laid out")
    sentence = "; ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}."
