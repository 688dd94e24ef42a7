"""Pictures to look at: photographs, data sets, drawn scenes with ground truth; their checks."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
