"""Pictures to look at: photographs, drawn scenes with ground truth, and their checks."""

from . import scenes
from .photo import photo, photographs
from .pixels import as_pixels, one_image, picture

__all__ = ["as_pixels", "one_image", "photo", "photographs", "picture", "scenes"]
