from ._survey import survey
from .folder import Survey, open_survey
from .pictures import SurveyPictures

__all__ = [
    "Survey",
    "SurveyPictures",
    "open_survey",
    "survey",
]
