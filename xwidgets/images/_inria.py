"""Reader of the INRIA person data set (Dalal and Triggs, 2005), from its folder as distributed.

Lists name one file a line; the files on disk may differ in case, and in .png for .jpg. A box in an
annotation is the (x, y) of its first and of its last pixel, counted from the origin that the
annotation states: (0, 0) in this data set; PASCAL's own (1, 1) where it states none.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xwidgets.box import Box
from xwidgets.errors import of_kind, unknown

from ._photo import PhotographFile


@dataclass(frozen=True)
class Photograph(PhotographFile):
    """Photograph whose pixels are read from disk on access.

    Attributes:
        path: of the file.
        label: 1 with a person, else 0.
        boxes: around the annotated persons, clipped to the picture.

    Example:
        >>> from PIL import Image
        >>> Image.new("RGB", (8, 10)).save("person.png")
        >>> Photograph(Path("person.png"), label=1, boxes=(Box(2, 1, 9, 5),)).image.shape
        torch.Size([3, 10, 8])
    """

    boxes: tuple[Box, ...]


def inria(folder: str | Path, split: str = "train") -> list[Photograph]:
    """List the photographs of the data set.

    Args:
        folder: with ``Train`` and ``Test``.
        split: ``"train"`` or ``"test"``.

    Returns:
        Photographs with persons, then those without, each in the order of their list.

    Raises:
        ValueError: when a file is missing, or an annotation incomplete or with an empty box.
    """
    if split not in ("train", "test"):
        raise unknown("split", split, ("train", "test"))
    of_kind("folder", folder, str | Path, "the path of a folder")
    root = Path(folder)
    pos, neg, annotations = (
        _listed(root, f"{split.title()}/{kind}.lst") for kind in ("pos", "neg", "annotations")
    )
    boxes = dict(_annotation(root, path) for path in annotations)
    for path in pos:
        if path not in boxes:
            raise ValueError(f"{str(path)!r} has no annotation; name one in annotations.lst")
    return [Photograph(p, 1, boxes[p]) for p in pos] + [Photograph(p, 0, ()) for p in neg]


def _listed(root: Path, name: str) -> list[Path]:
    path = _find(root, name, "give the folder of the data set, with Train and Test in it")
    fix = f"{str(path)!r} names it: add the file or take the name out"
    lines = path.read_text("latin-1").split("\n")
    return [_find(root, line.strip(), fix) for line in lines if line.strip()]


def _annotation(root: Path, path: Path) -> tuple[Path, tuple[Box, ...]]:
    """Picture of an annotation, and its boxes."""
    text = path.read_text("latin-1")
    image = re.search(r'Image filename\s*:\s*"(.+?)"', text)
    size = re.search(r"Image size .*:\s*(\d+)\s*x\s*(\d+)", text)
    count = re.search(r"Objects with ground truth\s*:\s*(\d+)", text)
    point = r"\((-?\d+),\s*(-?\d+)\)"
    corners = re.findall(rf"Bounding box .*:\s*{point}\s*-\s*{point}", text)
    if not (image and size and count) or len(corners) < int(count[1]):
        raise ValueError(f"{str(path)!r} lacks a file name, size, count or box; copy it again")
    origin = re.search(rf"Top left pixel co-ordinates\s*:\s*{point}", text)
    x0, y0 = (int(origin[1]), int(origin[2])) if origin else (1, 1)
    width, height = int(size[1]), int(size[2])
    boxes = []
    for x1, y1, x2, y2 in corners:
        top, left = max(int(y1) - y0, 0), max(int(x1) - x0, 0)
        bottom, right = min(int(y2) - y0 + 1, height), min(int(x2) - x0 + 1, width)
        if top >= bottom or left >= right:
            raise ValueError(
                f"{str(path)!r} has a swapped or empty box ({x1}, {y1}) - ({x2}, {y2}); correct it"
            )
        boxes.append(Box(top, left, bottom, right))
    fix = f"{str(path)!r} is for it: add the picture or take the annotation out of its list"
    return _find(root, image[1], fix), tuple(boxes)


def _find(root: Path, name: str, fix: str) -> Path:
    """File below the root with this path, in any case; a picture may be .png or .jpg."""
    stem, suffix = os.path.splitext(name)
    for other in (suffix, {".png": ".jpg", ".jpg": ".png"}.get(suffix.lower(), suffix)):
        path = root
        for part in PurePosixPath(stem + other).parts:
            if not (path / part).exists() and path.is_dir():
                same = (e for e in sorted(os.listdir(path)) if e.lower() == part.lower())
                part = next(same, part)
            path /= part
        if path.is_file():
            return path
    raise ValueError(f"there is no {name!r} in {str(root)!r}; {fix}")
