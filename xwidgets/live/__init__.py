"""Studies and live results, computed in a background thread, that views follow."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
