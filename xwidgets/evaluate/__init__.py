"""One file a measure of how good an explanation is, and one a paper's experiments."""

from . import lengerich2017, two_classes
from .baselines import edge_map, random_map
from .jaccard import jaccard, jaccard_of_overlap
from .localisation import localisation
from .part_deletion import PartDeletion, part_deletion
from .patch_accuracy import PatchAccuracy, patch_accuracy

__all__ = [
    "PartDeletion",
    "PatchAccuracy",
    "edge_map",
    "jaccard",
    "jaccard_of_overlap",
    "lengerich2017",
    "localisation",
    "part_deletion",
    "patch_accuracy",
    "random_map",
    "two_classes",
]
