"""The papers' experiments: settings, figures, tables, claims, and what came out."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
