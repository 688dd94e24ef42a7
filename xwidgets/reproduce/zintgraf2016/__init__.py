"""The figures and the claims of Zintgraf et al. 2016, and what came out."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
