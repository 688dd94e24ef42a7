"""Drawn street scenes with and without people.

A street has a sky, houses, a road and things beside it: trees, lamps, signs, bins, cars, dogs,
cones, shrubs. They appear in both classes; only people make the difference. The street of a seed is
the same with people as without.
"""

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Self

from xwidgets.errors import a_flag, a_seed

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
from .scene import SUBJECT, Scene

NAMES = ("no person", "person")
"""Names of the classes, in the order of the labels."""

PARTS = ("head", "torso", "arms", "legs")
_HEAD, _TORSO, _ARMS, _LEGS = range(1, 5)

_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((150, 184, 214), (220, 230, 234)),
    ((188, 196, 204), (222, 222, 218)),
    ((178, 188, 212), (242, 218, 196)),
    ((206, 212, 214), (232, 228, 220)),
)
_WALLS: tuple[Colour, ...] = (
    (172, 108, 88),
    (206, 186, 154),
    (158, 156, 152),
    (222, 212, 194),
    (122, 130, 142),
    (146, 124, 106),
    (190, 150, 120),
)
_VERGES: tuple[Colour, ...] = ((134, 152, 104), (176, 170, 158), (162, 150, 124))
_PAINTS: tuple[Colour, ...] = (
    (178, 66, 56),
    (64, 96, 140),
    (222, 216, 204),
    (70, 72, 78),
    (210, 170, 82),
    (92, 122, 96),
    (150, 152, 156),
)
_SHIRTS: tuple[Colour, ...] = (
    *_PAINTS,
    (132, 84, 112),
    (200, 124, 84),
    (112, 148, 168),
)
_TROUSERS: tuple[Colour, ...] = (
    (58, 66, 90),
    (64, 60, 60),
    (124, 106, 84),
    (96, 104, 112),
    (84, 88, 66),
)
_SKINS: tuple[Colour, ...] = ((240, 206, 178), (214, 168, 128), (158, 112, 80), (104, 74, 56))
_HAIRS: tuple[Colour, ...] = ((44, 36, 32), (98, 66, 44), (196, 160, 100), (140, 138, 136))
_FURS: tuple[Colour, ...] = ((116, 82, 56), (188, 152, 108), (60, 54, 52), (212, 204, 192))
_GREENS: tuple[Colour, ...] = ((92, 122, 72), (74, 104, 70), (126, 140, 76), (168, 132, 70))


@dataclass(frozen=True)
class House:
    """House behind the road: its left edge, size and colour, and number of windows in a row."""

    x: float
    width: float
    height: float
    colour: Colour
    windows: int


@dataclass(frozen=True)
class Thing:
    """Object other than a person: its kind, place, scale, colour and direction."""

    kind: str
    x: float
    y: float
    scale: float
    colour: Colour
    mirrored: bool


@dataclass(frozen=True)
class Person:
    """Person in a street.

    Attributes:
        x, y: place of the feet.
        height: in units of the picture's side.
        shirt, trousers, skin, hair: colours.
        stride: half the angle between the legs, in radians.
        swing: angles of the far and the near arm, in radians.
        hat, bag: whether the person wears or carries one.
        mirrored: whether the person looks to the left.
    """

    x: float
    y: float
    height: float
    shirt: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    stride: float
    swing: tuple[float, float]
    hat: bool
    bag: bool
    mirrored: bool


