from .class_models import ClassModels
from .dataset_search import DatasetSearch
from .difference import Difference
from .history import History
from .live_result import LiveResult, Progress, Question
from .live_results import LiveResults
from .method_maps import MethodMaps, methods_for
from .neurons import Neurons
from .pictures import Pictures
from .regions import Regions
from .settings import python_of, restore, settings_of
from .study import Study
from .x_feature_fit import XFeatureFit

__all__ = [
    "ClassModels",
    "DatasetSearch",
    "Difference",
    "History",
    "LiveResult",
    "LiveResults",
    "MethodMaps",
    "Neurons",
    "Pictures",
    "Progress",
    "Question",
    "Regions",
    "Study",
    "XFeatureFit",
    "methods_for",
    "python_of",
    "restore",
    "settings_of",
]
