"""Views, and the study that they look at."""

from .class_chooser import ClassChooser
from .explorer import Explorer
from .inquiry import Inquiry, Progress
from .neuron_explorer import NeuronExplorer
from .neuron_ranking import NeuronRanking
from .patch_gallery import PatchGallery
from .relevance_overlay import RelevanceOverlay
from .study import Study
from .window_slider import WindowSlider

__all__ = [
    "ClassChooser",
    "Explorer",
    "Inquiry",
    "NeuronExplorer",
    "NeuronRanking",
    "PatchGallery",
    "Progress",
    "RelevanceOverlay",
    "Study",
    "WindowSlider",
]
