"""Views, and the study that they look at."""

from .class_chooser import ClassChooser
from .comparison import Comparison
from .concepts import Concepts
from .difference import Difference
from .explorer import Explorer
from .inquiry import Inquiry, Progress
from .neuron_explorer import NeuronExplorer
from .neuron_ranking import NeuronRanking
from .parts_form import PartsForm
from .patch_gallery import PatchGallery
from .region_painter import RegionPainter
from .regions import Regions
from .relevance_grid import RelevanceGrid
from .relevance_overlay import RelevanceOverlay
from .study import Study
from .window_slider import WindowSlider
from .xfeature_explorer import XFeatureExplorer

__all__ = [
    "ClassChooser",
    "Comparison",
    "Concepts",
    "Difference",
    "Explorer",
    "Inquiry",
    "NeuronExplorer",
    "NeuronRanking",
    "PartsForm",
    "PatchGallery",
    "Progress",
    "RegionPainter",
    "Regions",
    "RelevanceGrid",
    "RelevanceOverlay",
    "Study",
    "WindowSlider",
    "XFeatureExplorer",
]
