"""Pictures that a study can turn to."""

from __future__ import annotations

import io

import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from xwidgets.errors import index_within, one_line
from xwidgets.images import Collection, picture
from xwidgets.images.scenes import Scene

from .following import Following
from .kind import check_study
from .study import Study
from .traits import Whole

FIRST = 8
"""How many pictures of a collection are read to find the one at hand."""

LARGEST = 100_000_000
"""Most pixels of a picture that is dropped."""


class Pictures(Following, traitlets.HasTraits):
    """Pictures of a study: that at hand, those of a collection, and those that are added.

    Args:
        study: is turned to them.
        images: a folder, paths, tensors, scenes and others, as :class:`xwidgets.images.Collection`
            says; ``None`` for none, and the network's examples from :meth:`more` on.

    Attributes:
        count: how many there are.
        selected: number of the one that the study has; -1 for none of these.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed=seed) for seed in (3, 4)]
        >>> with xw.Study(xw.network("birds"), scenes[0].image, samples=1) as study:
        ...     pictures = Pictures(study, scenes)
        ...     pictures.choose(1)
        ...     pictures.count, pictures.selected
        (2, 1)
    """

    count = Whole(read_only=True)
    selected = Whole(read_only=True)

    def __init__(self, study: Study, images: object = None) -> None:
        check_study(study)
        super().__init__()
        self._study = study
        self._collection = None if images is None else Collection(images)
        self._added: list[tuple[str, Tensor]] = []
        self._known: dict[int, Tensor] = {}  # of the collection, as they were prepared
        self._count()
        self._turn_to()
        if self.selected < 0:
            self._add("picture", study.image)
        self.follow(study, self._turn_to, "image")

    @property
    def can_grow(self) -> bool:
        """Whether the network's examples can be added."""
        return self._collection is None and self._study.network.examples is not None

    def more(self) -> None:
        """Add the network's examples, where there are no other pictures."""
        if self.can_grow:
            examples = self._study.network.examples
            assert examples is not None
            self._collection = Collection(examples())
            self._count()
            self._turn_to()

    def name(self, number: int) -> str:
        """Source of a picture, such as a path."""
        number = index_within("picture", number, self.count, "the strip")
        if number < len(self._added):
            return self._added[number][0]
        assert self._collection is not None
        return self._collection.source(number - len(self._added))

    @property
    def scene(self) -> Scene | None:
        """Drawn scene that the study has, with its ground truth; ``None`` for other pictures."""
        place = self.selected - len(self._added)
        return None if self._collection is None or place < 0 else self._collection.scene(place)

    def image(self, number: int) -> Tensor:
        """Picture ``(C, H, W)`` as the network takes it.

        Raises:
            ValueError: for one that cannot be read, or that the network does not take.
        """
        number = index_within("picture", number, self.count, "the strip")
        if number < len(self._added):
            return self._added[number][1]
        assert self._collection is not None
        place, net = number - len(self._added), self._study.network
        if place not in self._known:
            image = self._collection.image(place, net.channels or 3)
            if image is None:
                raise ValueError(f"{self.name(number)} cannot be read as a picture; give another")
            self._known[place] = net.prepare(image)
        return self._known[place]

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Picture to look at, 8-bit ``(H, W, 3)``."""
        return picture(self.image(number))

    def choose(self, number: int) -> None:
        """Turn the study to a picture.

        Raises:
            ValueError: as :meth:`image`.
        """
        self._study.image = self.image(number)
        self.set_trait("selected", number)

    def add(self, file: bytes, name: str) -> None:
        """Add a picture from the bytes of its file, and turn the study to it.

        Raises:
            ValueError: for bytes that are no picture, or one that the network does not take.
        """
        try:
            with Image.open(io.BytesIO(file)) as opened:
                if opened.width * opened.height > LARGEST:
                    raise ValueError(f"it has more than {LARGEST:,} pixels")
                opened.load()
                image = self._study.network.prepare(opened)
        except Exception as error:  # Pillow's readers raise errors of every kind
            reason = one_line(error)
            raise ValueError(f"{name} is no picture ({reason}); drop a PNG or JPEG file") from error
        self._study.image = image
        self._add(name, image)

    def close(self) -> None:
        """Follow the study no more."""
        self.unfollow()

    def _add(self, name: str, image: Tensor) -> None:
        self._added.insert(0, (name, image))
        self._count()
        self.set_trait("selected", 0)

    def _count(self) -> None:
        count = len(self._added) + (0 if self._collection is None else len(self._collection))
        self.set_trait("count", count)

    def _turn_to(self) -> None:
        """Find the study's image among the first and those that were read before."""
        image, first = self._study.image, len(self._added) + FIRST
        read = [len(self._added) + place for place in self._known]
        for number in dict.fromkeys([*range(min(self.count, first)), *read]):
            try:
                held = self.image(number)
            except ValueError:
                continue
            if held.shape == image.shape and bool((held == image).all()):
                self.set_trait("selected", number)
                return
        self.set_trait("selected", -1)