@dataclass(frozen=True)
class StreetRecord:
    """Parameters of a drawn street; lengths are in units of the picture's side.

    Attributes:
        seed: of the record and of the film grain.
        horizon: height of the horizon, from the top.
        sky: colours at the top and at the horizon.
        road: grey level of the road.
        vanishing: place on the horizon where the road ends.
        verge: colour of the ground beside the road.
        houses, things, people: contents of the picture.
        removed: parts that are left out of every person.
    """

    seed: int
    horizon: float
    sky: tuple[Colour, Colour]
    road: int
    vanishing: float
    verge: Colour
    houses: tuple[House, ...]
    things: tuple[Thing, ...]
    people: tuple[Person, ...]
    removed: tuple[str, ...] = ()

    @property
    def label(self) -> int:
        """Class: 1 if there are people, else 0."""
        return int(bool(self.people))

    @property
    def name(self) -> str:
        """Name of the class."""
        return NAMES[self.label]

    @property
    def part_names(self) -> tuple[str, ...]:
        """Parts of a person."""
        return PARTS

    @property
    def removable(self) -> tuple[str, ...]:
        """Parts that the people still have."""
        return tuple(p for p in PARTS if self.people and p not in self.removed)

    def removing(self, *parts: str) -> Self:
        """Copy with these parts left out of every person too."""
        return replace(self, removed=tuple(sorted({*self.removed, *parts})))

    def paint(self, size: int) -> Canvas:
        """Paint the street, everything on it from far to near."""
        canvas = Canvas(size, blurred((self.sky[0], mix(*self.sky, 0.6), self.sky[1]), ()))
        for house in self.houses:
            _house(canvas, house, self.horizon)
        _ground(canvas, self)
        standing: list[Thing | Person] = [*self.things, *self.people]
        subject = 0
        for figure in sorted(standing, key=lambda figure: figure.y):
            if isinstance(figure, Person):
                canvas.frame = Frame(figure.x, figure.y, figure.height, mirrored=figure.mirrored)
                _person(canvas, figure, self.removed, SUBJECT * subject)
                subject += 1
            else:
                canvas.frame = Frame(figure.x, figure.y, figure.scale, mirrored=figure.mirrored)
                _THINGS[figure.kind](canvas, figure.colour)
        return canvas


def draw_record(seed: int, person: bool | None = None) -> StreetRecord:
    """Draw the parameters of a street; `person` decides only whether its people are there."""
    if person is not None:
        a_flag("person", person)
    random = Random(a_seed(seed))
    populated = random.random() < 0.5
    horizon = random.uniform(0.4, 0.55)
    record = StreetRecord(
        seed=seed,
        horizon=horizon,
        sky=random.choice(_SKIES),
        road=random.randint(96, 136),
        vanishing=random.uniform(0.2, 0.8),
        verge=tone(random.choice(_VERGES), random.uniform(0.88, 1.12)),
        houses=tuple(_draw_house(random) for _ in range(random.randint(1, 5))),
        things=tuple(_draw_thing(random, horizon) for _ in range(random.randint(2, 6))),
        people=_draw_people(random),
    )
    if person is None:
        person = populated
    return record if person else replace(record, people=())


def street(seed: int, person: bool | None = None, size: int = 64) -> Scene:
    """Draw a street.

    Args:
        seed: decides everything that the other arguments leave open.
        person: whether there are people (one to three); by default the seed chooses.
        size: side of the picture in pixels; the drawing is the same at every size.

    Returns:
        A `Scene` with label 1 if there are people, else 0. Its parts are head, torso, arms and
        legs: a mask shows them on all people, a point on the person who shows most of the part.

    Raises:
        ValueError: the size is not positive.

    Example:
        >>> from xwidgets.images import scenes
        >>> scenes.street(seed=3, person=False).boxes
        []
    """
    return Scene.draw(draw_record(seed, person), size)


def _draw_house(random: Random) -> House:
    return House(
        x=random.uniform(-0.1, 0.9),
        width=random.uniform(0.16, 0.36),
        height=random.uniform(0.12, 0.42),
        colour=tone(random.choice(_WALLS), random.uniform(0.88, 1.12)),
        windows=random.randint(2, 4),
    )


