"""Dataset search: images that activate something most, and where in them (Zeiler & Fergus 2014).

Neurons are searched for, and so are units, the scores of classes before softmax, and directions in
the space of a layer, such as the x-features of an explanation module.

One pass over the data keeps, for every channel of the searched layers, the k images in which its
map has the largest values, and the places of these; class scores are kept as channels are. That
takes little memory however many images there are, and is kept in a cache file, so that the next
search for any channel of the layer is answered at once. Of images with equal values the earlier one
comes first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from xwidgets.box import Box
from xwidgets.errors import a_flag, index_within, listed
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Above, Channel, Class, Resolved, Target, Unit
from xwidgets.results import TopImages
from xwidgets.results.facts import limits

from ._parameter import front, parameter
from ._x_features import the_module
from .data_set import Cached, DataSet, cache_file, cache_folder, keep, recalled
from .explanation_module.module import ExplanationModule
from .method import Method
from .neuron import neuron_of

Searched = tuple[str | int, int] | tuple[ExplanationModule, int] | Resolved | int | str
"""A neuron, pair of a layer and a channel; an x-feature of a module; a class; or another target."""

Family = tuple[str, Hashable]


def _check_cache(name: str, value: Any) -> None:
    cache_folder(value, "searches")


@dataclass(frozen=True)
class ImageSearch(Method[TopImages]):
    """Dataset search (Zeiler & Fergus 2014): the images in which an activation is largest.

    Its result does not depend on the image of a study.

    Example:
        >>> import xwidgets as xw
        >>> net, scenes = xw.network("birds"), [xw.scenes.bird(seed) for seed in range(20)]
        >>> ImageSearch(scenes, k=3).run(net, scenes[0].image, xw.Channel(5, 3))
        <TopImages: 3 for ... channel 3 (birds), of 20 images>
    """

    images: object = parameter(
        None,
        "a folder, paths, tensors, photographs, scenes or a data set of PyTorch: all that "
        ":class:`xwidgets.images.Collection` takes. Those of another size than the network's are "
        "brought to it by :meth:`xwidgets.Network.prepare`. Files that cannot be read are skipped "
        "with a warning",
        told=False,
    )
    k: int = parameter(5, "number of images of each neuron", least=1, span=(1, 20), label="Images")
    cache: bool | str | Path = parameter(
        True,
        "whether results for all channels of these layers are cached in files; or the folder of "
        "these files. ``True`` takes the user's cache folder. Images that are neither files nor "
        "one tensor or array are searched anew each time",
        check=_check_cache,
        told=False,
        compared=False,
    )

    name, unit = "dataset search", "activation"

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Search:
        """Prepare to search."""
        return self.search(subject.net, targets)

    def search(self, net: Network, neurons: Iterable[Searched]) -> Search:
        """Prepare to search for neurons and others, as of :func:`search_images`.

        Raises:
            ValueError: as :func:`search_images`.
        """
        self.check_parameters()
        return Search(self, net, neurons)


@front(ImageSearch)
def search_images(
    net: Network,
    images: object,
    neurons: Iterable[Searched],
    k: int = 5,
    *,
    cache: bool | str | Path = True,
    progress: bool = True,
) -> list[TopImages]:
    """The ``k`` images of a data set that activate each of several neurons, or others, most.

    Args:
        net: the classifier.
        neurons: pairs of a layer, by name or number of the convolution, and a channel. Activations
            are read behind the batch norm and the rectifier that directly follow a convolution.
            Or classes, by index or name, for their scores before softmax; pairs of an
            :class:`xwidgets.ExplanationModule` and the number of an x-feature; or an
            :class:`xwidgets.Channel` or :class:`xwidgets.Unit`.
        progress: whether to show a progress bar.

    Returns:
        One result for each neuron, in the same order, its most active image first; of equally
        active ones the earlier.

    Raises:
        ValueError: for an invalid data set, neuron or other argument.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed) for seed in range(20)]
        >>> search_images(xw.network("birds"), scenes, [(5, 3), (13, 7)], k=3, progress=False)
        [<TopImages: 3 for ... channel 3 (birds), of 20 images>, <TopImages: 3 for ...>]
        >>> search_images(xw.network("birds"), scenes, [7], k=2, progress=False)
        [<TopImages: 2 for Dune finch (ruby breast) (birds), of 20 images>]
    """
    search = ImageSearch(images, k, cache).search(net, neurons)
    a_flag("progress", progress)
    with tqdm(total=search.total, desc="searching", unit="image", disable=not progress) as bar:
        for searched in search.steps():
            bar.update(searched - bar.n)
    return search.results()


@front(ImageSearch)
def search_images_steps(
    net: Network,
    images: object,
    neurons: Iterable[Searched],
    k: int = 5,
    *,
    cache: bool | str | Path = True,
) -> Iterator[list[TopImages]]:
    """Yield the results of :func:`search_images` as they grow, one step a batch.

    The arguments are checked at once. Closing the generator cancels; nothing is computed between
    steps.

    Args:
        net, neurons: as of :func:`search_images`.

    Yields:
        The best images so far, of ``searched`` ones. The last are those of :func:`search_images`.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(100))
        >>> steps = search_images_steps(xw.network("birds"), images, [(13, 7)], cache=False)
        >>> [top] = next(steps)
        >>> top.searched < top.total
        True
        >>> steps.close()
    """
    search = ImageSearch(images, k, cache).search(net, neurons)
    return (search.results() for _ in search.steps())


@dataclass(frozen=True)
class Goal:
    """What is searched for: one of the channels, classes or x-features of a family.

    Attributes:
        net: the classifier.
        target: whose :meth:`units` are the family's.
        family: name of the layer, "" for class scores, and what tells families of it apart.
        channels: number of units or maps of the family.
        label: name; "" for a channel.
    """

    net: Network
    target: Resolved
    family: Family
    channels: int
    label: str = ""

    @classmethod
    def of(cls, net: Network, searched: Searched) -> Goal:
        """Goal of an argument of :func:`search_images`.

        Raises:
            ValueError: when there is no such neuron, class or x-feature.
        """
        if isinstance(searched, tuple) and searched and isinstance(searched[0], ExplanationModule):
            return cls._x_feature(net, *searched)
        named = isinstance(searched, str) and searched in (net.classes or ())
        if named or isinstance(searched, Class | Channel | Unit | Above | int):
            if isinstance(searched, Channel) and searched.index is None:
                raise ValueError(f"{searched!r} is no channel of all images; give its number")
            subject = Subject(net, torch.full((net.channels or 3, *net.size), 0.5))
            target = subject.target(cast(Target, searched))
            if not isinstance(target, Channel):
                family = (str(getattr(target, "layer", None) or ""), _rest(target))
                channels = target.units(subject.watched(target=target)).shape[1]
                return cls(net, target, family, channels, target.label(net))
            searched = str(target.layer), cast(int, target.index)
        layer, channel = neuron_of(net, searched)
        return cls(net, Channel(layer.name, channel), (layer.name, None), layer.shape[0])

    @classmethod
    def _x_feature(cls, net: Network, module: ExplanationModule, number: int) -> Goal:
        facts = the_module(net, module).facts
        count = len(module.weights)
        index = index_within("x-feature", number, count, f"the module for {facts.label!r}")
        encoder = deepcopy(module.encoder).to(net.device, net.dtype)
        label = f"x-feature {index} of {facts.label}"
        family = (facts.layer, module.fingerprint)
        return cls(net, Above(facts.layer, index, encoder), family, count, label)

    @property
    def index(self) -> int:
        """Number in the family."""
        return cast(int, self.target.index)

    @property
    def places(self) -> int:
        """Number of places of its map; 1 for what has none."""
        match self.target:
            case Channel(layer):
                return prod(self.net.layer(layer).shape[1:])
        return 1

    def field(self, place: int) -> Box:
        """Receptive field of a place of the flattened map, or the whole picture."""
        match self.target:
            case Channel(layer):
                found = self.net.layer(layer)
                row, column = divmod(place, prod(found.shape[2:]))
            case Unit(layer, _, row, column):
                found = self.net.layer(layer)
            case _:
                return Box(0, 0, *self.net.size)
        return found.field_of(row, column, self.net.size)


def _rest(target: Resolved) -> Hashable:
    """What tells families of one layer apart: the place of a unit, or the layers above."""
    match target:
        case Unit(_, _, row, column):
            return row, column
        case Above(_, _, top):
            return None if top is None else id(top)
    return None


class Search:
    """Run through a data set that keeps the best images so far.

    Attributes:
        total: number of images of the data set.
    """

    def __init__(self, method: ImageSearch, net: Network, neurons: Iterable[Searched]) -> None:
        self._net, self._k = a_network(net).frozen(), int(method.k)  # images of one state
        self._goals = [
            Goal.of(self._net, neuron)
            for neuron in listed("neurons", neurons, object, "neurons, such as (layer, channel)")
        ]
        if not self._goals:
            raise ValueError("neurons is empty; give pairs of a layer and a channel, or classes")
        self._folder = cache_folder(method.cache, "searches")
        self._data = DataSet(net, method.images)
        self._families = {goal.family: goal for goal in self._goals}
        self._best = {
            family: _Best.of_none(goal.channels) for family, goal in self._families.items()
        }
        self._pictures: dict[int, NDArray[np.uint8]] = {}
        self.total = len(self._data)

    def steps(self) -> Iterator[int]:
        """Search; yields the number of searched images after each batch."""
        files = self._files()
        asked = [family for family in self._best if not self._recalled(family, files.get(family))]
        for searched in self._looked(asked) if asked else (self.total,):
            if searched == self.total:
                self._data.check_skipped(
                    sorted({number for best in self._best.values() for number in best.skipped})
                )
                keep({files[family]: self._best[family] for family in files.keys() & set(asked)})
            yield searched

    def results(self) -> list[TopImages]:
        """Best images so far, one result for each that is searched for."""
        return [self._result(goal) for goal in self._goals]

    def _looked(self, families: list[Family]) -> Iterator[int]:
        searched = 0
        for batch in self._data.batches():
            images = {number: image for number, image in batch.items() if image is not None}
            skipped = tuple(number for number in batch if number not in images)
            for family, maxima in self._maxima(families, list(images.values())).items():
                of_batch = _Best.of(*maxima, list(images), skipped)
                self._best[family] = self._best[family].joined(of_batch, self._k)
            shown = {
                number for goal in self._goals for number in self._best[goal.family].top(goal.index)
            }
            self._pictures = {
                number: picture(images[number]) if number in images else self._pictures[number]
                for number in shown
            }
            searched += len(batch)
            yield searched

    def _maxima(
        self, families: list[Family], images: list[Tensor]
    ) -> dict[Family, tuple[Tensor, Tensor]]:
        """Maximum of each map of ``N`` images, and its place in the map, ``(N, C)`` each."""
        goals = {family: self._families[family] for family in families}
        if not images:
            return {family: (torch.zeros(0, goal.channels),) * 2 for family, goal in goals.items()}
        names = list(dict.fromkeys(name for goal in goals.values() for name in goal.target.layers))
        watched = self._net.watched(self._data.filled(images), names, gradients=False)
        maxima = {}
        for family, goal in goals.items():
            units = goal.target.units(watched).detach()
            maps = units[: len(images)].reshape(len(images), goal.channels, -1)
            values, places = maps.max(2)
            if not values.isfinite().all():
                where = f"layer {family[0]!r}" if family[0] else "the output"
                raise ValueError(
                    f"the values of {where} of {self._net.name} are not all finite; check its "
                    "weights"
                )
            maxima[family] = values.cpu(), places.cpu()
        return maxima

    def _result(self, goal: Goal) -> TopImages:
        best = self._best[goal.family]
        numbers = best.top(goal.index)
        return TopImages(
            network_name=self._net.name,
            layer=goal.family[0],
            channel=goal.index,
            activations=best.values[goal.index],
            images=np.stack([self._pictures[number] for number in numbers]),
            fields=tuple(goal.field(place) for place in best.places[goal.index].tolist()),
            sources=tuple(self._data.source(number) for number in numbers),
            searched=best.searched,
            total=self.total,
            skipped=tuple(self._data.source(number) for number in best.skipped),
            label=goal.label,
        )

    def _files(self) -> dict[Family, Path]:
        """Cache file of each layer, and of the class scores."""
        folder, key = self._folder, self._folder and self._data.key()
        if folder is None or key is None:
            return {}
        return {
            family: cache_file(folder, key, family[0] or None, self._k)
            for family, goal in self._families.items()
            if isinstance(goal.target, Channel | Class)
        }

    def _recalled(self, family: Family, file: Path | None) -> bool:
        """Whether the cache has such a search, of the same readable files."""
        goal = self._families[family]
        best = recalled(_Best, file, lambda kept: kept.fits(goal, self._k, self.total))
        if best is None:
            return False
        shown = {
            number
            for goal in self._goals
            if goal.family == family
            for number in best.top(goal.index)
        }
        for number in shown.union(best.skipped):
            image = self._data.image(number)
            if (image is None) != (number in best.skipped):
                return False
            if image is not None:
                self._pictures[number] = picture(image)
        self._best[family] = best
        return True


@dataclass(frozen=True, eq=False)
class _Best(Cached):
    """Best images of every channel of a layer, the best first.

    Attributes:
        values: float32 ``(C, k)``, maximum of the channel's map in each image.
        numbers: int64 ``(C, k)``, numbers of the images.
        places: int64 ``(C, k)``, place of the maximum in the flattened map.
        searched: number of images so far.
        skipped: numbers of the images that could not be read.
    """

    values: NDArray[np.float32] = field(metadata=limits("C k"))
    numbers: NDArray[np.int64] = field(metadata=limits("C k", least=0))
    places: NDArray[np.int64] = field(metadata=limits("C k", least=0))
    searched: int
    skipped: tuple[int, ...] = field(metadata=limits("n?", least=0))

    @classmethod
    def of_none(cls, channels: int) -> Self:
        """Best of no images."""
        nothing = np.zeros((channels, 0), np.int64)
        return cls(nothing.astype(np.float32), nothing, nothing, 0, ())

    @classmethod
    def of(
        cls, maxima: Tensor, places: Tensor, numbers: list[int], skipped: tuple[int, ...]
    ) -> Self:
        """Images of one batch, in any order, with maxima and places ``(N, C)`` of their maps."""
        return cls(
            values=maxima.T.float().numpy(),
            numbers=np.tile(np.array(numbers, np.int64), (maxima.shape[1], 1)),
            places=places.T.long().numpy(),
            searched=len(numbers) + len(skipped),
            skipped=skipped,
        )

    def joined(self, later: Self, k: int) -> Self:
        """The ``k`` best of these and of later images; of equal ones the earlier."""
        values = np.concatenate([self.values, later.values], 1)
        order = np.argsort(-values, 1, kind="stable")[:, :k]

        def best(these: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(np.concatenate([these, others], 1), order, 1)

        return replace(
            self,
            values=best(self.values, later.values),
            numbers=best(self.numbers, later.numbers),
            places=best(self.places, later.places),
            searched=self.searched + later.searched,
            skipped=self.skipped + later.skipped,
        )

    def top(self, channel: int) -> list[int]:
        """Numbers of a channel's best images."""
        numbers: list[int] = self.numbers[channel].tolist()
        return numbers

    def fits(self, goal: Goal, k: int, total: int) -> bool:
        """Whether these can be the ``k`` best of ``total`` images for the family of a goal."""
        readable = {*range(total)}.difference(self.skipped)
        return (
            self.searched == total
            and len(readable) + len(self.skipped) == total
            and self.values.shape == (goal.channels, min(k, len(readable)))
            and readable.issuperset(self.numbers.flat)
            and all(len({*row}) == len(row) for row in self.numbers.tolist())
            and self.places.max() < goal.places
            and bool((np.diff(self.values) <= 0).all())
        )
