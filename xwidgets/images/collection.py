"""Collections: one interface to the images of any data set."""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from xwidgets.errors import one_line

from ._photo import PhotographFile, is_picture, read
from .pixels import as_pixels, as_tensor, in_channels
from .scenes import Scene


class Item(NamedTuple):
    """Item of a collection, read once.

    Attributes:
        image: ``(C, H, W)``; ``None`` when it cannot be read.
        label: index or name of its class, such as the folder that it is in; ``None`` for none.
        scene: drawn scene with its ground truth; ``None`` for other pictures.
        fault: why it cannot be read; "" for one that can.
    """

    image: Tensor | None
    label: int | str | None = None
    scene: Scene | None = None
    fault: str = ""


class Collection:
    """Images of a data set by number, each read on access.

    Args:
        images: a folder with pictures in it or below, such as a folder of class folders, which are
            sorted; a sequence of paths, of tensors or arrays ``(C, H, W)`` in [0, 1], of all that
            :func:`xwidgets.photo` reads, of photographs from :func:`xwidgets.images.inria` or
            :func:`xwidgets.images.cub` or of scenes; a tensor or array ``(N, C, H, W)``; or a data
            set of PyTorch with a length. Items may be tuples that begin with the image.

    Raises:
        ValueError: for anything else, or no picture at all.

    Example:
        >>> from PIL import Image
        >>> Path("pictures/robin").mkdir(parents=True)
        >>> Image.new("RGB", (8, 10)).save("pictures/robin/1.png")
        >>> collection = Collection("pictures")
        >>> len(collection), collection.source(0), collection.image(0).shape
        (1, 'robin/1.png', torch.Size([3, 10, 8]))
    """

    def __init__(self, images: object) -> None:
        self._folder: Path | None = None
        if isinstance(images, Collection):
            self.__dict__.update(images.__dict__)
        elif isinstance(images, str | Path):
            self._folder = Path(images)
            self._items: Any = _pictures(self._folder)
        elif isinstance(images, Tensor | np.ndarray):
            as_pixels(images[:1] if images.ndim == 4 else images)
            self._items = images
        elif not _is_sequence(images):
            raise ValueError(
                f"a data set is a folder, a tensor (N, C, H, W), or a sequence with a length of "
                f"images, paths or (image, label), not {type(images).__name__}; make a list of it"
            )
        else:
            self._items = images
        if not len(self):
            raise ValueError("the data set is empty; give at least one image")

    def __len__(self) -> int:
        return len(self._items)

    def image(self, number: int, channels: int = 3) -> Tensor | None:
        """Image ``(C, H, W)``; ``None`` when it cannot be read from its file.

        Args:
            number: of the image.
            channels: C of an image that is read, as of :func:`xwidgets.photo`; tensors and arrays
                of floating-point numbers have their own.

        Raises:
            ValueError: when the item is no image.
        """
        return self.item(number, channels).image

    def item(self, number: int, channels: int = 3) -> Item:
        """Image with what the data set tells of it; arguments as of :meth:`image`.

        Raises:
            ValueError: when the item is no image.
        """
        # Pillow's readers raise errors of every kind; a data set's own may tell of a mistake in it
        unreadable = (OSError, SyntaxError) if self._path(number) is None else (Exception,)
        item = None
        try:
            item = self._items[number]
            source = _image(_first(item))
            pixels = isinstance(source, Tensor | np.ndarray) and not is_picture(source)
            image = as_tensor(source).detach() if pixels else read(source)
        except unreadable as error:
            return Item(None, self._label(item), fault=one_line(error) or type(error).__name__)
        if image.ndim != 3:
            raise ValueError(f"its shape is {tuple(image.shape)}, but must be (C, H, W)")
        image = image if pixels else in_channels(image, channels)
        first = _first(item)
        return Item(image, self._label(item), first if isinstance(first, Scene) else None)

    def source(self, number: int) -> str:
        """Path of an image, relative to the folder where there is one; else its number."""
        path = self._path(number)
        if path is None:
            return str(number)
        return (path.relative_to(self._folder) if self._folder else path).as_posix()

    def scene(self, number: int) -> Scene | None:
        """Drawn scene of this number, with its ground truth; ``None`` for other pictures."""
        item = _first(self._items[number])
        return item if isinstance(item, Scene) else None

    def fingerprint(self) -> str | None:
        """Digest that changes with the images; ``None`` where that would need reading all items.

        Of files, it takes name, size and time of change; of tensors and arrays, the contents.
        """
        digest = sha256()
        if isinstance(self._items, Tensor | np.ndarray):
            digest.update(f"{self._items.dtype} {tuple(self._items.shape)}".encode())
            for number in range(len(self)):
                pixels = as_tensor(self._items[number]).detach().cpu().contiguous()
                digest.update(pixels.view(torch.uint8).numpy().data)
            return digest.hexdigest()
        paths = [self._path(number) for number in range(len(self))]
        try:
            files = [path.stat() for path in paths if path is not None]
        except OSError:
            return None
        if len(files) < len(paths):
            return None
        for number, file in enumerate(files):
            line = [self.source(number), file.st_size, file.st_mtime_ns]
            digest.update(json.dumps(line).encode())
        return digest.hexdigest()

    def _label(self, item: object) -> int | str | None:
        """Class of an item: that of a pair or a photograph, or the folder that a file is in."""
        if self._folder is not None and isinstance(item, Path):
            above = item.relative_to(self._folder).parts[:-1]
            return above[0] if above else None
        paired = isinstance(item, tuple | list) and len(item) > 1
        label = item[1] if paired else getattr(_first(item), "label", None)  # type: ignore[index]
        if isinstance(label, Tensor | np.ndarray | np.generic) and label.ndim == 0:
            label = label.item()
        return label if isinstance(label, int | str) and not isinstance(label, bool) else None

    def _path(self, number: int) -> Path | None:
        """File of an item, where that is known without reading it."""
        if not isinstance(self._items, list | tuple):
            return None
        item = _first(self._items[number])
        if isinstance(item, PhotographFile):
            return item.path
        return Path(item) if isinstance(item, str | Path) else None


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        advice = "give its folder, or a list of paths" if folder.exists() else "check the path"
        raise ValueError(f"there is no folder {str(folder)!r}; {advice}")
    suffixes = {end for end, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    paths = (Path(above, name) for above, _, names in os.walk(folder) for name in names)
    pictures = sorted(path for path in paths if path.suffix.lower() in suffixes)
    if not pictures:
        raise ValueError(
            f"there are no pictures in {str(folder)!r} or below; give a folder of PNG, JPEG or "
            "other image files"
        )
    return pictures


def _is_sequence(value: object) -> bool:
    numbered = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return numbered and not isinstance(value, Mapping | bytes)


def _first(item: object) -> object:
    """Image of an item that may be a pair of an image and its label."""
    return item[0] if isinstance(item, tuple | list) and item else item


def _image(item: object) -> object:
    """Image of an item that may be a photograph or a scene."""
    if isinstance(item, Tensor | np.ndarray | Image.Image):
        return item
    return getattr(item, "image", item)
