"""Images: photographs, data sets, drawn scenes with ground truth, and checks of pixels."""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
