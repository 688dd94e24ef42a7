"""Surveys: one method over a whole data set, in a folder that grows and is looked at meanwhile."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
