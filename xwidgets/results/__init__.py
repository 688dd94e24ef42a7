"""Results of methods: arrays with the facts needed to read them, to show, save and load."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
