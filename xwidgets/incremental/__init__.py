"""Inference that computes again only what a window of the image, or a hidden unit, can change."""

from .inference import IncrementalInference
from .units import UnitInference
from .whole import WholeInference

__all__ = ["IncrementalInference", "UnitInference", "WholeInference"]
