"""Studies: what computes behind the views, in a thread of its own."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
