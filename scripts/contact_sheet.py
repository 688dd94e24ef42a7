"""Draw a contact sheet: birds and streets at 64 pixels, enlarged, and at 256 pixels.

python scripts/contact_sheet.py sheet.png
"""

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xwidgets.files import whole
from xwidgets.images import scenes
from xwidgets.images.scenes import Scene
from xwidgets.images.scenes.birds import SPECIES
from xwidgets.results import render

TILE = 256


def tile(scene: Scene) -> NDArray[np.uint8]:
    """Return a scene as a (TILE, TILE, 3) picture whose pixels can be told apart."""
    pixels = (scene.image * 255).round().byte().permute(1, 2, 0).numpy()
    factor = TILE // len(pixels)
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def removals(scene: Scene, *parts: str) -> list[Scene]:
    """Return the scene and the scene without each of the parts."""
    return [scene, *(scene.without(part) for part in parts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    complete = scenes.bird(25, size=TILE)
    rows: Sequence[Sequence[Scene]] = [
        [scenes.bird(seed, species=seed) for seed in range(0, len(SPECIES) // 2)],
        [scenes.bird(seed, species=seed) for seed in range(len(SPECIES) // 2, len(SPECIES))],
        [scenes.bird(seed, size=TILE) for seed in range(20, 30)],
        [*removals(complete, *complete.removable), scenes.bird(36, size=TILE)],
        [scenes.street(seed) for seed in range(10)],
        [scenes.street(seed, person=True, size=TILE) for seed in range(10, 20)],
        [
            *removals(scenes.street(21, person=True, size=TILE), "head", "torso", "arms", "legs"),
            scenes.street(21, person=False, size=TILE),
            *(scenes.street(seed, person=False, size=TILE) for seed in range(22, 26)),
        ],
    ]
    sheet = np.vstack([np.hstack([tile(scene) for scene in row]) for row in rows])
    with whole(parser.parse_args().path) as part:
        part.write_bytes(render.png(sheet))


if __name__ == "__main__":
    main()
