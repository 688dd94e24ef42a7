"""Pictures to look at: photographs, data sets, drawn scenes with ground truth; their checks."""

from . import scenes
from .collection import Collection
from .inria import Photograph, inria
from .photo import photo, photographs
from .pixels import as_pixels, one_image, picture

__all__ = [
    "Collection",
    "Photograph",
    "as_pixels",
    "inria",
    "one_image",
    "photo",
    "photographs",
    "picture",
    "scenes",
]
