from . import render
from ._difference import common_settings, contrast, difference, ends
from ._segmentation import Segmentation, segment
from .class_model import ClassModel
from .neuron_patch import NeuronPatch
from .ranking import METRICS, Ranking
from .region_removal import RegionRemoval
from .relevance import Relevance
from .top_images import TopImages
from .unit_relevance import UnitRelevance
from .x_features import XFeatures

__all__ = [
    "METRICS",
    "ClassModel",
    "NeuronPatch",
    "Ranking",
    "RegionRemoval",
    "Relevance",
    "Segmentation",
    "TopImages",
    "UnitRelevance",
    "XFeatures",
    "common_settings",
    "contrast",
    "difference",
    "ends",
    "render",
    "segment",
]
