"""Explanation modules (Qi, Khorram and Li 2018): few x-features behind a score, and their fit."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
