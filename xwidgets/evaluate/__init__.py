"""One file a measure of how good an explanation is, and one a paper's experiments."""

from . import (
    cases,
    lengerich2017,
    qi2018,
    two_classes,
    zintgraf2016,
    zintgraf2016_claims,
    zintgraf2016_findings,
)
from .baselines import edge_map, random_map
from .faithfulness import Faithfulness, faithfulness
from .figure import Figure
from .heat_maps import HeatMaps, heat_maps, heat_maps_of_score
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
from .outline import outline, times_expected
from .part_deletion import PartDeletion, part_deletion
from .parts import mask_parts, voronoi_parts
from .patch_accuracy import PatchAccuracy, patch_accuracy
from .sharpness import half_area, same_sign, sharpness
from .shifted import shifted_network
from .top_pixels import top_pixels

__all__ = [
    "Faithfulness",
    "Figure",
    "HeatMaps",
    "Locality",
    "MaskedClassification",
    "Orthogonality",
    "PartDeletion",
    "PatchAccuracy",
    "cases",
    "edge_map",
    "faithfulness",
    "half_area",
    "heat_maps",
    "heat_maps_of_score",
    "inpainted",
    "jaccard",
    "jaccard_of_overlap",
    "lengerich2017",
    "localisation",
    "locality",
    "mask_parts",
    "masked_classification",
    "orthogonality",
    "outline",
    "part_deletion",
    "part_shares",
    "patch_accuracy",
    "point_shares",
    "qi2018",
    "random_map",
    "same_sign",
    "sharpness",
    "shifted_network",
    "times_expected",
    "top_pixels",
    "two_classes",
    "union_map",
    "voronoi_parts",
    "zintgraf2016",
    "zintgraf2016_claims",
    "zintgraf2016_findings",
]
