from ._notebook_page import notebook_page
from .class_chooser import ClassChooser
from .class_model_explorer import ClassModelExplorer
from .comparison import Comparison
from .deconvolution_lesson import DeconvolutionLesson
from .explorer import Explorer
from .filling_comparison import FillingComparison
from .group import Group
from .method_chooser import MethodChooser
from .method_comparison import MethodComparison
from .neuron_explorer import NeuronExplorer
from .neuron_ranking import NeuronRanking
from .page import Page
from .panes import Panes
from .parameter_control import MethodControls, ParameterControl, WindowSlider
from .parts_form import PartsForm
from .patch_gallery import PatchGallery
from .picture_strip import PictureStrip
from .region_painter import RegionPainter
from .relevance_grid import RelevanceGrid
from .relevance_overlay import RelevanceOverlay
from .result_page import results_page
from .survey_explorer import SurveyExplorer
from .top_images_gallery import TopImagesGallery
from .unpooling_lesson import UnpoolingLesson
from .xfeature_comparison import XFeatureComparison
from .xfeature_explorer import XFeatureExplorer

__all__ = [
    "ClassChooser",
    "ClassModelExplorer",
    "Comparison",
    "DeconvolutionLesson",
    "Explorer",
    "FillingComparison",
    "Group",
    "MethodChooser",
    "MethodComparison",
    "MethodControls",
    "NeuronExplorer",
    "NeuronRanking",
    "Page",
    "Panes",
    "ParameterControl",
    "PartsForm",
    "PatchGallery",
    "PictureStrip",
    "RegionPainter",
    "RelevanceGrid",
    "RelevanceOverlay",
    "SurveyExplorer",
    "TopImagesGallery",
    "UnpoolingLesson",
    "WindowSlider",
    "XFeatureComparison",
    "XFeatureExplorer",
    "notebook_page",
    "results_page",
]
