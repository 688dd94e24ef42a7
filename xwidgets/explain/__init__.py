"""One file a method: what explains an image in a network, as a value and as a function."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
