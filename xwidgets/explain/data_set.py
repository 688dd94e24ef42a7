"""Data sets as a network takes them: images in batches, and cached results.

The outputs of a network for an image differ in the last digits with the size of the batch. Batches
are therefore all of one size, which depends on the network and the number of images alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from math import prod
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from platformdirs import user_cache_dir
from torch import Tensor

from xwidgets.errors import WrongType, one_line, shown, warn
from xwidgets.files import fault_of, made
from xwidgets.images import one_image
from xwidgets.images.collection import Collection, Item
from xwidgets.images.pixels import in_channels
from xwidgets.networks import Network
from xwidgets.networks._network import sized_for
from xwidgets.results.result import Result, versions

_MEMORY = 128e6
"""Memory of the activations of a batch, in bytes, roughly."""


class DataSet:
    """A collection of images in front of a network.

    Args:
        net: the classifier.
        images: all that :class:`xwidgets.images.Collection` takes. Those of another size than the
            network's are brought to it by :meth:`xwidgets.Network.prepare`.
        at_most: largest number of images of a batch; ``None`` for any.

    Attributes:
        batch_size: number of images of a batch, with room for all activations of the network.

    Example:
        >>> import xwidgets as xw
        >>> data = DataSet(xw.network("birds"), [xw.scenes.bird(seed) for seed in range(3)])
        >>> len(data), data.image(0).shape
        (3, torch.Size([3, 64, 64]))
    """

    def __init__(self, net: Network, images: object, at_most: int | None = None) -> None:
        self._net = net
        self._images = Collection(images)
        self.batch_size = batch_size(net, min(len(self), at_most or len(self)))

    def __len__(self) -> int:
        return len(self._images)

    def image(self, number: int) -> Tensor | None:
        """Image as the network takes it; ``None`` when it cannot be read.

        Raises:
            ValueError: when the network cannot take it.
        """
        return self._taken(number).image

    def item(self, number: int) -> Item:
        """Item of the collection, its image as the network takes it, or why it cannot."""
        try:
            return self._taken(number)
        except ValueError as error:
            return Item(None, fault=one_line(error))

    def first(self) -> Item:
        """First item that the network can take.

        Raises:
            ValueError: when there is none.
        """
        items = (self.item(number) for number in range(len(self)))
        first = next(items)
        item = next((item for item in chain([first], items) if item.image is not None), None)
        if item is None:
            raise ValueError(
                f"none of the {len(self)} pictures can be read; of the first: {first.fault}"
            )
        return item

    def _taken(self, number: int) -> Item:
        try:
            item = self._images.item(number, self._net.channels or 3)
            image = item.image
            if image is None:
                return item
            if self._net.channels == 1 and len(image) == 3:
                image = in_channels(image, 1)
            image = sized_for(self._net, one_image(image, self._net.channels))
        except ValueError as error:
            raise ValueError(f"image {self.source(number)} of the data set: {error}") from error
        return item._replace(image=image.to(self._net.dtype))

    def source(self, number: int) -> str:
        """File of an image, or its number in the data set."""
        return self._images.source(number)

    def batches(self) -> Iterator[dict[int, Tensor | None]]:
        """Yield all images by number, :attr:`batch_size` readable ones at a time."""
        batch: dict[int, Tensor | None] = {}
        left = self.batch_size
        for number in range(len(self)):
            batch[number] = image = self.image(number)
            left -= image is not None
            if not left:
                yield batch
                batch, left = {}, self.batch_size
        if batch:
            yield batch

    def filled(self, images: list[Tensor]) -> Tensor:
        """Batch ``(batch_size, C, H, W)`` of the images, filled up with copies of the last."""
        return torch.stack(images + images[-1:] * (self.batch_size - len(images)))

    def check_skipped(self, numbers: list[int]) -> None:
        """Warn of images that could not be read.

        Raises:
            ValueError: when none could be read.
        """
        if not numbers:
            return
        names = ", ".join(map(self.source, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
        if len(numbers) == len(self):
            raise ValueError(f"none of the {len(self)} pictures can be read ({names}); check them")
        warn(f"{len(numbers)} of {len(self)} pictures cannot be read and were skipped: {names}")

    def key(self) -> str | None:
        """Cache key that changes with network and images; ``None`` for images without one."""
        data = self._images.fingerprint()
        return None if data is None else json.dumps([fingerprint(self._net), data, versions()])

    def fingerprint(self) -> str:
        """Digest that changes with the images; of those without one, of 16 and their number."""
        if (known := self._images.fingerprint()) is not None:
            return known
        digest = sha256(str(len(self)).encode())
        for number in range(0, len(self), -(-len(self) // 16)):
            image = self.item(number).image
            if image is not None:
                digest.update(image.cpu().contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()


def batch_size(net: Network, total: int) -> int:
    """Number of images of a batch, with room for all activations of the network."""
    need = net.dtype.itemsize * sum(layer.rows * prod(layer.shape) for layer in net.layers)
    return min(total, max(1, int(_MEMORY // need)))


def cache_folder(cache: object, name: str) -> Path | None:
    """Folder of cached results: ``cache``, or for ``True`` one in the user's cache folder.

    Raises:
        ValueError: when it is neither a folder, nor ``True`` or ``False``.
    """
    if cache is True:
        return Path(user_cache_dir("xwidgets")) / name
    if isinstance(cache, str | Path) and not Path(cache).is_file():
        return Path(cache)
    if cache is not False:
        kind = ValueError if isinstance(cache, str | Path) else WrongType
        raise kind(f"cache is {shown(cache)}, but must be True, False or a folder")
    return None


def cache_file(folder: Path, *key: object) -> Path:
    """File of the cached result with this key."""
    return folder / f"{sha256(json.dumps(key).encode()).hexdigest()}.npz"


@dataclass(frozen=True, eq=False)
class Cached(Result):
    """Base of results that are cached in files.

    Attributes:
        key: of the file that it was written to, which tells what it was computed of.
    """

    key: str = field(default="", kw_only=True)


C = TypeVar("C", bound=Cached)


def recalled(kind: type[C], file: Path | None, fits: Callable[[C], bool]) -> C | None:
    """Cached result of this file; ``None`` for none.

    Warns of a file that is damaged, of another key, or for whose content ``fits`` is false, which
    is for the caller to replace.
    """
    if file is None or not file.exists():
        return None
    try:
        result = kind.load(file)
        if result.key == file.stem and fits(result):
            return result
        fault = "it holds something else"
    except ValueError as error:
        fault = str(error.__cause__ or error)
    warn(f"{str(file)!r} cannot be used ({fault}); what it should hold is computed anew")
    return None


def keep(results: Mapping[Path, Cached]) -> None:
    """Save results to cache files; warn when that is not possible."""
    for file, result in results.items():
        try:
            made(file.parent)
            replace(result, key=file.stem).save(file)
        except OSError as error:
            warn(
                f"what was found cannot be kept: {fault_of(error)}; give another folder with "
                "cache=folder"
            )
            return


def fingerprint(net: Network) -> str:
    """Digest of a network that changes with its activations and its preparation of pictures."""
    normalize = [part.tolist() for part in net._normalize or ()]
    prepared = [list(net.size), net._prepare_size, net._interpolation]
    runs = [str(net.device), str(net.memory_format), repr(net.module)]
    digest = sha256(json.dumps([normalize, prepared, runs]).encode())
    rng = np.random.default_rng(0)  # what forward() does with an image that is always the same
    probe = torch.from_numpy(rng.random((1, net.channels or 3, *net.size), np.float32))
    digest.update(net(probe).cpu().float().numpy().data)
    for name, value in chain(net.module.named_parameters(), net.module.named_buffers()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
