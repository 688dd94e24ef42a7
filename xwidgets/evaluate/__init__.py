"""One file a measure of how good an explanation is."""

from .baselines import edge_map, random_map
from .part_deletion import PartDeletion, part_deletion

__all__ = ["PartDeletion", "edge_map", "part_deletion", "random_map"]
