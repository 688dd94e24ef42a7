from ._survey import survey
from .folder import Survey, open_survey

__all__ = [
    "Survey",
    "open_survey",
    "survey",
]
