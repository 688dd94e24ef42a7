"""Dataset search: images that activate a neuron most, and where in them (Zeiler & Fergus 2014).

One pass over the data keeps, for every channel of the searched layers, the k images in which its
map has the largest values, and the places of these. That takes little memory however many images
there are, and is kept in a cache file, so that the next search for any channel of the layer is
answered at once. Of images with equal values the earlier one comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from xwidgets.errors import of_kind
from xwidgets.images import picture
from xwidgets.networks import Layer, Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Channel, Resolved
from xwidgets.results import TopImages
from xwidgets.results.result import Result

from ._parameter import front, parameter
from .data_set import DataSet, cache_file, cache_folder, keep
from .method import Method
from .neuron import neuron_of


def _check_cache(name: str, value: Any) -> None:
    cache_folder(value, "searches")


@dataclass(frozen=True)
class ImageSearch(Method[TopImages]):
    """Dataset search (Zeiler & Fergus 2014): the images that activate a channel of a layer most.

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

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the targets are channels."""
        for target in targets:
            of_kind("a target", target, Channel, "an xw.Channel(layer, number), a neuron")

    def begin(self, subject: Subject, targets: Sequence[Resolved]) -> Search:
        """Prepare to search."""
        channels = cast(Sequence[Channel], targets)
        neurons = [(cast(str, channel.layer), cast(int, channel.index)) for channel in channels]
        return self.search(subject.net, neurons)

    def search(self, net: Network, neurons: Iterable[tuple[str | int, int]]) -> Search:
        """Prepare to search for neurons, pairs of a layer and a channel.

        Raises:
            ValueError: as :func:`search_images`.
        """
        self.check_parameters()
        return Search(self, net, neurons)


@front(ImageSearch)
def search_images(
    net: Network,
    images: object,
    neurons: Iterable[tuple[str | int, int]],
    k: int = 5,
    *,
    cache: bool | str | Path = True,
    progress: bool = True,
) -> list[TopImages]:
    """The ``k`` images of a data set that activate each of several neurons most.

    Args:
        net: the classifier.
        neurons: pairs of a layer, by name or number of the convolution, and a channel. Activations
            are read behind the batch norm and the rectifier that directly follow a convolution.
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
    """
    search = ImageSearch(images, k, cache).search(net, neurons)
    with tqdm(total=search.total, desc="searching", unit="image", disable=not progress) as bar:
        for searched in search.steps():
            bar.update(searched - bar.n)
    return search.results()


@front(ImageSearch)
def search_images_steps(
    net: Network,
    images: object,
    neurons: Iterable[tuple[str | int, int]],
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


class Search:
    """Run through a data set that keeps the best images so far.

    Attributes:
        total: number of images of the data set.
    """

    def __init__(
        self, method: ImageSearch, net: Network, neurons: Iterable[tuple[str | int, int]]
    ) -> None:
        self._net, self._k = a_network(net).frozen(), int(method.k)  # images of one state
        self._neurons = [neuron_of(net, neuron) for neuron in neurons]
        if not self._neurons:
            raise ValueError("neurons is empty; give pairs of a layer and a channel")
        self._folder = cache_folder(method.cache, "searches")
        self._data = DataSet(net, method.images)
        self._best = {layer: _Best.of_none(layer.shape[0]) for layer, _ in self._neurons}
        self._pictures: dict[int, NDArray[np.uint8]] = {}
        self.total = len(self._data)

    def steps(self) -> Iterator[int]:
        """Search; yields the number of searched images after each batch."""
        files = self._files()
        asked = [layer for layer in self._best if not self._recalled(layer, files.get(layer))]
        for searched in self._looked(asked) if asked else (self.total,):
            if searched == self.total:
                self._data.check_skipped(
                    sorted({number for best in self._best.values() for number in best.skipped})
                )
                keep({files[layer]: self._best[layer] for layer in files.keys() & set(asked)})
            yield searched

    def results(self) -> list[TopImages]:
        """Best images so far, one result a neuron."""
        return [self._result(layer, channel) for layer, channel in self._neurons]

    def _looked(self, layers: list[Layer]) -> Iterator[int]:
        searched = 0
        for batch in self._data.batches():
            images = {number: image for number, image in batch.items() if image is not None}
            skipped = tuple(number for number in batch if number not in images)
            for layer, maxima in self._maxima(layers, list(images.values())).items():
                of_batch = _Best.of(*maxima, list(images), skipped)
                self._best[layer] = self._best[layer].joined(of_batch, self._k)
            shown = {
                number
                for layer, channel in self._neurons
                for number in self._best[layer].top(channel)
            }
            self._pictures = {
                number: picture(images[number]) if number in images else self._pictures[number]
                for number in shown
            }
            searched += len(batch)
            yield searched

    def _maxima(
        self, layers: list[Layer], images: list[Tensor]
    ) -> dict[Layer, tuple[Tensor, Tensor]]:
        """Maximum of each map of ``N`` images, and its place in the map, ``(N, C)`` each."""
        if not images:
            return {layer: (torch.zeros(0, layer.shape[0]),) * 2 for layer in layers}
        names = [layer.name for layer in layers]
        filled = self._data.filled(images)
        activations = self._net.watched(filled, names, gradients=False).activations
        maxima = {}
        for layer in layers:
            maps = activations[layer.name][: len(images)].reshape(len(images), layer.shape[0], -1)
            values, places = maps.max(2)
            if not values.isfinite().all():
                raise ValueError(
                    f"the values of layer {layer.name!r} of {self._net.name} are not all finite; "
                    "check its weights"
                )
            maxima[layer] = values.cpu(), places.cpu()
        return maxima

    def _result(self, layer: Layer, channel: int) -> TopImages:
        best = self._best[layer]
        numbers = best.top(channel)
        width = prod(layer.shape[2:])
        return TopImages(
            network_name=self._net.name,
            layer=layer.name,
            channel=channel,
            activations=best.values[channel],
            images=np.stack([self._pictures[number] for number in numbers]),
            fields=tuple(
                layer.field_of(place // width, place % width, self._net.size)
                for place in best.places[channel].tolist()
            ),
            sources=tuple(self._data.source(number) for number in numbers),
            searched=best.searched,
            total=self.total,
            skipped=tuple(self._data.source(number) for number in best.skipped),
        )

    def _files(self) -> dict[Layer, Path]:
        """Cache file of each layer."""
        folder, key = self._folder, self._folder and self._data.key()
        if folder is None or key is None:
            return {}
        return {layer: cache_file(folder, key, layer.name, self._k) for layer in self._best}

    def _recalled(self, layer: Layer, file: Path | None) -> bool:
        """Whether the cache has a search for the layer, of the same readable files."""
        try:
            best = _Best.load(file) if file else None
        except ValueError:  # there is none yet, or it is damaged
            best = None
        if best is None:
            return False
        shown = {
            number
            for searched, channel in self._neurons
            if searched == layer
            for number in best.top(channel)
        }
        for number in shown.union(best.skipped):
            image = self._data.image(number)
            if (image is None) != (number in best.skipped):
                return False
            if image is not None:
                self._pictures[number] = picture(image)
        self._best[layer] = best
        return True


@dataclass(frozen=True, eq=False)
class _Best(Result):
    """Best images of every channel of a layer, the best first.

    Attributes:
        values: float32 ``(C, k)``, maximum of the channel's map in each image.
        numbers: int64 ``(C, k)``, numbers of the images.
        places: int64 ``(C, k)``, place of the maximum in the flattened map.
        searched: number of images so far.
        skipped: numbers of the images that could not be read.
    """

    values: NDArray[np.float32]
    numbers: NDArray[np.int64]
    places: NDArray[np.int64]
    searched: int
    skipped: tuple[int, ...]

    _forms: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"skipped": tuple}

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

    def _fault(self) -> str | None:
        shapes = {self.values.shape, self.numbers.shape, self.places.shape}
        return None if len(shapes) == 1 else "its numbers do not fit together"
