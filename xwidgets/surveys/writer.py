"""Writer of a survey's folder: one process at a time, one batch after another.

A batch's maps and activations are written first, then its rows, by replacement of their file as a
whole. Whatever ends the process, a batch whose rows are there is complete, and any other is
computed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xwidgets.errors import shown
from xwidgets.extras import needed
from xwidgets.files import explained, locked, made, whole

from .folder import EXTRA, Facts, Survey, array_name
from .plan import Batch, Row

_WORDS = {
    "method": "method",
    "parameters": "parameters",
    "targets": "targets",
    "network_name": "network",
    "count": "number of pictures",
    "size": "size of pictures",
    "units": "units",
    "signed": "signs",
    "dtype": "dtype",
    "measures": "measures",
    "layers": "layers",
    "batch_size": "size of batches",
}
"""Facts that a survey and one that goes on with it share, in words."""


class Writer:
    """Writer of what is computed for a survey; made by :func:`writing`.

    Args:
        survey: whose folder is written to.
        again: whether batches that failed count as missing.

    Attributes:
        missing: numbers of the batches that were not done when it was made.
    """

    def __init__(self, survey: Survey, again: bool) -> None:
        zarr, facts = needed("zarr", EXTRA), survey.facts
        self._survey, done = survey, survey.done
        kept = done - survey.failed if again else done
        self.missing = [number for number in range(facts.batches) if number not in kept]
        made(survey.rows_folder)
        with explained(survey.folder, *_NOT_WRITTEN):
            survey.ended_file.unlink(missing_ok=True)
            if not done:
                _create(survey)
            self._maps = zarr.open_array(survey.maps_folder, mode="r+")
            self._neurons = (
                zarr.open_group(survey.neurons_folder, mode="r+") if facts.layers else {}
            )

    def write(self, batch: Batch) -> None:
        """Write the maps and activations of a batch, and then its rows.

        Raises:
            OSError: when that is not possible; the batch is not done then.
        """
        span = self._survey.facts.span(batch.number)
        with explained(self._survey.folder, *_NOT_WRITTEN):
            self._maps[span] = batch.maps
            for layer, values in batch.activations.items():
                self._neurons[array_name(layer)][span] = values
        with whole(self._survey.part(batch.number)) as part:
            part.write_bytes(_parquet(batch.rows, self._survey.facts.measures))

    def end(self, errors: Mapping[str, float]) -> None:
        """Write down that these standard errors have ended the survey."""
        with whole(self._survey.ended_file) as part:
            part.write_text(json.dumps({"standard_errors": dict(errors)}), "utf-8")


def _create(survey: Survey) -> None:
    """Create the arrays of a survey, empty."""
    zarr, facts = needed("zarr", EXTRA), survey.facts
    common = {
        "fill_value": float("nan"),
        "compressors": zarr.codecs.BloscCodec(cname="zstd", shuffle="shuffle"),
        "overwrite": True,
    }
    zarr.create_array(
        survey.maps_folder,
        shape=facts.shape,
        chunks=(facts.batch_size, *facts.shape[1:]),
        dtype=facts.dtype,
        dimension_names=("picture", "target", "row", "column"),
        **common,
    )
    if facts.layers:
        neurons = zarr.create_group(survey.neurons_folder, overwrite=True)
    for layer, channels in facts.layers.items():
        neurons.create_array(
            array_name(layer),
            shape=(facts.count, 2, channels),
            chunks=(facts.batch_size, 2, channels),
            dtype="float32",
            dimension_names=("picture", "largest_and_mean", "channel"),
            **common,
        )


_NOT_WRITTEN = (
    "could not be written",
    "what is done stays, so make room or give another folder, and call it again",
)


@contextmanager
def writing(folder: Path, facts: Facts, again: bool) -> Iterator[Writer]:
    """Context of a writer to a folder, which is made, or holds the same survey already.

    Args:
        folder: of the survey.
        facts: of the survey.
        again: as of :class:`Writer`.

    Raises:
        ValueError: for a folder that holds another survey, or other files.
        OSError: for one that cannot be written to, or that another process writes to.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is no folder; give a new or empty one")
    path = made(folder) / "survey.json"
    others = [file.name for file in folder.iterdir() if not file.name.startswith(".")]
    if others and not path.exists():
        raise ValueError(
            f"{str(folder)!r} holds {shown(min(others))} and no survey; give a new or empty folder"
        )
    with locked(path):
        if path.exists():
            _check_same(Survey(folder).facts, facts, folder)
        else:
            facts.save(path)
        yield Writer(Survey(folder), again)


@contextmanager
def behind(write: Callable[[Batch], None]) -> Iterator[Callable[[Batch], None]]:
    """Context of the same in a thread, so that one batch is written while the next is computed.

    What goes wrong is raised by the call after it, or at the end.

    Example:
        >>> with behind(print) as write:
        ...     write("a batch")
        a batch
    """
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1) as thread:

        def written(batch: Batch) -> None:
            while waiting:
                waiting.pop().result()
            waiting.append(thread.submit(write, batch))

        yield written
        for future in waiting:
            future.result()


def _check_same(before: Facts, now: Facts, folder: Path) -> None:
    """Check that a survey is the one that a folder holds.

    Raises:
        ValueError: when it is not.
    """
    for name, words in _WORDS.items():
        was, new = getattr(before, name), getattr(now, name)
        if was != new:
            raise ValueError(
                f"{str(folder)!r} holds another survey, whose {words} is {shown(was)} and not "
                f"{shown(new)}; give another folder"
            )
    if before.network != now.network:
        raise ValueError(
            f"the network {now.network_name} has changed since the survey in {str(folder)!r} "
            "began; load the weights that it began with, on the device that it was on, or give "
            "another folder"
        )
    if before.pictures != now.pictures:
        raise ValueError(
            f"the pictures have changed since the survey in {str(folder)!r} began; give those that "
            "it began with, or another folder"
        )
    if before.explained != now.explained:
        raise ValueError(
            f"{str(folder)!r} holds another survey, whose method or target has other arrays or "
            "objects in it; give those that it began with, or another folder"
        )
    for package in sorted(before.versions.keys() & now.versions.keys() - {"python"}):
        was, new = before.versions[package], now.versions[package]
        if was != new:
            raise ValueError(
                f"the survey in {str(folder)!r} began with {package} {was}, and this is {new}, "
                "whose numbers can differ; go on with that version, or give another folder"
            )


def _parquet(rows: Sequence[Row], measures: Sequence[str]) -> Any:
    """Rows as a file of Parquet, in memory."""
    pyarrow, parquet = needed("pyarrow", EXTRA), needed("pyarrow.parquet", EXTRA)
    whole_number, number, text = pyarrow.int64(), pyarrow.float64(), pyarrow.string()
    columns = {
        "number": whole_number, "source": text, "place": whole_number, "target": whole_number,
        "target_label": text,
        "probability": number, "predicted": whole_number, "predicted_label": text,
        "predicted_probability": number, "label": text, "correct": pyarrow.bool_(),
        **dict.fromkeys(measures, number), "error": text, "measure_error": text,
    }  # fmt: skip
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.Table.from_pylist(rows, pyarrow.schema(columns))
    parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()
