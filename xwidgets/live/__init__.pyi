from .class_models import ClassModels
from .dataset_search import DatasetSearch
from .difference import Difference
from .live_result import LiveResult, Progress, Question
from .live_results import LiveResults
from .method_maps import MethodMaps
from .neurons import Neurons
from .regions import Regions
from .study import Study
from .x_feature_fit import XFeatureFit

__all__ = [
    "ClassModels",
    "DatasetSearch",
    "Difference",
    "LiveResult",
    "LiveResults",
    "MethodMaps",
    "Neurons",
    "Progress",
    "Question",
    "Regions",
    "Study",
    "XFeatureFit",
]
