"""Where the birds sit: four habitats, far ones out of focus, near ones sharp.

Their leaves, flowers, berries and reeds come in the colours and sizes of the birds' own marks, so
that no colour alone tells a species. A habitat is drawn from its kind and its own seed, whatever
sits in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image

from .canvas import (
    Canvas,
    Colour,
    Frame,
    blurred,
    ellipse,
    limb,
    mix,
    rounded,
    smooth,
    tone,
)

_GRADIENTS: dict[str, tuple[tuple[Colour, ...], ...]] = {
    "meadow": (
        ((201, 221, 232), (224, 230, 218), (162, 180, 116), (122, 148, 82)),
        ((236, 224, 204), (226, 212, 172), (192, 172, 112), (154, 138, 84)),
        ((186, 204, 218), (202, 216, 208), (126, 158, 108), (90, 126, 76)),
    ),
    "shore": (
        ((196, 212, 220), (158, 186, 200), (128, 162, 180), (100, 136, 156)),
        ((228, 210, 200), (194, 188, 194), (146, 160, 180), (110, 130, 154)),
        ((180, 196, 186), (140, 166, 156), (106, 138, 132), (80, 112, 108)),
    ),
    "wood": (
        ((150, 172, 110), (116, 144, 84), (84, 114, 64), (62, 88, 52)),
        ((220, 188, 122), (198, 152, 88), (160, 118, 70), (122, 90, 58)),
        ((96, 122, 112), (72, 98, 90), (54, 78, 72), (46, 66, 60)),
        ((212, 224, 170), (178, 202, 130), (140, 172, 102), (112, 142, 84)),
    ),
    "sky": (
        ((142, 182, 218), (178, 206, 228), (214, 226, 232)),
        ((200, 200, 218), (228, 208, 206), (242, 220, 196)),
        ((196, 202, 208), (206, 210, 214), (190, 196, 202)),
    ),
}
HABITATS = tuple(_GRADIENTS)
_PETALS: tuple[Colour, ...] = (
    (206, 70, 58),
    (236, 200, 74),
    (244, 242, 234),
    (92, 118, 182),
    (206, 132, 164),
    (60, 52, 60),
)
_LEAVES: tuple[Colour, ...] = (
    (104, 134, 70),
    (78, 106, 60),
    (150, 160, 84),
    (178, 116, 60),
    (160, 78, 54),
    (96, 72, 56),
)
_BARK: tuple[Colour, ...] = ((104, 84, 66), (126, 108, 90), (84, 70, 62))
_STONE: tuple[Colour, ...] = ((128, 126, 124), (150, 142, 130), (104, 106, 112))
_LEAF = smooth([(-1, 0), (-0.3, -0.55), (0.5, -0.4), (1.1, 0), (0.5, 0.4), (-0.3, 0.55)])
_BOULDER = smooth(
    [(-1.5, 1), (-1.35, 0.2), (-0.8, -0.02), (0, -0.03), (0.8, -0.01), (1.3, 0.14), (1.6, 1)]
)


@dataclass(frozen=True)
class Habitat:
    """A kind of habitat, one of `HABITATS`, and the seed of everything in it."""

    kind: str
    seed: int


def paint_habitat(habitat: Habitat, size: int, feet_x: float, feet_y: float) -> Canvas:
    """Paint a habitat with a perch under the feet, placed in units of the picture's side."""
    random = Random(habitat.seed)
    canvas = Canvas(size, _distance(random, habitat.kind))
    details, perches = _DETAILS[habitat.kind]
    for _ in range(random.randint(3, 9)):
        random.choice(details)(canvas, random)
    canvas.frame = Frame(feet_x, feet_y, 1)
    random.choice(perches)(canvas, random)
    return canvas


