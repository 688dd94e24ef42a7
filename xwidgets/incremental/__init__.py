"""Inference that computes again only what a window of the image, or a hidden unit, can change."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
