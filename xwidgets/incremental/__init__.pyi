from .inference import IncrementalInference
from .units import UnitInference
from .whole import WholeInference

__all__ = ["IncrementalInference", "UnitInference", "WholeInference"]
