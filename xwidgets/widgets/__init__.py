"""Views, and the study that they look at."""

from typing import Any

from xwidgets.aliases import renamed

from .class_chooser import ClassChooser
from .comparison import Comparison
from .concepts import Concepts
from .difference import Difference
from .explorer import Explorer
from .live_result import LiveResult, Progress, Question
from .neuron_explorer import NeuronExplorer
from .neuron_ranking import NeuronRanking
from .neurons import Neurons
from .parameter_control import MethodControls, ParameterControl, WindowSlider
from .parts_form import PartsForm
from .patch_gallery import PatchGallery
from .region_painter import RegionPainter
from .regions import Regions
from .relevance_grid import RelevanceGrid
from .relevance_overlay import RelevanceOverlay
from .study import Study
from .xfeature_explorer import XFeatureExplorer

__all__ = [
    "ClassChooser",
    "Comparison",
    "Concepts",
    "Difference",
    "Explorer",
    "LiveResult",
    "MethodControls",
    "NeuronExplorer",
    "NeuronRanking",
    "Neurons",
    "ParameterControl",
    "PartsForm",
    "PatchGallery",
    "Progress",
    "Question",
    "RegionPainter",
    "Regions",
    "RelevanceGrid",
    "RelevanceOverlay",
    "Study",
    "WindowSlider",
    "XFeatureExplorer",
]


def __getattr__(name: str) -> Any:
    return renamed(__name__, name)
