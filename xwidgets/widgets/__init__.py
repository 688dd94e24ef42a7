"""Views: one file a view, with its ES module and its styles."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