def _distance(random: Random, kind: str) -> Image.Image:
    gradient = [tone(c, random.uniform(0.9, 1.15)) for c in random.choice(_GRADIENTS[kind])]
    blots = []
    for _ in range(random.randint(5, 12)):
        x, y = random.random(), random.random()
        width = random.uniform(0.05, 0.2)
        height = width * (1 if kind == "wood" else random.uniform(0.25, 0.5))
        near = gradient[min(int(y * len(gradient)), len(gradient) - 1)]
        colour = tone(near, random.uniform(0.82, 1.3))
        blots.append((ellipse(x, y, width, height), colour))
    return blurred(gradient, blots)


def _flower(canvas: Canvas, random: Random) -> None:
    x, y = random.random(), random.uniform(0.45, 0.95)
    head = random.uniform(0.018, 0.04)
    petals = random.choice(_PETALS)
    canvas.frame = Frame(x, y, 1)
    canvas.fill(limb((0, 0), (random.uniform(-0.06, 0.06), 1.05 - y), 0.008, 0.012), (96, 122, 66))
    for dx, dy in ((-0.7, -0.3), (0.7, -0.3), (0, 0.75), (0, -0.8)):
        canvas.fill(ellipse(dx * head, dy * head, head * 0.75, head * 0.75), petals)
    canvas.fill(
        ellipse(0, 0, head * 0.5, head * 0.5), random.choice(((232, 196, 84), (84, 66, 52)))
    )


def _grass(canvas: Canvas, random: Random) -> None:
    canvas.frame = Frame(random.random(), 1.02, 1)
    green = tone(random.choice(_LEAVES[:3]), random.uniform(0.85, 1.2))
    for _ in range(4):
        x, height = random.uniform(-0.1, 0.1), random.uniform(0.12, 0.4)
        tip = x + random.uniform(-0.08, 0.08)
        canvas.fill([(x - 0.01, 0), (x + 0.01, 0), (tip, -height)], green)


def _reed(canvas: Canvas, random: Random) -> None:
    canvas.frame = Frame(random.random(), 1.02, 1)
    top, lean = random.uniform(0.35, 0.9), random.uniform(-0.08, 0.08)
    canvas.fill(limb((0, 0), (lean, -top), 0.014, 0.008), (128, 134, 84))
    if random.random() < 0.6:
        brown = random.choice(((98, 70, 50), (146, 98, 62)))
        canvas.fill(limb((lean, -top), (lean * 0.86, -top * 0.8), 0.032, 0.032), brown)


def _ripple(canvas: Canvas, random: Random) -> None:
    canvas.frame = Frame(random.random(), random.uniform(0.4, 1), 1)
    light = mix((120, 148, 164), (236, 242, 242), random.random())
    canvas.fill(ellipse(0, 0, random.uniform(0.06, 0.16), 0.006), light)


def _pebble(canvas: Canvas, random: Random) -> None:
    canvas.frame = Frame(random.random(), random.uniform(0.7, 1), random.uniform(0.03, 0.08))
    colour = random.choice((*_STONE, (222, 216, 204), (64, 60, 62)))
    canvas.paint(rounded(ellipse(0, 0, 1, 0.65), colour, (-0.2, -0.25)))


def _leaf(canvas: Canvas, random: Random) -> None:
    colour = tone(random.choice(_LEAVES), random.uniform(0.85, 1.2))
    x, y, turn = random.random(), random.random(), random.uniform(-3.1, 3.1)
    canvas.frame = Frame(x, y, random.uniform(0.05, 0.11), turn)
    canvas.fill(_LEAF, colour)
    canvas.fill(limb((-1.3, 0), (0.8, 0), 0.1, 0.03), tone(colour, 0.8))


def _berries(canvas: Canvas, random: Random) -> None:
    canvas.frame = Frame(random.random(), random.uniform(0, 0.9), 1)
    colour = random.choice(_PETALS)
    for _ in range(random.randint(1, 4)):
        x, y = random.uniform(-0.06, 0.06), random.uniform(0, 0.08)
        canvas.fill(limb((0, -0.06), (x, y), 0.008, 0.008), _BARK[0])
        canvas.paint(
            rounded(ellipse(x, y, 0.022, 0.022), colour, (x - 0.006, y - 0.008), contrast=0.6)
        )