def _draw_thing(random: Random, horizon: float) -> Thing:
    kind = random.choice(tuple(_THINGS))
    palette = {"dog": _FURS, "tree": _GREENS, "shrub": _GREENS}.get(kind, _PAINTS)
    nearest = horizon + 0.2 if kind in _LARGE else 0.98
    y = random.uniform(horizon + 0.04, nearest)
    return Thing(
        kind=kind,
        x=random.uniform(0.02, 0.98),
        y=y,
        scale=(0.25 + 0.5 * (y - horizon)) * random.uniform(0.85, 1.25),
        colour=tone(random.choice(palette), random.uniform(0.88, 1.12)),
        mirrored=random.random() < 0.5,
    )


def _draw_people(random: Random) -> tuple[Person, ...]:
    """Draw one to three people side by side, so that nobody hides another."""
    count = random.choice((1, 1, 1, 2, 3))
    return tuple(
        Person(
            x=0.14 + 0.72 * (i + random.uniform(0.2, 0.8)) / count,
            y=(y := random.uniform(0.74, 0.97)),
            height=random.uniform(0.75, 1.05) * (y - 0.24),
            shirt=tone(random.choice(_SHIRTS), random.uniform(0.85, 1.15)),
            trousers=tone(random.choice(_TROUSERS), random.uniform(0.85, 1.2)),
            skin=random.choice(_SKINS),
            hair=random.choice(_HAIRS),
            stride=random.uniform(0.04, 0.36),
            swing=(random.uniform(-0.6, 0.3), random.uniform(-0.3, 0.6)),
            hat=random.random() < 0.15,
            bag=random.random() < 0.25,
            mirrored=random.random() < 0.5,
        )
        for i in range(count)
    )


def _house(canvas: Canvas, house: House, horizon: float) -> None:
    canvas.frame = Frame(house.x, horizon + 0.02, 1)
    width, height = house.width, house.height
    canvas.fill(_rectangle(0, -height, width, 0), house.colour)
    canvas.fill(_rectangle(-0.01, -height - 0.02, width + 0.01, -height), tone(house.colour, 0.75))
    pitch = width / (2 * house.windows + 1)
    for row in range(int((height - 0.03) / (2.2 * pitch))):
        for column in range(house.windows):
            x, y = pitch * (2 * column + 1), -height + pitch * (2.2 * row + 0.9)
            lit = (row * 3 + column * 5) % 7 == 0
            glass = (236, 214, 158) if lit else mix(house.colour, (70, 84, 100), 0.7)
            canvas.fill(_rectangle(x, y, x + pitch, y + 1.3 * pitch), glass)


def _ground(canvas: Canvas, record: StreetRecord) -> None:
    """Paint the verge, two pavements that meet at the horizon, and the road with its dashes."""
    canvas.frame = Frame(record.vanishing, record.horizon, 1)
    depth = 1 - record.horizon
    grey = record.road
    asphalt: Colour = (grey, grey, grey + 4)
    canvas.fill(_rectangle(-1, 0, 1, 1), record.verge)
    canvas.fill([(-0.06, 0), (0.06, 0), (0.95, depth), (-0.95, depth)], tone(asphalt, 1.5))
    canvas.fill([(-0.045, 0), (0.045, 0), (0.7, depth), (-0.7, depth)], asphalt)
    for near, far in ((1.0, 0.74), (0.56, 0.42), (0.32, 0.24), (0.18, 0.14)):
        low, high = near * depth, far * depth
        dash = [
            (-0.022 * near, low),
            (0.022 * near, low),
            (0.022 * far, high),
            (-0.022 * far, high),
        ]
        canvas.fill(dash, tone(asphalt, 2.2))


