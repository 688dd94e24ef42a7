"""A network as something to look into."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
