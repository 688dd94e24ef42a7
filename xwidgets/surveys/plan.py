"""Plans of surveys: what is computed of each batch of pictures.

A batch is a pure function of the plan and its number. Batches depend on network, method and number
of pictures alone, the last one is filled up, and each is computed by one thread: so numbers are the
same to the last bit, whoever computes them and in whichever order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.errors import one_line, shown
from xwidgets.explain import MapMethod
from xwidgets.explain.data_set import DataSet
from xwidgets.images.collection import Item
from xwidgets.networks import Class, Network
from xwidgets.networks._network import Watched
from xwidgets.networks.process_setting import ProcessSetting
from xwidgets.networks.subject import finite
from xwidgets.networks.target import Resolved

from .folder import Facts
from .measures import Measure, measured

Row = dict[str, Any]
"""Row of a picture and target, by name of the column."""


_THREADS = ProcessSetting(torch.get_num_threads, torch.set_num_threads)


def one_thread() -> AbstractContextManager[None]:
    """Context in which torch computes in one thread, whose numbers are always the same.

    The setting is of the whole process: it is as it was when the last of several is done.
    """
    return _THREADS.held(1)


class Batch(NamedTuple):
    """Maps, activations and rows of a batch of pictures.

    Attributes:
        number: of the batch.
        maps: ``(n, T, H, W)``, NaN for pictures without one.
        activations: by layer, the largest and the mean of each channel, ``(n, 2, C)``.
        rows: n x T.
    """

    number: int
    maps: NDArray[np.floating]
    activations: dict[str, NDArray[np.float32]]
    rows: list[Row]


class _Explained(NamedTuple):
    """Explanation of a picture.

    Attributes:
        maps: ``(T, H, W)``.
        activations: largest and mean of each channel ``(2, C)``, a layer after another.
        targets: of the maps.
        probabilities: of the classes, ``(K,)``.
    """

    maps: NDArray[np.float32]
    activations: Sequence[NDArray[np.float32]]
    targets: Sequence[Resolved]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plan:
    """Plan of a survey.

    Attributes:
        facts: of the survey.
        net: the classifier, whose weights stay as they are.
        data: the pictures.
        method: resolved on the network.
        targets: T targets; ``None`` for the class with the highest score.
        measures: of each map, by name.
    """

    facts: Facts
    net: Network
    data: DataSet
    method: MapMethod
    targets: tuple[Resolved | None, ...]
    measures: Mapping[str, Measure]

    def batch(self, number: int) -> Batch:
        """Compute a batch in one thread."""
        with one_thread():
            return self._batch(number)

    def _batch(self, number: int) -> Batch:
        items = [self.data.item(picture) for picture in self.facts.numbers(number)]
        explanations = self._explanations(items)
        maps = np.full((len(items), *self.facts.shape[1:]), np.nan, self.facts.dtype)
        activations = {
            layer: np.full((len(items), 2, channels), np.nan, np.float32)
            for layer, channels in self.facts.layers.items()
        }
        rows: list[Row] = []
        for place, (picture, item) in enumerate(
            zip(self.facts.numbers(number), items, strict=True)
        ):
            source = {"number": picture, "source": plain(self.data.source(picture))}
            explained = explanations.get(place, item.fault)
            if isinstance(explained, _Explained):
                maps[place] = explained.maps
                for kept, values in zip(activations.values(), explained.activations, strict=True):
                    kept[place] = values
                told = [*self._rows(item, explained)]
            else:
                label, _ = self._label(item, None)
                told = [{"label": label, "error": plain(explained)}] * len(self.targets)
            rows += [source | {"place": at} | row for at, row in enumerate(told)]
        return Batch(number, maps, activations, rows)

    def _explanations(self, items: Sequence[Item]) -> dict[int, _Explained | str]:
        """Explanation of each readable picture, or why it has none, by its place."""
        images = {place: item.image for place, item in enumerate(items) if item.image is not None}
        if not images:
            return {}
        return dict(zip(images, self._halved([*images.values()]), strict=True))

    def _halved(self, images: list[Tensor]) -> list[_Explained | str]:
        """Explanations of pictures in one batch; where one cannot be explained, of its halves."""
        try:
            return [*self._explained(images)]
        except ValueError as error:
            if len(images) == 1:
                return [one_line(error)]
        middle = len(images) // 2
        return self._halved(images[:middle]) + self._halved(images[middle:])

    def _explained(self, images: list[Tensor]) -> Iterator[_Explained]:
        """Explanations of pictures ``(C, H, W)`` in one batch."""
        batch = self.data.filled(images)
        logits, activations = self._passed(batch)
        logits = finite(self.net, logits[: len(images)])
        targets = [
            [Class(top) if target is None else target for target in self.targets]
            for top in logits.argmax(1).tolist()
        ]
        maps = self.method.explain_pictures(self.net, batch, targets).detach().float().cpu().numpy()
        expected = len(images), *self.facts.shape[1:]
        if maps.shape != expected:
            raise TypeError(
                f"{type(self.method).__name__}.explain_pictures returns maps {maps.shape}, but "
                f"must return {expected}: picture, target, row, column"
            )
        largest = float(np.finfo(self.facts.dtype).max)
        if np.abs(maps).max() > largest:
            raise ValueError(f"its map has values above {largest:g}; keep maps in float32")
        probabilities = self.net.probabilities(logits).numpy()
        of_pictures = [[values[place] for values in activations] for place in range(len(images))]
        return map(_Explained, maps, of_pictures, targets, probabilities)

    def _passed(self, batch: Tensor) -> tuple[Tensor, list[NDArray[np.float32]]]:
        """Logits of a batch, and what is kept of each layer."""
        if not self.facts.layers:
            return self.net.logits(batch), []
        watched = self.net.watched(batch, [*self.facts.layers], gradients=False)
        return watched.logits, [self._pooled(watched, layer) for layer in self.facts.layers]

    def _pooled(self, watched: Watched, layer: str) -> NDArray[np.float32]:
        """Largest and mean activation of each channel of a layer, ``(N, 2, C)``."""
        values = watched.activations[layer].float()
        values = values.reshape(*values.shape[:2], -1)
        pooled = torch.stack([values.amax(2), values.mean(2)], 1)
        if not torch.isfinite(pooled).all():
            raise ValueError(
                f"the values of layer {layer!r} of {self.net.name} are not all finite; check its "
                "weights"
            )
        return pooled.cpu().numpy()

    def _rows(self, item: Item, explained: _Explained) -> Iterator[Row]:
        """Rows of a picture, one for each target."""
        probabilities = explained.probabilities
        predicted = int(probabilities.argmax())
        label, correct = self._label(item, predicted)
        for target, values in zip(explained.targets, explained.maps, strict=True):
            of_class = isinstance(target, Class)
            yield self._measures(item, values) | {
                "target": target.index,
                "target_label": target.label(self.net),
                "probability": float(probabilities[target.index]) if of_class else None,
                "predicted": predicted,
                "predicted_label": self.net.class_name(predicted),
                "predicted_probability": float(probabilities[predicted]),
                "label": label,
                "correct": correct,
            }

    def _measures(self, item: Item, values: NDArray[np.float32]) -> Row:
        """Measures of a map, or why it has none, in one column or the others."""
        try:
            columns = measured(self.measures, values, item)
        except ValueError as error:
            return {"measure_error": plain(one_line(error))}
        if tuple(columns) != self.facts.measures:
            names, first = shown(tuple(columns)), shown(self.facts.measures)
            return {"measure_error": f"the measures are {names}, but those of the first {first}"}
        return columns

    def _label(self, item: Item, predicted: int | None) -> tuple[str | None, bool | None]:
        """Class that the data set tells, and whether it is the predicted one, where known."""
        label, names = item.label, self.net.classes
        if isinstance(label, str):
            label = plain(label)
            if predicted is None or names is None or label not in names:
                return label, None
            return label, names[predicted] == label
        if label is None:
            return None, None
        named = names is None or 0 <= label < len(names)
        name = self.net.class_name(label) if named else str(label)
        return name, None if predicted is None else predicted == label


def plain(text: str) -> str:
    """Text that UTF-8 can hold, of file names too that are in no encoding.

    Example:
        >>> plain("caf\\udce9.png")
        'caf\\\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
