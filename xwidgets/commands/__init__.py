"""The command ``xwidgets``, one file a command; torch is imported by those that compute."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
