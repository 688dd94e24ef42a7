"""The experiments of Lengerich et al. 2017, and what came out."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
