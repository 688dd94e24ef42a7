"""See what a convolutional network is doing, live, in a notebook."""

from importlib.metadata import version

from .aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
__version__ = version("xwidgets")
