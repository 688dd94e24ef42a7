"""Pictures to look at: photographs, data sets, drawn scenes with ground truth; their checks."""

from . import scenes
from .collection import Collection
from .cub import BirdPhotograph, cub
from .inria import Photograph, inria
from .photo import photo, photographs
from .pixels import as_pixels, one_image, picture

__all__ = [
    "BirdPhotograph",
    "Collection",
    "Photograph",
    "as_pixels",
    "cub",
    "inria",
    "one_image",
    "photo",
    "photographs",
    "picture",
    "scenes",
]
