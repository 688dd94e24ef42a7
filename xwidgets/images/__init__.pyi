from . import scenes
from ._coded import coded, decoded
from ._cub import BirdPhotograph, cub
from ._inria import Photograph, inria
from ._photo import photo, photographs
from .collection import Collection
from .pixels import as_pixels, one_image, picture

__all__ = [
    "BirdPhotograph",
    "Collection",
    "Photograph",
    "as_pixels",
    "coded",
    "cub",
    "decoded",
    "inria",
    "one_image",
    "photo",
    "photographs",
    "picture",
    "scenes",
]
