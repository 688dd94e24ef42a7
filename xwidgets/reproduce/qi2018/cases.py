"""Pictures whose parts are known, to measure x-features on (Qi et al. 2018).

Drawn birds know their parts by point and by mask; photographs of CUB-200-2011 by point alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.box import Box
from xwidgets.errors import WrongType, listed, shown
from xwidgets.evaluate.parts import mask_parts, voronoi_parts
from xwidgets.images import scenes
from xwidgets.images._cub import BirdPhotograph, cub
from xwidgets.images.scenes import Scene
from xwidgets.images.scenes.birds import PARTS, SPECIES, TWINS
from xwidgets.networks import Network, network

KINDS = ("voronoi", "masks")
"""How the part of a pixel may be known: by Algorithm 1 of the paper, or by a true mask."""

Parts = Mapping[str, NDArray[np.float32]]
"""P(part | pixel), ``(P + 1, H, W)``, for each of :data:`KINDS` that is known."""


class Case(Protocol):
    """One picture of a class, and where its parts are."""

    @property
    def image(self) -> Tensor:
        """``(C, H, W)`` of the network's size."""

    @property
    def label(self) -> int:
        """The index of its true class."""

    def parts(self) -> Parts:
        """The parts that are known, of the size of the image; nothing where none are."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawn scene as a case.

    Example:
        >>> case = Drawn(scenes.bird(seed=3))
        >>> {kind: parts.shape for kind, parts in case.parts().items()}
        {'voronoi': (16, 64, 64), 'masks': (16, 64, 64)}
    """

    scene: Scene

    @property
    def image(self) -> Tensor:
        """The picture."""
        return self.scene.image

    @property
    def label(self) -> int:
        """The index of its class."""
        return self.scene.label

    def parts(self) -> Parts:
        """By points in the box of the nearest subject, and by masks."""
        height, width = self.scene.image.shape[1:]
        return {
            "voronoi": voronoi_parts(
                self.scene.parts.values(), self.scene.boxes[-1], (height, width)
            ),
            "masks": mask_parts(self.scene.masks.values()),
        }


@dataclass(frozen=True, eq=False)
class Photographed:
    """A photograph with points as a case of a network, read when asked for.

    Algorithm 1 is applied to the photograph as it is. Then every part's probabilities are brought
    to the network's size as if they were a picture, so that they stay where the pixels are.
    """

    net: Network
    bird: BirdPhotograph

    @property
    def image(self) -> Tensor:
        """The photograph as :meth:`xwidgets.Network.prepare` brings it to the network's size."""
        return self.net.prepare(self.bird.image)

    @property
    def label(self) -> int:
        """The index of its class."""
        return self.bird.label

    def parts(self) -> Parts:
        """By points; nothing when none of them is visible."""
        if not any(point.visible for point in self.bird.parts.values()):
            return {}
        height, width = self.bird.image.shape[1:]
        top, left, bottom, right = self.bird.box
        box = Box(max(0, top), max(0, left), min(height, bottom), min(width, right))
        parts = voronoi_parts(self.bird.parts.values(), box, (height, width))
        return {"voronoi": np.stack([self._prepared(part) for part in parts])}

    def _prepared(self, part: NDArray[np.float32]) -> NDArray[np.float32]:
        channels = torch.from_numpy(part).expand(self.net.channels or 3, -1, -1)
        return np.asarray(self.net.prepare(channels)[0].numpy())


class Twin(NamedTuple):
    """The class that another one is hardest to tell from.

    Attributes:
        label: its index.
        part: the name of the part in which they differ, and ``places`` where it is among the parts.
    """

    label: int
    part: str
    places: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Material:
    """Images that explanation modules are fitted to and measured on.

    Attributes:
        name: what it is called.
        net: the classifier.
        images: those that modules are fitted to, of all classes: all that
            :class:`xwidgets.images.Collection` takes.
        fresh: others, of all classes too.
        cases: for each class to explain, pictures of it that no module was fitted to.
        twins: by class; may be empty.
    """

    name: str
    net: Network
    images: object
    fresh: object
    cases: Mapping[int, Sequence[Case]]
    twins: Mapping[int, Twin] = field(default_factory=dict)


Source = Callable[[Sequence[int], int, int], Material]
"""Gives for the classes to explain, with at most so many images to fit to and so many cases a
class, the material."""


def drawn_birds(classes: Sequence[int], images: int, cases: int) -> Material:
    """Birds drawn for the embedded network, which has seen none of them.

    Example:
        >>> material = drawn_birds([3], 10, 2)
        >>> len(material.images), [case.label for case in material.cases[3]], material.twins[3].part
        (10, [3, 3], 'beak')
    """
    return Material(
        name="drawn birds",
        net=network("birds"),
        images=scenes.draw("birds", range(20_000, 20_000 + images))[0],
        fresh=scenes.draw("birds", range(30_000, 30_000 + max(1, images // 3)))[0],
        cases={
            label: [Drawn(scenes.bird(40_000 + number, label)) for number in range(cases)]
            for label in classes
        },
        twins={label: _twin(label) for label in classes},
    )


def _twin(species: int) -> Twin:
    (pair,) = (pair for pair in TWINS if species in pair)
    other = pair[0] + pair[1] - species
    here, there = SPECIES[species].plumage, SPECIES[other].plumage
    (part,) = (mark for mark in here._fields if getattr(here, mark) != getattr(there, mark))
    return Twin(other, part, tuple(n for n, name in enumerate(PARTS) if name.endswith(part)))


def cub_birds(net: Network, folder: str | Path) -> Source:
    """Photographs of CUB-200-2011: modules learn from its training half, the rest is of its test.

    Args:
        net: a network whose 200 classes are those of the data set, in their order.
        folder: see :func:`xwidgets.images.cub`.

    Returns:
        A source for :func:`xwidgets.reproduce.qi2018.reproduce`.
    """
    train, test = (cub(folder, split) for split in ("train", "test"))

    def source(classes: Sequence[int], images: int, cases: int) -> Material:
        return Material(
            name="CUB-200-2011",
            net=net,
            images=_some(train, classes, images),
            fresh=_some(test, classes, images),
            cases={
                label: [
                    Photographed(net, bird)
                    for bird in [bird for bird in test if bird.label == label][:cases]
                ]
                for label in classes
            },
        )

    return source


def _some(
    birds: Sequence[BirdPhotograph], classes: Sequence[int], count: int
) -> list[BirdPhotograph]:
    """All of these classes, and up to ``count`` in all, evenly over the list, of the others."""
    chosen = [bird for bird in birds if bird.label in classes]
    others = [bird for bird in birds if bird.label not in classes]
    more = max(0, min(count - len(chosen), len(others)))
    return chosen + [others[place * len(others) // more] for place in range(more)]


def some_cases(cases: Sequence[Case]) -> Sequence[Case]:
    """``cases``, checked to be at least one.

    Raises:
        ValueError: when they are not.
    """
    needed = "a list of cases, such as Laboratory('small').material.cases[3]"
    for case in listed("cases", cases, object, needed):
        if not (hasattr(case, "image") and hasattr(case, "parts")):
            raise WrongType(f"a case is {shown(case)}, but must have an image and parts")
    if not cases:
        raise ValueError(f"there is no case; give {needed}")
    return cases
