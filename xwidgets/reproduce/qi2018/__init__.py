"""The experiments of Qi et al. 2018, and what came out."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
