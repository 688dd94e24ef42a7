"""One file a measure of how good an explanation is, and one a paper's experiments."""

from . import lengerich2017, two_classes
from .baselines import edge_map, random_map
from .jaccard import jaccard, jaccard_of_overlap
from .localisation import localisation
from .locality import Locality, locality, part_shares, point_shares
from .masked_classification import (
    MaskedClassification,
    inpainted,
    masked_classification,
    union_map,
)
from .orthogonality import Orthogonality, orthogonality
from .part_deletion import PartDeletion, part_deletion
from .parts import mask_parts, voronoi_parts
from .patch_accuracy import PatchAccuracy, patch_accuracy

__all__ = [
    "Locality",
    "MaskedClassification",
    "Orthogonality",
    "PartDeletion",
    "PatchAccuracy",
    "edge_map",
    "inpainted",
    "jaccard",
    "jaccard_of_overlap",
    "lengerich2017",
    "localisation",
    "locality",
    "mask_parts",
    "masked_classification",
    "orthogonality",
    "part_deletion",
    "part_shares",
    "patch_accuracy",
    "point_shares",
    "random_map",
    "two_classes",
    "union_map",
    "voronoi_parts",
]
