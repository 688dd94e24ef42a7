"""Inference that computes again only what a window of the image can change.

Prediction difference analysis runs whole forwards still, until the set-up here, a few tenths of a
second for every window size, no longer delays the first colours.
"""

from .inference import IncrementalInference
from .whole import WholeInference

__all__ = ["IncrementalInference", "WholeInference"]
