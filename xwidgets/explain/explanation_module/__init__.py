"""Explanation modules (Qi, Khorram and Li 2018): few x-features that give a score; their fit."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
