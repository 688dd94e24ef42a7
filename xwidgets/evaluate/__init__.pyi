from ._agreement import agreement
from ._drawn_without import drawn_without
from ._faithfulness import Faithfulness, faithfulness
from ._jaccard import jaccard, jaccard_of_overlap
from ._localisation import localisation
from ._locality import Locality, locality, part_shares, point_shares
from ._masked_classification import (
    MaskedClassification,
    inpainted,
    masked_classification,
    union_map,
)
from ._orthogonality import Orthogonality, orthogonality
from ._outline import outline, times_expected
from ._part_deletion import PartDeletion, part_deletion
from ._patch_accuracy import PatchAccuracy, patch_accuracy
from ._sharpness import half_area, same_sign, sharpness
from ._shifted_network import shifted_network
from ._top_pixels import top_pixels
from ._weight_randomisation import (
    WeightRandomisation,
    weight_randomisation,
    weight_randomisation_steps,
)
from .baselines import edge_map, random_map
from .parts import mask_parts, voronoi_parts

__all__ = [
    "Faithfulness",
    "Locality",
    "MaskedClassification",
    "Orthogonality",
    "PartDeletion",
    "PatchAccuracy",
    "WeightRandomisation",
    "agreement",
    "drawn_without",
    "edge_map",
    "faithfulness",
    "half_area",
    "inpainted",
    "jaccard",
    "jaccard_of_overlap",
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
    "random_map",
    "same_sign",
    "sharpness",
    "shifted_network",
    "times_expected",
    "top_pixels",
    "union_map",
    "voronoi_parts",
    "weight_randomisation",
    "weight_randomisation_steps",
]