def _rectangle(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


_TORSO_SHAPE = smooth(
    [(-0.1, -0.84), (0.1, -0.84), (0.14, -0.78), (0.115, -0.45), (-0.115, -0.45), (-0.14, -0.78)]
)
_SHOULDER = (0.0, -0.77)
_HIP = (0.0, -0.48)


def _person(canvas: Canvas, person: Person, removed: tuple[str, ...], first_owner: int) -> None:
    """Paint a person whose feet are at (0, 0) and the top of whose head is at (0, -1)."""
    if "legs" not in removed:
        for angle, shade in ((-person.stride, 0.85), (person.stride, 1.0)):
            _leg(canvas, angle, tone(person.trousers, shade), first_owner + _LEGS)
    far, near = person.swing
    if "arms" not in removed:
        _arm(canvas, far, tone(person.shirt, 0.72), person.skin, first_owner + _ARMS)
    if "torso" not in removed:
        owner = first_owner + _TORSO
        canvas.paint(rounded(_TORSO_SHAPE, person.shirt, (0.02, -0.74), contrast=0.15), owner)
        if person.bag:
            canvas.fill(limb((0.09, -0.8), (-0.1, -0.55), 0.02, 0.02), (92, 68, 52), owner)
            canvas.fill(_rectangle(-0.19, -0.62, -0.07, -0.46), (112, 82, 58), owner)
    if "arms" not in removed:
        _arm(canvas, near, tone(person.shirt, 0.86), person.skin, first_owner + _ARMS)
    if "head" not in removed:
        _head(canvas, person, first_owner + _HEAD)


def _leg(canvas: Canvas, angle: float, colour: Colour, owner: int) -> None:
    foot = (_HIP[0] + 0.44 * math.sin(angle), -0.035)
    knee = ((_HIP[0] + foot[0]) / 2 + 0.015, -0.25)
    canvas.fill(limb(_HIP, knee, 0.14, 0.1), colour, owner)
    canvas.fill(limb(knee, foot, 0.1, 0.07), colour, owner)
    canvas.fill(
        limb((foot[0] - 0.02, -0.02), (foot[0] + 0.06, -0.015), 0.05, 0.035), (48, 42, 40), owner
    )


def _arm(canvas: Canvas, angle: float, sleeve: Colour, skin: Colour, owner: int) -> None:
    x, y = _SHOULDER
    elbow = (x + 0.17 * math.sin(angle), y + 0.17 * math.cos(angle))
    hand = (elbow[0] + 0.16 * math.sin(angle + 0.35), elbow[1] + 0.16 * math.cos(angle + 0.35))
    canvas.fill(ellipse(*hand, 0.032, 0.036), skin, owner)
    canvas.fill(limb(_SHOULDER, elbow, 0.085, 0.07), sleeve, owner)
    canvas.fill(limb(elbow, hand, 0.07, 0.05), sleeve, owner)


def _head(canvas: Canvas, person: Person, owner: int) -> None:
    canvas.fill(limb((0, -0.86), (0, -0.8), 0.07, 0.08), tone(person.skin, 0.85), owner)
    canvas.fill(ellipse(-0.012, -0.915, 0.08, 0.085), person.hair, owner)
    canvas.fill(ellipse(0.018, -0.9, 0.062, 0.075), person.skin, owner)
    if person.hat:
        colour = tone(person.shirt, 0.6)
        canvas.fill(
            smooth([(-0.09, -0.94), (-0.08, -1.03), (0.08, -1.03), (0.09, -0.94)]), colour, owner
        )
        canvas.fill(limb((-0.08, -0.945), (0.13, -0.945), 0.03, 0.02), colour, owner)


def _tree(canvas: Canvas, colour: Colour) -> None:
    canvas.fill(limb((0, 0), (0.02, -0.9), 0.15, 0.08), (104, 82, 64))
    for x, y, radius in ((-0.28, -0.95, 0.3), (0.3, -1.0, 0.3), (0, -1.28, 0.34)):
        leaves = ellipse(x, y, radius, radius * 0.92)
        canvas.paint(rounded(leaves, colour, (x - 0.05, y - 0.12), contrast=0.25))


def _sign(canvas: Canvas, colour: Colour) -> None:
    canvas.fill(limb((0, 0), (0, -1.1), 0.05, 0.05), (128, 130, 134))
    canvas.fill(ellipse(0, -1.12, 0.2, 0.2), colour)
    canvas.fill(ellipse(0, -1.12, 0.13, 0.13), (240, 238, 230))


def _lamp(canvas: Canvas, colour: Colour) -> None:
    canvas.fill(limb((0, 0), (0, -1.8), 0.07, 0.04), (70, 74, 80))
    canvas.fill(limb((0, -1.8), (0.26, -1.84), 0.04, 0.04), (70, 74, 80))
    canvas.fill(ellipse(0.28, -1.8, 0.11, 0.06), mix(colour, (248, 236, 196), 0.85))


def _bin(canvas: Canvas, colour: Colour) -> None:
    canvas.fill([(-0.17, -0.46), (0.17, -0.46), (0.13, 0), (-0.13, 0)], colour)
    canvas.fill([(0.03, -0.46), (0.17, -0.46), (0.13, 0), (0.03, 0)], tone(colour, 0.85))
    canvas.fill(ellipse(0, -0.46, 0.19, 0.06), tone(colour, 0.65))


_CAR = smooth(
    [
        *((-0.9, -0.12), (-0.9, -0.42), (-0.5, -0.48), (-0.38, -0.76)),
        *((0.36, -0.76), (0.56, -0.46), (0.92, -0.4), (0.92, -0.12)),
    ]
)


def _car(canvas: Canvas, colour: Colour) -> None:
    canvas.paint(rounded(_CAR, colour, (0, -0.4), contrast=0.15))
    glass = (178, 202, 214)
    canvas.fill([(-0.4, -0.46), (-0.3, -0.66), (-0.03, -0.66), (-0.03, -0.46)], glass)
    canvas.fill([(0.03, -0.46), (0.03, -0.66), (0.28, -0.66), (0.44, -0.46)], glass)
    for x in (-0.52, 0.52):
        canvas.fill(ellipse(x, -0.14, 0.17, 0.17), (38, 38, 42))
        canvas.fill(ellipse(x, -0.14, 0.08, 0.08), (168, 170, 172))


def _dog(canvas: Canvas, colour: Colour) -> None:
    for x, shade in ((-0.2, 0.8), (0.22, 0.8), (-0.26, 1.0), (0.16, 1.0)):
        canvas.fill(limb((x, -0.28), (x, -0.03), 0.08, 0.06), tone(colour, shade))
    canvas.fill(limb((-0.24, -0.33), (0.2, -0.35), 0.2, 0.24), colour)
    canvas.fill(limb((-0.3, -0.36), (-0.46, -0.56), 0.06, 0.04), colour)
    canvas.fill(limb((0.24, -0.4), (0.34, -0.56), 0.15, 0.16), colour)
    canvas.fill(limb((0.36, -0.56), (0.5, -0.52), 0.14, 0.07), colour)
    canvas.fill(ellipse(0.3, -0.58, 0.05, 0.09, 0.4), tone(colour, 0.65))


def _cone(canvas: Canvas, _: Colour) -> None:
    canvas.fill([(-0.13, 0), (0.13, 0), (0.03, -0.42), (-0.03, -0.42)], (222, 112, 56))
    canvas.fill([(-0.09, -0.14), (0.09, -0.14), (0.065, -0.25), (-0.065, -0.25)], (240, 236, 226))
    canvas.fill(_rectangle(-0.18, -0.03, 0.18, 0.02), (190, 92, 48))


def _shrub(canvas: Canvas, colour: Colour) -> None:
    for x, y, radius in ((-0.3, -0.18, 0.26), (0.32, -0.16, 0.24), (0, -0.26, 0.32)):
        leaves = ellipse(x, y, radius, radius * 0.8)
        canvas.paint(rounded(leaves, colour, (x - 0.04, y - 0.08), contrast=0.25))


_THINGS = {
    "tree": _tree,
    "sign": _sign,
    "lamp": _lamp,
    "bin": _bin,
    "car": _car,
    "dog": _dog,
    "cone": _cone,
    "shrub": _shrub,
}
_LARGE = ("tree", "car", "lamp", "shrub")  # these stay behind the people