def _twig(canvas: Canvas, random: Random) -> None:
    side = random.choice((0, 1))
    canvas.frame = Frame(side, random.random(), 1, random.uniform(-0.6, 0.6), mirrored=side == 1)
    bark, leaf = random.choice(_BARK), random.choice(_LEAVES)
    length = random.uniform(0.2, 0.5)
    canvas.fill(limb((-0.1, 0), (length, 0), 0.028, 0.008), bark)
    for share, turn in ((0.4, -0.7), (0.65, 0.7), (0.9, -0.5)):
        x = length * share
        canvas.fill(limb((x, 0), (x + 0.06, turn * 0.08), 0.012, 0.008), bark)
        if leaf != _LEAVES[-1]:
            canvas.fill(ellipse(x + 0.075, turn * 0.1, 0.035, 0.016, turn), leaf)


def _branch(canvas: Canvas, random: Random) -> None:
    bark = random.choice(_BARK)
    rise, bend = random.uniform(-0.12, 0.12), random.uniform(-0.03, 0.03)
    thick, thin = random.uniform(0.05, 0.075), random.uniform(0.025, 0.045)
    drop = thick / 2
    left, right = (-0.8, drop + rise + bend), (0.8, drop - rise + bend)
    canvas.fill(limb(left, (0, drop), thick * 1.3, thick), bark)
    canvas.fill(limb((0, drop), right, thick, thin), bark)
    canvas.fill(limb((-0.8, left[1] - thick * 0.3), (0, drop * 0.5), 0.012, 0.008), tone(bark, 1.3))
    x = random.uniform(0.2, 0.4)
    canvas.fill(limb((x, drop - rise * x), (x + 0.14, 0.16), 0.025, 0.01), bark)


def _stone(canvas: Canvas, random: Random) -> None:
    stone = _BOULDER * (random.uniform(0.2, 0.34), 1)
    canvas.paint(rounded(stone, random.choice(_STONE), (-0.05, 0.1), contrast=0.15))


def _post(canvas: Canvas, random: Random) -> None:
    bark, half = random.choice(_BARK), random.uniform(0.07, 0.12)
    canvas.fill([(-half, 0), (half, 0), (half, 1), (-half, 1)], bark)
    canvas.fill([(-half, 0), (half, 0), (half, 0.025), (-half, 0.025)], tone(bark, 1.35))
    canvas.fill(
        [(half * 0.35, 0.05), (half * 0.5, 0.05), (half * 0.5, 1), (half * 0.4, 1)], tone(bark, 0.8)
    )


def _ground(canvas: Canvas, random: Random) -> None:
    green = tone(random.choice(_LEAVES[:3]), random.uniform(0.9, 1.2))
    rise = random.uniform(-0.06, 0.06)
    canvas.fill([(-1, rise), (0, -0.01), (1, -rise), (1, 1), (-1, 1)], green)
    for _ in range(12):
        x, lean = random.uniform(-0.6, 0.6), random.uniform(-0.03, 0.03)
        y = -x * rise + random.uniform(0.02, 0.2)
        blade = [(x - 0.008, y), (x + 0.008, y), (x + lean, y - random.uniform(0.03, 0.08))]
        canvas.fill(blade, tone(green, random.uniform(0.8, 1.2)))


_Motif = Callable[[Canvas, Random], None]
_DETAILS: dict[str, tuple[tuple[_Motif, ...], tuple[_Motif, ...]]] = {
    "meadow": ((_flower, _flower, _grass), (_ground, _post, _stone)),
    "shore": ((_reed, _ripple, _ripple, _pebble), (_stone, _post)),
    "wood": ((_leaf, _berries, _twig), (_branch,)),
    "sky": ((_twig, _leaf, _berries), (_branch, _post)),
}
