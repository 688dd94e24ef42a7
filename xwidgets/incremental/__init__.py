"""Inference that computes again only what a window of the image can change."""

from .inference import IncrementalInference

__all__ = ["IncrementalInference"]
