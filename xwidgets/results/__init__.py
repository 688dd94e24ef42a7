"""What methods return: arrays with all that is needed to read them again."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
