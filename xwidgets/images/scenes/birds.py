"""Drawn birds of twenty invented species, which differ in five parts only.

Beak, breast, crown, tail and wing have four variants each; everything else (pose, size, colours of
body, legs and eyes, habitat) varies within every species. The species are ten pairs of twins that
differ in exactly one part, two pairs for each of the five parts, so that a classifier needs all of
them. The parts are the fifteen of CUB-200-2011.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple, Self

import numpy as np

from xwidgets.errors import a_seed, at_least

from .canvas import (
    Canvas,
    Colour,
    Frame,
    Layers,
    Shape,
    ellipse,
    limb,
    rounded,
    smooth,
    tone,
)
from .habitats import HABITATS, Habitat, paint_habitat
from .scene import Scene

PARTS = (
    "back",
    "beak",
    "belly",
    "breast",
    "crown",
    "forehead",
    "left eye",
    "left leg",
    "left wing",
    "nape",
    "right eye",
    "right leg",
    "right wing",
    "tail",
    "throat",
)
_OWNER = {part: number for number, part in enumerate(PARTS, 1)}


class Plumage(NamedTuple):
    """Marks of a species: the variant of each of the five."""

    beak: str
    breast: str
    crown: str
    tail: str
    wing: str


class Species(NamedTuple):
    """Species: its name and its plumage."""

    name: str
    plumage: Plumage


def _species() -> tuple[Species, ...]:
    """Ten plumages, and for each a twin with another variant of one mark."""
    pairs = (
        ("Alder", Plumage("cone", "ruby", "capped", "forked", "plain"), "beak", "dagger"),
        ("Briar", Plumage("dagger", "banded", "crested", "fanned", "barred"), "beak", "hooked"),
        ("Cinder", Plumage("hooked", "bibbed", "striped", "long", "plain"), "breast", "banded"),
        ("Dune", Plumage("spoon", "speckled", "capped", "short", "spotted"), "breast", "ruby"),
        ("Ember", Plumage("cone", "banded", "plumed", "long", "patched"), "crown", "capped"),
        ("Fern", Plumage("hooked", "ruby", "striped", "short", "barred"), "crown", "crested"),
        ("Gorse", Plumage("dagger", "bibbed", "plumed", "forked", "spotted"), "tail", "short"),
        ("Heath", Plumage("spoon", "ruby", "crested", "long", "patched"), "tail", "fanned"),
        ("Isle", Plumage("hooked", "speckled", "capped", "fanned", "patched"), "wing", "barred"),
        ("Juniper", Plumage("spoon", "bibbed", "striped", "fanned", "plain"), "wing", "spotted"),
    )
    return tuple(
        Species(f"{name} finch ({getattr(kind, mark)} {mark})", kind)
        for name, plumage, mark, variant in pairs
        for kind in (plumage, plumage._replace(**{mark: variant}))
    )


SPECIES = _species()
"""Species; the index is the label."""

TWINS = tuple((i, i + 1) for i in range(0, len(SPECIES), 2))
"""Pairs of labels whose species differ in exactly one part."""

_BODIES: tuple[Colour, ...] = (
    (150, 116, 84),
    (112, 130, 152),
    (124, 130, 92),
    (176, 158, 122),
    (122, 120, 122),
    (158, 112, 98),
    (106, 136, 134),
    (188, 178, 160),
)
_LEGS: tuple[Colour, ...] = ((92, 74, 62), (188, 132, 72), (66, 64, 72))
_EYES: tuple[Colour, ...] = ((28, 26, 28), (96, 46, 30), (58, 52, 84))
_FEET = (0.1, 1.2)  # where the perch touches the bird, in the bird's frame


@dataclass(frozen=True)
class BirdRecord:
    """Parameters of a drawn bird; lengths are in units of the picture's side.

    Attributes:
        seed: of the record and of the film grain.
        species: index into `SPECIES`.
        x, y: centre of the body.
        scale: half the body's length.
        angle: of the body, in radians.
        faces_left: whether the bird shows its left side instead of its right.
        body, leg, eye: colours.
        lift: angle of the folded wing, in radians.
        habitat: surroundings of the bird.
        removed: parts that are left out.
    """

    seed: int
    species: int
    x: float
    y: float
    scale: float
    angle: float
    faces_left: bool
    body: Colour
    leg: Colour
    eye: Colour
    lift: float
    habitat: Habitat
    removed: tuple[str, ...] = ()

    @property
    def label(self) -> int:
        """Index of the species."""
        return self.species

    @property
    def name(self) -> str:
        """Name of the species."""
        return SPECIES[self.species].name

    @property
    def part_names(self) -> tuple[str, ...]:
        """Fifteen parts of CUB-200-2011."""
        return PARTS

    @property
    def removable(self) -> tuple[str, ...]:
        """Five marks, the eye and the legs, without those that are removed already."""
        side = "left" if self.faces_left else "right"
        parts = ("beak", "breast", "crown", "tail", f"{side} wing", f"{side} eye")
        return tuple(p for p in (*parts, "left leg", "right leg") if p not in self.removed)

    def removing(self, *parts: str) -> Self:
        """Copy with these parts left out too."""
        return replace(self, removed=tuple(sorted({*self.removed, *parts})))

    def paint(self, size: int) -> Canvas:
        """Paint the bird in its habitat."""
        frame = Frame(self.x, self.y, self.scale, self.angle, self.faces_left)
        feet_x, feet_y = frame.place(_FEET)
        canvas = paint_habitat(self.habitat, size, feet_x, feet_y)
        near, far = ("left", "right") if self.faces_left else ("right", "left")
        plumage = SPECIES[self.species].plumage
        wing, eye = f"{near} wing", f"{near} eye"

        def paint_part(part: str, layers: Layers) -> None:
            if part not in self.removed:
                canvas.paint(layers, _OWNER[part])

        canvas.frame = frame
        for leg, shapes in ((f"{far} leg", _FAR_LEG), (f"{near} leg", _NEAR_LEG)):
            paint_part(leg, tuple((shape, self.leg) for shape in shapes))
        paint_part("tail", _TAILS[plumage.tail])
        _paint_body(canvas, self.body)
        paint_part("breast", _BREASTS[plumage.breast])
        _paint_head(canvas, self.body)
        paint_part("beak", _BEAKS[plumage.beak])
        paint_part("crown", _CROWNS[plumage.crown])
        canvas.frame = frame.turned(self.lift)
        paint_part(wing, _WINGS[plumage.wing])
        canvas.frame = frame
        ring, glint = (240, 236, 226), (250, 250, 250)
        paint_part(eye, ((_EYE_RING, ring), (_EYE, self.eye), (_GLINT, glint)))
        return canvas


def draw_record(seed: int, species: int | None = None) -> BirdRecord:
    """Draw the parameters of a bird from a seed; a given species changes nothing but the species.

    Raises:
        ValueError: there is no such species.
    """
    if species is not None:
        at_least("species", species, 0)
        if species >= len(SPECIES):
            raise ValueError(f"there is no species {species}; species are 0 to {len(SPECIES) - 1}")
    random = Random(a_seed(seed))
    drawn = random.randrange(len(SPECIES))
    return BirdRecord(
        seed=seed,
        species=drawn if species is None else species,
        x=random.uniform(0.44, 0.56),
        y=random.uniform(0.45, 0.56),
        scale=random.uniform(0.175, 0.23),
        angle=random.uniform(-0.3, 0.25),
        faces_left=random.random() < 0.5,
        body=tone(random.choice(_BODIES), random.uniform(0.85, 1.15)),
        leg=random.choice(_LEGS),
        eye=random.choice(_EYES),
        lift=random.uniform(-0.15, 0.1),
        habitat=Habitat(random.choice(HABITATS), random.randrange(2**31)),
    )


def bird(seed: int, species: int | None = None, size: int = 64) -> Scene:
    """Draw a bird.

    Args:
        seed: decides everything that the other arguments leave open.
        species: index into `SPECIES`; by default the seed chooses.
        size: side of the picture in pixels; the drawing is the same at every size.

    Returns:
        A `Scene` whose label is the species and whose parts are the fifteen of CUB-200-2011; left
        and right are the bird's own.

    Raises:
        ValueError: there is no such species, or the size is not positive.

    Example:
        >>> from xwidgets.images import scenes
        >>> scene = scenes.bird(seed=3, species=0)
        >>> scene.name, tuple(scene.image.shape)
        ('Alder finch (cone beak)', (3, 64, 64))
    """
    return Scene.draw(draw_record(seed, species), size)


_BODY = smooth(
    [
        *((-1.3, 0.0), (-0.7, -0.45), (0.0, -0.7), (0.42, -1.05), (1.0, -0.9), (1.16, -0.25)),
        *((1.0, 0.32), (0.45, 0.76), (-0.25, 0.72), (-0.85, 0.42), (-1.3, 0.2)),
    ]
)
_BELLY = smooth(
    [(0.95, 0.3), (0.45, 0.76), (-0.25, 0.72), (-0.85, 0.42), (-1.1, 0.2), (-0.2, 0.3), (0.5, 0.1)]
)
_BACK = smooth(
    [(0.4, -1), (0, -0.7), (-0.7, -0.45), (-1.2, 0), (-0.7, -0.06), (0, -0.32), (0.5, -0.6)]
)
_HEAD = ellipse(0.82, -0.74, 0.44, 0.42)
_NAPE = smooth([(0.58, -1.08), (0.34, -0.85), (0.24, -0.5), (0.6, -0.4), (0.72, -0.8)])
_THROAT = ellipse(1.0, -0.46, 0.2, 0.13, -0.5)
_FOREHEAD = ellipse(1.1, -0.93, 0.12, 0.13)
_BREAST = ellipse(0.76, -0.02, 0.36, 0.4, 0.25)
_CROWN = smooth(
    [(0.39, -0.84), (0.45, -1.15), (0.8, -1.28), (1.13, -1.12), (1.21, -0.91), (0.8, -0.89)]
)
_WING = smooth(
    [
        (0.5, -0.32),
        (0.45, 0.08),
        (0, 0.32),
        (-0.7, 0.26),
        (-1.45, 0.12),
        (-0.75, -0.22),
        (0.1, -0.5),
    ]
)
_EYE_RING = ellipse(0.93, -0.78, 0.12, 0.12)
_EYE = ellipse(0.94, -0.78, 0.09, 0.09)
_GLINT = ellipse(0.97, -0.82, 0.03, 0.03)


def _leg(x: float) -> tuple[Shape, ...]:
    return (
        limb((x, 0.5), (x + 0.02, 0.85), 0.14, 0.09),
        limb((x + 0.02, 0.85), (x + 0.04, 1.18), 0.085, 0.085),
        limb((x - 0.06, 1.18), (x + 0.26, 1.18), 0.085, 0.06),
    )


_NEAR_LEG, _FAR_LEG = _leg(0.0), _leg(0.26)


def _paint_body(canvas: Canvas, colour: Colour) -> None:
    canvas.paint(rounded(_BODY, colour, (-0.1, -0.35)), _OWNER["belly"])
    canvas.paint(rounded(_BELLY, tone(colour, 1.5), (0.0, 0.45)), _OWNER["belly"])
    canvas.fill(_BACK, tone(colour, 0.8), _OWNER["back"])


def _paint_head(canvas: Canvas, colour: Colour) -> None:
    canvas.paint(rounded(_HEAD, tone(colour, 1.08), (0.8, -0.85)), _OWNER["nape"])
    canvas.fill(_NAPE, tone(colour, 0.88), _OWNER["nape"])
    canvas.fill(_THROAT, tone(colour, 1.45), _OWNER["throat"])
    canvas.fill(_FOREHEAD, tone(colour, 0.94), _OWNER["forehead"])


def _breast(colour: Colour) -> Layers:
    return rounded(_BREAST, colour, (0.72, -0.12))


def _wing(colour: Colour, *marks: Shape, light: Colour = (244, 242, 232)) -> Layers:
    feathers = (
        limb((-0.3, 0.2), (-1.1, 0.14), 0.05, 0.02),
        limb((-0.3, 0.08), (-1, 0.04), 0.05, 0.02),
    )
    return (
        *rounded(_WING, colour, (-0.1, -0.15), contrast=0.2),
        *((feather, tone(colour, 0.7)) for feather in feathers),
        *((mark, light) for mark in marks),
    )


_BEAKS: dict[str, Layers] = {
    "cone": (
        (
            smooth([(1.12, -0.98), (1.3, -0.9), (1.75, -0.66), (1.3, -0.54), (1.12, -0.52)]),
            (238, 196, 66),
        ),
        (np.array([(1.16, -0.7), (1.56, -0.67), (1.28, -0.56), (1.16, -0.55)]), (206, 160, 48)),
    ),
    "dagger": (
        (np.array([(1.15, -0.86), (2.1, -0.66), (1.15, -0.6)]), (70, 72, 80)),
        (np.array([(1.15, -0.72), (2.1, -0.66), (1.15, -0.6)]), (44, 46, 52)),
    ),
    "hooked": (
        (
            smooth(
                [(1.1, -1), (1.45, -1), (1.72, -0.8), (1.68, -0.38), (1.5, -0.56), (1.12, -0.5)]
            ),
            (226, 112, 48),
        ),
        (smooth([(1.14, -0.62), (1.4, -0.64), (1.36, -0.46), (1.14, -0.46)]), (178, 80, 36)),
    ),
    "spoon": (
        (
            smooth(
                [
                    *((1.12, -0.84), (1.5, -0.82), (1.75, -1.0), (2.02, -0.86)),
                    *((2.0, -0.5), (1.72, -0.44), (1.5, -0.58), (1.12, -0.58)),
                ]
            ),
            (196, 62, 84),
        ),
        (limb((1.16, -0.68), (1.85, -0.68), 0.05, 0.05), (146, 40, 62)),
    ),
}
_SPECKLES = ((0.6, -0.2), (0.86, -0.2), (0.72, -0.02), (0.98, 0), (0.56, 0.14), (0.82, 0.18))
_BREASTS: dict[str, Layers] = {
    "ruby": _breast((196, 62, 48)),
    "speckled": (
        *_breast((232, 222, 198)),
        *((ellipse(x, y, 0.065, 0.075), (62, 50, 46)) for x, y in _SPECKLES),
    ),
    "bibbed": _breast((38, 38, 44)),
    "banded": (
        *_breast((240, 204, 74)),
        (limb((0.48, 0.06), (1.05, -0.04), 0.13, 0.13), (64, 52, 44)),
    ),
}
_PLUMES = ((0.34, -1.6), (0.66, -1.78), (1.0, -1.7))
_CROWNS: dict[str, Layers] = {
    "capped": ((_CROWN, (32, 32, 38)),),
    "crested": (
        (
            smooth(
                [(1.18, -1), (0.9, -1.22), (0.5, -1.4), (0.02, -1.66), (0.26, -1.2), (0.5, -0.92)]
            ),
            (204, 54, 48),
        ),
        (limb((0.86, -1.04), (0.3, -1.36), 0.08, 0.03), (158, 38, 40)),
    ),
    "striped": (
        (_CROWN, (246, 244, 238)),
        (limb((0.5, -0.98), (1.08, -1.03), 0.1, 0.08), (48, 46, 54)),
    ),
    "plumed": (
        *((limb((0.76, -1.05), tip, 0.1, 0.07), (62, 104, 176)) for tip in _PLUMES),
        *((ellipse(*tip, 0.1, 0.1), (88, 136, 204)) for tip in _PLUMES),
    ),
}
_FAN = ((-1.62, -0.55), (-1.86, -0.22), (-1.92, 0.1), (-1.84, 0.42), (-1.58, 0.7))
_TAILS: dict[str, Layers] = {
    "short": ((np.array([(-0.9, -0.18), (-1.55, -0.1), (-1.6, 0.22), (-0.9, 0.3)]), (54, 48, 50)),),
    "long": (
        (
            smooth(
                [(-0.8, -0.2), (-1.5, 0.1), (-2.35, 0.5), (-2.3, 0.78), (-1.5, 0.42), (-0.8, 0.3)]
            ),
            (164, 78, 46),
        ),
        (limb((-1.0, 0.06), (-2.15, 0.58), 0.05, 0.03), (122, 54, 36)),
    ),
    "forked": (
        (np.array([(-0.85, -0.2), (-2, -0.3), (-1.9, -0.16), (-0.85, 0.28)]), (68, 102, 150)),
        (np.array([(-0.85, -0.2), (-1.95, 0.55), (-1.85, 0.69), (-0.85, 0.28)]), (60, 90, 134)),
    ),
    "fanned": (
        (np.array([(-0.85, -0.12), *_FAN, (-0.85, 0.24)]), (236, 232, 222)),
        *((limb((-1.0, 0.06), tip, 0.02, 0.05), (172, 164, 152)) for tip in _FAN[1:4]),
    ),
}
_SPOTS = ((0.26, -0.18), (0.1, 0.06), (-0.06, -0.22), (-0.22, 0.06), (-0.42, -0.12), (-0.6, 0.1))
_WINGS: dict[str, Layers] = {
    "plain": _wing((64, 54, 50)),
    "barred": _wing(
        (76, 84, 54),
        limb((0.24, -0.34), (0.06, 0.18), 0.12, 0.1),
        limb((-0.1, -0.34), (-0.3, 0.2), 0.12, 0.1),
    ),
    "patched": _wing((56, 74, 108), ellipse(-0.1, -0.08, 0.3, 0.17, 0.1)),
    "spotted": _wing(
        (112, 74, 46), *(ellipse(x, y, 0.075, 0.075) for x, y in _SPOTS), light=(244, 214, 150)
    ),
}
