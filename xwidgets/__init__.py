"""See what a convolutional network is doing, live, in a notebook."""

from ._version import __version__ as __version__
from .aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
