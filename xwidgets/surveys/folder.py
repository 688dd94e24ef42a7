"""Folders of surveys: their format, and reading them while they grow.

``survey.json`` tells what a survey is of. ``maps.zarr`` is an array ``(N, T, H, W)`` in Zarr's
third format, whose chunks are the maps of a batch of pictures. ``rows/000012.parquet`` has a row
for each picture and target of batch 12; it is written behind the arrays and as a whole, so that a
batch is done where its file is there. ``neurons.zarr`` is a group with an array ``(N, 2, C)`` for
each layer. Pictures stand in the arrays as they are computed: by number, or in a random order.
``ended.json`` is there where ``until`` has ended it, with the standard errors that were reached.
Everything here works without torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import at_least, index_within, of_kind, one_line, unknown
from xwidgets.extras import needed
from xwidgets.files import whole
from xwidgets.results import Relevance
from xwidgets.results.facts import parsed, typed
from xwidgets.results.numbers import percent

from .activity import activity
from .common_places import common_places, strong_places, windows

if TYPE_CHECKING:
    import pandas as pd

EXTRA = "survey"
"""Extra of this package that brings what reads and writes folders."""


@dataclass(frozen=True)
class Facts:
    """Facts of a survey, which stand in its ``survey.json``.

    Attributes:
        network_name, network: name of the network, and digest of its weights and preparation.
        pictures, count: digest of the pictures, and their number N.
        method, parameters: name of the method, and its parameters.
        targets: the T targets by label; ``""`` for the class with the highest score.
        explained: digest of method, targets and names of measures, down to arrays in them.
        units: of the maps, one for each target.
        signed: whether the maps can be negative, evidence against the target.
        measures: names of what is measured of each map.
        layers: by name, the number of channels C of those whose activations are kept.
        seed: of the random order in which pictures are taken; ``None`` for that of their numbers.
        size: ``(H, W)`` of the maps.
        dtype: of the maps, ``"float32"`` or ``"float16"``.
        batch_size: number of pictures of a batch.
        versions: of the packages that compute it.
    """

    network_name: str
    network: str
    pictures: str
    count: int
    method: str
    parameters: tuple[Mapping[str, Any], ...]
    targets: tuple[str, ...]
    explained: str
    units: tuple[str, ...]
    signed: bool
    measures: tuple[str, ...]
    layers: Mapping[str, int]
    seed: int | None
    size: tuple[int, int]
    dtype: str
    batch_size: int
    versions: Mapping[str, str]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``(N, T, H, W)`` of the maps."""
        return self.count, len(self.targets), *self.size

    @property
    def batches(self) -> int:
        """Number of batches."""
        return -(-self.count // self.batch_size)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Numbers ``(N,)`` of the pictures in the order of the arrays."""
        if self.seed is None:
            return np.arange(self.count)
        return np.argsort(np.random.PCG64(self.seed).random_raw(self.count), kind="stable")

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Position ``(N,)`` of each picture in the arrays."""
        return np.argsort(self.order)

    def span(self, batch: int) -> slice:
        """Positions of the pictures of a batch."""
        first = batch * self.batch_size
        return slice(first, min(first + self.batch_size, self.count))

    def numbers(self, batch: int) -> list[int]:
        """Numbers of the pictures of a batch."""
        numbers: list[int] = self.order[self.span(batch)].tolist()
        return numbers

    def save(self, path: Path) -> None:
        """Write to a JSON file."""
        with whole(path) as part:
            part.write_text(json.dumps(asdict(self), indent=2), "utf-8")


class Survey:
    """Maps of a method for the pictures of a data set, in a folder; see :func:`xwidgets.survey`.

    It is read anew whenever it is asked, so that it can be looked at while another process computes
    it. It does not need torch.

    Args:
        folder: of the survey.

    Attributes:
        folder: as a path.
        facts: what it is of, as of ``survey.json``.

    Raises:
        ValueError: for a folder that holds no survey.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed) for seed in range(3)]
        >>> done = xw.survey(xw.network("birds"), scenes, xw.Saliency(), "birds", progress=False)
        >>> Survey("birds").progress, len(done), done.map(2).shape
        (1.0, 3, (64, 64))
    """

    def __init__(self, folder: str | Path) -> None:
        of_kind("folder", folder, str | Path, "the path of a survey's folder")
        self.folder = Path(folder).absolute()
        self.facts = _facts(Path(folder))

    def __repr__(self) -> str:
        facts, share = self.facts, self.progress
        taken = percent(share) if facts.seed is None else f"a random {round(share * len(self))}"
        done = "complete" if share == 1 else f"{taken} computed"
        return f"<Survey of {len(self)} pictures: {facts.method} ({facts.network_name}), {done}>"

    def __len__(self) -> int:
        """Number of pictures, N."""
        return self.facts.count

    @property
    def done(self) -> set[int]:
        """Numbers of the batches that are done."""
        numbers = {number_of(path) for path in self.rows_folder.glob("*.parquet")}
        return {number for number in range(self.facts.batches) if number in numbers}

    @property
    def progress(self) -> float:
        """Share of the pictures that are done."""
        return sum(len(self.facts.numbers(batch)) for batch in self.done) / len(self)

    @property
    def failed(self) -> set[int]:
        """Numbers of the batches with a picture without a map, or a map without measures."""
        rows = self.table()
        without = rows[rows["error"].notna() | rows["measure_error"].notna()]
        return {self._batch(number) for number in without["number"]}

    @property
    def ended(self) -> bool:
        """Whether all pictures are done, or as many as ``until`` asked for."""
        return self.ended_file.exists() or self.progress == 1

    def is_done(self, number: int) -> bool:
        """Whether a picture is done, by its number."""
        return 0 <= number < len(self) and self.part(self._batch(number)).exists()

    def table(self) -> pd.DataFrame:
        """Rows of the pictures that are done so far, in order: one for each picture and target.

        Columns are ``number`` and ``source`` of the picture; ``place`` of the target among those of
        the survey, its ``target`` index and ``target_label``, and the ``probability`` of a class;
        ``predicted``, ``predicted_label`` and ``predicted_probability`` of the class with the
        highest score; ``label``, the class that the data set tells, and whether the prediction is
        ``correct``; one for each measure; ``error``, why a picture has no map, and
        ``measure_error``, why a map has no measures.

        Raises:
            ValueError: for damaged files.
        """
        rows = self.rows_of(sorted(self.done))
        if self.facts.seed is None:
            return rows
        return rows.sort_values(["number", "place"], ignore_index=True)

    def rows_of(self, batches: Sequence[int]) -> pd.DataFrame:
        """Rows of batches that are done, as of :meth:`table`, batch by batch."""
        pyarrow = needed("pyarrow", EXTRA)
        pandas = needed("pandas", EXTRA)
        parts = [self._part(batch) for batch in batches]
        if not parts:
            return pandas.DataFrame({name: [] for name in (*COLUMNS, *self.facts.measures)})
        table = pyarrow.concat_tables(parts, promote_options="default")
        kinds = {pyarrow.bool_(): pandas.BooleanDtype(), pyarrow.int64(): pandas.Int64Dtype()}
        return table.to_pandas(types_mapper=kinds.get)

    def means(self, by: str | None = "predicted_label", target: int = 0) -> pd.DataFrame:
        """Class means of the measures and probabilities so far, with their standard errors.

        Args:
            by: column of :meth:`table` that tells the class: ``"predicted_label"``, ``"label"``,
                ``"target_label"`` or another; ``None`` for the means over all pictures.
            target: place of the target among those of the survey.

        Returns:
            A row for each class; for each measure the columns ``mean``, ``sem`` (standard error of
            the mean, NaN for a single picture) and ``count``.

        Raises:
            ValueError: for a column that there is not.
        """
        numbers = ["probability", "predicted_probability", *self.facts.measures]
        rows = self._of_target(target, by)
        if by is None:
            rows, by = rows.assign(pictures="all"), "pictures"
        return rows.groupby(by)[numbers].agg(["mean", "sem", "count"])

    def neurons(self, layer: str, by: str | None = None, target: int = 0) -> pd.DataFrame:
        """Activity of the channels of a layer in the pictures that are done so far.

        Args:
            layer: one of ``facts.layers``.
            by: column of :meth:`table` that tells the class, as of :meth:`means`; ``None`` for all
                pictures together.
            target: place of the target whose rows have that column.

        Returns:
            A row for each channel, of each class, with what :func:`activity` says. Sorted by ``g``
            it lists the neurons of a class.

        Raises:
            ValueError: for a layer or a column that there is not, or damaged files.
        """
        rows = self._of_target(target, by)
        rows = rows[rows["error"].isna()]
        values = self.activations(layer)[rows["number"].to_numpy(np.int64)]
        return activity(values, None if by is None else rows[by])

    def top_pictures(self, layer: str, channel: int, count: int = 9) -> list[int]:
        """Numbers of the pictures done so far in which a channel's map has the largest maxima.

        Args:
            layer: one of ``facts.layers``.
            channel: of the layer.
            count: at most so many.

        Returns:
            The largest first; of equal ones the first by number.

        Raises:
            ValueError: for a layer or channel that there is not, or damaged files.
        """
        at_least("count", count, 1)
        values = self.activations(layer)
        channel = index_within("channel", channel, values.shape[2], f"layer {layer!r}")
        largest = values[:, 0, channel]
        order = np.argsort(-largest, kind="stable")  # NaN comes last
        numbers: list[int] = order[~np.isnan(largest[order])][:count].tolist()
        return numbers

    def map(self, number: int, target: int = 0) -> NDArray[np.float32]:
        """Map ``(H, W)`` of a picture; NaN for one that cannot be explained.

        Args:
            number: of the picture.
            target: place of the target among those of the survey.

        Raises:
            ValueError: where there is no such picture or target, or it is not done yet.
        """
        number, target = self._place(number, target)
        batch = self._batch(number)
        values: NDArray[np.float32] = self.maps_of(batch, target)[
            self.facts.numbers(batch).index(number)
        ]
        return values

    def common_places(self, by: str = "predicted_label", target: int = 0) -> pd.DataFrame:
        """Places where the maps of a class are strong in common, and those of others are not.

        A watermark, a border or a date in the pictures of one class is such a place, if the network
        goes by it. A place counts as strong in a map where it is one of the strongest 2 %.

        Args:
            by: column of :meth:`table` that tells the class, as of :meth:`means`.
            target: place of the target among those of the survey.

        Returns:
            A row for each class, with its place that stands out most, as of
            :func:`xwidgets.surveys.common_places.common_places`.

        Raises:
            ValueError: for a column or target that there is not, or damaged files.
        """
        rows = self._of_target(target, by)
        rows = rows[rows["error"].isna()]
        strong = np.zeros((len(self), len(windows(self.facts.size))), np.bool_)
        for batch in self.done:
            strong[self.facts.numbers(batch)] = strong_places(self.maps_of(batch, target))
        return common_places(strong[rows["number"].to_numpy(np.int64)], self.facts.size, rows[by])

    def relevance(self, number: int, image: NDArray[np.uint8], target: int = 0) -> Relevance:
        """Map of a picture as a result, which can be shown and saved.

        Args:
            number: of the picture.
            image: the picture, 8-bit ``(H, W, 3)``: ``xw.images.picture(net.prepare(path))``.
            target: place of the target among those of the survey.

        Raises:
            ValueError: as :meth:`map`; for a picture that has no map, or of another size.
        """
        values, facts = self.map(number, target), self.facts
        batch = self._batch(number)
        place = facts.numbers(batch).index(number) * len(facts.targets) + target
        row = self._part(batch).slice(place, 1).to_pylist()[0]
        if row["error"] is not None:
            raise ValueError(f"picture {number} has no map: {row['error']}")
        shaped = isinstance(image, np.ndarray) and image.shape == (*facts.size, 3)
        if not shaped or image.dtype != np.uint8:
            height, width = facts.size
            raise ValueError(
                f"the picture must be an 8-bit array ({height}, {width}, 3); make it with "
                "xw.images.picture(net.prepare(source))"
            )
        return Relevance(
            values=values, image=image, unit=facts.units[target], method=facts.method,
            network_name=facts.network_name, target=row["target"], label=row["target_label"],
            parameters=facts.parameters[target], signed=facts.signed, versions=facts.versions,
            probability=row["probability"],
        )  # fmt: skip

    def activations(self, layer: str) -> NDArray[np.float32]:
        """Largest and mean activation of each channel of a layer in each picture, by number.

        Args:
            layer: one of ``facts.layers``.

        Returns:
            ``(N, 2, C)``, NaN for pictures that cannot be explained, or are not done yet.

        Raises:
            ValueError: for a layer that is not kept, or damaged files.
        """
        zarr = needed("zarr", EXTRA)
        if not isinstance(layer, str) or layer not in self.facts.layers:
            raise unknown("layer", layer, self.facts.layers, "(kept by xw.survey(..., layers=))")
        try:
            values = zarr.open_group(self.neurons_folder, mode="r")[array_name(layer)][:]
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ValueError(
                f"the activations of layer {layer!r} in {str(self.folder)!r} cannot be read "
                f"({one_line(error)}); remove its rows, and the survey computes them again"
            ) from error
        return np.asarray(values, np.float32)[self.facts.positions]

    @property
    def maps(self) -> Any:
        """Zarr array ``(N, T, H, W)`` of all maps, NaN where there is none, or none yet.

        Picture n stands at ``facts.positions[n]``, which is n unless the order is random.
        """
        return needed("zarr", EXTRA).open_array(self.maps_folder, mode="r")

    @property
    def maps_folder(self) -> Path:
        """Folder of the array of maps."""
        return self.folder / "maps.zarr"

    @property
    def neurons_folder(self) -> Path:
        """Folder of the activations, a group with an array for each layer."""
        return self.folder / "neurons.zarr"

    @property
    def ended_file(self) -> Path:
        """File that is there where ``until`` has ended the survey."""
        return self.folder / "ended.json"

    @property
    def rows_folder(self) -> Path:
        """Folder of the rows, a file for each batch."""
        return self.folder / "rows"

    def part(self, batch: int) -> Path:
        """File of the rows of a batch."""
        return self.rows_folder / f"{batch:06}.parquet"

    def rows(self, batch: int) -> list[dict[str, Any]]:
        """Rows of a batch that is done.

        Raises:
            ValueError: for a damaged file.
        """
        rows: list[dict[str, Any]] = self._part(batch).to_pylist()
        return rows

    def _part(self, batch: int) -> Any:
        """Table of a batch."""
        parquet, path = needed("pyarrow.parquet", EXTRA), self.part(batch)
        try:
            table = parquet.ParquetFile(path).read()
            rows = len(self.facts.numbers(batch)) * len(self.facts.targets)
            if len(table) != rows or not {*COLUMNS} <= {*table.column_names}:
                raise ValueError("it holds something else")
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{str(path)!r} cannot be read ({one_line(error)}); remove it, and the survey "
                "computes it again"
            ) from error
        return table

    def _of_target(self, target: int, by: str | None) -> pd.DataFrame:
        """Rows of one target, whose table has a column ``by``."""
        target = index_within("target", target, len(self.facts.targets), "the survey")
        table = self.table()
        if by is not None and (not isinstance(by, str) or by not in table):
            raise unknown("column", by, table.columns)
        return table[table["place"] == target]

    def maps_of(self, batch: int, target: int) -> NDArray[np.float32]:
        """Maps ``(n, H, W)`` of a batch that is done, in the order of its rows.

        Raises:
            ValueError: where they cannot be read.
        """
        try:
            maps = self.maps[self.facts.span(batch), target]
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ValueError(
                f"the maps of batch {batch} in {str(self.folder)!r} cannot be read "
                f"({one_line(error)}); remove {self.part(batch).name!r} from its rows, and the "
                "survey computes them again"
            ) from error
        return np.asarray(maps, np.float32)

    def _place(self, number: int, target: int) -> tuple[int, int]:
        """Number of a picture that is done, and place of a target."""
        number = index_within("picture", number, len(self), "the survey")
        target = index_within("target", target, len(self.facts.targets), "the survey")
        if not self.is_done(number) and self.ended:
            raise ValueError(
                f"picture {number} was not taken, as the survey has ended with a random "
                f"{percent(self.progress)} of them; the same call without until completes it"
            )
        if not self.is_done(number):
            raise ValueError(
                f"picture {number} is not done yet, {percent(self.progress)} of the survey are; "
                "wait, or let the survey go on"
            )
        return number, target

    def _batch(self, number: int) -> int:
        return int(self.facts.positions[number]) // self.facts.batch_size


COLUMNS = (
    "number", "source", "place", "target", "target_label", "probability", "predicted",
    "predicted_label", "predicted_probability", "label", "correct", "error", "measure_error",
)  # fmt: skip
"""Columns of every survey's rows; those of its measures stand beside them."""


def open_survey(folder: str | Path) -> Survey:
    """Survey in a folder, whether it is complete or another process computes it.

    Args:
        folder: that :func:`xwidgets.survey` was given.

    Raises:
        ValueError: for a folder that holds no survey.

    Example:
        >>> open_survey("nowhere")
        Traceback (most recent call last):
        ValueError: there is no survey in 'nowhere'; give the folder that xw.survey was given
    """
    return Survey(folder)


def array_name(layer: str) -> str:
    """Name of a layer's array, which is that of the layer but for characters such as a slash.

    Example:
        >>> array_name("features.5"), array_name("a/b")
        ('features.5', 'a%2Fb')
    """
    return quote(layer, safe="")


def number_of(path: Path) -> int | None:
    """Number of the batch whose rows a file has by its name; ``None`` for another file."""
    return int(path.stem) if re.fullmatch(r"\d{6,}\.parquet", path.name) else None


def _facts(folder: Path) -> Facts:
    path = folder / "survey.json"
    try:
        return Facts(**typed(Facts, parsed(path.read_text("utf-8"))))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(
            f"there is no survey in {str(folder)!r}; give the folder that xw.survey was given"
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} cannot be read ({one_line(error)}); give another folder, or copy the "
            "survey again"
        ) from error
