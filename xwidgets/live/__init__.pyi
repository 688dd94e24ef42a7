from .concepts import Concepts
from .difference import Difference
from .live_result import LiveResult, Progress, Question
from .neurons import Neurons
from .regions import Regions
from .study import Study

__all__ = [
    "Concepts",
    "Difference",
    "LiveResult",
    "Neurons",
    "Progress",
    "Question",
    "Regions",
    "Study",
]
