from . import two_classes
from ._findings import PUBLISHED, findings
from .experiments import LAYERS, PROPOSED, RANDOM, SETTINGS, Reproduction, Setting, reproduce, steps
from .figure4 import drawn_boxes

__all__ = [
    "LAYERS",
    "PROPOSED",
    "PUBLISHED",
    "RANDOM",
    "SETTINGS",
    "Reproduction",
    "Setting",
    "drawn_boxes",
    "findings",
    "reproduce",
    "steps",
    "two_classes",
]
