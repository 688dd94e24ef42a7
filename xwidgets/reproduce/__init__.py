"""The papers' experiments, a folder a paper, over one harness.

The harness is what lies beside these folders: settings by name, results saved in a folder, tables
that grow by repetitions, figures, and what mean, spread and verdict of differences are.
"""

from xwidgets.aliases import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
