"""Reader of Caltech-UCSD Birds-200-2011 (Wah et al., 2011), from its folder as distributed.

Locations are in pixels, with fractions, from (0, 0) at the picture's top left corner. The data set
does not say so, but its boxes begin at 0 and end at the width; a few end beyond.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from xwidgets.box import Box
from xwidgets.errors import of_kind, unknown

from ._photo import PhotographFile
from .scenes.scene import Point

_FIELDS = {
    **dict.fromkeys(("image", "class", "part"), r"[1-9]\d*"),
    **dict.fromkeys(("x", "y", "width", "height"), r"\d+(?:\.\d+)?"),
    **dict.fromkeys(("training", "visible"), "[01]"),
    "name": ".+",
}


@dataclass(frozen=True)
class BirdPhotograph(PhotographFile):
    """Photograph of a bird, whose pixels are read from disk on access.

    Attributes:
        path: of the file.
        label: index of the class, from 0.
        name: of the class, with its number from 1.
        box: all pixels that the bird's box in the data set touches, also outside of the picture.
        parts: by name of a part, the pixel at its centre.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (8, 10)).save("robin.jpg")
        >>> parts = {"beak": Point(3, 4, True), "tail": Point(0, 0, False)}
        >>> bird = BirdPhotograph(Path("robin.jpg"), 0, "001.Robin", Box(2, 1, 9, 5), parts)
        >>> bird.image.shape
        torch.Size([3, 10, 8])
    """

    name: str
    box: Box
    parts: dict[str, Point] = field(hash=False)


def cub(folder: str | Path, split: str = "train") -> list[BirdPhotograph]:
    """List the photographs of the data set.

    Args:
        folder: with ``images.txt``, ``images`` and ``parts``.
        split: ``"train"`` or ``"test"``.

    Returns:
        Photographs of the split, in the order of ``images.txt``.

    Raises:
        ValueError: when a file is missing, has an unreadable line, or lacks the line of a
            photograph, or when a box is empty.
    """
    if split not in ("train", "test"):
        raise unknown("split", split, ("train", "test"))
    of_kind("folder", folder, str | Path, "the path of a folder")
    root = Path(folder)
    images = _File(root, "images.txt", "image", "name")
    training = _File(root, "train_test_split.txt", "image", "training")
    labels = _File(root, "image_class_labels.txt", "image", "class")
    classes = _File(root, "classes.txt", "class", "name")
    boxes = _File(root, "bounding_boxes.txt", "image", "x y width height")
    parts = _File(root, "parts/parts.txt", "part", "name")
    places = _File(root, "parts/part_locs.txt", "image part", "x y visible")
    photographs = []
    for (image,), (name,) in images.lines.items():
        if training.at(image) != ("1" if split == "train" else "0",):
            continue
        path = root / "images" / name
        if not path.is_file():
            raise ValueError(
                f"there is no {str(path)!r}; {str(images.path)!r} names it: add the photograph or "
                "take its line out"
            )
        (label,) = labels.at(image)
        (species,) = classes.at(label)
        x, y, width, height = map(float, boxes.at(image))
        if not (width and height):
            raise ValueError(f"{str(boxes.path)!r} has an empty box for image {image}; correct it")
        box = Box(math.floor(y), math.floor(x), math.ceil(y + height), math.ceil(x + width))
        points = {
            part: _point(*places.at(image, number)) for (number,), (part,) in parts.lines.items()
        }
        photographs.append(BirdPhotograph(path, int(label) - 1, species, box, points))
    return photographs


class _File:
    """File of the data set: on each line one or two numbers as a key, then values."""

    def __init__(self, root: Path, name: str, keys: str, values: str) -> None:
        self.path = root / name
        self.keys = keys.split()
        self.lines: dict[tuple[str, ...], tuple[str, ...]] = {}
        if not self.path.is_file():
            raise ValueError(
                f"there is no {name!r} in {str(root)!r}; give the folder of the data set, "
                "CUB_200_2011, with all its files"
            )
        fields = [*self.keys, *values.split()]
        pattern = re.compile(r"\s+".join(f"({_FIELDS[kind]})" for kind in fields))
        text = self.path.read_text("utf-8", errors="replace")
        for number, line in enumerate(map(str.strip, text.split("\n")), 1):
            match = pattern.fullmatch(line)
            if match:
                self.lines[match.groups()[: len(self.keys)]] = match.groups()[len(self.keys) :]
            elif line:
                raise ValueError(
                    f"line {number} of {str(self.path)!r} is {line!r}, but must be "
                    f"{' '.join(fields)!r}; copy the file again"
                )

    def at(self, *key: str) -> tuple[str, ...]:
        """Values on the line with this key."""
        if key not in self.lines:
            named = ", ".join(map(" ".join, zip(self.keys, key, strict=True)))
            raise ValueError(f"{str(self.path)!r} has no line for {named}; copy the file again")
        return self.lines[key]


def _point(x: str, y: str, visible: str) -> Point:
    return Point(int(float(x)), int(float(y)), True) if visible == "1" else Point(0, 0, False)
