"""Drawn birds in the files of CUB-200-2011, for the network that comes with the package."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

import xwidgets as xw
from xwidgets.images.scenes import birds


def write_copy(folder: Path, counts: Mapping[int, tuple[int, int]]) -> None:
    """For each species so many pictures of the training half and so many of the other."""
    files: dict[str, list[str]] = {
        "classes.txt": [f"{one + 1} {one + 1:03}.Bird" for one in range(20)],
        "parts/parts.txt": [f"{number} {part}" for number, part in enumerate(birds.PARTS, 1)],
    }
    image = 0
    for label, (training, testing) in counts.items():
        for number in range(training + testing):
            image += 1
            scene = xw.scenes.bird(seed=7_000 + image, species=label)
            name = f"{label + 1:03}.Bird/Bird_{image:04}.png"
            path = folder / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = (scene.image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            Image.fromarray(pixels).save(path)
            top, left, bottom, right = scene.boxes[-1]
            lines = {
                "images.txt": name,
                "image_class_labels.txt": f"{label + 1}",
                "train_test_split.txt": f"{int(number < training)}",
                "bounding_boxes.txt": f"{left}.0 {top}.0 {right - left}.0 {bottom - top}.0",
            }
            for file, line in lines.items():
                files.setdefault(file, []).append(f"{image} {line}")
            files.setdefault("parts/part_locs.txt", []).extend(
                f"{image} {part} {point.x}.0 {point.y}.0 {int(point.visible)}"
                for part, point in enumerate(scene.parts.values(), 1)
            )
    (folder / "parts").mkdir()
    for file, lines in files.items():
        (folder / file).write_text("".join(f"{line}\n" for line in lines))
