"""Views, and the study that they look at."""

from .class_chooser import ClassChooser
from .explorer import Explorer
from .relevance_overlay import RelevanceOverlay
from .study import Progress, Study
from .window_slider import WindowSlider

__all__ = ["ClassChooser", "Explorer", "Progress", "RelevanceOverlay", "Study", "WindowSlider"]
