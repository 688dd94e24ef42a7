"""Inference that computes again only what a window of the image can change."""

from .inference import IncrementalInference
from .whole import WholeInference

__all__ = ["IncrementalInference", "WholeInference"]
