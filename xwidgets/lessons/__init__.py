"""What notebooks teach with: computations and small networks to take apart."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
